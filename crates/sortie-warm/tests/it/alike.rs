//! The same evaluator, cold and warm: nothing it can see, and nothing that is seen of it, differs.

use std::fs;
use std::path::Path;

use sortie_process::{Command, Start, Status};

use crate::{Ran, Stage, warmed};

const STATE: &str = include_str!("../evaluators/state.py");
const ENDINGS: &str = include_str!("../evaluators/endings.py");

/// Runs an evaluator cold, then in a new server, then in one that is there; all that is left must be
/// alike. How it is cold.
async fn alike(stage: &Stage, args: &[&str]) -> Ran {
    let cold = stage.cold(args);
    let differences = differences(stage, &cold, &args.join(" ")).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    stage.run(&cold).await
}

async fn differences(stage: &Stage, cold: &Command, what: &str) -> Vec<String> {
    let warm = warmed(cold.clone(), &[], |_| ());
    let expected = left(stage, cold).await;
    let mut differences = Vec::new();
    for _ in 0..2 {
        let found = left(stage, &warm).await;
        let start = &found.0.exit.start;
        if !matches!(start, Start::Fresh | Start::Warm) {
            differences.push(format!("{what} started {start:?}"));
        }
        let parts = [
            (format!("{:?}", found.0.exit.status), format!("{:?}", expected.0.exit.status)),
            (found.0.out, expected.0.out.clone()),
            (depth_apart(&found.0.err), depth_apart(&expected.0.err)),
            (format!("{:?}", found.1), format!("{:?}", expected.1)),
        ];
        let unlike = parts.iter().filter(|(found, expected)| found != expected);
        differences.extend(unlike.map(|(found, expected)| difference(what, found, expected)));
    }
    differences
}

/// Without the number of calls until there were too many: a warm job has two less to make.
fn depth_apart(text: &str) -> String {
    let repeated = "  [Previous line repeated 99";
    text.lines().filter(|line| !line.starts_with(repeated)).collect::<Vec<_>>().join("\n")
}

/// The lines that only one of two texts has.
fn difference(what: &str, found: &str, expected: &str) -> String {
    let only = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|l| l == *line));
        lines.collect::<Vec<_>>().join("\n")
    };
    format!("{what}: warm\n{}\nand cold\n{}\n", only(found, expected), only(expected, found))
}

/// Runs a command: how that went, and what is in its results dir.
async fn left(stage: &Stage, command: &Command) -> (Ran, Vec<(String, String)>) {
    let ran = stage.run(command).await;
    let results = stage.path("results");
    let entries = fs::read_dir(&results).map(|dir| dir.map(|e| e.unwrap().path()).collect());
    let mut files: Vec<_> = entries.unwrap_or_else(|_| Vec::new());
    files.sort();
    let file = |path: &Path| (path.display().to_string(), fs::read_to_string(path).unwrap());
    let files = files.iter().map(|path| file(path)).collect();
    let _ = fs::remove_dir_all(results);
    (ran, files)
}

#[tokio::test]
async fn all_that_an_evaluator_sees() {
    let stage = Stage::new(STATE);
    let ran = alike(&stage, &["--odd", " $(x)\n\u{fc}"]).await;
    assert_eq!(ran.exit.status, Status::Exited(0), "{}", ran.err);
    assert!(ran.out.contains("--odd"), "{}", ran.out);
}

#[tokio::test]
async fn however_the_evaluator_is_named() {
    let stage = Stage { servers: 3, ..Stage::new("") };
    stage.write("a dir/real.py", STATE);
    std::os::unix::fs::symlink("real.py", stage.path("a dir/link.py")).unwrap();
    let absolute = stage.path("a dir/real.py");
    let mut found = Vec::new();
    for name in ["a dir/real.py", "./a dir/../a dir/link.py", absolute.to_str().unwrap()] {
        found.extend(differences(&stage, &stage.cold_at(name.as_ref(), &[]), name).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn with_other_variables_for_python() {
    let stage = Stage { servers: 8, ..Stage::new(&format!("{STATE}\nprint('late', end='')")) };
    let mut found = Vec::new();
    for (name, value) in [
        ("PYTHONIOENCODING", "latin-1:replace"),
        ("PYTHONWARNINGS", "always"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONSAFEPATH", "1"),
        ("PYTHONDEVMODE", "1"),
        ("PYTHONUTF8", "1"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONOPTIMIZE", "2"),
    ] {
        let mut cold = stage.cold(&[]);
        let others = cold.env.iter().filter(|(n, _)| !n.to_string_lossy().starts_with("PYTHON"));
        cold.env = others.cloned().chain([(name.into(), value.into())]).collect();
        found.extend(differences(&stage, &cold, name).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The server has its own way with garbage while it imports.
#[tokio::test]
async fn with_modules_that_set_the_garbage_collector() {
    let stage = Stage {
        servers: 4,
        ..Stage::new("import module\nimport gc\nprint(gc.isenabled(), gc.get_threshold())\n")
    };
    let mut found = Vec::new();
    for setting in ["disable()", "enable()", "set_threshold(0)", "set_threshold(5, 6)"] {
        stage.write("module.py", &format!("import gc\ngc.{setting}\n"));
        found.extend(differences(&stage, &stage.cold(&[]), setting).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The functions of `endings.py` before its last line.
fn endings() -> impl Iterator<Item = &'static str> {
    let functions =
        ENDINGS.lines().filter_map(|line| line.strip_prefix("def ")?.strip_suffix("():"));
    functions.filter(|name| *name != "work")
}

#[tokio::test]
async fn every_end() {
    let stage = Stage::new(ENDINGS);
    assert!(endings().count() > 45);
    let mut found = Vec::new();
    for ending in endings() {
        found.extend(differences(&stage, &stage.cold(&[ending]), ending).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What Python buffers itself is written at the end, in the same order.
#[tokio::test]
async fn every_end_with_buffers() {
    let stage = Stage::new(ENDINGS);
    let mut found = Vec::new();
    for ending in endings() {
        let mut cold = stage.cold(&[ending]);
        let others = cold.env.iter().filter(|(name, _)| name != "PYTHONUNBUFFERED");
        cold.env = others.cloned().collect();
        found.extend(differences(&stage, &cold, ending).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn output_is_there_at_once() {
    let stage = Stage::new(
        "import os, time\nprint('first', end='')\nwhile not os.path.exists('seen'):\n    time.sleep(0.01)\n",
    );
    for _ in 0..2 {
        let mut process = stage.start(&stage.warm(&[])).await;
        crate::eventually("the text", || stage.read("out") == "first").await;
        stage.write("seen", "");
        assert_eq!(process.wait().await.unwrap().status, Status::Exited(0));
        fs::remove_file(stage.path("seen")).unwrap();
    }
}

/// What importing prints, in Python, C and child processes, each job prints.
#[tokio::test]
async fn what_modules_print_is_printed_by_each_job() {
    let stage = Stage::new("import noisy\nprint('evaluator')\n");
    stage.write(
        "noisy.py",
        "import ctypes, os, sys, warnings\nprint('noise')\nctypes.CDLL(None).puts(b'C noise')\n\
         os.system('echo shell noise')\nprint('error noise', file=sys.stderr)\n\
         warnings.warn('a warning')\n",
    );
    let ran = alike_but_for_order(&stage).await;
    for noise in ["noise\n", "C noise\n", "shell noise\n", "evaluator\n"] {
        assert!(ran.out.contains(noise), "{}", ran.out);
    }
    assert!(ran.err.starts_with("error noise\n") && ran.err.contains("a warning"), "{}", ran.err);
}

/// Of the evaluator, once a job.
#[tokio::test]
async fn what_the_compiler_warns_of() {
    let stage = Stage::new("x = 1\nprint(x is 1, '\\d')\nassert (x, 'always')\n");
    let ran = alike(&stage, &[]).await;
    assert_eq!(ran.err.matches("SyntaxWarning: \"is\" with").count(), 1, "{}", ran.err);
}

/// C writes its own buffer when it is full or at the end: at the end of importing, where it is warm.
async fn alike_but_for_order(stage: &Stage) -> Ran {
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let cold = stage.run(&stage.cold(&[])).await;
    for _ in 0..2 {
        let warm = stage.run(&stage.warm(&[])).await;
        assert_eq!(sorted(&warm.out), sorted(&cold.out));
        assert_eq!(warm.err, cold.err);
    }
    cold
}
