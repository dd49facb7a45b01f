//! What the cluster is like: `scontrol show config`.

use std::time::Duration;

use crate::{MaxMemory, info};

/// What of a cluster's configuration matters to its users; slurm.conf(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// `ClusterName`.
    pub cluster: String,
    /// The version of Slurm's commands here, such as `22.05.8`.
    pub version: Option<String>,
    /// `MinJobAge`: how long the controller remembers a job that is over; `None` for ever.
    pub min_job_age: Option<Duration>,
    /// `MaxArraySize`: one more than the largest index a job array may have.
    pub max_array_size: u32,
    /// `MaxJobCount`: the most jobs the controller keeps, of all users, those over among them.
    pub max_job_count: u32,
    /// `KillWait`: how long a job's processes have between SIGTERM and SIGKILL.
    pub kill_wait: Duration,
    /// The most memory a job may have, where its partition does not say so.
    pub max_memory: Option<MaxMemory>,
    /// Whether `sacct` can tell of jobs that are over.
    pub accounting: bool,
    /// Whether jobs are held to the limits of accounts and QOS (`AccountingStorageEnforce`).
    pub enforces_limits: bool,
}

/// The first release in which sbatch knows `--export=NIL`.
const NIL: (u32, u32) = (23, 2);

impl Site {
    /// Whether sbatch knows `--export=NIL`: nothing for the job but what Slurm itself sets. Before 23.02 it takes that for the name
    /// of a variable, and for a list of names the node loads the user's login environment, by `su`, for each job
    /// (`_fill_job_desc_from_opts` in sbatch.c, `_get_user_env` in slurmd's req.c). An unknown version counts as a new one.
    pub(crate) fn knows_nil(&self) -> bool {
        let mut parts = self.version.iter().flat_map(|version| version.split('.'));
        let mut next = || parts.next()?.parse::<u32>().ok();
        next().zip(next()).is_none_or(|release| release >= NIL)
    }

    /// Reads `NAME = VALUE` lines; `None` if the least that any cluster tells is not there. The
    /// rest has Slurm's defaults where it is not told.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (found, value) = line.split_once('=')?;
                (found.trim() == name).then(|| value.trim())
            })
        };
        // `20 sec`
        let number = |name| value(name)?.split_whitespace().next()?.parse::<u32>().ok();
        let seconds = |name, default| Duration::from_secs(number(name).unwrap_or(default).into());
        let storage = value("AccountingStorageType").and_then(info::text);
        Some(Self {
            cluster: value("ClusterName")?.to_owned(),
            version: value("SLURM_VERSION").map(str::to_owned),
            min_job_age: Some(seconds("MinJobAge", 300)).filter(|age| !age.is_zero()),
            max_array_size: number("MaxArraySize").unwrap_or(1001),
            max_job_count: number("MaxJobCount").unwrap_or(10_000),
            kill_wait: seconds("KillWait", 30),
            max_memory: MaxMemory::of(value),
            enforces_limits: value("AccountingStorageEnforce")
                .is_some_and(|all| all.split(',').any(|one| one == "limits")),
            accounting: storage.is_some_and(|storage| !storage.ends_with("none")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = "\
Configuration data as of 2026-11-24T15:33:03
AccountingStorageEnforce = associations,limits
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = tiny
KillWait                = 30 sec
MaxArraySize            = 50
MaxJobCount             = 100
MaxMemPerNode           = 2000
MinJobAge               = 20 sec
SLURM_CONF              = /etc/slurm/slurm.conf
SLURM_VERSION           = 22.05.8
";

    #[test]
    fn the_configuration_is_read() {
        let site = Site::parse(REAL).unwrap();
        let expected = Site {
            cluster: "tiny".into(),
            version: Some("22.05.8".into()),
            min_job_age: Some(Duration::from_secs(20)),
            max_array_size: 50,
            max_job_count: 100,
            kill_wait: Duration::from_secs(30),
            max_memory: Some(MaxMemory::PerNode(2000 << 20)),
            accounting: true,
            enforces_limits: true,
        };
        assert_eq!(site, expected);
        assert_eq!(Site::parse("slurm_load_ctl_conf error"), None);
    }

    #[test]
    fn old_releases_do_not_know_nil() {
        let versions =
            [("22.05.8", false), ("20.11.0", false), ("23.02.0", true), ("26.05.5", true)];
        for (version, knows) in versions {
            let site = Site::parse(&REAL.replace("22.05.8", version)).unwrap();
            assert_eq!(site.knows_nil(), knows, "{version}");
        }
        let unknown = REAL.replace("SLURM_VERSION           = 22.05.8\n", "");
        assert!(Site::parse(&unknown).unwrap().knows_nil());
    }

    #[test]
    fn no_accounting_is_said_in_two_ways() {
        for none in ["accounting_storage/none", "(null)"] {
            let text = REAL.replace("accounting_storage/slurmdbd", none);
            assert!(!Site::parse(&text).unwrap().accounting, "{none}");
        }
    }

    #[test]
    fn a_min_job_age_of_zero_means_for_ever() {
        let text = REAL.replace("20 sec", "0 sec");
        assert_eq!(Site::parse(&text).unwrap().min_job_age, None);
    }
}
