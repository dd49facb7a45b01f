//! What holds for all commands holds for warm ones.

use std::time::Duration;

use sortie_process::{Start, Status, Stopped};

use crate::{MARK, Stage, eventually, marked};

/// Starts processes in every way they can hide, then does what is asked.
const HIDING: &str = "import os, signal, subprocess, sys, time\n\
    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
    subprocess.Popen(['sleep', '600'])\n\
    subprocess.Popen(['sleep', '600'], start_new_session=True)\n\
    subprocess.run(['sh', '-c', '(setsid sleep 600 &)'])\n\
    if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n    os._exit(0)\n\
    print('ready', flush=True)\nopen('ready', 'w').close()\n\
    what = sys.argv[-1]\n\
    if what == 'exit': sys.exit(3)\n\
    if what == 'kill': os.kill(os.getpid(), 9)\n\
    if what == 'flood':\n    while True: print('x' * 1000)\n\
    time.sleep(600)\n";

async fn warmed_up(text: &str) -> Stage {
    let stage = Stage::new(text);
    stage.run(&stage.warm(&["exit"])).await;
    let _ = std::fs::remove_file(stage.path("ready"));
    stage
}

#[tokio::test]
async fn nothing_survives_a_job_but_its_server() {
    let stage = warmed_up(HIDING).await;
    let server = stage.processes();
    for (end, status) in [("exit", Status::Exited(3)), ("kill", Status::Signaled(9))] {
        let ran = stage.run(&stage.warm(&[end])).await;
        assert_eq!((ran.exit.start, ran.exit.status), (Start::Warm, status));
        assert!(ran.exit.stragglers >= 4, "{}", ran.exit.stragglers);
        assert_eq!(stage.processes(), server);
    }
}

#[tokio::test]
async fn time_and_log_limits_hold_and_the_server_stays() {
    let stage = warmed_up(HIDING).await;
    let server = stage.processes();
    let mut command = stage.warm(&["sleep"]);
    command.limits.time = Some(Duration::from_millis(500));
    command.limits.grace = Duration::from_millis(200);
    let ran = stage.run(&command).await;
    assert_eq!(ran.exit.stopped, Some(Stopped::TimeLimit));
    let mut command = stage.warm(&["flood"]);
    command.limits.log_bytes = 1_000_000;
    let ran = stage.run(&command).await;
    assert_eq!((ran.exit.stopped, ran.out.len()), (Some(Stopped::LogLimit), 1_000_000));
    assert_eq!(stage.processes(), server);
    assert_eq!(stage.run(&stage.warm(&["exit"])).await.exit.start, Start::Warm);
}

#[tokio::test]
async fn a_warm_job_can_be_stopped_and_killed() {
    let stage = warmed_up(
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n\
         if sys.argv[-1] != 'exit':\n    open('ready', 'w').close()\n    time.sleep(600)\n",
    )
    .await;
    let mut process = stage.start(&stage.warm(&["sleep"])).await;
    stage.appears("ready").await;
    process.stop();
    let exit = process.wait().await.unwrap();
    assert_eq!((exit.status, exit.stopped), (Status::Exited(5), Some(Stopped::Asked)));
    std::fs::remove_file(stage.path("ready")).unwrap();
    let mut process = stage.start(&stage.warm(&["sleep"])).await;
    stage.appears("ready").await;
    process.kill();
    let exit = process.wait().await.unwrap();
    assert_eq!((exit.status, exit.stopped), (Status::Signaled(9), Some(Stopped::Asked)));
    assert_eq!(stage.processes().len(), 1);
}

/// The time limit counts from the start of importing, as it does cold.
#[tokio::test]
async fn limits_hold_while_the_server_imports() {
    let slow = "import os, sys, time\nopen('ready', 'w').close()\nos.system('sleep 600 &')\n";
    let stage = Stage::new("import slow\nprint('not reached')\n");
    stage.write("slow.py", &format!("{slow}time.sleep(600)"));
    let mut command = stage.warm(&[]);
    command.limits.time = Some(Duration::from_millis(500));
    let ran = stage.run(&command).await;
    assert_eq!(
        (ran.exit.stopped, ran.exit.status),
        (Some(Stopped::TimeLimit), Status::Signaled(15))
    );
    assert!(stage.processes().is_empty());

    std::fs::remove_file(stage.path("ready")).unwrap();
    let mut process = stage.start(&stage.warm(&[])).await;
    stage.appears("ready").await;
    process.stop();
    let exit = process.wait().await.unwrap();
    assert_eq!((exit.stopped, exit.status), (Some(Stopped::Asked), Status::Signaled(15)));
    assert!(stage.processes().is_empty());

    stage.write("slow.py", "print('x' * 1_000_000)\nimport time\ntime.sleep(600)\n");
    let mut command = stage.warm(&[]);
    command.limits.log_bytes = 1000;
    assert_eq!(stage.run(&command).await.exit.stopped, Some(Stopped::LogLimit));
    assert!(stage.processes().is_empty());
}

/// Memory is counted from the fork on, with all that is shared with the server; CPU time is the job's.
#[tokio::test]
async fn time_and_memory_are_the_jobs_own() {
    let stage = warmed_up(
        "import sys, time\nif sys.argv[-1] == 'large':\n    x = bytearray(100_000_000)\n    \
         until = time.process_time() + 0.3\n    while time.process_time() < until: pass\n",
    )
    .await;
    let large = stage.run(&stage.warm(&["large"])).await.exit;
    assert!(large.usage.peak_memory > 100_000_000, "{large:?}");
    assert!(large.usage.user + large.usage.system > Duration::from_millis(250), "{large:?}");
    let small = stage.run(&stage.warm(&["small"])).await.exit;
    assert!(small.usage.peak_memory < 60_000_000, "{small:?}");
    assert!(small.usage.user + small.usage.system < Duration::from_millis(100), "{small:?}");
}

/// What the next test kills, in a process that it starts; does nothing in the test program itself.
#[tokio::test]
async fn launcher() {
    let Ok(mark) = std::env::var(MARK) else { return };
    let mut stage = Stage::new(HIDING);
    stage.dir = tempfile::Builder::new().disable_cleanup(true).tempdir_in(mark).unwrap();
    stage.write("evaluate.py", HIDING);
    let idle = Stage {
        supervisor: stage.supervisor.clone(),
        servers: 1,
        dir: tempfile::Builder::new().disable_cleanup(true).tempdir_in(stage.dir.path()).unwrap(),
    };
    idle.write("evaluate.py", "");
    idle.run(&idle.warm(&[])).await;
    stage.write("../stages", &format!("{}\n{}", stage.mark(), idle.mark()));
    stage.start(&stage.warm(&["sleep"])).await.wait().await.unwrap();
}

#[tokio::test]
async fn a_launcher_killed_with_sigkill_takes_servers_and_jobs_along() {
    let stage = Stage::new("");
    #[expect(clippy::disallowed_methods, reason = "the launcher, which the crate does not keep")]
    let mut launcher = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "limits::launcher"])
        .env(MARK, stage.mark())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    stage.appears("stages").await;
    eventually("all of it", || stage.read("stages").contains('\n')).await;
    let stages = stage.read("stages");
    let (busy, idle) = stages.split_once('\n').unwrap();
    let ready = std::path::Path::new(busy).join("ready");
    eventually("the job", || ready.exists()).await;
    let there = (marked(busy).len(), marked(idle).len());
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    assert!(there.0 >= 5 && there.1 >= 1, "{there:?}");
    eventually("all to end", || marked(busy).is_empty() && marked(idle).is_empty()).await;
}
