//! Whose fault it is: what an engine warns of is no answer, and no status is taken for its usual cause.

use std::fs;

use super::case::Case;
use super::engine::{Engine, Here, docker, engines, podman};

const EXITED_3: &str = r#"{"kind":"exited","code":3}"#;

/// What any call may print on standard error: settings that cannot be read, an old kernel, another name.
const WARNINGS: &str = r#"{
    echo "WARNING: Error loading config file: /root/.docker/config.json: no such file"
    echo 'time="2026-11-28T10:00:00Z" level=warning msg="Using cgroups-v1 which is deprecated"'
    echo "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg."
} >&2"#;

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn warnings_are_no_answers() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("exit 3");
        case.engine = here.wrapper(WARNINGS);
        assert_eq!(here.run(&case), EXITED_3);
        let mut case = Case { engine: case.engine, ..here.case("kill -SEGV $$") };
        assert_eq!(here.run(&case), r#"{"kind":"signaled","signal":11}"#);
        // Nor do they hide one.
        case =
            Case { engine: case.engine, docker_flags: "--shm-size=much".into(), ..here.case("") };
        let end = here.run(&case);
        assert!(end.contains(r#""step":"container""#) && end.contains("much"), "{end}");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn settings_of_the_command_that_cannot_be_read() {
    let here = Here::new(&docker());
    fs::write(here.path("config.json"), "{bad").unwrap();
    let mut case = here.case("exit 3");
    case.inherited.push(("DOCKER_CONFIG".into(), here.path("").into()));
    assert_eq!(here.run(&case), EXITED_3, "{}", here.log(&case, "err"));
    assert!(here.log(&case, "err").contains("config.json"), "{}", here.log(&case, "err"));
}

/// A container that is not started for its flags: each engine has its own status for it.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_the_engine_cannot_give() {
    for engine in engines() {
        for (flags, expected) in [
            ("--device /dev/no-such-device", "/dev/no-such-device"),
            ("--gpus all", "gpu"),
            ("--user no-such-user", "no-such-user"),
        ] {
            for probe in [None, Some("/bin/sh".to_owned())] {
                let here = Here::new(&engine);
                let case = Case { docker_flags: flags.into(), probe, ..here.case("") };
                let end = here.run(&case);
                assert!(
                    end.contains(r#""kind":"setup_failed","step":"container","#),
                    "{flags}: {end}"
                );
                let reason = end.split_once(r#""reason":"#).unwrap().1;
                assert!(reason.contains(expected), "{}: {end}", engine.name);
            }
        }
    }
}

/// What other releases say and end with, of a container that is made, and not started.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn the_engines_words_count_whatever_its_status() {
    let cases = [
        (
            126,
            "Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all",
            "container",
        ),
        (
            125,
            "docker: Error response from daemon: could not select device driver with capabilities: [[gpu]].",
            "container",
        ),
        (
            127,
            "docker: Error response from daemon: exec: /usr/bin/docker-init: stat: no such file or directory",
            "container",
        ),
        (
            126,
            "Error: netavark: unable to execute nft: No such file or directory (os error 2)",
            "container",
        ),
        (1, "Error: workdir /nowhere does not exist on container 12ab", "container"),
        (
            127,
            "docker: Error response from daemon: mkdir /var/lib/docker/x: no space left on device",
            "container start",
        ),
        (125, "docker: error during connect: Post http://docker/start: EOF", "container start"),
    ];
    for engine in engines() {
        let here = Here::new(&engine);
        for (status, words, step) in cases {
            for probe in [None, Some("/bin/sh".to_owned())] {
                let mut case = Case { probe, ..here.case("") };
                case.engine = here.wrapper(&format!(
                    "[ $1 != run ] || {{ shift; {} create \"$@\" >/dev/null; echo; \
                     echo '{words}' >&2; echo >&2; echo \"Run 'docker run --help' for more\" >&2; exit {status}; }}",
                    engine.name
                ));
                let end = here.run(&case);
                let expected = format!(
                    r#"{{"kind":"setup_failed","step":"{step}","status":{status},"reason":"{words}"}}"#
                );
                assert_eq!(end, expected, "{}", engine.name);
            }
        }
    }
}

/// An image of its own, with an entrypoint.
fn image(engine: &Engine, base: &str, entrypoint: &str, number: u32) -> String {
    let name = format!("localhost/sortie-entrypoint-{}-{number}:1", std::process::id());
    let container = engine.read(&["create", "--network=none", base, "/bin/sh"]);
    engine.read(&["commit", "--change", &format!("ENTRYPOINT {entrypoint}"), &container, &name]);
    engine.read(&["rm", &container]);
    name
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn an_entrypoint_that_does_not_run_its_arguments() {
    for engine in engines() {
        let here = Here::new(&engine);
        let base = here.case("").image;
        for (number, entrypoint, evaluator, expected) in [
            (1, r#"["/bin/echo", "hello"]"#, "echo ran", "entrypoint"),
            (2, r#"["/bin/sh", "-c", "echo set up; exit 3", "sh"]"#, "echo ran", "entrypoint"),
            (3, r#"["/bin/sh", "-c", "echo set up; exec \"$@\"", "sh"]"#, "echo ran; exit 3", ""),
        ] {
            let image = image(&engine, &base, entrypoint, number);
            let case = Case {
                image: image.clone(),
                probe: Some("/bin/sh".into()),
                ..here.case(evaluator)
            };
            let end = here.run(&case);
            if expected.is_empty() {
                assert_eq!(end, EXITED_3, "{}", here.log(&case, "err"));
                assert_eq!(here.log(&case, "out"), "set up\nran\n");
            } else {
                assert!(end.contains(r#""kind":"setup_failed","step":"entrypoint""#), "{end}");
                assert!(end.contains("ENTRYPOINT") && end.contains("docker_flags"), "{end}");
                assert_eq!(here.log(&case, "out"), "");
            }
            engine.read(&["rmi", &image]);
        }
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_user_who_cannot_write_the_results() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("exit 3");
        case.probe = Some("/bin/sh".into());
        case.user = Some("1234:2345".into());
        let end = here.run(&case);
        assert!(end.contains(r#""kind":"setup_failed","step":"results dir""#), "{end}");
        assert!(end.contains("ermission denied"), "{end}");
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(here.path("results"), all).unwrap();
        let case = Case { id: here.case("").id, ..case };
        assert_eq!(here.run(&case), EXITED_3, "{}", here.log(&case, "err"));
        let left = fs::read_dir(here.path("results")).unwrap();
        let probes = left.filter(|entry| {
            entry.as_ref().unwrap().file_name().to_string_lossy().contains("probe")
        });
        assert_eq!(probes.count(), 0);
    }
}

/// Once for all jobs of the same settings.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn an_image_is_tried_once() {
    for engine in engines() {
        let here = Here::new(&engine);
        let calls = here.path("calls");
        let engines_command = here.wrapper(&format!("echo $1 >>{}", calls.display()));
        for _ in 0..3 {
            let probe = Some("/bin/sh".into());
            let case = Case { engine: engines_command.clone(), probe, ..here.case("exit 3") };
            assert_eq!(here.run(&case), EXITED_3);
        }
        let calls = fs::read_to_string(&calls).unwrap();
        assert_eq!(calls.lines().filter(|call| *call == "run").count(), 4, "{calls}");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_program_that_cannot_be_started_is_told_from_its_exit_codes() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("");
        case.probe = Some("/bin/no-such-python".into());
        let end = here.run(&case);
        assert!(end.contains(r#""kind":"setup_failed","step":"command""#), "{end}");
        assert!(end.contains("/bin/no-such-python cannot be run in a container of"), "{end}");
        // A candidate may say what the first process of a container says.
        for words in [
            "[FATAL tini (7)] exec x failed: No such file",
            "ERROR (catatonit:2): failed to exec pid1",
        ] {
            for code in [1, 126, 127] {
                let mut case = here.case(&format!("echo '{words}' >&2; exit {code}"));
                case.probe = Some("/bin/sh".into());
                assert_eq!(here.run(&case), format!(r#"{{"kind":"exited","code":{code}}}"#));
            }
        }
    }
}

/// By its own answer, not by its name: Podman under Docker's name, and the other way round.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn which_engine_it_is_is_asked() {
    for engine in engines() {
        let here = Here::new(&engine);
        for name in ["docker", "podman", "podman-remote"] {
            let seen = here.path("seen");
            let text = format!(r#"[ $1 != run ] || printf '%s\n' "$@" >{}"#, seen.display());
            let command = here.path(name);
            fs::copy(here.wrapper(&text), &command).unwrap();
            let case = Case { engine: command.to_str().unwrap().into(), ..here.case("exit 3") };
            assert_eq!(here.run(&case), EXITED_3, "{name}: {}", here.log(&case, "err"));
            let seen = fs::read_to_string(&seen).unwrap();
            let is_podman = seen.lines().any(|word| word == "--http-proxy=false");
            assert_eq!(is_podman, engine.name == "podman", "{name}: {seen}");
        }
    }
}

/// A link by another's name is what Podman calls itself then.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_link_by_another_name() {
    let here = Here::new(&podman());
    let link = here.path("docker");
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|dir| dir.join("podman")).find(|at| at.is_file());
    std::os::unix::fs::symlink(found.unwrap(), &link).unwrap();
    let mut case = here.case("env");
    case.engine = link.to_str().unwrap().into();
    case.inherited.push(("HTTPS_PROXY".into(), "http://127.0.0.1:9".into()));
    assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#, "{}", here.log(&case, "err"));
    assert!(!here.log(&case, "out").contains("HTTPS_PROXY"), "{}", here.log(&case, "out"));
}

/// Without root, files belong to who submits in one way with Podman, and in another with Docker.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn who_submits_is_another_user_in_a_rootless_engine() {
    for (version, info, expected) in [
        ("podman version 5.8.6", "sortie true [cpu memory pids]", "--userns=keep-id"),
        ("podman-remote version 5.8.6", "sortie true [cpu memory pids]", "--userns=keep-id"),
        (
            "Docker version 28.5.2, build e6534b4",
            "sortie 28.5.2|systemd2|true|true|true|true2|[name=rootless]",
            "--user=0:0",
        ),
    ] {
        let engine = docker();
        let here = Here::new(&engine);
        let seen = here.path("seen");
        let mut case = here.case("");
        case.engine = here.wrapper(&format!(
            "case $1 in --version) exec echo '{version}' ;; info) exec echo '{info}' ;; \
             run) printf '%s\\n' \"$@\" >{}; exit 125 ;; esac",
            seen.display()
        ));
        here.run(&case);
        let seen = fs::read_to_string(&seen).unwrap();
        assert!(seen.lines().any(|word| word == expected), "{version}: {seen}");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn limits_that_the_engine_would_ignore() {
    for engine in engines() {
        let here = Here::new(&engine);
        // Podman without root on cgroups v1; Docker where the kernel has no such controllers.
        let info = match engine.name {
            "podman" => "sortie true []",
            _ => "sortie 28.5.2|none1|false|false|false|false2|[name=rootless]",
        };
        let wrapper = here.wrapper(&format!("[ $1 != info ] || exec echo '{info}'"));
        let limited = |change: &dyn Fn(&mut Case)| {
            let user = Some("0:0".into());
            let mut case = Case { engine: wrapper.clone(), user, ..here.case("exit 3") };
            change(&mut case);
            here.run(&case)
        };
        let refused = r#""kind":"setup_failed","step":"limits""#;
        let end = limited(&|case| (case.memory_bytes, case.pids) = (Some(20 << 20), Some(50)));
        assert!(end.contains(refused) && end.contains("mem pids_limit here"), "{end}");
        assert!(end.contains("require_limits: false"), "{end}");
        let end = limited(&|case| case.docker_flags = "--cpus=1".into());
        assert!(end.contains(refused) && end.contains("cpus here"), "{end}");
        assert_eq!(limited(&|_| ()), EXITED_3);
        let allowed = |case: &mut Case| (case.pids, case.strict) = (Some(50), false);
        assert_eq!(limited(&allowed), EXITED_3);
    }
}
