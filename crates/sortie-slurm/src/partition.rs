//! What a partition allows: `scontrol show partition`.

use std::time::Duration;

/// What a partition allows that sbatch does not check: a job above it is taken, and waits for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// `State`, such as `UP`; jobs run in no other.
    pub state: String,
    /// `MaxTime`: the longest a job may run, in whole minutes; `None` for ever.
    pub max_time: Option<Duration>,
    /// The most memory a job may have; `None` where the partition sets none.
    pub max_memory: Option<MaxMemory>,
}

/// The most memory a job may have, of a partition or of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxMemory {
    /// On a node, in bytes: `MaxMemPerNode`.
    PerNode(u64),
    /// For each of its CPUs, in bytes: `MaxMemPerCPU`. A job that asks for more is given more CPUs.
    PerCpu(u64),
}

impl MaxMemory {
    /// Of the values by their names; `UNLIMITED` is none.
    pub(crate) fn of<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let bytes = |name| value(name)?.parse::<u64>().ok()?.checked_mul(1 << 20);
        let per_cpu = || bytes("MaxMemPerCPU").map(Self::PerCpu);
        bytes("MaxMemPerNode").map(Self::PerNode).or_else(per_cpu)
    }
}

impl Partition {
    /// Reads the one line of `NAME=VALUE` words; `None` if a word is missing that all releases tell.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut words = line.split_whitespace();
            words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            name: value("PartitionName")?.to_owned(),
            state: value("State")?.to_owned(),
            max_time: time(value("MaxTime")?),
            max_memory: MaxMemory::of(value),
        })
    }

    /// Whether it runs jobs.
    pub fn is_up(&self) -> bool {
        self.state == "UP"
    }
}

/// As Slurm prints a time limit: `[DAYS-]HOURS:MINUTES:SECONDS`; `None` for `UNLIMITED`.
pub(crate) fn time(text: &str) -> Option<Duration> {
    let (days, rest) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds = days.parse::<u64>().ok()?.checked_mul(24)?;
    let mut parts = rest.split(':');
    seconds = seconds.checked_add(parts.next()?.parse().ok()?)?;
    for part in parts {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = "PartitionName=short AllowGroups=ALL Default=NO DefaultTime=NONE MaxNodes=UNLIMITED \
        MaxTime=00:01:00 MinNodes=0 OverTimeLimit=NONE State=UP TotalCPUs=768 DefMemPerNode=UNLIMITED \
        MaxMemPerNode=UNLIMITED";

    #[test]
    fn the_limits_are_read() {
        let short = Partition {
            name: "short".into(),
            state: "UP".into(),
            max_time: Some(Duration::from_secs(60)),
            max_memory: None,
        };
        assert_eq!(Partition::parse(SHORT).as_ref(), Some(&short));
        assert!(short.is_up());
        let narrow = SHORT.replace("MaxMemPerNode=UNLIMITED", "MaxMemPerNode=500");
        let of_node = Some(MaxMemory::PerNode(500 << 20));
        assert_eq!(Partition::parse(&narrow).unwrap().max_memory, of_node);
        let by_cpu = SHORT.replace("MaxMemPerNode=UNLIMITED", "MaxMemPerCPU=500");
        let of_cpu = Some(MaxMemory::PerCpu(500 << 20));
        assert_eq!(Partition::parse(&by_cpu).unwrap().max_memory, of_cpu);
        assert!(!Partition::parse(&SHORT.replace("=UP", "=DOWN")).unwrap().is_up());
        assert_eq!(Partition::parse("Partition short not found"), None);
    }

    #[test]
    fn times_as_slurm_prints_them() {
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        for (text, expected) in [
            ("UNLIMITED", None),
            ("12:00:00", hours(12)),
            ("1-00:00:00", hours(24)),
            ("30-12:00:00", hours(732)),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }
}
