//! What the accounts allow a user's jobs: `sacctmgr`.

use std::time::Duration;

use crate::partition::time;

/// The limits of an account or of a QOS that matter to a single user. Where they are enforced, a job above those on time, CPUs or
/// memory is taken, and waits for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowance {
    /// `MaxWall`: the longest a job may run.
    pub max_time: Option<Duration>,
    /// `cpu` of `MaxTRES`: the most CPUs of a job.
    pub max_cpus: Option<u64>,
    /// `mem` of `MaxTRES`: the most memory of a job, in bytes.
    pub max_memory: Option<u64>,
    /// `MaxSubmitJobs`: the most jobs in the queue.
    pub max_submitted: Option<u64>,
}

/// A user's place in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The account.
    pub account: String,
    /// Whether jobs that name no account are of this one.
    pub is_default: bool,
    /// The partition that it is for; `None` for all.
    pub partition: Option<String>,
    /// The QOS of jobs that name none, if that is set here.
    pub default_qos: Option<String>,
    /// Its limits, those it has from the accounts above it among them.
    pub allows: Allowance,
}

/// What to ask sacctmgr for, of an [`Association`], for [`Association::parse`].
pub(crate) const OF_ASSOCIATION: &str =
    "format=DefaultAccount,Account,Partition,DefaultQOS,MaxWall,MaxTRES,MaxSubmitJobs";
/// The same of a QOS.
pub(crate) const OF_QOS: &str = "format=MaxWall,MaxTRES,MaxSubmitJobsPerUser";

impl Association {
    /// Reads one association from each line; `|` separates its fields.
    pub(crate) fn parse(output: &str) -> Vec<Self> {
        let place = |line: &str| {
            let mut fields = line.split('|').map(str::trim);
            let mut next = || fields.next();
            let (default, account) = (next()?, next()?);
            let named = |field: &str| (!field.is_empty()).then(|| field.to_owned());
            let (partition, default_qos) = (named(next()?), named(next()?));
            let account_name = named(account)?;
            let is_default = account == default;
            let allows = Allowance::of(fields)?;
            Some(Self { account: account_name, is_default, partition, default_qos, allows })
        };
        output.lines().filter_map(place).collect()
    }
}

impl Allowance {
    /// Reads the line of a QOS.
    pub(crate) fn parse(output: &str) -> Option<Self> {
        Self::of(output.lines().next()?.split('|').map(str::trim))
    }

    fn of<'a>(mut fields: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (wall, tres, submitted) = (fields.next()?, fields.next()?, fields.next()?);
        let of = |name: &str| {
            let mut all = tres.split(',');
            all.find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            max_time: time(wall),
            max_cpus: of("cpu").and_then(|cpus| cpus.parse().ok()),
            max_memory: of("mem").and_then(bytes),
            max_submitted: submitted.parse().ok(),
        })
    }
}

/// As Slurm prints an amount of memory: `1.50G`, or in mebibytes without a unit.
fn bytes(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let shift = match &text[number.len()..] {
        "K" => 10,
        "" | "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let (whole, part): (u64, u64) = (whole.parse().ok()?, part.parse().ok()?);
    Some(whole.checked_mul(1 << shift)? + part.checked_mul(1 << shift)? / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Slurm 22.05.
    const REAL: &str = "sortie|brief|||00:10:00|cpu=4,mem=1.50G|\n\
                        sortie|sortie|short|long|1-00:00:00||5\n\
                        sortie|root|||||\n";

    #[test]
    fn associations_are_read() {
        let [brief, sortie, root] = Association::parse(REAL).try_into().unwrap();
        let expected = Allowance {
            max_time: Some(Duration::from_secs(600)),
            max_cpus: Some(4),
            max_memory: Some(1536 << 20),
            max_submitted: None,
        };
        assert_eq!((&*brief.account, brief.is_default, brief.allows), ("brief", false, expected));
        assert_eq!((brief.partition, brief.default_qos), (None, None));
        assert!(sortie.is_default);
        assert_eq!(
            (sortie.partition.as_deref(), sortie.default_qos.as_deref()),
            (Some("short"), Some("long"))
        );
        assert_eq!(sortie.allows.max_submitted, Some(5));
        assert_eq!(root.allows, Allowance::default());
        assert_eq!(Association::parse("sacctmgr: error\n"), []);
    }

    #[test]
    fn a_qos_is_read() {
        let long = Allowance::parse("2-00:00:00|cpu=8|7\n").unwrap();
        assert_eq!(long.max_time, Some(Duration::from_secs(2 * 86400)));
        assert_eq!((long.max_cpus, long.max_memory, long.max_submitted), (Some(8), None, Some(7)));
        assert_eq!(Allowance::parse(""), None, "there is no such QOS");
    }

    #[test]
    fn memory_as_slurm_prints_it() {
        for (text, expected) in [
            ("1.50G", Some(1536 << 20)),
            ("500M", Some(500 << 20)),
            ("500", Some(500 << 20)),
            ("2T", Some(2 << 40)),
            ("1P", None),
            ("much", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
