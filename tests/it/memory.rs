//! Out of memory. Here and not beside the other faults, since the kernel counts its kills for the whole
//! machine: one may pass for that of another test's command that SIGKILL ends at the same moment.

use std::fs;
use std::path::Path;

use sortie_results::{Fault, Outcome};

use crate::{Stage, eventually};

#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn an_evaluator_out_of_memory_is_told_from_one_that_was_killed() {
    // Version 1 of control groups has a tree for each resource (cgroups(7)).
    let (tree, limits) = if Path::new("/sys/fs/cgroup/memory").is_dir() {
        ("/sys/fs/cgroup/memory", [("memory.limit_in_bytes", "32M"), ("memory.swappiness", "0")])
    } else {
        ("/sys/fs/cgroup", [("memory.max", "32M"), ("memory.swap.max", "0")])
    };
    let group = Path::new(tree).join(format!("sortie-test-{}", std::process::id()));
    fs::create_dir(&group).unwrap();
    for (file, limit) in limits {
        fs::write(group.join(file), limit).unwrap();
    }
    // It keeps a line that never ends.
    let greedy = format!("echo $$ > {}/cgroup.procs && exec tail /dev/zero", group.display());
    let stage = Stage::new(&greedy);
    let run = stage.shell("").run(stage.path("candidate"), stage.path("results")).await;
    eventually("the group to be empty", || fs::remove_dir(&group).is_ok()).await;
    let (results, _) = run.unwrap();
    assert_eq!((results.outcome, results.fault), (Outcome::OutOfMemory, Some(Fault::Candidate)));
}
