//! Where images come from.

use std::{fs, path::PathBuf, thread::sleep, time::Duration};

use sortie_model::PullPolicy;

use super::engine::{Here, docker, engines, podman, signal, test_variable};

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
#[ignore = "needs Docker: cargo xtask test"]
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

/// An archive may take an engine minutes, and jobs of other images have no part in that.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn an_archive_that_is_slow_to_load_holds_up_no_other_image() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut slow = here.case("");
        slow.image = "localhost/slow:1".into();
        fs::write(here.path("image.tar"), "whole, it may be").unwrap();
        slow.archive = Some(here.path("image.tar"));
        let loads = here.path("loads");
        slow.engine = here.wrapper(&format!(
            "[ $1 != load ] || {{ echo >{}; exec sleep 1000; }}",
            loads.display()
        ));
        slow.results_dir = "slow".into();
        fs::create_dir(here.path("slow")).unwrap();
        let mut script = here.start(&slow, &[]);
        while !loads.exists() {
            assert!(script.try_wait().unwrap().is_none(), "{}", here.log(&slow, "err"));
            sleep(Duration::from_millis(10));
        }
        let mut other = here.case("");
        other.image = "localhost/other:1".into();
        other.pull = PullPolicy::Never;
        let end = here.run(&other);
        assert!(end.contains(r#""step":"image""#), "{end}");
        assert!(script.try_wait().unwrap().is_none(), "it loads as long as it may");
        signal("-TERM", script.id());
        here.end(&slow, script);
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn an_archive_that_is_not_there() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.archive = Some("/no such/image.tar".into());
        let end = here.run(&case);
        assert!(
            end.starts_with(r#"{"kind":"setup_failed","step":"image tar","status":66,"#),
            "{end}"
        );
        assert!(end.contains("/no such/image.tar"), "{end}");
    }
}

/// What no engine can load will not load the next time either: it is said at once, and with the engine's own words.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn archives_that_cannot_be_loaded() {
    for engine in engines() {
        let here = Here::new(&engine);
        let whole = fs::read(test_archive()).unwrap();
        let texts: [(&str, &[u8]); 3] =
            [("none", b"no archive"), ("short", &whole[..whole.len() / 3]), ("empty", b"")];
        for (name, bytes) in texts {
            let loads = here.path(&format!("loads-{name}"));
            let mut case = here.case("");
            let path = here.path(&format!("{name}.tar"));
            fs::write(&path, bytes).unwrap();
            case.archive = Some(path);
            case.image = format!("localhost/{name}:1");
            case.engine = here.wrapper(&format!("[ $1 != load ] || echo x >>{}", loads.display()));
            let end = here.run(&case);
            assert!(end.contains(r#""step":"image tar""#), "{} {name}: {end}", engine.name);
            assert!(end.contains(r#""reason":"E"#) || end.contains("open "), "{name}: {end}");
            assert_eq!(fs::read_to_string(&loads).unwrap(), "x\n", "{name}");
        }
    }
}

/// What the engine lacks may be there later: the disk is full, or the daemon is started again.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn an_archive_is_not_to_blame_for_the_machine() {
    for engine in engines() {
        let here = Here::new(&engine);
        for words in [
            "Error: writing blob: write /var/tmp/x: no space left on device",
            "error during connect: Post http://docker/images/load: EOF",
        ] {
            let mut case = here.case("");
            case.image = "localhost/whole:1".into();
            fs::write(here.path("image.tar"), "whole, it may be").unwrap();
            case.archive = Some(here.path("image.tar"));
            case.engine =
                here.wrapper(&format!("[ $1 != load ] || {{ echo '{words}' >&2; exit 1; }}"));
            let end = here.run(&case);
            assert!(end.contains(r#""step":"image load""#), "{} {words}: {end}", engine.name);
            assert!(end.contains(words), "{end}");
        }
    }
}

/// Of which one engine makes an image under a name of the archive's own, and others none at all.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn an_archive_of_another_form() {
    let podman = podman();
    let archives = Here::new(&podman);
    let archive = archives.path("oci.tar");
    let path = archive.to_str().unwrap();
    let name = format!("localhost/sortie-oci-{}:1", std::process::id());
    let image = archives.case("").image;
    podman.read(&["tag", &image, &name]);
    podman.read(&["save", "--quiet", "--format", "oci-archive", "--output", path, &name]);
    podman.read(&["rmi", &name]);
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("exit 3");
        case.image = "localhost/another:1".into();
        case.archive = Some(archive.clone());
        // As on a node that has no image of the kind: that of the tests is the same one.
        case.engine = here.wrapper("case $* in *image\\ inspect*[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]) exit 1 ;; esac");
        let end = here.run(&case);
        match engine.name {
            "podman" => {
                assert_eq!(end, r#"{"kind":"exited","code":3}"#, "{}", here.log(&case, "err"));
            }
            _ => assert!(end.contains(r#""step":"image tar""#), "{end}"),
        }
    }
    podman.read(&["rmi", &name]);
}

fn test_archive() -> PathBuf {
    test_variable("BUSYBOX_TAR").into()
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn images_that_are_not_here() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.image = "localhost/none:1".into();
        case.pull = PullPolicy::Never;
        let end = here.run(&case);
        assert!(end.starts_with(r#"{"kind":"setup_failed","step":"image","status":125,"#), "{end}");
        // The registry does not answer, which may change.
        case.pull = PullPolicy::Missing;
        let end = here.run(&case);
        assert!(end.contains(r#""step":"image pull""#), "{}: {end}", engine.name);
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_is_pulled_is_kept_for_other_nodes() {
    let engine = docker();
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
        assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#, "{}", here.log(&case, "err"));
        // As on a node that does not have it yet.
        engine.read(&["rmi", &name]);
    }
    assert_eq!(fs::read_to_string(&pulls).unwrap(), "x\n");
}
