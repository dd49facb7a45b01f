//! A results dir whose file system does not answer holds up its own job, and nothing else.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use sortie_results::{Outcome, Record};
use sortie_scheduler::{JobId, JobScheduler, Status};

use crate::hung::Mount;
use crate::slurm::shims::{RUNS, Shims};
use crate::{GOOD, Stage, scheduler_with};

/// Waits before its end where its candidate is there; `slow` takes longer than it may.
const WAITS: &str =
    "case $2 in *slow) sleep 600 ;; *wait) while [ -e \"$2\" ]; do sleep 0.01; done ;; esac";

/// A stage, one of whose results dirs, `hung/results`, is on such a file system.
fn stage() -> (Stage, Mount) {
    let stage = Stage::new(&format!("{GOOD}{WAITS}"));
    let mount = Mount::on(&stage.path("hung"));
    (stage, mount)
}

fn submit(stage: &Stage, scheduler: &JobScheduler, candidate: &str, results: &str) -> JobId {
    let candidate = stage.path(candidate);
    fs::write(&candidate, "").unwrap();
    scheduler.submit(candidate, stage.path(results)).unwrap()
}

async fn in_time<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(300), test).await.unwrap()
}

async fn waits_for_it(scheduler: &JobScheduler, job: JobId) {
    let is_so = || match scheduler.status(job).unwrap() {
        Status::Queued { reason } => reason.is_some_and(|why| why.contains("does not answer")),
        _ => false,
    };
    crate::eventually("the job to say what it waits for", is_so).await;
}

/// Others run, though only one may at a time, and their limits hold.
#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn at_the_end_of_a_job_it_holds_up_no_other() {
    let (stage, mount) = stage();
    let mut config = stage.config();
    config.time = Some("00:00:10".parse().unwrap());
    let scheduler = scheduler_with(config, 1);
    let hung = submit(&stage, &scheduler, "wait", "hung/results");
    stage.appears("hung/results/correct.json").await;
    mount.hangs();
    fs::remove_file(stage.path("wait")).unwrap();
    let good = submit(&stage, &scheduler, "good", "good-results");
    let slow = submit(&stage, &scheduler, "slow", "slow-results");
    in_time(async {
        assert!(scheduler.wait(good).await.unwrap().correct);
        let outcome = &scheduler.wait(slow).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::TimedOut { .. }), "{outcome:?}");
        assert!(!matches!(scheduler.status(hung).unwrap(), Status::Finished(_)));
        mount.answers();
        assert!(scheduler.wait(hung).await.unwrap().correct);
        assert!(scheduler.collect(hung).await.unwrap().correct);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn at_the_start_of_a_job_it_holds_up_no_other() {
    let (stage, mount) = stage();
    let scheduler = scheduler_with(stage.config(), 1);
    fs::create_dir(stage.path("hung/results")).unwrap();
    mount.hangs();
    let hung = submit(&stage, &scheduler, "first", "hung/results");
    let good = submit(&stage, &scheduler, "good", "good-results");
    in_time(async {
        assert!(scheduler.wait(good).await.unwrap().correct);
        waits_for_it(&scheduler, hung).await;
        let running = submit(&stage, &scheduler, "wait", "running-results");
        stage.appears("running-results/correct.json").await;
        mount.answers();
        // There is one place, and another job has it.
        let other = submit(&stage, &scheduler, "good", "other-results");
        fs::remove_file(stage.path("wait")).unwrap();
        for job in [hung, running, other] {
            assert!(scheduler.wait(job).await.unwrap().correct);
        }
    })
    .await;
}

/// A job that is to be stopped does not wait for ever; what it has left is recorded all the same when that can be.
#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn a_job_that_is_stopped_does_not_wait_for_it() {
    let (stage, mount) = stage();
    let scheduler = scheduler_with(stage.config(), 4);
    let ends = submit(&stage, &scheduler, "wait", "hung/results");
    stage.appears("hung/results/correct.json").await;
    mount.hangs();
    let begins = submit(&stage, &scheduler, "good", "hung/other");
    fs::remove_file(stage.path("wait")).unwrap();
    in_time(async {
        waits_for_it(&scheduler, begins).await;
        scheduler.cancel(&[begins]);
        assert_eq!(scheduler.wait(begins).await.unwrap().outcome, Outcome::Cancelled);
        scheduler.kill(&[ends]);
        let finished = scheduler.wait(ends).await.unwrap();
        let said = finished.outcome.to_string();
        assert!(said.contains("does not answer"), "{said}");
        mount.answers();
        let results: PathBuf = stage.path("hung/results");
        crate::eventually("its record", || Record::read(&results).is_ok()).await;
        assert_eq!(Record::read(&results).unwrap().attempt, finished.attempt);
    })
    .await;
}

/// One of an array that cannot be prepared goes later, by itself.
#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn before_it_is_submitted_a_job_of_slurm_holds_up_no_other() {
    let (shims, mount) = shims();
    shims.hook("sbatch", RUNS);
    shims.hook("squeue", "exit 0");
    let scheduler = shims.scheduler(shims.config());
    mount.hangs();
    let candidate = shims.0.path("candidate");
    let all = ["hung/results", "good"].map(|results| (candidate.clone(), shims.0.path(results)));
    let [hung, good] = scheduler.submit_many(all).try_into().unwrap();
    let (hung, good) = (hung.unwrap(), good.unwrap());
    in_time(async {
        let finished = scheduler.wait(good).await.unwrap();
        assert!(finished.correct, "{finished:?}");
        waits_for_it(&scheduler, hung).await;
        mount.answers();
        let finished = scheduler.wait(hung).await.unwrap();
        assert!(finished.correct, "{finished:?}");
    })
    .await;
    assert_eq!(shims.calls("sbatch").len(), 2);
}

/// Whatever of it hangs: the look for its record, or reading what it has left.
#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn at_its_end_a_job_of_slurm_holds_up_no_other() {
    let (shims, mount) = shims();
    // The first waits in sbatch until it may be over for Slurm.
    let go = "[ -e \"$SHIM_DIR/second\" ] || { touch \"$SHIM_DIR/over\"; \
              until [ -e \"$SHIM_DIR/go\" ]; do sleep 0.01; done; }\n";
    shims.hook("sbatch", &format!("{RUNS}{go}"));
    shims.hook("squeue", "exit 0");
    let scheduler = shims.scheduler(shims.config());
    let candidate = shims.0.path("candidate");
    let hung = scheduler.submit(candidate.clone(), shims.0.path("hung/results")).unwrap();
    let over = shims.path("over");
    crate::eventually("the first to be over", || over.exists()).await;
    mount.hangs();
    fs::write(shims.path("second"), "").unwrap();
    fs::write(shims.path("go"), "").unwrap();
    in_time(async {
        for number in 0..6 {
            let results = shims.0.path(&format!("good {number}"));
            let (results, _) = scheduler.run(candidate.clone(), results).await.unwrap();
            assert!(results.correct, "{results:?}");
        }
        assert!(!matches!(scheduler.status(hung).unwrap(), Status::Finished(_)));
        mount.answers();
        let finished = scheduler.wait(hung).await.unwrap();
        assert!(finished.correct, "{finished:?}");
    })
    .await;
}

/// Slurm's commands replaced, and a directory `hung` on such a file system.
fn shims() -> (Shims, Mount) {
    let shims = Shims::new(GOOD);
    let mount = Mount::on(&shims.0.path("hung"));
    (shims, mount)
}

/// Nor does a runtime that is shut down.
#[test]
fn a_runtime_that_ends_does_not_wait_for_it() {
    let (stage, mount) = stage();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let scheduler = {
        let _inside = runtime.enter();
        scheduler_with(stage.config(), 4)
    };
    let running = submit(&stage, &scheduler, "wait", "hung/results");
    runtime.block_on(stage.appears("hung/results/correct.json"));
    mount.hangs();
    let begins = submit(&stage, &scheduler, "good", "hung/other");
    runtime.block_on(waits_for_it(&scheduler, begins));
    runtime.shutdown_background();
    for job in [running, begins] {
        assert!(matches!(scheduler.status(job).unwrap(), Status::Finished(_)));
    }
}
