//! A job's way from being submitted to being forgotten.

use std::fs;

use sortie_config::JobType;
use sortie_results::{Outcome, ReadLimits, Record, load};
use sortie_scheduler::{JobScheduler, Request, SchedulerError, SchedulerOptions, Status};

use crate::{GOOD, Stage, eventually, scheduler_with};

#[tokio::test]
async fn run_gives_what_the_evaluator_wrote() {
    let stage = Stage::new(&format!("echo said; echo complained >&2\n{GOOD}"));
    let results = stage.run(&stage.scheduler()).await;
    assert!(results.correct, "{:?}", results.detail);
    assert_eq!(results.metrics["combined_score"].as_f64(), Some(1.5));
    assert_eq!(results.stdout_log.text(), "said\n");
    assert_eq!(results.stderr_log.text(), "complained\n");
    assert_eq!((results.outcome, results.fault), (Outcome::Exited { code: 0 }, None));
    assert!(results.seconds.total >= results.seconds.running);
    assert!(results.usage.peak_memory_bytes > 0);

    let record = Record::read(&stage.path("results")).unwrap();
    assert_eq!(record.attempt, results.attempt);
    assert!(record.correct);
    assert_eq!(
        record.command[..2],
        ["sh".to_owned(), stage.path("evaluate.sh").display().to_string()]
    );
    assert!(record.submitted_at <= record.started_at.unwrap());
    assert!(record.started_at.unwrap() <= record.ended_at);
    assert!(record.protection.contains(&"subreaper".to_owned()));
    assert!(!record.host.is_empty());
}

#[tokio::test]
async fn a_job_is_queued_then_runs_then_is_over() {
    let stage = Stage::new(&format!(
        r#"touch "$4/started"; while [ ! -e "$4/go" ]; do sleep 0.01; done; {GOOD}"#
    ));
    let scheduler = scheduler_with(stage.config(), 1);
    let jobs =
        ["a", "b"].map(|dir| scheduler.submit(stage.path("candidate"), stage.path(dir)).unwrap());
    stage.appears("a/started").await;
    eventually("the job to be seen running", || {
        matches!(scheduler.status(jobs[0]).unwrap(), Status::Running { .. })
    })
    .await;
    assert_eq!(scheduler.status_many(&jobs)[1], Some(Status::Queued { reason: None }));
    assert!(matches!(scheduler.results(jobs[0]), Err(SchedulerError::NotFinished(_))));
    assert!(!scheduler.forget(jobs[0]));

    fs::write(stage.path("a/go"), "").unwrap();
    let finished = scheduler.wait(jobs[0]).await.unwrap();
    assert!(finished.correct);
    assert_eq!(&*finished.results_dir, stage.path("a"));
    assert_eq!(scheduler.wait(jobs[0]).await.unwrap(), finished);
    assert_eq!(scheduler.status(jobs[0]).unwrap(), Status::Finished(finished.clone()));
    let results = scheduler.results(jobs[0]).unwrap();
    assert_eq!((results.attempt, results.correct), (finished.attempt, true));

    stage.appears("b/started").await;
    fs::write(stage.path("b/go"), "").unwrap();
    assert!(scheduler.wait(jobs[1]).await.unwrap().correct);

    assert!(scheduler.forget(jobs[0]));
    assert!(matches!(scheduler.status(jobs[0]), Err(SchedulerError::UnknownJob(_))));
    assert!(matches!(scheduler.wait(jobs[0]).await, Err(SchedulerError::UnknownJob(_))));
    assert_eq!(scheduler.status_many(&jobs)[0], None);
}

#[tokio::test]
async fn results_are_never_those_of_another_attempt() {
    let stage = Stage::new(
        r#"[ "$2" = "${2%/none}" ] || exit 0; echo '{"correct": true}' > "$4/correct.json"
        echo '{}' > "$4/metrics.json""#,
    );
    fs::write(stage.path("none"), "").unwrap();
    let scheduler = stage.scheduler();
    let first = scheduler.submit(stage.path("candidate"), stage.path("results")).unwrap();
    assert!(scheduler.wait(first).await.unwrap().correct);
    let second = scheduler.submit(stage.path("none"), stage.path("results")).unwrap();
    let finished = scheduler.wait(second).await.unwrap();
    assert!(!finished.correct, "the first attempt's files were taken for the second's");
    let results = scheduler.results(second).unwrap();
    assert_eq!(results.detail.as_deref(), Some("correct.json is missing; metrics.json is missing"));
    assert!(results.metrics.is_empty());

    // The first one's directory holds the second by now, and the first is not lost.
    assert!(matches!(scheduler.results(first), Err(SchedulerError::Results(_))));
    let previous = fs::read_dir(stage.path("results/previous")).unwrap();
    let kept: Vec<_> = previous.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].join("correct.json").exists());
}

#[tokio::test]
async fn what_is_taken_from_memory_is_what_would_be_read() {
    let stage = Stage::new(&format!("echo said; echo complained >&2\n{GOOD}"));
    let options = SchedulerOptions { recent_bytes: 1 << 20, ..SchedulerOptions::default() };
    let scheduler = JobScheduler::new(JobType::Local, stage.config(), options).unwrap();
    let submit = || scheduler.submit(stage.path("candidate"), stage.path("results")).unwrap();
    let job = submit();
    let attempt = scheduler.wait(job).await.unwrap().attempt;
    let taken = scheduler.take(job).unwrap();
    let read = load(&stage.path("results"), Some(attempt), ReadLimits::default()).unwrap();
    assert_eq!(*taken, read);
    assert!(scheduler.status(job).is_err() && scheduler.take(job).is_none());

    // Nothing stays in memory of one that is forgotten.
    let job = submit();
    scheduler.wait(job).await.unwrap();
    assert!(scheduler.forget(job) && scheduler.take(job).is_none());
}

#[tokio::test]
async fn the_working_directory_is_the_one_of_the_schedulers_making() {
    let stage = Stage::new(&format!("pwd > \"$4/pwd\"\n{GOOD}"));
    assert!(stage.run(&stage.scheduler()).await.correct);
    let expected = std::env::current_dir().unwrap();
    let pwd = fs::read_to_string(stage.path("results/pwd")).unwrap();
    assert_eq!(pwd.trim_end(), expected.to_str().unwrap());
}

#[tokio::test]
async fn any_thread_may_submit() {
    let stage = Stage::new(GOOD);
    let scheduler = stage.scheduler();
    let (candidate, dir) = (stage.path("candidate"), stage.path("results"));
    let job = std::thread::scope(|scope| {
        scope.spawn(|| scheduler.submit(candidate, dir).unwrap()).join().unwrap()
    });
    assert!(scheduler.wait(job).await.unwrap().correct);
}

#[tokio::test]
async fn a_job_may_have_arguments_of_its_own() {
    let stage = Stage::new(&format!("echo \"$@\"; {GOOD}"));
    let mut config = stage.config();
    config.extra_cmd_args =
        [("seed".to_owned(), 1.into()), ("fast".to_owned(), true.into())].into();
    let scheduler = scheduler_with(config, 4);
    let extra_args = vec![("seed".to_owned(), "2".to_owned()), ("n".to_owned(), "a b".to_owned())];
    let request = Request { extra_args, ..(stage.path("candidate"), stage.path("own")).into() };
    let plain = (stage.path("candidate"), stage.path("plain")).into();
    let mut said = Vec::new();
    for job in scheduler.submit_many([request, plain]) {
        let job = job.unwrap();
        scheduler.wait(job).await.unwrap();
        said.push(scheduler.results(job).unwrap().stdout_log.text());
    }
    assert!(said[0].ends_with("--seed 2 --fast True --n a b\n"), "{said:?}");
    assert!(said[1].ends_with("--seed 1 --fast True\n"), "{said:?}");
}
