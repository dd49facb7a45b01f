//! Limits of accounts and QOS, which sbatch does not check either.

use sortie_process::{Command, Environment, Supervisor};
use sortie_slurm::{Allowance, Association, Client, Site};

use super::partition::{is_longer, text};
use super::{Finding, output};
use crate::slurm::Plan;

const ADVICE: &str = "ask for less, or set `account` or `qos` to one that allows it: see `sacctmgr show user $USER withassoc` \
                      and `sacctmgr show qos`";

/// Whether the user's account and QOS would ever let the job run; nothing where no such limits are enforced, or the accounts
/// do not tell. Those on all jobs of a group together are not seen here.
pub(super) async fn find(plan: &Plan, client: &Client, site: &Site) -> Option<Finding> {
    if !site.enforces_limits {
        return None;
    }
    let associations = client.associations(&user(plan).await?).await.ok()?;
    let mine = associations.into_iter().filter(|it| is_of_job(plan, it));
    // One for the partition alone is nearer than one for all.
    let mine = mine.max_by_key(|association| association.partition.is_some())?;
    let mut limits = vec![(format!("account {}", mine.account), mine.allows)];
    if let Some(name) = plan.option("qos").or(mine.default_qos.as_deref()) {
        // It counts before the account.
        let qos = client.qos(name).await.ok()??;
        limits.insert(0, (format!("QOS {name}"), qos));
    }
    let result = match problem(plan, &limits) {
        Some(problem) => {
            Err((format!("{problem}: Slurm takes the job, and it waits for ever"), ADVICE))
        }
        None => Ok(in_words(&limits)),
    };
    Some(Finding::new("accounts", result))
}

/// The name by which the accounts know the user.
async fn user(plan: &Plan) -> Option<String> {
    let env: Environment = plan.here.env.iter().cloned().collect();
    let command = Command::new("id", env, &plan.here.cwd).args(["-un"]);
    output(&Supervisor::new(), &command).await.ok()
}

fn is_of_job(plan: &Plan, association: &Association) -> bool {
    let is_asked = match plan.option("account") {
        Some(account) => association.account == account,
        None => association.is_default,
    };
    let is_in =
        |partition| plan.slurm().is_some_and(|it| it.partitions().any(|name| name == partition));
    is_asked && association.partition.as_deref().is_none_or(is_in)
}

/// The first of the limits that is set counts, for each kind.
fn first<T>(
    limits: &[(String, Allowance)],
    limit: impl Fn(&Allowance) -> Option<T>,
) -> Option<(T, &str)> {
    limits.iter().find_map(|(whose, allows)| Some((limit(allows)?, whose.as_str())))
}

fn problem(plan: &Plan, limits: &[(String, Allowance)]) -> Option<String> {
    let settings = plan.slurm()?;
    let time = settings.time();
    if let Some((most, whose)) = first(limits, |it| it.max_time)
        && is_longer(time, most)
        && !plan.asks_for("time-min")
    {
        return Some(format!("`time` is {time}, above the {} of the {whose}", text(most)));
    }
    let cpus = plan.option("cpus-per-task").and_then(|cpus| cpus.parse::<u64>().ok());
    if let (Some((most, whose)), Some(cpus)) = (first(limits, |it| it.max_cpus), cpus)
        && cpus > most
    {
        return Some(format!("`cpus` is {cpus}, above the {most} of the {whose}"));
    }
    let (most, whose) = first(limits, |it| it.max_memory)?;
    let memory = settings.memory()?;
    let is_more = memory.as_bytes()? > most;
    is_more.then(|| format!("`mem` is {memory}, above the {}M of the {whose}", most >> 20))
}

fn in_words(limits: &[(String, Allowance)]) -> String {
    let names: Vec<_> = limits.iter().map(|(whose, _)| whose.as_str()).collect();
    let time = first(limits, |it| it.max_time);
    let time = time.map_or("any length".into(), |(most, _)| format!("up to {}", text(most)));
    let many = first(limits, |it| it.max_submitted);
    let many = many.map_or(String::new(), |(most, _)| format!(", {most} in the queue at once"));
    format!("the {} allows jobs of {time}{many}", names.join(" with the "))
}
