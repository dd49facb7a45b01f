//! What takes Slurm a minute or more to do, all at once. With the daemons, first in the alphabet: while the two
//! wait, there is nothing else to do on two processors.

use std::fs;

use sortie_results::{Fault, Outcome, Results};

use super::{Cluster, Flavour, Site};
use crate::GOOD;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Slurm: cargo xtask test"]
async fn limits_and_silence_and_a_thousand_jobs() {
    let cluster = Flavour::Plain.shared();
    tokio::join!(
        super::array::a_thousand_at_once(cluster.clone()),
        time_limit(cluster.clone(), "sleep 600"),
        time_limit(cluster.clone(), "trap '' TERM; setsid sleep 601 & sleep 602; sleep 603"),
        told_before_its_time_limit(cluster.clone()),
        memory(cluster.clone()),
        memory_of_one_among_many(cluster.clone()),
        killed_and_forgotten_before_anyone_asked(cluster.clone()),
        ended_and_forgotten_before_anyone_asked(cluster.clone()),
    );
}

/// A minute is the least limit that Slurm knows; it looks every half minute.
async fn time_limit(cluster: Cluster, script: &str) {
    let site = Site::new(cluster, script);
    let mut config = site.config();
    (config.partition, config.time) = ("short".into(), "1".parse().unwrap());
    config.infrastructure_retries = 2;
    let results = site.run(config).await;
    assert_eq!(results.outcome, Outcome::TimedOut { limit_seconds: 60.0 }, "{results:?}");
    assert_eq!(results.fault, Some(Fault::Candidate));
    assert!(
        fs::exists(site.path(".sortie/results/job_end.json")).unwrap(),
        "its script told so itself"
    );
}

/// As with the other limits it has its grace period to tidy up in.
async fn told_before_its_time_limit(cluster: Cluster) {
    let site = Site::new(cluster, "trap 'echo told; exit 7' TERM; sleep 600 & wait");
    let mut config = site.config();
    (config.time, config.early_term_seconds) = ("3".parse().unwrap(), 30);
    let results = site.run(config).await;
    assert_eq!(results.outcome, Outcome::TimedOut { limit_seconds: 180.0 });
    assert_eq!(results.stdout_log.text(), "told\n");
    assert!(results.seconds.running < 175.0, "before Slurm would have ended it: {results:?}");
}

/// Doubles a variable until it is too much, at 256 MiB.
const HOG: &str = "x=0123456789abcdef; for i in $(seq 24); do x=$x$x; sleep 0.2; done; sleep 600";

fn over_memory(results: &Results) {
    assert_eq!(results.outcome, Outcome::OutOfMemory, "{results:?}");
    assert_eq!(results.fault, Some(Fault::Candidate));
}

async fn memory(cluster: Cluster) {
    let site = Site::new(cluster, HOG);
    let results = site.run(site.config()).await;
    assert!(results.stderr_log.text().contains("memory limit"), "{results:?}");
    over_memory(&results);
}

/// In an array Slurm's words are not in the log.
async fn memory_of_one_among_many(cluster: Cluster) {
    let site = Site::new(cluster, &format!("if [ -s \"$2\" ]; then {HOG}; fi; {GOOD}"));
    crate::write(&site.path("hog"), "much");
    let scheduler = site.scheduler(site.config());
    let (good, hog) = (site.path("candidate"), site.path("hog"));
    let pairs = [(&good, site.path("results 0")), (&hog, site.path("results 1"))];
    let jobs = scheduler.submit_many(pairs);
    let [good, hog] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert!(scheduler.wait(*good.as_ref().unwrap()).await.unwrap().correct);
    let hog = *hog.as_ref().unwrap();
    scheduler.wait(hog).await.unwrap();
    over_memory(&scheduler.results(hog).unwrap());
}

/// A launcher whose squeue is out of order while there is a file `silent`.
fn with_silent_squeue(site: &Site) -> sortie_scheduler::JobScheduler {
    let shim = format!(
        "#!/bin/sh\nPATH=${{PATH#*:}}\n[ -e '{}' ] || exec squeue \"$@\"\necho 'squeue: error: slurm_load_jobs error: Socket \
         timed out on send/recv operation' >&2\nexit 1\n",
        site.path("silent").display()
    );
    super::program(&site.path("shims/squeue"), &shim);
    super::scheduler(site.config(), site.env(&[site.path("shims")]))
}

async fn killed_and_forgotten_before_anyone_asked(cluster: Cluster) {
    // Its parent's parent is the script, see stat in proc(5).
    let evaluator = r#"read -r _ _ _ script _ <"/proc/$PPID/stat"; echo "$script" >"$4/script"; touch "$4/up"; sleep 600"#;
    let site = Site::new(cluster, evaluator);
    let scheduler = with_silent_squeue(&site);
    let job = scheduler.submit(site.path("candidate"), site.path("results")).unwrap();
    site.appears("results/up").await;
    let running =
        || matches!(scheduler.status(job).unwrap(), sortie_scheduler::Status::Running { .. });
    crate::eventually("it to be known that it runs", running).await;
    crate::write(&site.path("silent"), "");
    crate::run_program("kill", &["-KILL", site.read("results/script").trim()]);
    // Slurm is about to do the same, and what is killed may have just started another.
    crate::eventually("its processes to end", || {
        let processes = site.stage.processes().join(" ");
        crate::run_program("sh", &["-c", &format!("kill -KILL {processes} || :")]);
        processes.is_empty()
    })
    .await;
    tokio::time::sleep(site.cluster.forgets_after()).await;
    fs::remove_file(site.path("silent")).unwrap();
    let finished = scheduler.wait(job).await.unwrap();
    assert!(matches!(finished.outcome, Outcome::Lost { .. }), "{finished:?}");
    assert_eq!(finished.fault, Some(Fault::Infrastructure));
}

/// Its own record is enough: the queue is silent to the end.
async fn ended_and_forgotten_before_anyone_asked(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let scheduler = with_silent_squeue(&site);
    crate::write(&site.path("silent"), "");
    let run = scheduler.run(site.path("candidate"), site.path("results"));
    let (results, _) = run.await.unwrap();
    assert!(results.correct, "{results:?}");
}
