//! Where images come from: each is made a directory once.

use std::{fs, os::unix::fs::symlink, path::Path};

use sortie_model::PullPolicy;

use super::{Here, SIF, eventually, set_up_failed, signal};
use crate::{bash::program, container::case::Case};

const GOOD: &str = r#"{"kind":"exited","code":0}"#;

/// What the image that was run in was made of.
fn made_of(here: &Here) -> String {
    let image = here.read("image");
    fs::read_to_string(Path::new(image.trim_end()).join("made-of")).unwrap()
}

fn builds(here: &Here) -> usize {
    here.read("calls").lines().filter(|call| *call == "build").count()
}

#[test]
fn an_image_is_converted_once_whatever_the_number_of_jobs() {
    let here = Here::standing_in("[[ $what != build ]] || sleep 0.3");
    let jobs: Vec<_> = (0..8)
        .map(|number| {
            let results_dir = here.path(&format!("results-{number}"));
            fs::create_dir(&results_dir).unwrap();
            let case = Case { results_dir, ..here.case("") };
            let script = here.start(&case, &[]);
            (case, script)
        })
        .collect();
    for (case, mut script) in jobs {
        script.wait().unwrap();
        let record = fs::read_to_string(case.results_dir.join("job_end.json")).unwrap();
        assert!(record.contains(GOOD), "{record}");
    }
    assert_eq!(builds(&here), 1);
    assert_eq!(made_of(&here), format!("{}\n", here.path("image.sif").display()));
    // One that is changed is another.
    fs::write(here.path("image.sif"), [SIF, b"changed"].concat()).unwrap();
    assert_eq!(here.end_of(""), GOOD);
    assert_eq!(builds(&here), 2);
}

#[test]
fn a_directory_is_used_as_it_is() {
    let here = Here::standing_in("");
    fs::create_dir(here.path("image dir")).unwrap();
    let image = here.path("image dir").to_str().unwrap().to_owned();
    assert_eq!(here.run(&Case { image: image.clone(), ..here.case("") }), GOOD);
    assert_eq!(here.read("image"), format!("{image}\n"));
    assert_eq!(here.read("calls"), "exec\n");
}

/// An archive with one member.
fn archive(here: &Here, name: &str, member: &str) -> String {
    fs::write(here.path(member), "[]").unwrap();
    let path = here.path(name);
    let mut tar = program("tar");
    tar.arg("--force-local").arg("-cf").arg(&path).arg("-C").arg(here.path("")).arg(member);
    assert!(tar.status().unwrap().success());
    path.to_str().unwrap().to_owned()
}

#[test]
fn archives_of_both_kinds() {
    let here = Here::standing_in("");
    let docker = archive(&here, "a docker:1.tar", "manifest.json");
    let oci = archive(&here, "an oci:1.tar", "index.json");
    let made_of_kind = |kind: &str, case: Case| {
        assert_eq!(here.run(&case), GOOD, "{}", here.log("err"));
        // By a name without a colon, as Apptainer takes what is behind one for something else.
        let (transport, path) = made_of(&here)
            .trim_end()
            .split_once(':')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        assert!(transport == kind && !path.contains(':'), "{transport}:{path}");
    };
    for (kind, path) in [("docker-archive", &docker), ("oci-archive", &oci)] {
        made_of_kind(kind, Case { image: format!("{kind}:{path}"), ..here.case("") });
        let archive = Some(path.into());
        made_of_kind(kind, Case { image: "eval:1".into(), archive, ..here.case("") });
    }
}

#[test]
fn what_is_no_image_is_said() {
    let here = Here::standing_in("");
    fs::write(here.path("recipe"), "Bootstrap: localimage\n%setup\ntouch pwned\n").unwrap();
    fs::write(here.path("short"), "").unwrap();
    symlink("/nowhere", here.path("broken.tar")).unwrap();
    let text = |name: &str| here.path(name).to_str().unwrap().to_owned();
    let image = |image: String| Case { image, ..here.case("") };
    let archive = |name: &str| Case { archive: Some(here.path(name)), ..here.case("") };
    let registry = |pull| Case { pull, ..image("docker://eval:1".into()) };
    let cases = [
        (image(text("none.sif")), "image", "none.sif is not there"),
        (image(format!("docker-archive:{}", text("none"))), "image", "none is not there"),
        (archive("broken.tar"), "image tar", "broken.tar is not there"),
        // Which would be run.
        (image(text("recipe")), "image", "is no SIF file"),
        (image(text("short")), "image", "is no SIF file"),
        (registry(PullPolicy::Never), "image", "`pull` is `never`"),
    ];
    for (case, step, expected) in cases {
        let end = here.run(&case);
        let (failed, reason) = set_up_failed(&end);
        assert!(failed == step && reason.contains(expected), "{expected}: {end}");
        assert_eq!(builds(&here), 0);
    }
    assert_eq!(here.run(&registry(PullPolicy::Missing)), GOOD);
    assert_eq!(here.run(&registry(PullPolicy::Never)), GOOD, "it is here now");
}

#[test]
fn a_conversion_that_fails() {
    for (said, kind, step) in [
        ("FATAL:   While performing build: archive/tar: invalid tar header", "sif", "image"),
        ("FATAL:   While performing build: archive/tar: invalid tar header", "tar", "image tar"),
        ("FATAL:   While performing build: no space left on device", "tar", "image directory"),
        ("FATAL:   conveyor failed to get: manifest unknown", "registry", "image"),
        ("FATAL:   conveyor failed to get: EOF", "registry", "image pull"),
    ] {
        let fails = format!("mkdir -p \"$3/a\" 2>/dev/null; echo '{said}' >&2; exit 255");
        let here = Here::standing_in(&fails);
        let case = here.case("");
        let case = match kind {
            "sif" => case,
            "tar" => {
                Case { archive: Some(archive(&here, "x.tar", "manifest.json").into()), ..case }
            }
            _ => Case { image: "docker://eval:1".into(), ..case },
        };
        let end = here.run(&case);
        let (failed, reason) = set_up_failed(&end);
        assert_eq!(failed, step, "{end}");
        assert!(reason.contains(said.trim_start_matches("FATAL:   ")), "{end}");
    }
}

#[test]
fn a_conversion_that_is_stopped_leaves_nothing() {
    let fails = "[[ $what != build ]] || { mkdir -p \"$2/a\"; chmod 555 \"$2\"; touch \"$here/begun\"; sleep 1000; }";
    let here = Here::standing_in(fails);
    let case = here.case("");
    let script = here.start(&case, &[]);
    eventually("the conversion", || here.path("begun").exists());
    signal("-TERM", script.id());
    assert_eq!(here.end(&case, script), r#"{"kind":"terminated","signal":15}"#);
    // And holds up nobody.
    fs::remove_file(here.path("first")).unwrap();
    assert_eq!(here.end_of(""), GOOD);
}

/// One of a job that was killed with all its processes: the next that makes the same image removes it.
#[test]
fn half_an_image_is_not_left_for_long() {
    let here = Here::standing_in("");
    assert_eq!(here.end_of(""), GOOD);
    let image = here.read("image").trim_end().to_owned();
    let name = Path::new(&image).file_name().unwrap().to_str().unwrap();
    fs::rename(&image, here.images().join(format!(".{name}.killed"))).unwrap();
    fs::write(here.images().join(format!(".{name}.killed.tar")), "").unwrap();
    fs::create_dir(here.images().join(".another.killed")).unwrap();
    assert_eq!(here.end_of(""), GOOD);
    let left = fs::read_dir(here.images()).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = left.filter(|name| name.contains("killed")).collect();
    assert_eq!(left, [".another.killed"]);
}

/// As on a file system without locks, where another job is as far.
#[test]
fn two_that_make_the_same_image_at_once() {
    let other = r#"[[ $what != build ]] || { name=${2##*/.}; mkdir "${2%/*}/${name%.*}"; touch "${2%/*}/${name%.*}/other"; }"#;
    let here = Here::standing_in(other);
    assert_eq!(here.end_of(""), GOOD, "{}", here.log("err"));
    let image = here.read("image").trim_end().to_owned();
    assert!(Path::new(&image).join("other").exists());
}

#[test]
fn without_a_place_of_its_own_it_is_the_nodes() {
    let here = Here::standing_in("");
    assert_eq!(here.run(&Case { cache: None, ..here.case("") }), GOOD);
    let image = here.read("image");
    let image = Path::new(image.trim_end());
    assert!(image.starts_with("/tmp") && image.to_str().unwrap().contains("/images/"));
    // Old ones are removed when the next is made.
    let old = image.with_file_name("0123456789abcdef-1-2-3-w1");
    fs::create_dir_all(old.join("closed/in")).unwrap();
    fs::write(old.with_file_name("0123456789abcdef-1-2-3-w1.used"), "").unwrap();
    let mut touch = program("touch");
    touch.args(["-d", "20 days ago"]).arg(old.with_file_name("0123456789abcdef-1-2-3-w1.used"));
    assert!(touch.status().unwrap().success());
    fs::write(here.path("image.sif"), [SIF, b"changed"].concat()).unwrap();
    assert_eq!(here.run(&Case { cache: None, ..here.case("") }), GOOD);
    assert!(image.exists() && !old.exists());
    for name in [image.to_str().unwrap(), here.read("image").trim_end()] {
        super::open_all(name.as_ref());
        fs::remove_dir_all(name).unwrap();
        fs::remove_file(format!("{name}.lock")).unwrap();
        fs::remove_file(format!("{name}.used")).unwrap();
    }
}
