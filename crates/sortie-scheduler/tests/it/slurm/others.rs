//! What other people than the launcher's user do to jobs.

use std::fs;

use sortie_results::{Fault, Outcome, Record};

use super::{Cluster, Site, on_both, waits_for};
use crate::GOOD;

on_both! { one_of_an_array_is_cancelled_while_it_waits put_back_into_the_queue }

/// The id with Slurm of a job, or of an array and one of its elements, by the note in a results dir.
fn listed(site: &Site, results: &str) -> String {
    let note = site.read(&format!(".sortie/{results}/submitted.json"));
    let name = note.split_once("\"job_name\":\"").unwrap().1.split_once('"').unwrap().0;
    let listed = site.cluster.slurm("squeue", &["-h", "-r", "-o", "%i", "-n", name]);
    listed.lines().next().unwrap().to_owned()
}

/// Slurm forgets it at once: it is neither in the queue nor in the accounts.
async fn one_of_an_array_is_cancelled_while_it_waits(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let mut config = site.config();
    config.infrastructure_retries = 2;
    config.sbatch_args.insert("hold".into(), None);
    let scheduler = site.scheduler(config);
    let all = (0..3).map(|number| (site.path("candidate"), site.path(&number.to_string())));
    let jobs: Vec<_> = scheduler.submit_many(all).into_iter().map(Result::unwrap).collect();
    for job in &jobs {
        waits_for(&scheduler, *job, "Held").await;
    }
    let array = listed(&site, "0").split_once('_').unwrap().0.to_owned();
    site.cluster.slurm("scancel", &[&format!("{array}_2")]);
    let finished = scheduler.wait(jobs[2]).await.unwrap();
    assert_eq!((&finished.outcome, finished.fault), (&Outcome::Cancelled, None));
    assert!(!site.path("2/previous").exists(), "there was another attempt");
    site.cluster.slurm("scontrol", &["release", &array]);
    for job in &jobs[..2] {
        assert!(scheduler.wait(*job).await.unwrap().correct);
    }
}

async fn put_back_into_the_queue(cluster: Cluster) {
    let script = format!("[ -e \"$4/previous\" ] || {{ touch \"$4/up\"; sleep 600; }}; {GOOD}");
    let site = Site::new(cluster, &script);
    let mut config = site.config();
    config.infrastructure_retries = 1;
    let scheduler = site.scheduler(config);
    let job = scheduler.submit(site.path("candidate"), site.path("results")).unwrap();
    site.appears("results/up").await;
    let id = listed(&site, "results");
    site.cluster.slurm("scontrol", &["update", &format!("job={id}"), "requeue=1"]);
    site.cluster.slurm("scontrol", &["requeue", &id]);
    let finished = scheduler.wait(job).await.unwrap();
    assert!(finished.correct, "{finished:?}");
    let previous: Vec<_> = fs::read_dir(site.path("results/previous")).unwrap().collect();
    let [Ok(first)] = previous.as_slice() else { panic!("{previous:?}") };
    let record = Record::read(&first.path()).unwrap();
    assert_eq!(record.fault, Some(Fault::Infrastructure), "{record:?}");
    assert!(matches!(record.outcome, Outcome::NodeFailed { .. }), "{record:?}");
    site.leaves_nothing().await;
}
