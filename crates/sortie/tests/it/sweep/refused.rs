//! A sweep that is refused leaves everything as it was.

use std::path::PathBuf;

use sortie::exit_status::{CORRECT, INFRASTRUCTURE, SETUP};

use super::{SCORES, begin, stage};
use crate::stage::{Stage, ran};

/// Everything below the stage, and what is in it.
fn all(stage: &Stage) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let (mut dirs, mut found) = (vec![stage.dir().to_owned()], Vec::new());
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            found.push((path.clone(), std::fs::read(&path).ok()));
            if path.is_dir() {
                dirs.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_is_left_behind() {
    let stage = stage(SCORES, "", 2);
    stage.write("full/notes.txt", "mine");
    stage.write("list.jsonl", "{\"candidate\": \"c/p0.py\"}\n{}\n");
    let long = "n".repeat(300);
    let deep = format!("new/newer/{long}");
    let before = all(&stage);
    for (args, status, said) in [
        (&["-o", "full", "c"][..], SETUP, "is not empty, it holds \"notes.txt\""),
        (&["-o", "c", "c"], SETUP, "is not empty"),
        (&["-o", "candidate.py", "c"], INFRASTRUCTURE, "a file of that name is there"),
        (&["-o", "candidate.py/x", "c"], INFRASTRUCTURE, "a file of that name is there"),
        (&["-o", &deep, "c"], INFRASTRUCTURE, "File name too long"),
        (&["-o", "new/out", "nowhere"], SETUP, "candidate nowhere"),
        (
            &["-o", "new/out", "--jsonl", "list.jsonl"],
            SETUP,
            "list.jsonl:2: there is no `candidate`",
        ),
        (&["-o", "new/out", "--set", "time=1h", "c"], SETUP, "`1h` is no time limit"),
        (
            &["-o", "new/out", "--set", "eval_program_path=none.sh", "c"],
            SETUP,
            "nothing was started",
        ),
        (&["--resume", "full"], SETUP, "holds no sweep"),
        (&["--resume", "nowhere"], SETUP, "holds no sweep"),
    ] {
        let settings = ["-c", "job.yaml"];
        let settings = if args[0] == "--resume" { &settings[..0] } else { &settings };
        for detach in [&[][..], &["--detach"]] {
            let ran = ran(stage.sortie(["sweep"]).args(settings).args(detach).args(args));
            ran.is_error(status, said);
            assert_eq!(all(&stage), before, "{args:?}");
        }
    }
    // What is there is no candidate of the next sweep, and a sweep that is there is left alone.
    assert_eq!(ran(&mut begin(&stage)).status, Some(CORRECT.into()));
    let before = all(&stage);
    let again = ran(&mut begin(&stage));
    again.is_error(SETUP, "holds a sweep already");
    assert!(again.stderr.contains("hint: resume it: `sortie sweep --resume out`"), "{again:?}");
    assert_eq!(all(&stage), before);
}
