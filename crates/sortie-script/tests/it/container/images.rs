//! Where images come from.

use std::{fs, path::PathBuf};

use super::engine::{Here, docker, engines};

/// An archive of an image of its own, which the engine does not have.
fn archive(here: &Here, name: &str) -> PathBuf {
    let archive = here.path("image.tar");
    let engine = &here.engine;
    let image = here.case("").image;
    let container = engine.read(&["create", "--network=none", &image, "/bin/sh"]);
    let label = format!("LABEL of={}", here.path("").display());
    engine.read(&["commit", "--change", &label, &container, name]);
    engine.read(&["rm", &container]);
    engine.read(&["save", "--output", archive.to_str().unwrap(), name]);
    engine.read(&["rmi", name]);
    archive
}

#[test]
fn an_archive_is_loaded_once_whatever_the_number_of_jobs() {
    for engine in engines() {
        let here = Here::new(&engine);
        let name = format!("localhost/sortie-archive-{}:1", std::process::id());
        let archive = archive(&here, &name);
        let loads = here.path("loads");
        // As containers take their time, one of ten jobs has one.
        let wrapper = here.wrapper(&format!(
            "case $1 in load) echo x >> {} ;; run | rm) [ -n \"$REAL\" ] || exec echo done ;; esac",
            loads.display()
        ));
        let many = if engine.name == "docker" { 200 } else { 20 };
        let jobs: Vec<_> = (0..many)
            .map(|number| {
                let mut case = here.case("exit 0");
                case.results_dir = format!("results-{number}").into();
                fs::create_dir(here.path(&format!("results-{number}"))).unwrap();
                case.image.clone_from(&name);
                case.archive = Some(archive.clone());
                case.engine.clone_from(&wrapper);
                let real = if number % 10 == 0 { "1" } else { "" };
                let script = here.start(&case, &[("REAL", real)]);
                (case, script)
            })
            .collect();
        for (case, script) in jobs {
            let end = here.end(&case, script);
            assert_eq!(end, r#"{"kind":"exited","code":0}"#, "{}", here.log(&case, "err"));
        }
        assert_eq!(fs::read_to_string(&loads).unwrap(), "x\n", "{}", engine.name);
        engine.read(&["rmi", &name]);
    }
}

#[test]
fn an_archive_that_is_not_there() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.archive = Some("/no such/image.tar".into());
        assert_eq!(here.run(&case), r#"{"kind":"setup_failed","step":"image tar","status":66}"#);
        assert!(here.log(&case, "err").contains("/no such/image.tar"));
    }
}

#[test]
fn an_archive_that_is_none() {
    if let Some(engine) = docker() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        fs::write(here.path("x.tar"), "no archive").unwrap();
        case.archive = Some(here.path("x.tar"));
        case.image = "localhost/none:1".into();
        let end = here.run(&case);
        assert!(end.contains(r#""step":"image load""#), "{end}");
    }
}

#[test]
fn images_that_are_not_here() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.image = "localhost/none:1".into();
        case.pull = "never".into();
        assert_eq!(here.run(&case), r#"{"kind":"setup_failed","step":"image","status":125}"#);
        // The registry does not answer, which may change.
        case.pull = "missing".into();
        let end = here.run(&case);
        assert!(end.contains(r#""step":"image pull""#), "{}: {end}", engine.name);
    }
}

#[test]
fn what_is_pulled_is_kept_for_other_nodes() {
    if let Some(engine) = docker() {
        let here = Here::new(&engine);
        let name = format!("localhost/sortie-pulled-{}:1", std::process::id());
        let archive = archive(&here, &name);
        let pulls = here.path("pulls");
        // A registry that has it.
        let wrapper = here.wrapper(&format!(
            "[ $1 != pull ] || {{ echo x >> {}; exec docker load --quiet --input {}; }}",
            pulls.display(),
            archive.display()
        ));
        let mut case = here.case("exit 0");
        case.image.clone_from(&name);
        case.engine = wrapper;
        case.cache = Some(here.path("cache/of images"));
        for _ in 0..2 {
            assert_eq!(
                here.run(&case),
                r#"{"kind":"exited","code":0}"#,
                "{}",
                here.log(&case, "err")
            );
            // As on a node that does not have it yet.
            engine.read(&["rmi", &name]);
        }
        assert_eq!(fs::read_to_string(&pulls).unwrap(), "x\n");
    }
}
