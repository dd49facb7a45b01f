//! Checks of values that have the right type and still cannot work.

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    ContainerSpec, ContainerUser, EngineKind, EvaluatorKind, JobConfig, JobInside, JobSpec, Limits,
    Share, SlurmRequest, Warm, apptainer, gpus, sbatch_args,
};

/// Slurm keeps CPUs per task in 16 bits and reserves the values above this one (`NO_VAL16` and
/// `INFINITE16` in slurm.h).
pub(crate) const MAX_CPUS: u32 = 0xfffd;

/// The most that Slurm takes as a niceness, either way (sbatch(1)).
const MAX_NICE: i64 = 2_147_483_645;

/// A setting that no command line, directive or variable can carry, or that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSetting {
    /// A NUL ends a string for the operating system.
    #[error("`{field}` holds a NUL character, which no command line or variable can carry")]
    Nul {
        /// Where, with dots between the levels.
        field: String,
    },
    /// A directive is one line.
    #[error("`{field}` holds a control character: {value:?}")]
    Control {
        /// Where, with dots between the levels.
        field: String,
        /// What it holds.
        value: String,
    },
    /// A value that is split where it is used.
    #[error("`{field}` holds white space: {value:?}")]
    Space {
        /// Where, with dots between the levels.
        field: String,
        /// What it holds.
        value: String,
    },
    /// A value that would be taken for an option.
    #[error("`{field}` starts with a dash and would be taken for an option: {value:?}")]
    Dash {
        /// Where, with dots between the levels.
        field: String,
        /// What it holds.
        value: String,
    },
    /// A value that has to be there.
    #[error("`{field}` is empty")]
    Empty {
        /// Where, with dots between the levels.
        field: String,
    },
    /// A number outside its range.
    #[error("`{field}` must be {expected}, got {value}")]
    OutOfRange {
        /// Where, with dots between the levels.
        field: String,
        /// What it holds.
        value: i64,
        /// The range, in words.
        expected: String,
    },
    /// An option of sbatch that contradicts a setting or is none.
    #[error("`{field}` {why}")]
    SbatchArg {
        /// Where, with dots between the levels.
        field: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// An engine that is not known.
    #[error(
        "`engine` must be `docker`, `podman`, `apptainer` or `singularity`, or a path to one of them, got {engine:?}"
    )]
    Engine {
        /// The engine.
        engine: String,
    },
    /// A setting that does not go with the engine.
    #[error("`{field}` {why}")]
    Engines {
        /// The setting.
        field: &'static str,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// sbatch takes a list for nodes that the job has all of, and a job here has one.
    #[error(
        "`nodelist` must be one node, got {nodelist:?}: narrow the choice by `exclude` or `constraint`"
    )]
    SeveralNodes {
        /// The list.
        nodelist: String,
    },
    /// A kind of GPU that cannot be asked for.
    #[error(
        "`gpus` names the kind {kind:?}; a kind is a letter, then letters, digits, `_`, `-` or `.`"
    )]
    GpuKind {
        /// The kind.
        kind: String,
    },
    /// A variable that cannot be set.
    #[error("`environment.set` names the variable {name:?}; a name is not empty and has no `=`")]
    VariableName {
        /// The name.
        name: String,
    },
    /// A grace period that outlasts the time limit.
    #[error(
        "`limits.grace_seconds` is {}, but a job is asked to end only {early} s before its time limit: lower it, \
         or raise `early_term_seconds`",
        grace.as_secs_f64()
    )]
    Grace {
        /// The grace period.
        grace: Duration,
        /// How long before its time limit a job is asked to end, in seconds.
        early: u32,
    },
    /// Python for an evaluator that runs as itself.
    #[error(
        "`python_executable` is {}, but `evaluator` is `executable`, which runs as itself: leave one of them out",
        program.display()
    )]
    PythonForExecutable {
        /// The Python.
        program: PathBuf,
    },
    /// What is kept warm is Python.
    #[error(
        "`warm` keeps a Python that has imported what the evaluator imports, which `evaluator: executable` does not use: \
         leave `warm` out"
    )]
    WarmExecutable,
    /// GPUs by two ways.
    #[error(
        "`environment.set` names {name}, by which `gpus` tells each job its own: leave one of them out"
    )]
    GpuVariable {
        /// The variable.
        name: &'static str,
    },
    /// Two environments.
    #[error("`conda_env` and `activate_script` are mutually exclusive: set one of them")]
    TwoEnvironments,
}

impl InvalidSetting {
    /// The field to mend, with dots between the levels.
    pub fn field(&self) -> &str {
        match self {
            Self::Nul { field }
            | Self::Control { field, .. }
            | Self::Space { field, .. }
            | Self::Dash { field, .. }
            | Self::Empty { field }
            | Self::OutOfRange { field, .. }
            | Self::SbatchArg { field, .. } => field,
            Self::Engine { .. } => "engine",
            Self::Engines { field, .. } => field,
            Self::SeveralNodes { .. } => "nodelist",
            Self::GpuKind { .. } => "gpus",
            Self::VariableName { .. } | Self::GpuVariable { .. } => "environment.set",
            Self::Grace { .. } => "limits.grace_seconds",
            Self::PythonForExecutable { .. } => "python_executable",
            Self::WarmExecutable => "warm",
            Self::TwoEnvironments => "activate_script",
        }
    }
}

type Checked = Result<(), InvalidSetting>;

impl JobConfig {
    /// Whether the settings can work at all; the first that cannot is the error.
    ///
    /// Settings read from YAML have been checked; those built in code have not.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        let spec = self.spec();
        evaluator("eval_program_path", &spec.evaluator)?;
        for (key, value) in &spec.args {
            let field = format!("extra_cmd_args.{key}");
            no_nul(&field, key.as_bytes())?;
            no_nul(&field, value.as_bytes())?;
        }
        for (name, value) in &spec.environment.set {
            variable(name, value)?;
        }
        at_least_1("limits.max_log_bytes", spec.limits.max_log_bytes)?;
        at_least_1("limits.max_result_bytes", spec.limits.max_result_bytes)?;
        python(&spec)?;
        share(&spec)?;
        spec.warm().map_or(Ok(()), |warm| warmth(&spec, warm))?;
        match &spec.inside {
            JobInside::Host { modules, .. } => all_modules(modules)?,
            JobInside::Container(spec) => container(spec, self.engines_flags())?,
        }
        spec.slurm().map_or(Ok(()), slurm)?;
        match self {
            Self::Local(config) => {
                let conda_env = config.conda_env.as_deref().unwrap_or_default();
                one_environment(conda_env, config.activate_script.as_deref())?;
            }
            Self::SlurmConda(config) => {
                one_environment(&config.conda_env, config.activate_script.as_deref())?;
            }
            Self::LocalDocker(_) | Self::SlurmDocker(_) => {}
        }
        spec.slurm().map_or(Ok(()), |slurm| grace(&spec.limits, slurm))
    }

    /// The flags of Docker and of Apptainer, whichever is used.
    fn engines_flags(&self) -> [&str; 2] {
        match self {
            Self::LocalDocker(config) => [&config.docker_flags, &config.apptainer_flags],
            Self::SlurmDocker(config) => [&config.docker_flags, &config.apptainer_flags],
            Self::Local(_) | Self::SlurmConda(_) => [""; 2],
        }
    }
}

/// Python that is set has to be a program, for an evaluator that needs one.
fn python(spec: &JobSpec) -> Checked {
    let Some(program) = &spec.python_executable else { return Ok(()) };
    optional_path("python_executable", Some(program))?;
    if spec.evaluator_kind == EvaluatorKind::Executable {
        return Err(InvalidSetting::PythonForExecutable { program: program.clone() });
    }
    Ok(())
}

/// What a job has to itself is some CPUs, and GPUs that nothing else names.
fn share(spec: &JobSpec) -> Checked {
    let Share { gpus, cpus } = spec.share();
    if cpus == Some(0) {
        let expected = "at least 1, or null for all".to_owned();
        return Err(InvalidSetting::OutOfRange { field: "cpus".to_owned(), value: 0, expected });
    }
    let set = &spec.environment.set;
    let named = Share::GPU_VARIABLES.into_iter().find(|name| set.contains_key(*name));
    named
        .filter(|_| gpus.is_some())
        .map_or(Ok(()), |name| Err(InvalidSetting::GpuVariable { name }))
}

/// A job that is asked to end before its time limit has to be able to.
fn grace(limits: &Limits, settings: &SlurmRequest) -> Checked {
    let early = settings.early_term_seconds();
    if early == 0 || limits.grace <= Duration::from_secs(early.into()) {
        return Ok(());
    }
    Err(InvalidSetting::Grace { grace: limits.grace, early })
}

fn warmth(spec: &JobSpec, warm: &Warm) -> Checked {
    if spec.evaluator_kind == EvaluatorKind::Executable {
        return Err(InvalidSetting::WarmExecutable);
    }
    for (index, module) in warm.preload.iter().enumerate() {
        one_word(&format!("warm.preload.{index}"), module)?;
    }
    some("warm.servers", warm.servers.unwrap_or(1))?;
    some("warm.max_jobs", warm.max_jobs)
}

fn all_modules(modules: &[String]) -> Checked {
    for (index, module) in modules.iter().enumerate() {
        let field = format!("modules.{index}");
        not_blank(&field, module)?;
        one_line(&field, module)?;
    }
    Ok(())
}

fn container(settings: &ContainerSpec, [docker_flags, apptainer_flags]: [&str; 2]) -> Checked {
    optional_path("image_tar_path", settings.archive.as_deref())?;
    optional_path("image_cache", settings.cache.as_deref())?;
    let engine = &settings.engine;
    one_line("engine", engine)?;
    match EngineKind::of(engine) {
        None => return Err(InvalidSetting::Engine { engine: engine.clone() }),
        Some(EngineKind::Docker) => {
            one_word("image", &settings.image)?;
            if !apptainer_flags.trim().is_empty() {
                let why = format!("is for apptainer: set `docker_flags` for {engine}");
                return Err(InvalidSetting::Engines { field: "apptainer_flags", why });
            }
        }
        Some(EngineKind::Apptainer) => {
            one_argument("image", &settings.image)?;
            apptainer::check(settings, docker_flags)?;
        }
    }
    if let ContainerUser::Named(user) = &settings.user {
        one_word("user", user)?;
    }
    settings.network.as_deref().map_or(Ok(()), |network| one_word("network", network))?;
    if settings.pids_limit == Some(0) {
        let expected = "at least 1, or null to leave it to the engine".to_owned();
        return Err(InvalidSetting::OutOfRange { field: "pids_limit".into(), value: 0, expected });
    }
    flags("docker_flags", docker_flags)?;
    flags("apptainer_flags", apptainer_flags)
}

/// Folded over several lines in YAML, flags may well hold line breaks: they separate like spaces.
fn flags(field: &str, flags: &str) -> Checked {
    one_line(field, &flags.split_ascii_whitespace().collect::<String>())
}

fn slurm(settings: &SlurmRequest) -> Checked {
    one_word("partition", &settings.partition)?;
    for (field, text) in settings.words() {
        text.map_or(Ok(()), |text| one_word(field, text))?;
    }
    if let Some(nodelist) = settings.nodelist.as_deref().filter(|list| names_several(list)) {
        return Err(InvalidSetting::SeveralNodes { nodelist: nodelist.to_owned() });
    }
    within("cpus", settings.cpus.into(), 1, MAX_CPUS.into())?;
    within("nice", settings.nice.unwrap_or_default(), -MAX_NICE, MAX_NICE)?;
    within("early_term_seconds", settings.early_term.into(), 0, u16::MAX.into())?;
    if let Some(kind) = settings.gpus.kind.as_ref().filter(|kind| !gpus::is_kind(kind)) {
        return Err(InvalidSetting::GpuKind { kind: kind.clone() });
    }
    for (name, value) in &settings.sbatch_args {
        sbatch_args::check(name, settings)?;
        value.as_ref().map_or(Ok(()), |value| sbatch_value(name, value))?;
    }
    Ok(())
}

/// Whether a list of nodes, as Slurm writes it, has more than one: `a,b` or `a[1-2]`.
fn names_several(nodelist: &str) -> bool {
    let in_brackets = nodelist.split_once('[').is_some_and(|(_, rest)| rest.contains('-'));
    nodelist.contains(',') || in_brackets
}

fn sbatch_value(name: &str, value: &str) -> Checked {
    let field = format!("sbatch_args.{name}");
    one_line(&field, value)?;
    if matches!(value, "true" | "false") {
        let why = "is a switch to sbatch: leave its value empty, or leave it out".to_owned();
        return Err(InvalidSetting::SbatchArg { field, why });
    }
    not_blank(&field, value)
}

fn within(field: &str, value: i64, least: i64, most: i64) -> Checked {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let expected = format!("a whole number from {least} to {most}");
    Err(InvalidSetting::OutOfRange { field: field.to_owned(), value, expected })
}

fn one_environment(conda_env: &str, activate_script: Option<&Path>) -> Checked {
    no_nul("conda_env", conda_env.as_bytes())?;
    optional_path("activate_script", activate_script)?;
    let script_is_set = activate_script
        .is_some_and(|script| !script.as_os_str().as_bytes().trim_ascii().is_empty());
    if script_is_set && !conda_env.trim().is_empty() {
        return Err(InvalidSetting::TwoEnvironments);
    }
    Ok(())
}

fn variable(name: &str, value: &str) -> Checked {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(InvalidSetting::VariableName { name: name.to_owned() });
    }
    no_nul(&format!("environment.set.{name}"), value.as_bytes())
}

/// The path is the first argument of Python, which would read one like `-c` otherwise.
fn evaluator(field: &str, path: &Path) -> Checked {
    if path.as_os_str().is_empty() {
        return Err(InvalidSetting::Empty { field: field.to_owned() });
    }
    if path.as_os_str().as_bytes().starts_with(b"-") {
        let value = path.to_string_lossy().into_owned();
        return Err(InvalidSetting::Dash { field: field.to_owned(), value });
    }
    optional_path(field, Some(path))
}

fn optional_path(field: &str, path: Option<&Path>) -> Checked {
    path.map_or(Ok(()), |path| no_nul(field, path.as_os_str().as_bytes()))
}

fn no_nul(field: &str, bytes: &[u8]) -> Checked {
    if bytes.contains(&0) {
        return Err(InvalidSetting::Nul { field: field.to_owned() });
    }
    Ok(())
}

fn not_blank(field: &str, text: &str) -> Checked {
    if text.trim().is_empty() {
        return Err(InvalidSetting::Empty { field: field.to_owned() });
    }
    Ok(())
}

fn one_line(field: &str, text: &str) -> Checked {
    no_nul(field, text.as_bytes())?;
    if text.chars().any(char::is_control) {
        return Err(InvalidSetting::Control { field: field.to_owned(), value: text.to_owned() });
    }
    Ok(())
}

/// A name that a command takes as one argument and not as an option.
fn one_word(field: &str, text: &str) -> Checked {
    not_blank(field, text)?;
    one_line(field, text)?;
    if text.contains(char::is_whitespace) {
        let (field, value) = (field.to_owned(), text.to_owned());
        return Err(InvalidSetting::Space { field, value });
    }
    one_argument(field, text)
}

/// The same, of what may hold white space, as a path may.
fn one_argument(field: &str, text: &str) -> Checked {
    not_blank(field, text)?;
    one_line(field, text)?;
    if text.starts_with('-') {
        let (field, value) = (field.to_owned(), text.to_owned());
        return Err(InvalidSetting::Dash { field, value });
    }
    Ok(())
}

fn some(field: &str, value: u32) -> Checked {
    if value == 0 {
        let (field, expected) = (field.to_owned(), "at least 1".to_owned());
        return Err(InvalidSetting::OutOfRange { field, value: value.into(), expected });
    }
    Ok(())
}

fn at_least_1(field: &str, value: u64) -> Checked {
    if value == 0 {
        let expected = "at least 1 byte".to_owned();
        return Err(InvalidSetting::OutOfRange { field: field.to_owned(), value: 0, expected });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EnvironmentPolicy, Gpus, LocalJobConfig, PyValue, SlurmCondaJobConfig, SlurmDockerJobConfig,
    };

    fn conda(change: impl FnOnce(&mut SlurmCondaJobConfig)) -> Result<(), InvalidSetting> {
        let mut config = SlurmCondaJobConfig::default();
        change(&mut config);
        JobConfig::from(config).validate()
    }

    fn docker(change: impl FnOnce(&mut SlurmDockerJobConfig)) -> Result<(), InvalidSetting> {
        let mut config = SlurmDockerJobConfig::default();
        change(&mut config);
        JobConfig::from(config).validate()
    }

    fn field(checked: Result<(), InvalidSetting>) -> String {
        checked.unwrap_err().field().to_owned()
    }

    #[test]
    fn defaults_are_valid() {
        assert_eq!(JobConfig::from(LocalJobConfig::default()).validate(), Ok(()));
        assert_eq!(conda(|_| ()), Ok(()));
        assert_eq!(docker(|_| ()), Ok(()));
    }

    #[test]
    fn an_evaluator_is_there_and_no_option_of_python() {
        let evaluator = |path: &str| conda(|config| config.eval_program_path = path.into());
        for bad in ["", "-", "-x.py", "-c"] {
            assert_eq!(field(evaluator(bad)), "eval_program_path", "{bad:?}");
        }
        assert_eq!(evaluator("./-x.py"), Ok(()));
    }

    #[test]
    fn an_executable_has_no_python_and_is_not_kept_warm() {
        let executable = |change: fn(&mut LocalJobConfig)| {
            let mut config =
                LocalJobConfig { evaluator: EvaluatorKind::Executable, ..Default::default() };
            change(&mut config);
            JobConfig::from(config).validate()
        };
        assert_eq!(executable(|config| config.conda_env = Some("env".into())), Ok(()));
        assert_eq!(executable(|config| config.python_executable = Some(" ".into())), Ok(()));
        let error = executable(|config| config.python_executable = Some("python3".into()));
        let said = error.unwrap_err().to_string();
        assert!(said.contains("`python_executable`") && said.contains("`evaluator`"), "{said}");
        assert_eq!(field(executable(|config| config.warm = Some(Warm::default()))), "warm");
        let on_a_node = |config: &mut SlurmCondaJobConfig| {
            config.evaluator = EvaluatorKind::Executable;
            config.python_executable = Some("python3".into());
        };
        assert_eq!(field(conda(on_a_node)), "python_executable");
    }

    #[test]
    fn directives_are_one_line_of_one_word() {
        for bad in ["", " ", "gpu\n", "g\0pu", "g pu", "-gpu", "g\u{85}pu"] {
            assert_eq!(
                field(conda(|config| config.partition = bad.into())),
                "partition",
                "{bad:?}"
            );
            assert_eq!(field(docker(|config| config.image = bad.into())), "image", "{bad:?}");
        }
        assert_eq!(conda(|config| config.partition = "a3,aisci".into()), Ok(()));
        assert_eq!(
            field(conda(|config| config.modules = vec!["a".into(), "b\n".into()])),
            "modules.1"
        );
    }

    #[test]
    fn docker_flags_may_be_folded() {
        assert_eq!(
            docker(|config| config.docker_flags = "--gpus all\n-v 'a b:/x'\n".into()),
            Ok(())
        );
        assert_eq!(field(docker(|config| config.docker_flags = "a\u{1b}".into())), "docker_flags");
    }

    #[test]
    fn containers() {
        for good in ["docker", "podman", "/opt/bin/podman", "docker-27"] {
            assert_eq!(docker(|config| config.engine = good.into()), Ok(()), "{good}");
        }
        for bad in ["", "runc", "-docker", "/opt/docker/", "dock\ner"] {
            assert_eq!(field(docker(|config| config.engine = bad.into())), "engine", "{bad:?}");
        }
        assert_eq!(field(docker(|config| config.user = "a b".into())), "user");
        assert_eq!(field(docker(|config| config.network = Some("-x".into()))), "network");
        assert_eq!(field(docker(|config| config.pids_limit = Some(0))), "pids_limit");
        assert_eq!(field(docker(|config| config.image_cache = Some("\0".into()))), "image_cache");
    }

    #[test]
    fn nul_is_refused_everywhere() {
        let nul = || "a\0b".to_owned();
        assert_eq!(field(conda(|c| c.eval_program_path = nul().into())), "eval_program_path");
        assert_eq!(field(conda(|c| c.activate_script = Some(nul().into()))), "activate_script");
        assert_eq!(field(conda(|c| c.conda_env = nul())), "conda_env");
        assert_eq!(field(docker(|c| c.image_tar_path = Some(nul().into()))), "image_tar_path");
        let preload = Some(Warm { preload: vec!["a".into(), nul()], ..Warm::default() });
        let warm = LocalJobConfig { warm: preload, ..Default::default() };
        assert_eq!(field(JobConfig::from(warm).validate()), "warm.preload.1");
        let python = LocalJobConfig { python_executable: Some(nul().into()), ..Default::default() };
        assert_eq!(field(JobConfig::from(python).validate()), "python_executable");
        let args = |key: String, value: PyValue| {
            conda(|c| c.extra_cmd_args = std::iter::once((key, value)).collect())
        };
        assert_eq!(field(args("k".into(), nul().into())), "extra_cmd_args.k");
        assert_eq!(field(args(nul(), 1.into())), "extra_cmd_args.a\0b");
        // Inside a list Python escapes it.
        assert_eq!(args("k".into(), PyValue::List(vec![nul().into()])), Ok(()));
    }

    #[test]
    fn variables() {
        let set = |name: &str, value: &str| {
            let set = std::iter::once((name.to_owned(), value.to_owned())).collect();
            conda(|config| config.environment = EnvironmentPolicy { set, ..Default::default() })
        };
        assert_eq!(set("A", "b=c\n"), Ok(()));
        assert_eq!(field(set("A", "\0")), "environment.set.A");
        for name in ["", "A=B", "A\0"] {
            assert_eq!(set(name, ""), Err(InvalidSetting::VariableName { name: name.into() }));
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(field(conda(|config| config.cpus = 0)), "cpus");
        assert_eq!(field(docker(|config| config.cpus = MAX_CPUS + 1)), "cpus");
        assert_eq!(conda(|config| (config.cpus, config.gpus) = (MAX_CPUS, 0.into())), Ok(()));
        assert_eq!(field(conda(|config| config.limits.max_log_bytes = 0)), "limits.max_log_bytes");
    }

    #[test]
    fn a_grace_period_ends_before_the_time_limit() {
        let grace = |millis, minutes: &str| {
            conda(|config| {
                config.limits.grace = Duration::from_millis(millis);
                config.time = minutes.parse().unwrap();
            })
        };
        assert_eq!(grace(30_000, "60"), Ok(()));
        let error = grace(30_500, "60").unwrap_err();
        assert_eq!(error.field(), "limits.grace_seconds");
        let said = "`limits.grace_seconds` is 30.5, but a job is asked to end only 30 s before";
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(
            grace(30_500, "2"),
            Ok(()),
            "it is asked at the limit, and has what Slurm gives"
        );
    }

    #[test]
    fn what_slurm_is_asked_for() {
        let word = |set: fn(&mut SlurmCondaJobConfig, Option<String>), name: &str| {
            for bad in ["", " ", "a b", "-a", "a\n", "a\0"] {
                assert_eq!(field(conda(|config| set(config, Some(bad.into())))), name, "{bad:?}");
            }
            let several = conda(|config| set(config, Some("a[1-4],b&c".into())));
            assert_eq!(several.is_ok(), name != "nodelist");
        };
        word(|config, text| config.account = text, "account");
        word(|config, text| config.qos = text, "qos");
        word(|config, text| config.constraint = text, "constraint");
        word(|config, text| config.nodelist = text, "nodelist");
        word(|config, text| config.exclude = text, "exclude");
        word(|config, text| config.reservation = text, "reservation");
        word(|config, text| config.dependency = text, "dependency");
        for (nodelist, ok) in
            [("n1", true), ("rack-1-n[2]", true), ("n1,n2", false), ("n[1-2]", false)]
        {
            let checked = conda(|config| config.nodelist = Some(nodelist.into()));
            assert_eq!(checked.is_ok(), ok, "{nodelist}");
        }
        for nice in [MAX_NICE + 1, -MAX_NICE - 1] {
            assert_eq!(field(conda(|config| config.nice = Some(nice))), "nice");
        }
        let term = |seconds| conda(|config| config.early_term_seconds = seconds);
        assert_eq!((field(term(65536)).as_str(), term(65535)), ("early_term_seconds", Ok(())));
        let kind = |kind: &str| Gpus { kind: Some(kind.into()), count: 1 };
        assert_eq!(field(docker(|config| config.gpus = kind("a,b"))), "gpus");
    }

    #[test]
    fn further_options_contradict_no_setting() {
        let with = |name: &str, change: fn(&mut SlurmCondaJobConfig)| {
            conda(|config| {
                change(config);
                config.sbatch_args.insert(name.into(), Some("1".into()));
            })
        };
        for (name, said) in [
            ("partition", "`sbatch_args.partition` contradicts the setting `partition`: use that"),
            ("par", "`sbatch_args.par` contradicts the setting `partition`: use that"),
            ("gres", "use that, or `gpus: 0`"),
            ("mem-per-cpu", "use that, or `mem: null`"),
            ("array", "is for sortie to set"),
            ("outp", "is for sortie to set"),
            ("--x", "is no long option"),
            ("p", "is no long option"),
            ("Comment", "is no long option"),
        ] {
            let error = with(name, |_| ()).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
        for name in ["comment", "gres-flags", "time-min", "mem-bind", "exclusive", "licenses"] {
            assert_eq!(with(name, |_| ()), Ok(()), "{name}");
        }
        for name in ["gres", "gpus", "gpus-per-node"] {
            assert_eq!(with(name, |config| config.gpus = 0.into()), Ok(()), "{name}");
        }
        assert_eq!(with("mem-per-cpu", |config| config.mem = None), Ok(()));
    }
}
