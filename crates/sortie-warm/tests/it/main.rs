//! Evaluators run cold and warm by real interpreters.
#![allow(missing_docs, clippy::unwrap_used)]

mod alike;
mod changes;
mod forks;
mod independent;
mod limits;
mod python;
mod refusals;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sortie_process::{
    Command, Exit, Files, FromTemplate, Limits, Process, Start, Supervisor, Template,
};
use tempfile::TempDir;

/// An evaluator in a directory, with its logs. Its processes are found by the directory's name, which is
/// in their environment, and its servers by that in their command line: only root sees the
/// environment of a server.
struct Stage {
    supervisor: Supervisor,
    dir: TempDir,
    /// How many servers there may be.
    servers: usize,
}

const MARK: &str = "SORTIE_TEST_MARK";

/// The interpreter: `python3`, or what `SORTIE_TEST_PYTHON` names, as a path.
fn python() -> PathBuf {
    let named = std::env::var_os("SORTIE_TEST_PYTHON").map(PathBuf::from);
    // `python3` may be a script that finds the interpreter.
    named.unwrap_or_else(|| {
        let which = run_program("python3", &["-c", "import sys; print(sys.executable)"]);
        which.trim_end().into()
    })
}

/// How a run went: its end, and what it printed.
#[derive(Debug, PartialEq)]
struct Ran {
    exit: Exit,
    out: String,
    err: String,
}

impl Stage {
    /// An evaluator of this text.
    fn new(evaluator: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let stage = Self { supervisor: Supervisor::new(), dir, servers: 1 };
        stage.write("evaluate.py", evaluator);
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn mark(&self) -> String {
        self.dir.path().to_str().unwrap().to_owned()
    }

    /// The evaluator, to be started cold.
    fn cold(&self, args: &[&str]) -> Command {
        self.cold_at(&self.path("evaluate.py"), args)
    }

    fn cold_at(&self, evaluator: &Path, args: &[&str]) -> Command {
        let own = ["--program_path", "candidate.py", "--results_dir", "results"];
        let args = own.iter().chain(args);
        let env = [
            ("PATH", std::env::var("PATH").unwrap()),
            (MARK, self.mark()),
            ("PYTHONUNBUFFERED", "1".to_owned()),
            ("PYTHONIOENCODING", "utf-8".to_owned()),
        ];
        let env = env.map(|(name, value)| (name.into(), value.into()));
        let limits = Limits { grace: Duration::from_secs(30), ..Limits::default() };
        Command::new(python(), env, self.dir.path()).args([evaluator]).args(args).limits(limits)
    }

    /// The evaluator, to be had from a server.
    fn warm(&self, args: &[&str]) -> Command {
        warmed(self.cold(args), &[], |_| ())
    }

    async fn start(&self, command: &Command) -> Process {
        for name in ["out", "err"] {
            let _ = fs::remove_file(self.path(name));
        }
        let open =
            |name: &str| File::options().append(true).create(true).open(self.path(name)).unwrap();
        let (stdout, stderr) = (open("out"), open("err"));
        let files = Files { stdout: stdout.as_fd(), stderr: stderr.as_fd(), hold: None };
        self.supervisor.spawn(command, files).await.unwrap()
    }

    /// Runs a command to its end; none of its processes may be left then but a server.
    async fn run(&self, command: &Command) -> Ran {
        let exit = self.start(command).await.wait().await.unwrap();
        assert!(self.processes().len() <= self.servers, "processes were left");
        Ran { exit, out: self.read("out"), err: self.read("err") }
    }

    /// The processes of this stage.
    fn processes(&self) -> Vec<i32> {
        marked(&self.mark())
    }

    async fn appears(&self, name: &str) {
        let path = self.path(name);
        eventually(&format!("{name} to appear"), || path.exists()).await;
    }
}

/// A command that is to be had from a server, changed in some way.
fn warmed(cold: Command, preload: &[String], change: impl FnOnce(&mut Template)) -> Command {
    let mut template = Template {
        program: cold.program.clone(),
        args: sortie_warm::server_args(cold.args[0].as_ref(), preload),
        env: cold.env.clone(),
        cwd: cold.cwd.clone(),
        ..sortie_warm::template()
    };
    change(&mut template);
    let args = cold.args.clone();
    cold.template(FromTemplate { template: Arc::new(template), args })
}

/// Waits, two minutes at most, until something is so.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < give_up, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The processes with that mark in their environment or command line.
fn marked(mark: &str) -> Vec<i32> {
    let entry = format!("{MARK}={mark}");
    let names =
        fs::read_dir("/proc").unwrap().filter_map(|e| e.unwrap().file_name().into_string().ok());
    names
        .filter_map(|name| name.parse().ok())
        .filter(|pid: &i32| {
            let of = |what| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
            let cmdline = String::from_utf8_lossy(&of("cmdline")).into_owned();
            of("environ").split(|byte| *byte == 0).any(|e| e == entry.as_bytes())
                || cmdline.contains(&format!("{mark}/"))
        })
        .collect()
}

/// Sends a signal, as `kill(1)` does.
fn signal(name: &str, pid: i32) {
    run_program("kill", &[&format!("-{name}"), &pid.to_string()]);
}

/// Runs a program that the test needs, to its end: what it printed.
#[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
fn run_program(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> String {
    let output = std::process::Command::new(program.as_ref()).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{} {args:?}: {said}", program.as_ref().display());
    said
}

fn fallback(exit: &Exit) -> &str {
    match &exit.start {
        Start::Fallback { reason } => reason,
        start => panic!("it started {start:?}"),
    }
}
