//! Where the page goes, and what is wrong with a directory that has none.

use std::os::unix::fs::PermissionsExt as _;

use sortie::exit_status::SETUP;

use super::sweep;
use crate::stage::{Stage, ran};

#[test]
fn beside_the_results_as_a_whole() {
    let stage = Stage::empty();
    sweep::of(&stage, 30);
    stage.write("sweep/report.html", "an older one");
    let ran = ran(&mut stage.sortie(["report", "sweep"]));
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "sweep/report.html\n"), "{ran:?}");
    let html = stage.read("sweep/report.html");
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(html.contains("<h1><bdi>sweep</bdi></h1>") && html.contains("30 candidates"));
    let mode = stage.path("sweep/report.html").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o444, 0o444, "others may read it, as far as the umask lets them");
    let mut names: Vec<_> = std::fs::read_dir(stage.path("sweep")).unwrap().collect();
    names.retain(|entry| !entry.as_ref().unwrap().path().ends_with("results.jsonl"));
    assert_eq!(names.len(), 1, "nothing is left beside it: {names:?}");
}

#[test]
fn to_standard_output_or_another_file() {
    let stage = Stage::empty();
    sweep::of(&stage, 3);
    let printed = ran(&mut stage.sortie(["report", "sweep", "--out", "-"]));
    assert!(printed.stdout.starts_with("<!doctype html>"), "{printed:?}");
    assert!(!stage.path("sweep/report.html").exists());
    let other = ran(&mut stage.sortie(["report", "sweep", "--out", "other.html"]));
    assert_eq!(other.stdout, "other.html\n", "{other:?}");
    assert_eq!(stage.read("other.html").len(), printed.stdout.len());
}

#[test]
fn what_cannot_be_read_of_a_sweep_is_said_in_its_page() {
    let stage = Stage::empty();
    sweep::of(&stage, 2);
    let lines = stage.read("sweep/results.jsonl");
    stage.write("sweep/results.jsonl", format!("{lines}{{\"id\": 1}}\n{{\"id\": \"being wr"));
    let ran = ran(&mut stage.sortie(["report", "sweep", "--out", "-"]));
    assert!(ran.stdout.contains("1 line of results.jsonl cannot be read"), "{ran:?}");
    assert!(ran.stdout.contains("2 candidates on"), "what is still being written is no error");
}

#[test]
fn directories_that_are_no_sweeps() {
    let stage = Stage::empty();
    std::fs::create_dir(stage.path("empty")).unwrap();
    stage.write("file", "");
    let cases = [
        (
            "empty",
            "empty is not the directory of a sweep: it has no ledger.jsonl and no results.jsonl",
        ),
        ("none", "cannot read none: "),
        ("file", "cannot read file: "),
    ];
    for (dir, said) in cases {
        ran(&mut stage.sortie(["report", dir])).is_error(SETUP, said);
    }
    std::fs::create_dir_all(stage.path("odd/results.jsonl")).unwrap();
    ran(&mut stage.sortie(["report", "odd"])).is_error(SETUP, "it is not a regular file");
}

#[test]
fn places_that_cannot_be_written() {
    let stage = Stage::empty();
    sweep::of(&stage, 1);
    let ran = ran(&mut stage.sortie(["report", "sweep", "--out", "none/report.html"]));
    ran.is_error(SETUP, "cannot write none/report.html: ");
    assert!(ran.stderr.contains("\nhint: "), "{ran:?}");
}

#[test]
fn a_sweep_that_has_only_begun() {
    let stage = Stage::empty();
    let settings = "job_type: local\nenvironment: {set: {API_KEY: secret}}\n";
    sweep::begin(&stage, settings, 3);
    let ran = ran(&mut stage.sortie(["report", "sweep", "--out", "-"]));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("Still to come</dt><dd class=\"figure\">3<"), "{ran:?}");
    assert!(ran.stdout.contains("id=\"settings\"") && ran.stdout.contains("API_KEY"), "{ran:?}");
    assert!(!ran.stdout.contains("secret"), "what a report may be passed on with");
}
