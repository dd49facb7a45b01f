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
