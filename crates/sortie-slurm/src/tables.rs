//! The output of squeue, sacct and scontrol, taken apart.
//!
//! Text, and not JSON: its form has been the same for many years, while the JSON changes from
//! version to version and is missing from builds without the library for it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::info::{self, ExitCode};
use crate::{JobId, JobInfo, JobState, Phase};

/// Jobs by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jobs(HashMap<JobId, JobInfo>);

impl Jobs {
    /// What is told of that job; whether or not the id names its cluster.
    ///
    /// Of an array that was cancelled before any of its elements started, Slurm keeps one line without an index.
    pub fn get(&self, id: &JobId) -> Option<&JobInfo> {
        let anywhere = |id: &JobId| self.0.get(id).or_else(|| self.0.get(&id.clone().on(None)));
        let whole = || {
            let array = JobId { element: None, ..id.clone() };
            anywhere(&array).filter(|info| matches!(info.phase(), Phase::Ended(_)))
        };
        anywhere(id).or_else(|| id.element.and_then(|_| whole()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl FromIterator<(JobId, JobInfo)> for Jobs {
    fn from_iter<T: IntoIterator<Item = (JobId, JobInfo)>>(jobs: T) -> Self {
        Self(jobs.into_iter().collect())
    }
}

/// What squeue is to print: id (`5_2` for an element of an array), state, node of the script,
/// start, end, and last the reason, which may hold anything.
pub(crate) const QUEUE_FORMAT: &str = "%i|%T|%B|%S|%e|%r";

/// Reads what squeue printed. Lines of another form, such as a site's banner, say nothing of any
/// job.
pub(crate) fn queue(text: &str) -> Jobs {
    let mut cluster: Option<Arc<str>> = None;
    let mut jobs = Jobs::default();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("CLUSTER:") {
            cluster = Some(name.trim().into());
        } else if let Some((id, info)) = queued(line) {
            jobs.0.insert(id.on(cluster.clone()), info);
        }
    }
    jobs
}

fn queued(line: &str) -> Option<(JobId, JobInfo)> {
    let mut fields = line.splitn(6, '|');
    let mut next = || fields.next();
    let id = next()?.trim().parse().ok()?;
    let mut info = JobInfo::new(JobState::parse(next()?));
    info.host = info::text(next()?);
    info.start = info::time(next()?);
    info.end = info::time(next()?);
    info.reason = info::text(next()?);
    Some((id, info.settled()))
}

/// What sacct is to print, for jobs and their steps; only steps know the memory that was used.
pub(crate) const ACCOUNTING_FORMAT: &str = "JobID,State,ExitCode,Start,End,NodeList,MaxRSS";

/// Reads what sacct printed: a line for each job and, after it, a line for each of its steps
/// (`5_2.batch`).
pub(crate) fn accounting(text: &str, cluster: Option<&Arc<str>>) -> Jobs {
    let mut jobs = Jobs::default();
    for line in text.lines() {
        let fields: Vec<_> = line.split('|').collect();
        let [id, state, exit, start, end, nodes, memory] = fields[..] else { continue };
        let (job, step) = id.split_once('.').map_or((id, false), |(job, _)| (job, true));
        let Ok(id) = job.trim().parse::<JobId>() else { continue };
        let id = id.on(cluster.cloned());
        let memory = info::bytes(memory);
        if step {
            if let Some(info) = jobs.0.get_mut(&id) {
                info.peak_memory = info.peak_memory.max(memory);
            }
            continue;
        }
        let mut info = JobInfo::new(JobState::parse(state));
        info.host = info::text(nodes);
        info.start = info::time(start);
        info.end = info::time(end);
        info.exit = ExitCode::parse(exit);
        info.peak_memory = memory;
        jobs.0.insert(id, info.settled());
    }
    jobs
}

/// Reads the line that `scontrol -o show job` printed for one job. Only its own name and reason
/// come before what is read here, so that a path cannot be taken for a state.
pub(crate) fn shown(text: &str) -> Option<JobInfo> {
    let line = text.lines().find(|line| line.starts_with("JobId="))?;
    let value = |name: &str| {
        line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    };
    let mut info = JobInfo::new(JobState::parse(value("JobState")?));
    info.reason = value("Reason").and_then(info::text);
    info.host = value("BatchHost").and_then(info::text);
    info.start = value("StartTime").and_then(info::time);
    info.end = value("EndTime").and_then(info::time);
    info.exit = value("ExitCode").and_then(ExitCode::parse);
    Some(info.settled())
}

/// The first job id in what a command printed one a line, banners aside.
pub(crate) fn first_id(text: &str) -> Option<JobId> {
    let mut cluster: Option<Arc<str>> = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("CLUSTER:") {
            cluster = Some(name.trim().into());
        } else if let Ok(id) = line.parse::<JobId>() {
            return Some(JobId { element: None, cluster: id.cluster.clone().or(cluster), ..id });
        }
    }
    None
}

/// The id that sbatch printed, which `--parsable` has it do as `ID` or `ID;CLUSTER`; some sites
/// wrap sbatch in a script that prints a banner, or drops the option, so that there is `Submitted
/// batch job ID`.
pub(crate) fn submitted(text: &str) -> Option<JobId> {
    let sentence = |line: &str| {
        let mut words = line.trim().strip_prefix("Submitted batch job ")?.split_whitespace();
        let id: JobId = words.next()?.parse().ok()?;
        // "Submitted batch job 5 on cluster north"
        let cluster = (words.next() == Some("on")).then(|| words.nth(1)).flatten();
        Some(id.on(cluster.map(Into::into)))
    };
    let bare = || text.lines().rev().find_map(|line| line.trim().parse().ok());
    text.lines().find_map(sentence).or_else(bare)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_queue_is_read_with_array_elements_and_banners() {
        let jobs = queue(
            "*** Welcome | to | the | cluster | of | wonders ***\n\
             3|RUNNING|n1|1795534380|1795537980|None\n\
             5_2|PENDING|n/a|N/A|N/A|JobArrayTaskLimit\n\
             7|PENDING|n/a|N/A|N/A|(launch failed | requeued held)\n\
             9_[1-3]|PENDING|n/a|N/A|N/A|Priority\n\
             8|CANCELLED\n",
        );
        assert_eq!(jobs.len(), 3);
        let running = jobs.get(&JobId::new(3)).unwrap();
        assert_eq!((running.host.as_deref(), running.start), (Some("n1"), Some(at(1_795_534_380))));
        assert_eq!((&running.reason, running.end), (&None, None), "an end that is only expected");
        let waiting = jobs.get(&JobId::new(5).element(2)).unwrap();
        assert_eq!((&waiting.state, waiting.host.as_deref()), (&JobState::Pending, None));
        assert_eq!(waiting.reason.as_deref(), Some("JobArrayTaskLimit"));
        let held = jobs.get(&JobId::new(7)).unwrap().reason.as_deref();
        assert_eq!(held, Some("(launch failed | requeued held)"));
    }

    #[test]
    fn an_array_cancelled_as_a_whole_is_told_of_as_one() {
        let jobs = queue(
            "2|CANCELLED|n/a|N/A|N/A|None\n4|PENDING|n/a|N/A|N/A|JobHeldUser\n\
             4_1|RUNNING|n1|1795534380|1795537980|None\n",
        );
        let state = |number, index| {
            jobs.get(&JobId::new(number).element(index)).map(|info| info.state.clone())
        };
        assert_eq!(state(2, 3), Some(JobState::Cancelled(None)));
        assert_eq!((state(4, 1), state(4, 2)), (Some(JobState::Running), None));
    }

    #[test]
    fn the_same_number_on_two_clusters_is_two_jobs() {
        let text =
            "CLUSTER: north\n1|RUNNING|a|1|2|None\n\nCLUSTER: south\n1|PENDING|n/a|N/A|N/A|x\n";
        let jobs = queue(text);
        let state = |id: &str| jobs.get(&id.parse().unwrap()).map(|info| &info.state);
        assert_eq!(state("1;north"), Some(&JobState::Running));
        assert_eq!(state("1;south"), Some(&JobState::Pending));
        assert_eq!(state("1"), None);
        assert!(queue("1|RUNNING|a|1|2|None").get(&"1;north".parse().unwrap()).is_some());
    }

    #[test]
    fn accounts_of_jobs_and_their_steps_are_put_together() {
        let jobs = accounting(
            "41|OUT_OF_MEMORY|0:125|100|200|n1|\n\
             41.batch|OUT_OF_MEMORY|0:125|100|200|n1|1024K\n\
             41.extern|COMPLETED|0:0|100|200|n1|1M\n\
             41.0|FAILED|1:0|100|200|n1|3M\n\
             42_7|CANCELLED by 1000|0:15|Unknown|200|None assigned|\n\
             42_[8-9]|PENDING|0:0|Unknown|Unknown|None assigned|\n",
            None,
        );
        assert_eq!(jobs.len(), 2);
        let starved = jobs.get(&JobId::new(41)).unwrap();
        assert_eq!((starved.peak_memory, starved.end), (Some(3 << 20), Some(at(200))));
        let cancelled = jobs.get(&JobId::new(42).element(7)).unwrap();
        assert_eq!(cancelled.state, JobState::Cancelled(Some(1000)));
        assert_eq!((cancelled.host.as_deref(), cancelled.start), (None, None));
        assert_eq!(cancelled.exit, Some(ExitCode { code: 0, signal: 15 }));
    }

    #[test]
    fn a_shown_job_is_read_and_a_path_is_not_taken_for_a_state() {
        let line = "JobId=15 ArrayJobId=5 ArrayTaskId=1 JobName=arr JobState=FAILED \
                    Reason=NonZeroExitCode ExitCode=3:0 StartTime=100 EndTime=200 BatchHost=vm \
                    Command=/x/ JobState=RUNNING ExitCode=0:0 WorkDir=/tmp";
        let info = shown(&format!("banner\n{line}\n")).unwrap();
        assert_eq!(info.state, JobState::Failed);
        assert_eq!(info.exit, Some(ExitCode { code: 3, signal: 0 }));
        assert_eq!((info.host.as_deref(), info.end), (Some("vm"), Some(at(200))));
        assert_eq!(shown("No jobs in the system"), None);
    }

    #[test]
    fn sbatch_is_understood_with_and_without_a_banner() {
        let id = |text| submitted(text).map(|id| id.to_string());
        assert_eq!(id("123\n").as_deref(), Some("123"));
        assert_eq!(id("123;north\n").as_deref(), Some("123;north"));
        assert_eq!(id("Welcome!\n*** 3 jobs\n\n77\n").as_deref(), Some("77"));
        assert_eq!(id("77\nYour quota: 5 of 9\nGood luck.\n").as_deref(), Some("77"));
        assert_eq!(id("2024\nSubmitted batch job 9\n").as_deref(), Some("9"));
        assert_eq!(id("Submitted batch job 9 on cluster north\n").as_deref(), Some("9;north"));
        assert_eq!(id("sbatch: verify\n").as_deref(), None);
        assert_eq!(id("").as_deref(), None);
    }

    #[test]
    fn the_first_id_names_the_whole_array() {
        assert_eq!(first_id("hello\n 5_2\n6\n"), Some(JobId::new(5)));
        assert_eq!(first_id("CLUSTER: north\n8\n").unwrap().to_string(), "8;north");
        assert_eq!(first_id("\n"), None);
    }
}
