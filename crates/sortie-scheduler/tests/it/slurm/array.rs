//! Many jobs as few arrays.

use std::collections::BTreeSet;

use sortie_results::Record;

use super::{Cluster, Site};

const COUNT: u32 = 1000;

/// Each with its own candidate, results and logs, by one sbatch.
pub(super) async fn a_thousand_at_once(cluster: Cluster) {
    let site = Site::new(
        cluster,
        r#"echo "$2"; echo "{\"combined_score\": $(cat "$2")}" >"$4/metrics.json"
        echo '{"correct": true}' >"$4/correct.json""#,
    );
    for number in 0..COUNT {
        crate::write(&site.path(&format!("candidates/{number}")), &number.to_string());
    }
    super::program(
        &site.path("shims/sbatch"),
        "#!/bin/sh\nPATH=${PATH#*:}\necho called >>\"${0%/*}/../sbatch.calls\"\nexec sbatch \"$@\"\n",
    );
    let mut config = site.config();
    // Of the 256 that the node says it has: this machine cannot run more at once in earnest.
    // The other tests' jobs go first.
    (config.cpus, config.nice) = (32, Some(10_000));
    let scheduler = super::scheduler(config, site.env(&[site.path("shims")]));
    let of =
        |number| (site.path(&format!("candidates/{number}")), site.path(&format!("r/{number}")));
    let jobs = scheduler.submit_many((0..COUNT).map(of));
    let mut attempts = BTreeSet::new();
    for (job, number) in jobs.into_iter().zip(0..) {
        let job = job.unwrap();
        let finished = scheduler.wait(job).await.unwrap();
        assert!(finished.correct, "{number}: {finished:?}");
        let results = scheduler.results(job).unwrap();
        assert_eq!(results.metrics["combined_score"].as_f64(), Some(f64::from(number)));
        assert!(results.stdout_log.text().ends_with(&format!("candidates/{number}\n")));
        let record = Record::read(&of(number).1).unwrap();
        assert_eq!(record.attempt, finished.attempt);
        attempts.insert(record.attempt);
    }
    assert_eq!(attempts.len(), COUNT as usize);
    assert_eq!(site.read("sbatch.calls"), "called\n");
    site.leaves_nothing().await;
}
