//! Limits of a partition that sbatch does not check: it takes the job, also with `--test-only`, and the job waits for ever.

use std::time::Duration;

use sortie_config::TimeLimit;
use sortie_slurm::{Client, MaxMemory, Partition, Site};

use super::Finding;
use crate::slurm::Plan;

const SUBJECT: &str = "partition";
const ADVICE: &str = "ask for less, or set `partition` to one that allows it: see `sinfo` and `scontrol show partition`";

/// Whether one of the partitions would ever run the job; nothing where Slurm does not tell. A QOS may lift the limits, which
/// is not seen here.
pub(super) async fn find(plan: &Plan, client: &Client, site: &Site) -> Option<Finding> {
    let (mut allows, mut refuses) = (Vec::new(), Vec::new());
    for name in plan.slurm()?.partitions() {
        let partition = client.partition(name).await.ok()?;
        match problem(plan, &partition, site) {
            None => allows.push(in_words(plan, &partition, site)),
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
fn problem(plan: &Plan, partition: &Partition, site: &Site) -> Option<String> {
    let Partition { name, state, .. } = partition;
    let settings = plan.slurm()?;
    if !partition.is_up() {
        return Some(format!("the partition {name} is {state}, not UP"));
    }
    let (time, memory) = (settings.time(), settings.memory());
    if !plan.asks_for("time-min")
        && let Some(most) = partition.max_time.filter(|most| is_longer(time, *most))
    {
        return Some(format!("`time` is {time}, above the {} of the partition {name}", text(most)));
    }
    let asked = memory?.as_bytes()?;
    let (most, of) = match (partition.max_memory, site.max_memory) {
        (Some(MaxMemory::PerNode(most)), _) => (most, format!("partition {name}")),
        (None, Some(MaxMemory::PerNode(most))) => (most, "cluster (MaxMemPerNode)".to_owned()),
        _ => return None,
    };
    let memory = memory?;
    (asked > most).then(|| format!("`mem` is {memory}, above the {}M of the {of}", most >> 20))
}

/// Whether a time limit is above another, as Slurm counts: in minutes begun.
pub(super) fn is_longer(time: TimeLimit, most: Duration) -> bool {
    let minutes = time.as_duration().map(|time| time.as_secs().div_ceil(60));
    minutes.is_none_or(|minutes| minutes > most.as_secs() / 60)
}

fn in_words(plan: &Plan, partition: &Partition, site: &Site) -> String {
    let most =
        partition.max_time.map_or("any length".into(), |most| format!("up to {}", text(most)));
    let cpus = more_cpus(plan, partition, site).unwrap_or_default();
    format!("{} takes jobs of {most}{cpus}", partition.name)
}

/// What Slurm makes of a job that asks for more memory than its CPUs may have: it gets more of these.
fn more_cpus(plan: &Plan, partition: &Partition, site: &Site) -> Option<String> {
    let MaxMemory::PerCpu(most) = partition.max_memory.or(site.max_memory)? else { return None };
    let memory = plan.slurm()?.memory()?;
    let cpus = memory.as_bytes()?.div_ceil(most.max(1));
    let asked: u64 = plan.option("cpus-per-task")?.parse().ok()?;
    let mebibytes = most >> 20;
    (cpus > asked).then(|| {
        format!("; for `mem` of {memory} each gets {cpus} CPUs, as one may have {mebibytes}M")
    })
}

pub(super) fn text(time: Duration) -> String {
    match TimeLimit::from_seconds(time.as_secs()) {
        Ok(limit) => limit.to_string(),
        Err(_) => format!("{} s", time.as_secs()),
    }
}
