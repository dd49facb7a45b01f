//! A node to run a script on: a folder with a fake `python`, and Slurm's variables.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::case::{Case, Element};
use crate::bash::{Home, program};

/// What the fake `python` does when it is asked its version, before what a test gives it to do.
const FAKE: &str = "#!/bin/sh\n[ \"$1\" = --version ] && { echo Python 3; exit; }\n";

/// Other tests run at the same time, and no search may find their processes: each has its own ids.
static NEXT: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Node {
    pub(crate) home: Home,
    /// What runs the script.
    pub(crate) bash: PathBuf,
}

/// What runs scripts: the bash that is here, and others if `SORTIE_TEST_BASH` names some, with colons between them, such as
/// one of a later release.
pub(crate) fn bashes() -> Vec<PathBuf> {
    let others = std::env::var_os("SORTIE_TEST_BASH").unwrap_or_default();
    let others = std::env::split_paths(&others).filter(|path| !path.as_os_str().is_empty());
    others.chain(["/bin/bash".into()]).collect()
}

impl Node {
    /// With an evaluator that does this, in `sh`.
    pub(crate) fn new(evaluator: &str) -> Self {
        let node = Self { home: Home::new(), bash: "/bin/bash".into() };
        fs::create_dir(node.path("bin")).unwrap();
        fs::create_dir(node.path("results")).unwrap();
        node.executable("bin/python", &format!("{FAKE}{evaluator}\n"));
        node
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn executable(&self, name: &str, text: &str) {
        let path = self.home.write(name, text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A job of that evaluator.
    pub(crate) fn case(&self) -> Case {
        let mut path = self.path("bin").into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let number = NEXT.fetch_add(100, Ordering::Relaxed);
        Case {
            first_id: (u64::from(std::process::id()) << 32) + number,
            attempts: vec![Element {
                candidate: "candidate.py".into(),
                results_dir: self.path("results"),
                command: Vec::new(),
            }],
            directory: self.home.path().into(),
            inherited: vec![("PATH".into(), path), ("HOME".into(), self.home.path().into())],
            grace: 0.5,
            ..Case::default()
        }
    }

    /// Starts the script as slurmd does: its text as a file, its variables, hardly any others.
    pub(crate) fn start(&self, case: &Case, variables: &[(&str, &str)]) -> Child {
        self.command(case, variables).spawn().unwrap()
    }

    pub(crate) fn command(&self, case: &Case, variables: &[(&str, &str)]) -> Command {
        let script = self.home.write("slurm_script", &case.render().unwrap());
        let mut command = program(self.bash.to_str().unwrap());
        command.arg(script).current_dir("/").env_clear().stdin(Stdio::null());
        command.stdout(fs::File::create(self.path("slurm.out")).unwrap());
        command.stderr(fs::File::create(self.path("slurm.err")).unwrap());
        command.envs([("SLURM_JOB_ID", "7"), ("SLURMD_NODENAME", "node1"), ("USER", "me")]);
        command.envs(variables.iter().copied());
        command
    }

    /// The same in a session of its own, as a job of Slurm is.
    pub(crate) fn session(&self, case: &Case) -> Command {
        self.through(case, "setsid", &[])
    }

    pub(crate) fn start_session(&self, case: &Case) -> Child {
        self.session(case).spawn().unwrap()
    }

    /// The same by `setpriv` with these options.
    pub(crate) fn command_as(&self, case: &Case, options: &[&str]) -> Command {
        self.through(case, "setpriv", options)
    }

    pub(crate) fn through(&self, case: &Case, name: &str, options: &[&str]) -> Command {
        let script = self.command(case, &[]);
        let mut command = program(name);
        command.args(options).arg(script.get_program()).args(script.get_args());
        let variables = script.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.env_clear().envs(variables).current_dir("/").stdin(Stdio::null());
        command.stdout(fs::File::create(self.path("slurm.out")).unwrap());
        command.stderr(fs::File::create(self.path("slurm.err")).unwrap());
        command
    }

    /// Runs the script to its end.
    pub(crate) fn run(&self, case: &Case) -> Ended {
        self.run_with(case, &[])
    }

    pub(crate) fn run_with(&self, case: &Case, variables: &[(&str, &str)]) -> Ended {
        let mut script = self.start(case, variables);
        self.end(&mut script)
    }

    /// Waits for the end of a script, two minutes at most.
    pub(crate) fn end(&self, script: &mut Child) -> Ended {
        let deadline = Instant::now() + Duration::from_secs(120);
        let status = loop {
            if let Some(status) = script.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                script.kill().unwrap();
                panic!("the script hangs; job_log.err: {}", self.text("results/job_log.err"));
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert!(!self.path("pwned").exists() && !Path::new("/pwned").exists(), "evaluated");
        let end = self.text("results/job_end.json");
        let (_, end) = end.split_once(r#""end":"#).unwrap_or_default();
        Ended {
            status,
            end: end.trim_end().strip_suffix('}').unwrap_or_default().to_owned(),
            stdout: self.text("results/job_log.out"),
            stderr: self.text("results/job_log.err"),
        }
    }

    /// What a file holds, nothing if it is not there.
    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    /// Waits until a file is there that is not empty, and reads it.
    pub(crate) fn wait_for(&self, name: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.text(name).is_empty() {
            assert!(Instant::now() < deadline, "no {name}; {}", self.text("results/job_log.err"));
            std::thread::sleep(Duration::from_millis(5));
        }
        self.text(name)
    }
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The member `end` of the record.
    pub(crate) end: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Whether the process is there and no zombie.
pub(crate) fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

/// The process's parent.
pub(crate) fn parent(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A script and all that it has started, which share its session: it leads one.
pub(crate) fn processes(script: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        entry.unwrap().file_name().to_str().and_then(|name| name.parse::<u32>().ok())
    });
    let in_session = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields.split(' ').nth(3));
        fields.flatten() == Some(&script.to_string())
    };
    pids.filter(in_session).collect()
}

/// Signals several processes with one command. Some may have ended by then.
pub(crate) fn kill_all(signal: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    let _ = program("kill").arg(signal).args(pids).stderr(Stdio::null()).status().unwrap();
}

pub(crate) fn kill(signal: &str, pid: u32) {
    assert!(program("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}
