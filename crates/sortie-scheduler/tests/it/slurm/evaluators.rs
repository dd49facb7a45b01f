//! Which evaluator a job gets on a cluster, and what it may be.

use std::fs;

use sortie_results::Record;
use sortie_scheduler::evaluator_sha256;

use super::{Cluster, Site, on_both};
use crate::GOOD;

on_both! { the_hash_is_of_the_evaluator_as_it_was_handed_in }

/// Another file by the time the job ends, and for whoever takes the job up again.
async fn the_hash_is_of_the_evaluator_as_it_was_handed_in(cluster: Cluster) {
    let site = Site::new(cluster, GOOD);
    fs::write(site.path("evaluate.sh"), format!("echo '# other' >> $0\n{GOOD}")).unwrap();
    let sha256 = || evaluator_sha256(&site.config().into()).unwrap();
    let before = sha256();
    assert!(site.run(site.config()).await.correct);
    assert_ne!(sha256(), before);
    let record = Record::read(&site.path("results")).unwrap();
    assert_eq!(record.evaluator_sha256, Some(before));
}
