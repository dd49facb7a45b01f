//! The evaluator's command line and environment.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use indexmap::IndexMap;

use crate::{EvaluatorKind, JobSpec};

/// Set to the number of threads.
const THREAD_COUNTS: [&str; 9] = [
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "GOTO_NUM_THREADS",
];

/// Keep a library from raising the number again, or from spinning while it waits.
const THREAD_POLICIES: [(&str, &str); 3] =
    [("OMP_DYNAMIC", "FALSE"), ("MKL_DYNAMIC", "FALSE"), ("OMP_WAIT_POLICY", "PASSIVE")];

/// Told to libraries of a job that has CPUs to itself. All fall back on the first.
const CPU_COUNTS: [&str; 5] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
];

/// Python's own, from 3.13 on.
const PYTHON_CPUS: &str = "PYTHON_CPU_COUNT";

impl JobSpec {
    /// What follows the Python interpreter on the command line, or what is the command line of an evaluator that runs
    /// as itself: `EVALUATOR --program_path CANDIDATE --results_dir RESULTS_DIR [--KEY VALUE]...`.
    ///
    /// An evaluator that runs as itself is a path with a slash, so that it is not looked up on `PATH`.
    ///
    /// Paths arrive byte for byte. In a container, a relative evaluator or candidate is looked for
    /// under `/workspace`; an absolute one stays as it is, since it can only be read where it is
    /// mounted under its own name (the reference's `/workspace//abs/path` exists nowhere).
    pub fn evaluator_args(&self, candidate: &Path, results_dir: &Path) -> Vec<OsString> {
        self.evaluator_args_with(candidate, results_dir, &[])
    }

    /// The same with further arguments, names and values, of this one job: a name that the settings have too takes
    /// this value in its place, others follow.
    pub fn evaluator_args_with(
        &self,
        candidate: &Path,
        results_dir: &Path,
        extra: &[(String, String)],
    ) -> Vec<OsString> {
        let mut args = vec![
            self.evaluator_path(),
            "--program_path".into(),
            self.inside(candidate),
            "--results_dir".into(),
            results_dir.into(),
        ];
        let mut named: IndexMap<_, _> = self.args.iter().collect();
        named.extend(extra.iter().map(|(key, value)| (key, value)));
        for (key, value) in named {
            args.push(format!("--{key}").into());
            args.push(value.into());
        }
        args
    }

    /// What is added to the environment: unbuffered UTF-8 output, verbosity, and the caps on the
    /// threads of numeric libraries.
    pub fn evaluator_env(&self) -> Vec<(String, String)> {
        let verbose = if self.verbose { "1" } else { "0" };
        let mut env = vec![
            ("PYTHONUNBUFFERED", "1"),
            ("PYTHONIOENCODING", "utf-8"),
            ("SHINKA_EVAL_VERBOSE", verbose),
        ];
        let threads = self.threads.map(|count| count.max(1).to_string());
        if let Some(threads) = &threads {
            env.extend(THREAD_COUNTS.map(|name| (name, threads.as_str())));
            env.extend(THREAD_POLICIES);
        }
        env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What is added to the environment of a job that has CPUs to itself, where that is not set: how many there are. Where
    /// the user has set `OMP_NUM_THREADS`, the libraries that would heed it are told nothing else.
    pub fn cpu_counts(&self, is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let Some(cpus) = self.share().cpus else { return Vec::new() };
        let libraries = if is_set(CPU_COUNTS[0]) { &[][..] } else { &CPU_COUNTS };
        let unset = libraries.iter().chain([&PYTHON_CPUS]).filter(|name| !is_set(name));
        unset.map(|name| (*name, cpus.to_string())).collect()
    }

    /// The evaluator, as the job's side finds it.
    pub fn evaluator_path(&self) -> OsString {
        let path = self.inside(&self.evaluator);
        let is_name = !path.as_encoded_bytes().contains(&b'/');
        if self.evaluator_kind == EvaluatorKind::Executable && is_name {
            return [OsStr::new("./"), &path].into_iter().collect();
        }
        path
    }

    /// The path as the evaluator's side sees it.
    fn inside(&self, path: &Path) -> OsString {
        if self.container().is_some() { sortie_model::inside(path) } else { path.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;
    use crate::{JobConfig, LocalJobConfig, PyValue, SlurmDockerJobConfig};

    #[test]
    fn arguments_in_order_and_byte_for_byte() {
        let extra = [("b", PyValue::Bool(true)), ("a", 1e-5.into()), ("c", PyValue::None)];
        let config = JobConfig::from(LocalJobConfig {
            extra_cmd_args: extra.map(|(key, value)| (key.to_owned(), value)).into(),
            ..LocalJobConfig::default()
        });
        let candidate = OsStr::from_bytes(b"./c\xff \n.py");
        let args = config.spec().evaluator_args(Path::new(candidate), Path::new("out/"));
        let expected = [
            OsStr::new("evaluate.py"),
            OsStr::new("--program_path"),
            candidate,
            OsStr::new("--results_dir"),
            OsStr::new("out/"),
            OsStr::new("--b"),
            OsStr::new("True"),
            OsStr::new("--a"),
            OsStr::new("1e-05"),
            OsStr::new("--c"),
            OsStr::new("None"),
        ];
        assert_eq!(args, expected);
    }

    #[test]
    fn an_executable_is_not_looked_up_on_path() {
        let args =
            |config: JobConfig| config.spec().evaluator_args(Path::new("c"), Path::new("out"));
        for (path, expected) in
            [("true", "./true"), ("bin/judge", "bin/judge"), ("/bin/j", "/bin/j")]
        {
            let mut local = LocalJobConfig { eval_program_path: path.into(), ..Default::default() };
            assert_eq!(args(local.clone().into())[0], path);
            local.evaluator = EvaluatorKind::Executable;
            assert_eq!(args(local.into())[0], expected);
        }
        let docker = SlurmDockerJobConfig {
            eval_program_path: "judge".into(),
            evaluator: EvaluatorKind::Executable,
            ..SlurmDockerJobConfig::default()
        };
        assert_eq!(args(docker.into())[0], "/workspace/judge");
    }

    #[test]
    fn arguments_of_one_job_win() {
        let extra = [("a", PyValue::from(1)), ("b", 2.into())];
        let config = JobConfig::from(LocalJobConfig {
            extra_cmd_args: extra.map(|(key, value)| (key.to_owned(), value)).into(),
            ..LocalJobConfig::default()
        });
        let more = [("c", "3"), ("a", "x y")].map(|(key, value)| (key.into(), value.into()));
        let args = config.spec().evaluator_args_with(Path::new("c.py"), Path::new("out"), &more);
        assert_eq!(args[5..], ["--a", "x y", "--b", "2", "--c", "3"]);
    }

    #[test]
    fn containers_see_the_workspace() {
        let config = JobConfig::from(SlurmDockerJobConfig::default());
        let args = config.spec().evaluator_args(Path::new("./gen_0/main.py"), Path::new("out"));
        assert_eq!(
            (&args[0], &args[2], &args[4]),
            (&"/workspace/evaluate.py".into(), &"/workspace/./gen_0/main.py".into(), &"out".into(),)
        );
        let args = config.spec().evaluator_args(Path::new("/data/main.py"), Path::new("out"));
        assert_eq!(args[2], "/data/main.py");
    }

    #[test]
    fn libraries_are_told_of_a_jobs_own_cpus_unless_the_user_tells_them() {
        let names = |cpus, set: &[&str]| {
            let config = JobConfig::from(LocalJobConfig { cpus, ..LocalJobConfig::default() });
            let told = config.spec().cpu_counts(|name| set.contains(&name));
            assert!(told.iter().all(|(_, value)| value == "6"));
            told.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(None, &[]), [""; 0]);
        assert_eq!(names(Some(6), &[]), [&CPU_COUNTS[..], &[PYTHON_CPUS]].concat());
        assert_eq!(names(Some(6), &["OMP_NUM_THREADS"]), [PYTHON_CPUS]);
        let but_mkl = names(Some(6), &["MKL_NUM_THREADS", PYTHON_CPUS]);
        assert!(but_mkl.len() == 4 && !but_mkl.contains(&"MKL_NUM_THREADS"), "{but_mkl:?}");
    }

    #[test]
    fn environment() {
        let mut local = LocalJobConfig { eval_verbose: false, ..LocalJobConfig::default() };
        let env = JobConfig::from(local.clone()).spec().evaluator_env();
        let pairs: Vec<_> =
            env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("PYTHONUNBUFFERED", "1"),
            ("PYTHONIOENCODING", "utf-8"),
            ("SHINKA_EVAL_VERBOSE", "0"),
        ];
        assert_eq!(pairs, expected);

        local.numeric_threads_per_job = Some(-3);
        let env = JobConfig::from(local).spec().evaluator_env();
        let capped = env.iter().filter(|(name, value)| name.contains("_THREAD") && value == "1");
        assert_eq!((env.len(), capped.count()), (3 + 12, 9));
    }
}
