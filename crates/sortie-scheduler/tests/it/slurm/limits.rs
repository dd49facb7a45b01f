//! Limits on how many jobs a user may have submitted.

use super::{Cluster, Site};
use crate::GOOD;

mod an_array_above_a_users_limit_is_split {
    use crate::slurm::{Flavour::Accounting, in_time};

    #[tokio::test]
    #[ignore = "needs Slurm: cargo xtask test"]
    async fn accounting() {
        in_time(super::many_for_a_narrow_account(Accounting.shared())).await;
    }
}

/// More jobs than its user may have at a time: as many as may be go in, and the others once these are over.
async fn many_for_a_narrow_account(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    let mut config = site.config();
    config.account = Some("narrow".into());
    let scheduler = site.scheduler(config);
    let results = |job| site.path(&format!("results/{job}"));
    let jobs = scheduler.submit_many((0..12).map(|job| (site.path("candidate"), results(job))));
    for job in jobs {
        let finished = scheduler.wait(job.unwrap()).await.unwrap();
        assert!(finished.correct, "{finished:?}");
    }
    site.leaves_nothing().await;
}
