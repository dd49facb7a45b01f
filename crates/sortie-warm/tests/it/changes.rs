//! Servers are replaced when what they have imported has changed.

use std::fs;
use std::time::Duration;

use sortie_process::Start;

use crate::{Stage, warmed};

/// Runs it: how it started, and what it printed.
async fn run(stage: &Stage) -> (Start, String) {
    let ran = stage.run(&stage.warm(&[])).await;
    (ran.exit.start, ran.out)
}

#[tokio::test]
async fn a_changed_module_or_evaluator_is_noticed_at_once() {
    let stage = Stage::new("import package.module\nprint(package.module.VALUE)\n");
    stage.write("package/__init__.py", "");
    stage.write("package/module.py", "VALUE = 1\n");
    assert_eq!(run(&stage).await, (Start::Fresh, "1\n".into()));
    assert_eq!(run(&stage).await, (Start::Warm, "1\n".into()));
    // Of the same size, and perhaps within one tick of the file system's clock; the compiled copy
    // would be taken for it otherwise.
    fs::remove_dir_all(stage.path("package/__pycache__")).unwrap();
    stage.write("package/module.py", "VALUE = 2\n");
    assert_eq!(run(&stage).await, (Start::Fresh, "2\n".into()));
    assert_eq!(run(&stage).await, (Start::Warm, "2\n".into()));
    stage.write("evaluate.py", "import package.module\nprint(package.module.VALUE + 1)\n");
    assert_eq!(run(&stage).await, (Start::Fresh, "3\n".into()));
}

/// In an environment of its own, as `pip install --upgrade` does.
#[tokio::test]
async fn a_package_upgraded_while_the_first_job_runs_is_noticed() {
    let waits = "import os, package, time\nopen('ready', 'w').close()\n\
                 while not os.path.exists('go'):\n    time.sleep(0.01)\nprint(package.VALUE)\n";
    let stage = Stage::new(waits);
    let say = "import os, sys; print(os.path.realpath(sys.executable), 'python%d.%d' % sys.version_info[:2])";
    let said = crate::run_program(crate::python(), &["-c", say]);
    let (home, version) = said.trim().rsplit_once(' ').unwrap();
    let home = std::path::Path::new(home);
    let package = format!("venv/lib/{version}/site-packages/package.py");
    stage.write("venv/pyvenv.cfg", &format!("home = {}\n", home.parent().unwrap().display()));
    stage.write("venv/bin/none", "");
    std::os::unix::fs::symlink(home, stage.path("venv/bin/python")).unwrap();
    stage.write(&package, "VALUE = 1\n");
    let program = stage.path("venv/bin/python");
    let mut command = stage.cold(&[]);
    command.program = program.clone().into();
    let command = warmed(command, &[], |t| t.program = program.into());

    let mut first = stage.start(&command).await;
    stage.appears("ready").await;
    stage.write("new.py", "VALUE = 22\n");
    fs::rename(stage.path("new.py"), stage.path(&package)).unwrap();
    stage.write("go", "");
    assert_eq!(first.wait().await.unwrap().start, Start::Fresh);
    assert_eq!(stage.read("out"), "1\n");
    // As often as files of packages are looked at.
    tokio::time::sleep(Duration::from_millis(5100)).await;
    let ran = stage.run(&command).await;
    assert_eq!((ran.exit.start, ran.out.as_str()), (Start::Fresh, "22\n"));
}

#[tokio::test]
async fn a_file_touched_back_is_noticed_too() {
    let stage = Stage::new("import module\nprint(module.VALUE)\n");
    stage.write("module.py", "VALUE = 1\n");
    let before = fs::metadata(stage.path("module.py")).unwrap().modified().unwrap();
    assert_eq!(run(&stage).await.0, Start::Fresh);
    stage.write("module.py", "VALUE = 2\n");
    let file = fs::File::options().write(true).open(stage.path("module.py")).unwrap();
    file.set_modified(before).unwrap();
    assert_eq!(run(&stage).await.0, Start::Fresh);
}

#[tokio::test]
async fn a_new_module_is_found_by_a_server_that_was_there_before_it() {
    let stage = Stage::new(
        "import os\ntry:\n    import late\n    print(late.VALUE)\nexcept ImportError:\n    print('none')\n",
    );
    assert_eq!(run(&stage).await, (Start::Fresh, "none\n".into()));
    stage.write("late.py", "VALUE = 1\n");
    assert_eq!(run(&stage).await.1, "1\n");
}

#[tokio::test]
async fn servers_are_not_used_for_ever() {
    let stage = Stage::new("print('ran')");
    let command = warmed(stage.cold(&[]), &[], |template| template.commands = 2);
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(stage.run(&command).await.exit.start);
    }
    let (fresh, warm) = (Start::Fresh, Start::Warm);
    assert_eq!(starts, [fresh.clone(), warm.clone(), fresh.clone(), warm, fresh]);
}

#[tokio::test]
async fn idle_servers_are_not_kept_for_ever() {
    let stage = Stage::new("print('ran')");
    let idle = Duration::from_millis(500);
    let command = warmed(stage.cold(&[]), &[], |template| template.idle = idle);
    assert_eq!(stage.run(&command).await.exit.start, Start::Fresh);
    crate::eventually("the server to end", || stage.processes().is_empty()).await;
    assert_eq!(stage.run(&command).await.exit.start, Start::Fresh);
}

#[tokio::test]
async fn other_variables_or_directories_have_other_servers() {
    let stage = Stage { servers: 2, ..Stage::new("import os\nprint(os.environ.get('X'))\n") };
    let with = |value: &str| {
        let mut cold = stage.cold(&[]);
        cold.env = cold.env.iter().cloned().chain([("X".into(), value.into())]).collect();
        warmed(cold, &[], |_| ())
    };
    for start in [Start::Fresh, Start::Warm] {
        for value in ["1", "2"] {
            let ran = stage.run(&with(value)).await;
            assert_eq!((ran.exit.start, ran.out), (start.clone(), format!("{value}\n")));
        }
    }
}
