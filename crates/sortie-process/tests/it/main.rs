//! Real processes, kept by this test program's own spawn server and reapers.
#![allow(missing_docs, clippy::unwrap_used)]

mod capture;
mod endings;
mod failures;
mod helpers_fail;
mod helpers_killed;
mod holders;
mod isolation;
mod late;
mod logs;
mod many;
mod survivors;
mod templates;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use sortie_process::{Command, Exit, Files, Limits, Process, Supervisor};
use tempfile::TempDir;

/// One command's surroundings: a directory with its logs, and a mark in its environment by which
/// its processes are found, wherever they have gone.
struct Stage {
    supervisor: Supervisor,
    dir: TempDir,
}

const MARK: &str = "SORTIE_TEST_MARK";

/// Whether this process is there for that test alone, which changes what holds for a whole process. If it is not, one that is
/// runs the test.
fn is_alone(test: &str) -> bool {
    const ALONE: &str = "SORTIE_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    #[expect(clippy::disallowed_methods, reason = "a test process of its own")]
    let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
    let output = alone.args(["--exact", test]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

fn files([stdout, stderr]: &[File; 2]) -> Files<'_> {
    Files { stdout: stdout.as_fd(), stderr: stderr.as_fd(), hold: None }
}

impl Stage {
    fn new() -> Self {
        Self { supervisor: Supervisor::new(), dir: tempfile::tempdir().unwrap() }
    }

    fn mark(&self) -> String {
        self.dir.path().to_str().unwrap().to_owned()
    }

    /// `sh -c SCRIPT`, in the directory.
    fn sh(&self, script: &str) -> Command {
        let env = [("PATH".into(), "/usr/bin:/bin".into()), (MARK.into(), self.mark().into())];
        let limits = Limits { grace: Duration::from_secs(30), ..Limits::default() };
        Command::new("sh", env, self.dir.path()).args(["-c", script]).limits(limits)
    }

    /// Files for its standard output and error.
    fn logs(&self) -> [File; 2] {
        let open = |name| File::options().append(true).create(true).open(self.path(name)).unwrap();
        ["out", "err"].map(open)
    }

    async fn start(&self, command: &Command) -> Process {
        self.supervisor.spawn(command, files(&self.logs())).await.unwrap()
    }

    /// Runs a command to its end; none of its processes may be left then.
    async fn run(&self, command: &Command) -> Exit {
        let exit = self.start(command).await.wait().await.unwrap();
        assert_eq!(marked(&self.mark()), [] as [i32; 0], "processes were left");
        exit
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Waits until the script has made the file.
    async fn appears(&self, name: &str) {
        appears(&self.path(name)).await;
    }

    /// Waits until none of the command's processes is left.
    async fn empties(&self) {
        eventually("the processes to end", || marked(&self.mark()).is_empty()).await;
    }
}

async fn appears(path: &Path) {
    eventually(&format!("{} to appear", path.display()), || path.exists()).await;
}

/// Waits, two minutes at most, until something is so.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < give_up, "waited for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The processes with that mark in their environment.
fn marked(mark: &str) -> Vec<i32> {
    let entry = format!("{MARK}={mark}");
    processes()
        .filter(|pid| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|e| e == entry.as_bytes())
        })
        .collect()
}

fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").unwrap().filter_map(|e| e.unwrap().file_name().to_str()?.parse().ok())
}

/// The parent of a process that is still there, `proc_pid_status(5)`.
fn parent(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Whether a process has ended, and waits for its parent to take note.
fn is_over(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:\tZ"))
}

/// Sends a signal, as `kill(1)` does.
fn signal(name: &str, pid: i32) {
    #[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status()
        .unwrap();
    assert!(status.success());
}
