//! Evaluators that cannot be kept warm run cold, and it is said why.

use sortie_process::{Start, Status};

use crate::{Stage, fallback, warmed};

/// Runs an evaluator that imports `module`, which has this text: why it ran cold.
async fn refused(text: &str) -> String {
    let stage = Stage::new("import json\nimport module\nprint('ran')\n");
    stage.write("module.py", text);
    let ran = stage.run(&stage.warm(&[])).await;
    assert_eq!((ran.exit.status, ran.out.as_str()), (Status::Exited(0), "ran\n"), "{}", ran.err);
    let again = stage.run(&stage.warm(&[])).await;
    assert_eq!(again.exit.start, ran.exit.start, "it is not tried each time");
    assert!(stage.processes().is_empty(), "the server was not ended");
    fallback(&ran.exit).to_owned()
}

#[tokio::test]
async fn a_module_that_starts_threads_is_named() {
    let text =
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()";
    let expected = "module `module` starts threads that a fork does not have";
    assert_eq!(refused(text).await, expected);
}

#[tokio::test]
async fn a_module_that_starts_processes_is_named() {
    let text = "import atexit, subprocess\np = subprocess.Popen(['sleep', '600'])\natexit.register(p.kill)";
    assert_eq!(refused(text).await, "module `module` starts processes");
}

#[tokio::test]
async fn a_module_that_keeps_files_open_is_named() {
    let text = "file = open('module.log', 'w')";
    let reason = refused(text).await;
    assert!(reason.starts_with("module `module` opens /"), "{reason}");
    assert!(reason.ends_with("/module.log"), "{reason}");
    let reason = refused("import socket\npair = socket.socketpair()").await;
    assert!(reason.starts_with("module `module` opens socket:["), "{reason}");
}

/// As one does that uses a GPU, whose driver knows the process that has opened it and no other.
#[tokio::test]
async fn a_module_that_opens_a_device_is_named() {
    for (mode, device) in [("rb", "/dev/zero"), ("wb", "/dev/full")] {
        let text = format!("device = open('{device}', '{mode}', buffering=0)");
        assert_eq!(refused(&text).await, format!("module `module` opens {device}"));
    }
}

#[tokio::test]
async fn a_module_that_sets_a_timer_is_named() {
    let text = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nsignal.alarm(600)";
    assert_eq!(refused(text).await, "module `module` sets a timer, which a fork does not have");
}

#[tokio::test]
async fn a_module_that_handles_the_end_of_processes_is_named() {
    for handler in ["signal.SIG_IGN", "lambda *_: os.wait()"] {
        let text = format!("import os, signal\nsignal.signal(signal.SIGCHLD, {handler})");
        assert_eq!(
            refused(&text).await,
            "module `module` handles SIGCHLD, which comes for each job"
        );
    }
}

#[tokio::test]
async fn a_module_preloaded_is_named_too() {
    let stage = Stage::new("print('ran')\n");
    stage.write("extra.py", "file = open('extra.log', 'w')");
    let ran = stage.run(&warmed(stage.cold(&[]), &["extra".into()], |_| ())).await;
    assert!(fallback(&ran.exit).starts_with("module `extra` opens /"), "{ran:?}");
}

#[tokio::test]
async fn an_interpreter_that_starts_with_threads_is_told_of() {
    let stage = Stage::new("print('ran')\n");
    stage.write(
        "site/sitecustomize.py",
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
    );
    let mut cold = stage.cold(&[]);
    let path = ("PYTHONPATH".into(), stage.path("site").into());
    cold.env = cold.env.iter().cloned().chain([path]).collect();
    let ran = stage.run(&warmed(cold, &[], |_| ())).await;
    assert_eq!(ran.out, "ran\n");
    let expected = "the interpreter, before it imports anything, starts threads";
    assert!(fallback(&ran.exit).starts_with(expected), "{ran:?}");
}

#[tokio::test]
async fn a_module_that_leaves_is_named() {
    let stage = Stage::new("import module\nprint('not reached')");
    stage.write("module.py", "raise SystemExit(3)");
    let ran = stage.run(&stage.warm(&[])).await;
    assert_eq!(ran.exit.status, Status::Exited(3));
    assert_eq!(fallback(&ran.exit), "module `module` raises SystemExit when it is imported");
    stage.write("module.py", "import os, sys\nprint('oh no', file=sys.stderr)\nos._exit(4)");
    let other = Stage::new("import module");
    other.write("module.py", &stage.read("module.py"));
    let ran = other.run(&other.warm(&[])).await;
    assert_eq!((ran.exit.status, ran.err.as_str()), (Status::Exited(4), "oh no\n"));
    assert_eq!(fallback(&ran.exit), "it ends with exit code 4: oh no");
}

/// As numeric libraries do with their threads: ended before a fork, made again when they are needed.
#[tokio::test]
async fn threads_that_know_of_forks_are_no_hindrance() {
    let stage = Stage::new("import module\nprint(module.end.is_set())\n");
    stage.write(
        "module.py",
        "import os, threading\nend = threading.Event()\n\
         thread = threading.Thread(target=end.wait)\nthread.start()\n\
         os.register_at_fork(before=lambda: (end.set(), thread.join()))\n",
    );
    assert_eq!(stage.run(&stage.warm(&[])).await.exit.start, Start::Fresh);
    let ran = stage.run(&stage.warm(&[])).await;
    assert_eq!((ran.exit.start, ran.out.as_str()), (Start::Warm, "True\n"));
}

#[tokio::test]
async fn an_evaluator_that_cannot_be_read_fails_as_it_does_cold() {
    let stage = Stage::new("x = (");
    let cold = stage.run(&stage.cold(&[])).await;
    let warm = stage.run(&stage.warm(&[])).await;
    assert_eq!((warm.exit.status, &warm.err), (cold.exit.status, &cold.err));
    assert!(fallback(&warm.exit).contains("evaluate.py cannot be read"), "{warm:?}");

    let missing = stage.cold_at("missing.py".as_ref(), &[]);
    let warm = stage.run(&warmed(missing, &[], |_| ())).await;
    assert_eq!(warm.exit.status, Status::Exited(2));
    assert!(fallback(&warm.exit).contains("No such file"), "{warm:?}");
}

#[tokio::test]
async fn a_module_that_is_missing_is_for_the_evaluator_to_miss() {
    let stage = Stage::new("try:\n    import missing\nexcept ImportError:\n    print('missing')\n");
    let ran = stage.run(&stage.warm(&[])).await;
    assert_eq!((ran.exit.start, ran.out.as_str()), (Start::Fresh, "missing\n"));
}

#[tokio::test]
async fn modules_can_be_named_to_be_imported() {
    let stage = Stage { servers: 2, ..Stage::new("import sys\nprint('module' in sys.modules)\n") };
    stage.write("module.py", "");
    let warm = |preload: &[String]| warmed(stage.cold(&[]), preload, |_| ());
    assert_eq!(stage.run(&warm(&["module".into()])).await.out, "True\n");
    assert_eq!(stage.run(&stage.warm(&[])).await.out, "False\n");
}
