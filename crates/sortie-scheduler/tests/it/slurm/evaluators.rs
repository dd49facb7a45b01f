//! Which evaluator a job gets on a cluster, and what it may be.

use std::fs;

use sortie_config::{EvaluatorKind, SlurmCondaJobConfig};
use sortie_results::{Fault, Outcome, Record};
use sortie_scheduler::{check, evaluator_sha256};

use super::{Cluster, Site, on_both, program};
use crate::GOOD;

on_both! {
    the_hash_is_of_the_evaluator_as_it_was_handed_in a_script_and_a_compiled_one_run_as_themselves
    an_interpreter_that_is_missing_on_the_node
}

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

fn executable(site: &Site) -> SlurmCondaJobConfig {
    SlurmCondaJobConfig {
        eval_program_path: site.path("judge"),
        evaluator: EvaluatorKind::Executable,
        ..site.config()
    }
}

async fn a_script_and_a_compiled_one_run_as_themselves(cluster: Cluster) {
    let site = Site::new(cluster, "");
    fs::write(site.path("candidate"), "2.5\n").unwrap();
    program(
        &site.path("judge"),
        &format!("#!/usr/bin/env bash\n[[ $1 == --program_path ]] || exit 9\n{GOOD}"),
    );
    let results = site.run(executable(&site)).await;
    assert!(results.correct, "{results:?}");
    fs::remove_file(site.path("judge")).unwrap();
    crate::compiled::judge(&site.path("judge"));
    let results = site.run(executable(&site)).await;
    assert!(results.correct, "{results:?}");
    assert_eq!(results.metrics["combined_score"].as_f64(), Some(2.5));
}

async fn an_interpreter_that_is_missing_on_the_node(cluster: Cluster) {
    let site = Site::new(cluster, "");
    for (line, named) in [
        ("#!/no/such/judge-sh", "/no/such/judge-sh"),
        ("#!/no/such/env sh", "/no/such/env"),
        ("#!/usr/bin/env judge-sh", "judge-sh"),
        ("#!/usr/bin/env -S judge-sh -x", "judge-sh"),
    ] {
        program(&site.path("judge"), &format!("{line}\n{GOOD}"));
        let results = site.run(executable(&site)).await;
        let detail = results.detail.clone().unwrap_or_default();
        assert!(detail.contains(named), "{line}: {results:?}");
        assert_eq!(results.fault, Some(Fault::Setup), "{line}: {results:?}");
    }
    // What nobody but the kernel can tell, at last.
    fs::write(site.path("judge"), crate::compiled::without_loader()).unwrap();
    let results = site.run(executable(&site)).await;
    let detail = results.detail.clone().unwrap_or_default();
    assert!(detail.contains("judge") && detail.contains("not found"), "{results:?}");
    assert_eq!(results.fault, Some(Fault::Setup), "{results:?}");
    // What is seen from here.
    program(&site.path("judge"), "echo no first line\n");
    let results = site.run(executable(&site)).await;
    assert!(matches!(results.outcome, Outcome::NotStarted { .. }), "{results:?}");
    let findings = check(&executable(&site).into()).await;
    let finding = findings.iter().find(|finding| finding.subject == "evaluator").unwrap();
    assert!(finding.result.is_err(), "{findings:?}");
}
