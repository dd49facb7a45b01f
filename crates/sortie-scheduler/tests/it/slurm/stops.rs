//! Jobs that are stopped, by the launcher and by others.

use std::fs;
use std::time::{Duration, Instant};

use sortie_results::{Outcome, Record};
use sortie_scheduler::{JobScheduler, Status};

use super::{Cluster, Site, on_both, waits_for};
use crate::GOOD;

on_both! {
    held_and_cancelled_while_it_waits an_array_cancelled_while_it_waits cancelled_while_it_runs cancelled_before_it_is_submitted
    cancelled_by_someone_else too_long_in_the_queue given_up_with_its_future_or_its_scheduler
    given_up_with_its_runtime
}

async fn end_of(scheduler: &JobScheduler, job: sortie_scheduler::JobId) -> Outcome {
    scheduler.wait(job).await.unwrap().outcome.clone()
}

async fn held_and_cancelled_while_it_waits(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let mut config = site.config();
    config.sbatch_args.insert("hold".into(), None);
    let scheduler = site.scheduler(config);
    let job = scheduler.submit(site.path("candidate"), site.path("results")).unwrap();
    assert_eq!(waits_for(&scheduler, job, "Held").await, "JobHeldUser");
    scheduler.cancel(&[job]);
    assert_eq!(end_of(&scheduler, job).await, Outcome::Cancelled);
    let record = Record::read(&site.path("results")).unwrap();
    assert_eq!((record.outcome, record.fault, record.started_at), (Outcome::Cancelled, None, None));
    assert!(site.run(site.config()).await.correct);
}

/// Of which Slurm keeps one line for all.
async fn an_array_cancelled_while_it_waits(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let mut config = site.config();
    config.sbatch_args.insert("hold".into(), None);
    let scheduler = site.scheduler(config);
    let all = (0..12).map(|n| (site.path("candidate"), site.path(&n.to_string())));
    let jobs: Vec<_> = scheduler.submit_many(all).into_iter().map(Result::unwrap).collect();
    waits_for(&scheduler, jobs[11], "Held").await;
    let from = Instant::now();
    scheduler.cancel(&jobs[..4]);
    for job in &jobs[..4] {
        assert_eq!(end_of(&scheduler, *job).await, Outcome::Cancelled);
    }
    assert!(matches!(scheduler.status(jobs[4]).unwrap(), Status::Queued { .. }));
    scheduler.cancel(&jobs);
    for job in &jobs {
        assert_eq!(end_of(&scheduler, *job).await, Outcome::Cancelled);
    }
    assert!(from.elapsed() < Duration::from_secs(300), "{:?}", from.elapsed());
    site.leaves_nothing().await;
}

/// With all that would like to survive.
async fn cancelled_while_it_runs(cluster: Cluster) {
    let site = Site::new(
        cluster,
        r#"trap '' TERM; setsid sleep 601 & (setsid sh -c 'trap "" TERM; sleep 602' &) ; touch "$4/up"
        sleep 603; sleep 604"#,
    );
    let scheduler = site.scheduler(site.config());
    let job = scheduler.submit(site.path("candidate"), site.path("results")).unwrap();
    site.appears("results/up").await;
    crate::eventually("all it starts", || site.stage.processes().len() >= 4).await;
    let from = Instant::now();
    scheduler.cancel(&[job]);
    assert_eq!(end_of(&scheduler, job).await, Outcome::Cancelled);
    assert!(from.elapsed() < Duration::from_secs(300), "{:?}", from.elapsed());
    site.leaves_nothing().await;
    assert!(fs::exists(site.path(".sortie/results/job_end.json")).unwrap());
}

/// At various moments: none is lost, none runs on.
async fn cancelled_before_it_is_submitted(cluster: Cluster) {
    let site = Site::new(cluster, "sleep 600");
    let scheduler = site.scheduler(site.config());
    let mut jobs = Vec::new();
    for delay in [0, 0, 1, 3, 10, 20, 40, 80, 120] {
        let dir = site.path(&format!("results {}", jobs.len()));
        let job = scheduler.submit(site.path("candidate"), dir).unwrap();
        tokio::time::sleep(Duration::from_millis(delay)).await;
        scheduler.cancel(&[job]);
        jobs.push(job);
    }
    for job in jobs {
        assert_eq!(end_of(&scheduler, job).await, Outcome::Cancelled);
    }
    site.leaves_nothing().await;
}

async fn cancelled_by_someone_else(cluster: Cluster) {
    let site = Site::new(cluster, r#"touch "$4/up"; sleep 600"#);
    let mut config = site.config();
    config.infrastructure_retries = 2;
    let scheduler = site.scheduler(config.clone());
    let job = scheduler.submit(site.path("candidate"), site.path("results")).unwrap();
    site.appears("results/up").await;
    config.sbatch_args.insert("hold".into(), None);
    let holding = site.scheduler(config);
    let held = holding.submit(site.path("candidate"), site.path("held")).unwrap();
    waits_for(&holding, held, "Held").await;
    let note = site.read(".sortie/held/submitted.json");
    let name = note.split_once("\"job_name\":\"").unwrap().1.split_once('"').unwrap().0;
    site.cluster.slurm("scancel", &[&site.slurm_id("results")]);
    site.cluster.slurm("scancel", &[&format!("--name={name}")]);
    for (scheduler, job) in [(&scheduler, job), (&holding, held)] {
        let finished = scheduler.wait(job).await.unwrap();
        assert_eq!((&finished.outcome, finished.fault), (&Outcome::Cancelled, None));
    }
    assert!(!site.path("results/previous").exists(), "there was another attempt");
    site.leaves_nothing().await;
}

async fn too_long_in_the_queue(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let mut config = site.config();
    config.max_queue_time = Some("00:00:05".parse().unwrap());
    config.sbatch_args.insert("hold".into(), None);
    let results = site.run(config).await;
    let expected = "submit failed: it waited in Slurm's queue for too long: JobHeldUser";
    assert_eq!(results.detail.as_deref(), Some(expected));
    assert_eq!(results.fault, Some(sortie_results::Fault::Setup));
}

async fn given_up_with_its_future_or_its_scheduler(cluster: Cluster) {
    let site = Site::new(cluster, r#"touch "$4/up"; sleep 600"#);
    let scheduler = site.scheduler(site.config());
    {
        let mut run = std::pin::pin!(scheduler.run(site.path("candidate"), site.path("first")));
        tokio::select! {
            ended = &mut run => panic!("{ended:?}"),
            () = site.appears("first/up") => {}
        }
    }
    site.leaves_nothing().await;
    let job = scheduler.submit(site.path("candidate"), site.path("second")).unwrap();
    site.appears("second/up").await;
    assert!(!matches!(scheduler.status(job).unwrap(), Status::Finished(_)));
    let mut events = scheduler.events();
    drop(scheduler);
    while events.next().await.is_some() {}
    site.leaves_nothing().await;
    assert_eq!(Record::read(&site.path("second")).unwrap().outcome, Outcome::Cancelled);
}

/// As where `main` returns while jobs run and one is being submitted.
async fn given_up_with_its_runtime(cluster: Cluster) {
    let site = Site::new(cluster, r#"touch "$4/up"; sleep 600"#);
    let ending = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (scheduler, jobs) = runtime.block_on(async {
            let scheduler = site.scheduler(site.config());
            let submit = |dir| scheduler.submit(site.path("candidate"), site.path(dir)).unwrap();
            let first = submit("results");
            site.appears("results/up").await;
            let second = submit("other");
            tokio::time::sleep(Duration::from_millis(10)).await;
            (scheduler, [first, second])
        });
        drop(runtime);
        (site, scheduler, jobs)
    });
    let (site, scheduler, jobs) = ending.await.unwrap();
    // At once, but for one whose files are being looked at beside the runtime.
    let is_over = |status: &Option<Status>| matches!(status, Some(Status::Finished(_)));
    crate::eventually("the jobs to be over", || scheduler.status_many(&jobs).iter().all(is_over))
        .await;
    site.leaves_nothing().await;
    // Nor does one start late.
    tokio::time::sleep(Duration::from_secs(1)).await;
    site.leaves_nothing().await;
}
