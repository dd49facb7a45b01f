//! What real engines make of a script: values, ends, stops, images. Each test leaves no container.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::case::Case;
use crate::bash::program;

/// An engine of `cargo xtask docker up`.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) variables: Vec<(&'static str, OsString)>,
}

/// Both, or Podman alone with `SORTIE_TEST_ROOTLESS=1`.
pub(crate) fn engines() -> Vec<Engine> {
    if rootless() { vec![podman()] } else { vec![docker(), podman()] }
}

pub(crate) fn docker() -> Engine {
    engine("docker", &["DOCKER_HOST"])
}

pub(crate) fn podman() -> Engine {
    let of_root: &[_] = if rootless() { &[] } else { &["CONTAINERS_STORAGE_CONF"] };
    engine("podman", &[&["CONTAINERS_CONF"], of_root].concat())
}

/// Whether this is a user who is not root, with a Podman of its own.
pub(crate) fn rootless() -> bool {
    env::var_os("SORTIE_TEST_ROOTLESS").is_some_and(|rootless| rootless == "1")
}

fn engine(name: &'static str, variables: &[&'static str]) -> Engine {
    let variables = variables.iter().map(|name| (*name, test_variable(name).into()));
    Engine { name, variables: variables.collect() }
}

pub(crate) fn test_variable(name: &str) -> String {
    let name = format!("SORTIE_TEST_{name}");
    env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"))
}

impl Engine {
    /// Its command, for what a test itself wants of it.
    pub(crate) fn command(&self) -> Command {
        let mut command = program(self.name);
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// What the command prints.
    pub(crate) fn read(&self, args: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command().args(args).output().unwrap();
        assert!(status.success(), "{args:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap().trim_end().to_owned()
    }
}

/// A working directory, and the engine that jobs there use.
pub(crate) struct Here {
    home: TempDir,
    pub(crate) engine: Engine,
}

impl Here {
    pub(crate) fn new(engine: &Engine) -> Self {
        let here = Self { home: TempDir::new().unwrap(), engine: engine.clone() };
        fs::create_dir(here.path("results")).unwrap();
        here
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What the scripts have noted on this machine under this name.
    #[expect(clippy::unused_self, reason = "it belongs to what is here")]
    pub(crate) fn note(&self, name: &str) -> PathBuf {
        let uid = fs::metadata("/proc/self").unwrap().uid();
        PathBuf::from(format!("/tmp/sortie-{uid}")).join(name)
    }

    /// A job whose evaluator is this text for a shell.
    pub(crate) fn case(&self, evaluator: &str) -> Case {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut inherited: Vec<(OsString, OsString)> =
            ["PATH", "HOME"].iter().map(|name| (name.into(), env::var_os(name).unwrap())).collect();
        inherited
            .extend(self.engine.variables.iter().map(|(name, value)| (name.into(), value.clone())));
        Case {
            id: (u128::from(std::process::id()) << 32) + u128::from(number),
            inherited,
            engine: self.engine.name.into(),
            image: test_variable("BUSYBOX_IMAGE"),
            directory: self.home.path().into(),
            results_dir: "results".into(),
            network: Some("none".into()),
            command: ["/bin/sh", "-c", evaluator].map(Into::into).to_vec(),
            ..Case::default()
        }
    }

    pub(crate) fn run(&self, case: &Case) -> String {
        self.end(case, self.start(case, &[]))
    }

    /// Starts the script as slurmd does.
    pub(crate) fn start(&self, case: &Case, variables: &[(&str, &str)]) -> Child {
        let script = self.path(&format!("script-{}", case.attempt()));
        fs::write(&script, case.render().unwrap()).unwrap();
        let mut command = program("/bin/bash");
        command.arg(script).current_dir("/").env_clear().stdin(Stdio::null());
        command.envs([("SLURM_JOB_ID", "7"), ("SLURMD_NODENAME", "node1")]);
        command.envs(variables.iter().copied()).spawn().unwrap()
    }

    /// Waits for the end of a script, and tells the member `end` of the record. Nothing may be left.
    pub(crate) fn end(&self, case: &Case, mut script: Child) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        while script.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                script.kill().unwrap();
                panic!("the script hangs; job_log.err: {}", self.log(case, "err"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(self.containers(case), "", "left by the job");
        let record = case.directory.join(&case.results_dir).join("job_end.json");
        let record = fs::read_to_string(record).unwrap();
        let (_, end) = record.split_once(r#""end":"#).unwrap();
        end.trim_end().strip_suffix('}').unwrap().to_owned()
    }

    /// The job's container, if it is there.
    pub(crate) fn containers(&self, case: &Case) -> String {
        let filter = format!("label=sortie.attempt={}", case.attempt());
        self.engine.read(&["ps", "--all", "--quiet", "--filter", &filter])
    }

    #[expect(clippy::unused_self, reason = "it belongs to what is here")]
    pub(crate) fn log(&self, case: &Case, which: &str) -> String {
        let log = case.directory.join(&case.results_dir).join(format!("job_log.{which}"));
        String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
    }

    /// Waits until the log has this in it.
    pub(crate) fn wait_for(&self, case: &Case, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !self.log(case, "out").contains(text) {
            assert!(Instant::now() < deadline, "no {text}: {}", self.log(case, "err"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A command that does this before it becomes the engine's, with its arguments.
    pub(crate) fn wrapper(&self, text: &str) -> String {
        let path = self.path(&format!("bin-{}", self.engine.name));
        fs::write(&path, format!("#!/bin/sh\n{text}\nexec {} \"$@\"\n", self.engine.name)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

pub(crate) fn signal(signal: &str, pid: u32) {
    assert!(program("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Who the file belongs to.
pub(crate) fn owner(path: &std::path::Path) -> (u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}
