//! An engine that is stopped while a container runs, and started again: one of the test's own.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use sortie_config::SlurmDockerJobConfig;
use sortie_results::{Fault, Outcome};
use tempfile::TempDir;

use super::{Stage, variable};
use crate::{eventually, run_program};

/// For the shell that stands for Python; `$4` is the results dir.
const SLEEPS: &str = "echo >\"$4/started\"; sleep 1000";

/// A Docker engine of its own, with the small image.
struct Engine {
    dir: TempDir,
    daemon: Child,
}

impl Engine {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let daemon = daemon(&dir);
        let engine = Self { dir, daemon };
        engine.answers().await;
        engine
    }

    fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.dir.path().display())
    }

    async fn answers(&self) {
        let host = self.host();
        let answers = || command("docker").args(["--host", &host, "version"]).status().unwrap();
        eventually("the engine to answer", || answers().success()).await;
    }

    async fn stop(&mut self, signal: &str) {
        let containerd = self.dir.path().join("exec/containerd/containerd.pid");
        let containerd = std::fs::read_to_string(containerd).unwrap();
        run_program("kill", &[signal, &self.daemon.id().to_string()]);
        self.daemon.wait().unwrap();
        // One that is about to end would be taken for one that can be used.
        let gone = || !Path::new("/proc").join(containerd.trim()).exists();
        eventually("containerd to end", gone).await;
    }

    async fn start_again(&mut self) {
        self.daemon = daemon(&self.dir);
        self.answers().await;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        run_program("kill", &["-TERM", &self.daemon.id().to_string()]);
        self.daemon.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn daemon(dir: &TempDir) -> Child {
    let path = dir.path().display();
    let group = format!("/sortie-test-{}", std::process::id());
    let mut daemon = command("dockerd");
    daemon.arg(format!("--host=unix://{path}/docker.sock"));
    daemon.arg(format!("--data-root={path}/data")).arg(format!("--exec-root={path}/exec"));
    daemon.arg(format!("--pidfile={path}/dockerd.pid")).arg(format!("--cgroup-parent={group}"));
    daemon.args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"]);
    daemon.args(["--ip-masq=false", "--exec-opt=native.cgroupdriver=cgroupfs", "--group=root"]);
    daemon.arg("--shutdown-timeout=5").spawn().unwrap()
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn stopped_midway_and_started_again() {
    let mut stage = Stage::with_text(SLEEPS);
    let mut engine = Engine::start().await;
    stage.env.push(("DOCKER_HOST".into(), engine.host().into()));
    stage.docker(&["load", "--quiet", "--input", &variable("BUSYBOX_TAR")]);
    let config = SlurmDockerJobConfig {
        image: variable("BUSYBOX_IMAGE"),
        docker_flags: format!("-v {}:/bin/python:ro", stage.path("python").display()),
        ..stage.config()
    };
    let scheduler = stage.scheduler(config);
    // In good order, which stops its containers; and not, which leaves them.
    for signal in ["-TERM", "-KILL"] {
        let results = stage.path(&format!("results{signal}"));
        let job = scheduler.submit(stage.path("candidate.py"), &results).unwrap();
        stage.appears(&format!("results{signal}/started")).await;
        engine.stop(signal).await;
        engine.start_again().await;
        let results = scheduler.wait(job).await.unwrap();
        assert!(matches!(results.outcome, Outcome::NodeFailed { .. }), "{}", results.outcome);
        assert_eq!(results.fault, Some(Fault::Infrastructure));
        assert_eq!(stage.docker(&["ps", "--all", "--quiet"]), "");
    }
}
