//! Settings from a file, variables and flags: which one holds, and where an error says that it comes from.

use std::{ffi::OsString, fs, io::Write as _, os::unix::ffi::OsStringExt as _};

use sortie_config::{ConfigError, JobConfig, Layers};

const FILE: &str = "job_type: local\ntime: 30\nlimits: {grace_seconds: 1, log_tail_bytes: 10}\n\
                    environment:\n  deny: [A]\n";

fn layers(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Layers, ConfigError> {
    let mut layers =
        if file.is_empty() { Layers::default() } else { Layers::text(file, "job.yaml")? };
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    assert_eq!(layers.variables(variables)?, [""; 0]);
    for flag in flags {
        layers.set("--set", flag)?;
    }
    Ok(layers)
}

/// The settings that hold, as YAML.
fn yaml(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> String {
    layers(file, variables, flags).unwrap().config().unwrap().to_yaml().unwrap()
}

fn error(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> String {
    layers(file, variables, flags).and_then(|layers| layers.config()).unwrap_err().to_string()
}

fn holds(yaml: &str, line: &str) {
    assert!(yaml.lines().any(|other| other == line), "{line}\n{yaml}");
}

#[test]
fn the_later_wins() {
    holds(&yaml(FILE, &[], &[]), "time: \"00:30:00\"");
    holds(&yaml(FILE, &[("SORTIE_TIME", "00:02:00")], &[]), "time: \"00:02:00\"");
    let both = yaml(FILE, &[("SORTIE_TIME", "2")], &["time=00:05:00"]);
    holds(&both, "time: \"00:05:00\"");
    holds(&yaml(FILE, &[], &["time=1", "time=2"]), "time: \"00:02:00\"");
    holds(&yaml(FILE, &[], &["time=null"]), "time: null");
    holds(&yaml(FILE, &[], &["time="]), "time: null");
    // As where a variable is set for all, and emptied for one.
    holds(&yaml(FILE, &[("SORTIE_TIME", "")], &[]), "time: \"00:30:00\"");
}

#[test]
fn mappings_are_set_in_part_or_whole() {
    let limits =
        yaml(FILE, &[("SORTIE_LIMITS__GRACE_SECONDS", "2")], &["limits.max_log_bytes=1kB"]);
    holds(
        &limits,
        "limits: {\"grace_seconds\": 2, \"max_log_bytes\": 1000, \"log_tail_bytes\": 10, \
         \"max_result_bytes\": 16777216}",
    );
    holds(
        &yaml(FILE, &[("SORTIE_LIMITS", "{grace_seconds: 3}")], &[]),
        "limits: {\"grace_seconds\": 3, \"max_log_bytes\": 1073741824, \"log_tail_bytes\": 1048576, \
         \"max_result_bytes\": 16777216}",
    );
    let environment =
        yaml(FILE, &[], &["environment.deny=['*_KEY', B]", "environment.set.A.b=c: d"]);
    holds(
        &environment,
        "environment: {\"allow\": [\"*\"], \"deny\": [\"*_KEY\", \"B\"], \"set\": {\"A.b\": \"c: d\"}}",
    );
    let slurm = yaml(
        "job_type: slurm_conda\n",
        &[],
        &["sbatch_args.comment=# of a@b", "mem=null", "conda_env=3.10"],
    );
    holds(&slurm, "sbatch_args: {\"comment\": \"# of a@b\"}");
    holds(&slurm, "mem: null");
    holds(&slurm, "conda_env: \"3.10\"");
    let arguments =
        yaml(FILE, &[], &["extra_cmd_args.a.b=1e3", "extra_cmd_args.s='1'", "warm.servers=2"]);
    holds(&arguments, "extra_cmd_args: {\"a.b\": 1000.0, \"s\": \"1\"}");
    assert!(arguments.contains("warm: {\"preload\": [], \"servers\": 2,"), "{arguments}");
}

#[test]
fn the_kind_of_job_can_be_set() {
    let reference = "_target_: shinka.launch.LocalJobConfig\neval_program_path: e.py\n";
    let slurm = layers(reference, &[], &["job_type=slurm_env", "partition=a"]).unwrap();
    assert!(
        matches!(slurm.config().unwrap(), JobConfig::SlurmConda(config) if config.partition == "a")
    );
    let nothing = layers("", &[("SORTIE_JOB_TYPE", "local")], &["time=2"]).unwrap();
    assert_eq!(nothing.config().unwrap().spec().time_limit.unwrap().as_secs(), 120);
    assert_eq!(
        error("", &[("SORTIE_TIME", "2")], &[]),
        "no settings: neither a file nor a `job_type` is given"
    );
}

#[test]
fn a_variable_may_be_meant_for_other_job_types() {
    let partition = [("SORTIE_PARTITION", "a")];
    assert!(!yaml(FILE, &partition, &[]).contains("partition"));
    holds(&yaml("job_type: slurm_conda\n", &partition, &[]), "partition: \"a\"");
    let flag = error(FILE, &[], &["partition=a"]);
    assert!(
        flag.starts_with("--set partition: `partition` is a setting of `slurm_conda` and "),
        "{flag}"
    );
}

#[test]
fn an_error_names_where_it_comes_from() {
    for (variables, flags, said) in [
        (&[][..], &["tmie=5"][..], "--set tmie: unknown field `tmie`, did you mean `time`?"),
        (
            &[],
            &["limits.grace=5"],
            "--set limits.grace: unknown field `grace` in `limits`, expected one of",
        ),
        (
            &[("SORTIE_TMIE", "5")],
            &[],
            "SORTIE_TMIE: there is no such setting, did you mean `SORTIE_TIME`?",
        ),
        (&[("SORTIE_TIME", "1h")], &[], "SORTIE_TIME: `time`: `1h` is no time limit"),
        (
            &[("SORTIE_EVAL_VERBOSE", "maybe")],
            &[],
            "SORTIE_EVAL_VERBOSE: `eval_verbose` must be true or false, got",
        ),
        (&[("SORTIE_TIME", "2")], &["time=[1"], "--set time: not YAML: "),
        (
            &[("SORTIE_CONDA_ENV", "a")],
            &["activate_script=b"],
            "--set activate_script: `conda_env` and `activate_script`",
        ),
        (&[("SORTIE_JOB_TYPE", "lokal")], &[], "SORTIE_JOB_TYPE: unknown job type `lokal`"),
        (&[], &["time"], "--set: `time` has no value, write `time=VALUE`"),
        (&[], &[""], "--set: give a setting and its value, as in `time=30`"),
        (&[], &["=1"], "--set: `=1` names no setting, write NAME=VALUE"),
        (
            &[],
            &["environment.deny=A"],
            "--set environment.deny: `environment.deny` must be a list, got the text \"A\"",
        ),
    ] {
        let error = error(FILE, variables, flags);
        assert!(error.starts_with(said), "{error}");
    }
    // What is in the file is still said of the file.
    assert!(error("job_type: local\ntmie: 1\n", &[], &["time=1"]).starts_with("job.yaml:2:1: "));
}

#[test]
fn variables_that_are_none_are_told_and_bytes_refused() {
    let mut layers = Layers::text(FILE, "job.yaml").unwrap();
    let variables = ["SORTIE_SERVICE_HOST", "SORTIE_ATTEMPT", "SORTIE_TEST_X", "HOME"];
    let unknown = layers.variables(variables.map(|name| (name.into(), "x".into()))).unwrap();
    assert_eq!(unknown, ["SORTIE_SERVICE_HOST"]);
    let bytes = OsString::from_vec(vec![0xff]);
    let error = layers.variables([("SORTIE_CONDA_ENV".into(), bytes)]).unwrap_err();
    assert_eq!(error.to_string(), "SORTIE_CONDA_ENV: its value is not UTF-8");
}

#[test]
fn what_is_effective_says_from_where() {
    let layers = layers(
        FILE,
        &[("SORTIE_TIME", "1"), ("SORTIE_LIMITS__GRACE_SECONDS", "2")],
        &["warm=true"],
    )
    .unwrap();
    let origins = layers.effective().unwrap().origins;
    assert_eq!(origins["time"], ["SORTIE_TIME"]);
    assert_eq!(origins["limits"], ["job.yaml:3", "SORTIE_LIMITS__GRACE_SECONDS"]);
    assert_eq!(origins["environment"], ["job.yaml:4"]);
    assert_eq!(origins["warm"], ["--set warm"]);
    assert!(!origins.contains_key("conda_env"));
}

#[test]
fn a_file_is_of_a_bearable_size() {
    let error = JobConfig::load("/dev/zero".as_ref()).unwrap_err().to_string();
    assert_eq!(error, "/dev/zero: cannot read: it is longer than 1 MiB, as no settings are");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "job_type: local\n#{}", "x".repeat((1 << 20) - 17)).unwrap();
    assert!(JobConfig::load(file.path()).is_ok());
    fs::OpenOptions::new().append(true).open(file.path()).unwrap().write_all(b"x").unwrap();
    assert!(JobConfig::load(file.path()).unwrap_err().to_string().contains("longer than 1 MiB"));
}
