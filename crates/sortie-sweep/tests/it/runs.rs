//! Sweeps from their beginning to their end, stopped in between or not.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use sortie_results::{Fault, Value};
use sortie_scheduler::SchedulerOptions;
use sortie_sweep::{Best, Counts, RealDisk, State, Stop};

use crate::stage::{SCORES, Stage, control};

#[tokio::test]
async fn each_candidate_gets_a_results_dir_and_a_line() {
    let stage = Stage::new(SCORES);
    let open = stage.create(5, Arc::new(RealDisk)).unwrap();
    let (_stop, control, progress) = control();
    let sweep = open.run(stage.config().into(), SchedulerOptions::default(), control).await;
    assert_eq!(stage.dir().read().unwrap().states, sweep.unwrap().states);
    let progress = progress.borrow().clone();
    assert_eq!(progress.done, Counts { correct: 4, candidate: 1, ..Counts::default() });
    assert_eq!((progress.candidates, progress.waiting, progress.running), (5, 0, 0));
    let path = stage.path("c3.py").display().to_string();
    assert_eq!(progress.best, Some(Best { id: "c3".into(), candidate: path, score: 3.0 }));

    let results = stage.results();
    assert_eq!(results.keys().collect::<Vec<_>>(), ["c0", "c1", "c2", "c3", "c4"]);
    assert_eq!(results["c2"]["metrics"].get("combined_score"), Some(&Value::Int(2)));
    assert_eq!(results["c2"]["stdout_log"].as_str(), Some("said 2\n"));
    assert_eq!(results["c4"]["fault"].as_str(), Some("candidate"));
    let dir = stage.dir();
    assert!(dir.results_dir("c0").join("job.json").is_file());
    let sweep = dir.read().unwrap();
    let end = sweep.states[2].end().unwrap();
    assert_eq!((end.correct, end.outcome.as_str(), end.score), (true, "exited", Some(2.0)));
    let line = Value::parse(&dir.result(end).unwrap()).unwrap();
    assert_eq!(line.get("id").and_then(Value::as_str), Some("c2"));
    let members: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    insta::assert_snapshot!(members.join(" "));
}

#[tokio::test]
async fn what_is_done_is_not_run_again() {
    let stage = Stage::new(SCORES);
    stage.run(stage.create(4, Arc::new(RealDisk)).unwrap()).await.unwrap();
    let (runs, results) = (stage.runs(), fs::read(stage.dir().results_file()).unwrap());
    stage.run(stage.resume()).await.unwrap();
    assert_eq!(stage.runs(), runs);
    assert_eq!(fs::read(stage.dir().results_file()).unwrap(), results);
}

#[tokio::test]
async fn results_that_are_cut_or_damaged_are_written_again_from_the_records() {
    let stage = Stage::new(SCORES);
    stage.run(stage.create(6, Arc::new(RealDisk)).unwrap()).await.unwrap();
    let (runs, whole) = (stage.runs(), stage.results());
    let bytes = fs::read(stage.dir().results_file()).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    let longer = [&bytes[..], b"{\"id\":\"c"].concat();
    for broken in [&bytes[..bytes.len() / 2], &damaged, &longer, b""] {
        fs::write(stage.dir().results_file(), broken).unwrap();
        stage.run(stage.resume()).await.unwrap();
        assert_eq!(stage.results(), whole);
    }
    fs::remove_file(stage.dir().results_file()).unwrap();
    stage.run(stage.resume()).await.unwrap();
    assert_eq!((stage.runs(), stage.results()), (runs, whole));
}

/// Waits for a file to go on.
const WAITS: &str = "while [ ! -e go ]; do sleep 0.01; done";

#[tokio::test]
async fn a_drained_sweep_lets_what_runs_come_to_its_end() {
    let stage = Stage::new(&format!("{WAITS}\n{SCORES}"));
    let open = stage.create(9, Arc::new(RealDisk)).unwrap();
    let (stop, control, mut progress) = control();
    let run = open.run(stage.config().into(), SchedulerOptions::default(), control);
    let meanwhile = async {
        progress.wait_for(|progress| progress.running == 4).await.unwrap();
        stop.send(Stop::Drain).unwrap();
        progress.wait_for(|progress| progress.queued == 0).await.unwrap();
        fs::write(stage.path("go"), "").unwrap();
    };
    let sweep = tokio::join!(run, meanwhile).0.unwrap();
    assert_eq!(sweep.states.iter().filter_map(State::end).count(), 4);
    assert_eq!(stage.runs().len(), 4);
    stage.run(stage.resume()).await.unwrap();
    assert_eq!((stage.results().len(), stage.runs().into_values().max()), (9, Some(1)));
}

#[tokio::test]
async fn a_directory_that_is_moved_away_stops_the_sweep() {
    let stage = Stage::new(&format!("{WAITS}\n{SCORES}"));
    let open = stage.create(9, Arc::new(RealDisk)).unwrap();
    let (_stop, control, mut progress) = control();
    let run = open.run(stage.config().into(), SchedulerOptions::default(), control);
    let meanwhile = async {
        progress.wait_for(|progress| progress.running == 4).await.unwrap();
        fs::rename(stage.path("out"), stage.path("moved")).unwrap();
        fs::write(stage.path("go"), "").unwrap();
    };
    let error = tokio::join!(run, meanwhile).0.unwrap_err();
    assert!(error.to_string().starts_with("cannot find "), "{error}");
    let _ = fs::remove_dir_all(stage.path("out"));
    fs::rename(stage.path("moved"), stage.path("out")).unwrap();
    let sweep = stage.run(stage.resume()).await.unwrap();
    assert_eq!(sortie_sweep::Progress::of(&sweep).done.total(), 9);
    // What could not write its results then has failed for that.
    let mut open = stage.resume();
    open.again(|end| end.fault == Some(Fault::Candidate)).unwrap();
    let sweep = stage.run(open).await.unwrap();
    let done = sortie_sweep::Progress::of(&sweep).done;
    assert_eq!(done, Counts { correct: 8, candidate: 1, ..Counts::default() });
    assert_eq!(stage.results().len(), 9);
}

#[tokio::test]
async fn what_was_cancelled_is_run_again() {
    let stage = Stage::new(&format!("{WAITS}\n{SCORES}"));
    for wish in [Stop::Cancel, Stop::Now] {
        let open = if stage.dir().is_sweep() {
            stage.resume()
        } else {
            stage.create(6, Arc::new(RealDisk)).unwrap()
        };
        let (stop, control, mut progress) = control();
        let run = open.run(stage.config().into(), SchedulerOptions::default(), control);
        let meanwhile = async {
            progress.wait_for(|progress| progress.running == 4).await.unwrap();
            stop.send(wish).unwrap();
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), async {
            tokio::join!(run, meanwhile).0.unwrap()
        });
        let sweep = ended.await.unwrap();
        assert!(sweep.states.iter().all(|state| state.end().is_none()), "{wish:?}");
        assert_eq!(stage.results().len(), 0);
    }
    fs::write(stage.path("go"), "").unwrap();
    stage.run(stage.resume()).await.unwrap();
    assert_eq!((stage.results().len(), stage.runs().into_values().max()), (6, Some(1)));
}

#[tokio::test]
async fn candidates_have_arguments_of_their_own() {
    let stage = Stage::new(&format!("shift 4; echo \"$@\" > args; {SCORES}"));
    let mut config = stage.config();
    config.extra_cmd_args = [("seed".to_owned(), 1.into())].into();
    let mut candidates = stage.candidates(2);
    candidates[0].args = vec![("seed".into(), "7".into()), ("n".into(), "None".into())];
    candidates.truncate(1);
    let new = sortie_sweep::NewSweep {
        settings: "",
        cwd: stage.path(""),
        options: sortie_sweep::Options::default(),
        candidates,
    };
    let open = sortie_sweep::OpenSweep::create(stage.dir(), new, Arc::new(RealDisk)).unwrap();
    let (_stop, control, _progress) = control();
    open.run(config.into(), SchedulerOptions::default(), control).await.unwrap();
    assert_eq!(fs::read_to_string(stage.path("args")).unwrap(), "--seed 7 --n None\n");
}

/// Shell that is not there fails every candidate; that whose file is not there, one.
#[tokio::test]
async fn a_set_up_that_fails_stops_the_sweep_and_costs_no_candidate_its_turn() {
    let stage = Stage::new(SCORES);
    let open = stage.create(60, Arc::new(RealDisk)).unwrap();
    fs::rename(stage.path("evaluate.sh"), stage.path("away")).unwrap();
    let error = stage.run(open).await.unwrap_err();
    let evaluator = stage.path("evaluate.sh").display().to_string();
    let said = format!("in a row: not started: the evaluator {evaluator} cannot be read: ");
    assert!(error.to_string().contains(&said), "{error}");
    assert_eq!(stage.results().len(), 0);
    let sweep = stage.dir().read().unwrap();
    assert!(sweep.states.iter().all(|state| state.end().is_none()), "{:?}", sweep.states);

    fs::rename(stage.path("away"), stage.path("evaluate.sh")).unwrap();
    // Many that fail each for its own reason are no such thing.
    for number in 10..40 {
        fs::remove_file(stage.path(&format!("c{number}.py"))).unwrap();
    }
    let sweep = stage.run(stage.resume()).await.unwrap();
    let done = sortie_sweep::Progress::of(&sweep).done;
    assert_eq!(done, Counts { correct: 29, setup: 30, candidate: 1, ..Counts::default() });

    stage.candidates(60);
    let mut open = stage.resume();
    assert_eq!(open.again(|end| end.fault == Some(Fault::Setup)).unwrap(), 30);
    assert_eq!(stage.results().len(), 30);
    // It is noted: who resumes it need not ask again.
    drop(open);
    let sweep = stage.run(stage.resume()).await.unwrap();
    let done = sortie_sweep::Progress::of(&sweep).done;
    assert_eq!(done, Counts { correct: 59, candidate: 1, ..Counts::default() });
    assert_eq!((stage.results().len(), stage.runs().into_values().max()), (60, Some(1)));
    let lines = sweep.states.iter().map(|state| stage.dir().result(state.end().unwrap()).unwrap());
    assert_eq!(lines.count(), 60);
}

/// The first waits until others have failed, the second breaks the set-up once the next two have ended, and two more have
/// begun, which end when it is broken.
const BREAKS: &str = r#"
read -r number < "$2"
wait_for() { while [ ! -e "$1" ]; do sleep 0.01; done; }
case $number in
0) wait_for out/c15/job.json ;;
1) wait_for out/c4/began; wait_for out/c5/began; rm evaluate.sh ;;
[45]) : > "$4/began"; while [ -e evaluate.sh ]; do sleep 0.01; done ;;
esac
"#;

#[tokio::test]
async fn a_set_up_that_breaks_on_the_way_stops_the_sweep() {
    let stage = Stage::new(&format!("{BREAKS}\n{SCORES}"));
    let evaluator = fs::read(stage.path("evaluate.sh")).unwrap();
    let error = stage.run(stage.create(90, Arc::new(RealDisk)).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("the set-up failed"), "{error}");
    // Those that ran before it broke do not hide that it did.
    let ids: Vec<_> = stage.results().into_keys().collect();
    assert!(ids.iter().all(|id| id.as_str() <= "c5" && id.len() == 2), "{ids:?}");
    assert!(ids.len() >= 3, "{ids:?}");
    fs::write(stage.path("evaluate.sh"), evaluator).unwrap();
    fs::write(stage.path("c1.py"), "2\n").unwrap();
    stage.run(stage.resume()).await.unwrap();
    let faults = stage.results().into_values().filter(|line| line["fault"] != Value::Null);
    assert_eq!(faults.count(), 1);
    assert_eq!((stage.results().len(), stage.runs().into_values().max()), (90, Some(1)));
}
