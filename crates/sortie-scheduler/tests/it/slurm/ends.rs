//! Jobs that end by themselves.

use std::fs;

use sortie_results::{Fault, Outcome, Record};

use super::{Cluster, Site, on_both};
use crate::GOOD;

on_both! { success nonzero_exit signal gpus_are_visible large_logs }

async fn success(cluster: Cluster) {
    let site = Site::new(cluster, &format!("echo out; echo err >&2; {GOOD}"));
    let results = site.run(site.config()).await;
    assert!(results.correct, "{results:?}");
    assert_eq!((results.outcome, results.fault), (Outcome::Exited { code: 0 }, None));
    assert_eq!(results.metrics["combined_score"].as_f64(), Some(1.5));
    assert_eq!(results.stdout_log.text(), "out\n");
    assert_eq!(results.stderr_log.text(), "err\n");
    let record = Record::read(&site.path("results")).unwrap();
    assert_eq!(record.attempt, results.attempt);
    let script = fs::read_to_string(site.path(".sortie/results/job_script.sh")).unwrap();
    assert!(script.contains(&record.attempt.to_string()), "{script}");
    let seconds = results.seconds;
    assert!(seconds.running > 0.0 && seconds.queued + seconds.running <= seconds.total + 1.0);
}

async fn nonzero_exit(cluster: Cluster) {
    let site = Site::new(cluster, &format!("{GOOD} exit 3"));
    let results = site.run(site.config()).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 3 });
    assert_eq!((results.correct, results.fault), (false, Some(Fault::Candidate)));
}

async fn signal(cluster: Cluster) {
    for (name, signal) in [("SEGV", 11), ("KILL", 9)] {
        let site = Site::new(cluster.clone(), &format!("kill -{name} $$"));
        let results = site.run(site.config()).await;
        assert_eq!(results.outcome, Outcome::signaled(signal));
        assert_eq!(results.fault, Some(Fault::Candidate));
    }
}

async fn gpus_are_visible(cluster: Cluster) {
    let site = Site::new(cluster, &format!("echo \"$CUDA_VISIBLE_DEVICES\"; {GOOD}"));
    let mut config = site.config();
    config.gpus = "a100:2".parse().unwrap();
    let results = site.run(config.clone()).await;
    let devices = results.stdout_log.text();
    let numbers: Vec<u32> = devices.trim().split(',').map(|n| n.parse().unwrap()).collect();
    assert_eq!((results.correct, numbers.len()), (true, 2), "{devices}");
    config.gpus = 0.into();
    assert_eq!(site.run(config).await.stdout_log.text(), "\n");
}

async fn large_logs(cluster: Cluster) {
    let site = Site::new(cluster, "yes");
    let mut config = site.config();
    (config.limits.max_log_bytes, config.limits.log_tail_bytes) = (1 << 20, 100);
    let results = site.run(config).await;
    assert_eq!(results.outcome, Outcome::OutputLimit { limit_bytes: 1 << 20 });
    assert_eq!(results.fault, Some(Fault::Candidate));
    assert!(results.stdout_log.bytes.len() <= 100 && results.stdout_log.omitted > 1 << 20);
}
