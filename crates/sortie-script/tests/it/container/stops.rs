//! Stopped jobs, and those that can no longer stop anything themselves.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use sortie_script::clean_up;

use super::engine::{Here, docker, engines, signal};
use crate::bash::program;

const TERMINATED: &str = r#"{"kind":"terminated","signal":15}"#;

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_signal_stops_the_container() {
    for engine in engines() {
        for evaluator in [
            "trap 'echo bye; exit 0' TERM; echo started; sleep 1000 & wait",
            "trap '' TERM; echo started; sleep 1000",
        ] {
            let here = Here::new(&engine);
            let case = here.case(evaluator);
            let script = here.start(&case, &[]);
            here.wait_for(&case, "started");
            signal("-TERM", script.id());
            assert_eq!(here.end(&case, script), TERMINATED);
            assert_eq!(here.log(&case, "out").contains("bye"), evaluator.contains("bye"));
        }
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_signal_while_the_container_is_made() {
    for engine in engines() {
        let here = Here::new(&engine);
        for step in ["pull", "load", "run"] {
            let mut case = here.case("");
            let log = here.path("log");
            case.engine = here.wrapper(&format!(
                "[ $1 != {step} ] || {{ echo x >> {}; sleep 1000; }}",
                log.display()
            ));
            match step {
                "pull" => case.image = "localhost/none:1".into(),
                "load" => {
                    let archive = here.path("none.tar");
                    fs::write(&archive, "no archive").unwrap();
                    case.image = "localhost/none:1".into();
                    case.archive = Some(archive);
                }
                _ => {}
            }
            let script = here.start(&case, &[]);
            while !log.exists() {
                sleep(Duration::from_millis(10));
            }
            signal("-TERM", script.id());
            assert_eq!(here.end(&case, script), TERMINATED, "{step}");
        }
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_flood_of_output_is_stopped() {
    for engine in engines() {
        let here = Here::new(&engine);
        let case = here.case("trap '' TERM; yes");
        assert_eq!(here.run(&case), r#"{"kind":"output_limit","limit_bytes":1048576}"#);
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_a_killed_job_left_is_swept_up_by_the_next() {
    for engine in engines() {
        let here = Here::new(&engine);
        let (killed, living) =
            (here.case("echo started; sleep 1000"), here.case("echo started; sleep 1000"));
        fs::create_dir(here.path("other")).unwrap();
        let living = super::case::Case { results_dir: "other".into(), ..living };
        let mut script = here.start(&killed, &[]);
        let other = here.start(&living, &[]);
        here.wait_for(&killed, "started");
        here.wait_for(&living, "started");
        signal("-KILL", script.id());
        script.wait().unwrap();
        assert_ne!(here.containers(&killed), "");
        let next = here.case("sleep 1");
        assert_eq!(here.run(&next), r#"{"kind":"exited","code":0}"#);
        assert_eq!(here.containers(&killed), "");
        // Another job's is left alone.
        assert_ne!(here.containers(&living), "");
        signal("-TERM", other.id());
        assert_eq!(here.end(&living, other), TERMINATED);
    }
}

/// As where Slurm has given up a node that lives on: the job's script is there still when its next attempt begins.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_an_earlier_attempt_runs_is_ended_by_the_next() {
    for engine in engines() {
        let here = Here::new(&engine);
        let earlier = here.case("echo started; sleep 1000");
        fs::create_dir(here.path("other")).unwrap();
        let another = super::case::Case {
            results_dir: "other".into(),
            ..here.case("echo started; sleep 1000")
        };
        let script = here.start(&earlier, &[]);
        let other = here.start(&another, &[]);
        here.wait_for(&earlier, "started");
        here.wait_for(&another, "started");
        fs::create_dir(here.path("results/previous")).unwrap();
        let next = here.case("");
        assert_eq!(here.run(&next), r#"{"kind":"exited","code":0}"#);
        assert_eq!(here.containers(&earlier), "");
        assert_ne!(here.containers(&another), "");
        signal("-TERM", other.id());
        assert_eq!(here.end(&another, other), TERMINATED);
        assert!(here.end(&earlier, script).contains("engine_failed"));
    }
}

/// As after a start of the node, when nothing is noted.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_has_left_no_note_is_swept_up_too() {
    for engine in engines() {
        let here = Here::new(&engine);
        let killed = here.case("echo started; sleep 1000");
        let mut script = here.start(&killed, &[]);
        here.wait_for(&killed, "started");
        signal("-KILL", script.id());
        script.wait().unwrap();
        fs::remove_file(here.note(&format!("job-{}", killed.attempt()))).unwrap();
        for entry in fs::read_dir(here.note("")).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("swept-") {
                let _ = fs::remove_file(path);
            }
        }
        assert_eq!(here.run(&here.case("")), r#"{"kind":"exited","code":0}"#);
        assert_eq!(here.containers(&killed), "");
    }
}

/// One that was asked for by a command that is gone by now, and so is the job: the next one removes it, whenever it
/// came.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_container_that_comes_late() {
    for engine in engines() {
        let here = Here::new(&engine);
        let mut case = here.case("sleep 1000");
        let asked = here.path("asked");
        case.engine = here.wrapper(&format!(
            "[ $1 != run ] || {{ printf '%s\\0' \"$@\" >{0}.part; mv {0}.part {0}; exec sleep 1000; }}",
            asked.display()
        ));
        let script = here.start(&case, &[]);
        while !asked.exists() {
            sleep(Duration::from_millis(10));
        }
        signal("-TERM", script.id());
        assert_eq!(here.end(&case, script), TERMINATED);
        let words = fs::read_to_string(&asked).unwrap();
        let words: Vec<_> = words.trim_end_matches('\0').split('\0').skip(1).collect();
        engine.read(&[vec!["create"], words].concat());
        assert_ne!(here.containers(&case), "");
        // What is noted is noted of an engine, by its command.
        let next = super::case::Case {
            id: here.case("").id,
            engine: case.engine.clone(),
            ..here.case("")
        };
        here.wrapper("");
        assert_eq!(here.run(&next), r#"{"kind":"exited","code":0}"#);
        assert_eq!(here.containers(&case), "");
    }
}

/// Engines wait for what is to be stopped, as long as its container says.
#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn removing_what_ignores_a_signal_is_not_waited_for() {
    for engine in engines() {
        let here = Here::new(&engine);
        let case = here.case("trap '' TERM; echo started; while :; do sleep 1; done");
        let mut script = here.start(&case, &[]);
        here.wait_for(&case, "started");
        let format = "{{.Config.StopTimeout}}";
        let name = format!("sortie-{}", case.attempt());
        assert_eq!(engine.read(&["container", "inspect", "--format", format, &name]), "0");
        signal("-KILL", script.id());
        script.wait().unwrap();
        // Another test's job, which cleans up, may be at it already: then the engine refuses this.
        let _ = engine.command().args(["rm", "--force", "--volumes", &name]).output().unwrap();
        let soon = Instant::now() + Duration::from_secs(60);
        while !here.containers(&case).is_empty() {
            assert!(Instant::now() < soon, "{} does not remove it", engine.name);
            sleep(Duration::from_millis(100));
        }
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_job_that_goes_well_calls_the_engine_twice() {
    for engine in engines() {
        let here = Here::new(&engine);
        let calls = here.path("calls");
        let mut case = here.case("");
        case.engine = here.wrapper(&format!("echo $1 >>{}", calls.display()));
        let other = here.case("");
        assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#);
        fs::remove_file(&calls).unwrap();
        // What is noted of an engine stays noted whatever is noted of another.
        assert_eq!(here.run(&other), r#"{"kind":"exited","code":0}"#);
        case.id = here.case("").id;
        assert_eq!(here.run(&case), r#"{"kind":"exited","code":0}"#);
        assert_eq!(fs::read_to_string(&calls).unwrap(), "run\nrm\n");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn what_is_left_is_swept_up_without_a_job_too() {
    for engine in engines() {
        let here = Here::new(&engine);
        let clean = || {
            let argv = clean_up(engine.name);
            let mut command = program("bash");
            command
                .args(&argv[1..])
                .envs(engine.variables.iter().map(|(name, value)| (name, value)));
            String::from_utf8(command.output().unwrap().stderr).unwrap()
        };
        let finds_it = || {
            let killed = here.case("echo started; sleep 1000");
            let mut script = here.start(&killed, &[]);
            here.wait_for(&killed, "started");
            assert!(!clean().contains(&killed.attempt()), "its job is there");
            signal("-KILL", script.id());
            script.wait().unwrap();
            let said = clean();
            assert_eq!(here.containers(&killed), "");
            said.contains(&format!("removed the container sortie-{}", killed.attempt()))
        };
        // The jobs of other tests clean up, too, and one may be quicker.
        assert!((0..5).any(|_| finds_it()), "it is not told");
    }
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn a_command_of_the_engine_that_is_killed() {
    let here = Here::new(&docker());
    let pid = here.path("pid");
    let mut case = here.case("echo started; sleep 1000");
    case.engine = here.wrapper(&format!("[ $1 != run ] || echo $$ > {}", pid.display()));
    let script = here.start(&case, &[]);
    here.wait_for(&case, "started");
    let client = fs::read_to_string(&pid).unwrap();
    signal("-KILL", client.trim().parse().unwrap());
    let end = here.end(&case, script);
    assert!(end.contains(r#""kind":"engine_failed""#), "{end}");
}

#[test]
#[ignore = "needs Docker: cargo xtask test"]
fn gpus_are_those_that_were_assigned() {
    let engine = docker();
    let here = Here::new(&engine);
    let log = here.path("args");
    let mut case = here.case("");
    case.gpus = true;
    case.engine =
        here.wrapper(&format!(r#"[ $1 != run ] || printf '%s\n' "$@" > {}"#, log.display()));
    here.end(
        &case,
        here.start(&case, &[("SLURM_JOB_GPUS", "0,2"), ("CUDA_VISIBLE_DEVICES", "0,1")]),
    );
    let words = fs::read_to_string(&log).unwrap();
    assert!(words.contains("\n--gpus=\"device=0,2\"\n"), "{words}");
    // The engine, which has no GPUs here, says so.
    assert!(here.log(&case, "err").contains("gpu"), "{}", here.log(&case, "err"));
}
