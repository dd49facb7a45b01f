//! Limits of a partition that sbatch does not check: it takes the job, also with `--test-only`, and the job waits for ever.

use std::time::Duration;

use sortie_config::TimeLimit;
use sortie_slurm::{Client, Partition};

use super::Finding;
use crate::slurm::Plan;

const SUBJECT: &str = "partition";
const ADVICE: &str = "ask for less, or set `partition` to one that allows it: see `sinfo` and `scontrol show partition`";

/// Whether one of the partitions would ever run the job; nothing where Slurm does not tell. A QOS may lift the limits, which
/// is not seen here.
pub(super) async fn find(plan: &Plan, client: &Client) -> Option<Finding> {
    let (mut allows, mut refuses) = (Vec::new(), Vec::new());
    for name in plan.slurm()?.partitions() {
        let partition = client.partition(name).await.ok()?;
        match problem(plan, &partition) {
            None => allows.push(in_words(&partition)),
            Some(problem) => refuses.push(problem),
        }
    }
    let waits = || refuses.join("; ");
    let result = match allows.as_slice() {
        [] if plan.asks_for("qos") => Ok(format!("{}, unless the QOS allows it", waits())),
        [] => Err((format!("{}: Slurm takes the job, and it waits for ever", waits()), ADVICE)),
        allows => Ok(allows.join("; ")),
    };
    Some(Finding::new(SUBJECT, result))
}

/// What keeps the job from running in this partition.
fn problem(plan: &Plan, partition: &Partition) -> Option<String> {
    let Partition { name, state, .. } = partition;
    let settings = plan.slurm()?;
    if !partition.is_up() {
        return Some(format!("the partition {name} is {state}, not UP"));
    }
    let (time, memory) = (settings.time(), settings.memory());
    let is_longer =
        |most: &Duration| minutes(time).is_none_or(|minutes| minutes > most.as_secs() / 60);
    if !plan.asks_for("time-min")
        && let Some(most) = partition.max_time.filter(is_longer)
    {
        return Some(format!("`time` is {time}, above the {} of the partition {name}", text(most)));
    }
    let asked = memory?.as_bytes()?;
    let most = partition.max_memory.filter(|most| asked > *most)?;
    Some(format!("`mem` is {}, above the {}M of the partition {name}", memory?, most >> 20))
}

/// As Slurm counts a time limit: in minutes begun.
fn minutes(time: TimeLimit) -> Option<u64> {
    time.as_duration().map(|time| time.as_secs().div_ceil(60))
}

fn in_words(partition: &Partition) -> String {
    let most =
        partition.max_time.map_or("any length".into(), |most| format!("up to {}", text(most)));
    format!("{} takes jobs of {most}", partition.name)
}

fn text(time: Duration) -> String {
    match TimeLimit::from_seconds(time.as_secs()) {
        Ok(limit) => limit.to_string(),
        Err(_) => format!("{} s", time.as_secs()),
    }
}
