//! A cluster that is made up: jobs whose lives are known beforehand, and answers that fail when
//! told to.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sortie_slurm::{
    Cluster, Ended, Error, Evidence, ExitCode, JobId, JobInfo, JobState, Jobs, Memory, Pace,
    Patience, Report, Tracked, Update, Watcher,
};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};

/// One job's life, in seconds since the world began.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) starts: f64,
    pub(crate) ends: f64,
    /// How it ends, in Slurm's words.
    pub(crate) how: &'static str,
    /// When its record is there, and which it is.
    pub(crate) record: Option<(f64, Evidence)>,
    /// When the accounts hear of its end.
    pub(crate) accounted: Option<f64>,
}

impl Life {
    /// A job that runs from `starts` to `ends` and leaves all the traces it should.
    pub(crate) fn good(starts: f64, ends: f64) -> Self {
        let record = Some((ends, Evidence::Complete));
        Self { starts, ends, how: "COMPLETED", record, accounted: Some(ends + 5.0) }
    }

    /// One that Slurm ends, and that leaves no record.
    pub(crate) fn ended(how: &'static str, starts: f64, ends: f64) -> Self {
        Self { how, record: None, ..Self::good(starts, ends) }
    }
}

/// The answers the cluster gives, and when it does not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// The queue cannot be listed in these seconds.
    pub(crate) queue: Vec<Range<f64>>,
    /// The accounts do not answer in these seconds.
    pub(crate) accounts: Vec<Range<f64>>,
    pub(crate) no_accounting: bool,
    /// `scontrol` does not answer in these seconds.
    pub(crate) show: Vec<Range<f64>>,
    /// How long an answer takes.
    pub(crate) takes: Duration,
}

/// How often each command was run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Calls {
    pub(crate) queue: usize,
    pub(crate) accounts: usize,
    pub(crate) show: usize,
    /// The most listings of the queue that were under way at a time.
    pub(crate) queue_at_once: usize,
}

#[derive(Clone)]
pub(crate) struct World {
    begun: Instant,
    /// How long the controller remembers a job that is over.
    memory: f64,
    faults: Faults,
    lives: Arc<Mutex<HashMap<JobId, Life>>>,
    calls: Arc<Mutex<(Calls, usize)>>,
}

impl World {
    pub(crate) fn new(memory: f64, faults: Faults) -> Self {
        let (lives, calls) = Default::default();
        Self { begun: Instant::now(), memory, faults, lives, calls }
    }

    pub(crate) fn now(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    pub(crate) fn calls(&self) -> Calls {
        self.calls.lock().unwrap().0
    }

    /// Watches jobs with these lives, whose ids count from 1.
    pub(crate) fn watch(&self, lives: impl IntoIterator<Item = Life>) -> Watched {
        let (watcher, reports) =
            Watcher::start(Arc::new(self.clone()), Pace::default(), Patience::default());
        for (life, number) in lives.into_iter().zip(1..) {
            let id = JobId::new(number);
            let (world, record) = (self.clone(), life.record);
            self.lives.lock().unwrap().insert(id.clone(), life);
            let look = move || match record {
                Some((at, evidence)) if world.now() >= at => evidence,
                _ => Evidence::None,
            };
            watcher.track(Tracked { id, submitted: SystemTime::now(), look: Arc::new(look) });
        }
        Watched { world: self.clone(), watcher, reports }
    }

    async fn answer(&self, faults: &[Range<f64>]) -> Result<f64, Error> {
        let now = self.now();
        if faults.iter().any(|range| range.contains(&now)) {
            sleep(Duration::from_secs(10)).await;
            let words = "Unable to contact slurm controller (connect failure)".into();
            return Err(Error::Failed { command: "it", status: "exit code 1".into(), words });
        }
        sleep(self.faults.takes).await;
        Ok(self.now())
    }

    fn life(&self, id: &JobId) -> Option<Life> {
        self.lives.lock().unwrap().get(id).cloned()
    }

    /// What the controller knows of a job.
    fn info(&self, now: f64, life: &Life) -> Option<JobInfo> {
        if now >= life.ends + self.memory {
            return None;
        }
        let state = match now {
            _ if now < life.starts => "PENDING",
            _ if now < life.ends => "RUNNING",
            _ => life.how,
        };
        Some(info(state, now >= life.starts && life.starts < life.ends))
    }
}

fn info(state: &str, has_node: bool) -> JobInfo {
    let state = JobState::parse(state);
    let reason = (state == JobState::Pending).then(|| "Priority".into());
    let host = has_node.then(|| "n1".into());
    JobInfo { state, reason, host, start: None, end: None, exit: None, peak_memory: None }
}

#[async_trait]
impl Cluster for World {
    async fn queue(&self) -> Result<Jobs, Error> {
        {
            let (calls, under_way) = &mut *self.calls.lock().unwrap();
            calls.queue += 1;
            *under_way += 1;
            calls.queue_at_once = calls.queue_at_once.max(*under_way);
        }
        let answer = self.answer(&self.faults.queue).await;
        self.calls.lock().unwrap().1 -= 1;
        let now = answer?;
        let lives = self.lives.lock().unwrap();
        Ok(lives.iter().filter_map(|(id, l)| Some((id.clone(), self.info(now, l)?))).collect())
    }

    async fn accounting(&self, ids: &[JobId], _: SystemTime) -> Result<Jobs, Error> {
        self.calls.lock().unwrap().0.accounts += 1;
        if self.faults.no_accounting {
            return Err(Error::NoAccounting);
        }
        let now = self.answer(&self.faults.accounts).await?;
        let accounted = |id: &JobId| {
            let life = self.life(id)?;
            let over = life.accounted.is_some_and(|at| now >= at);
            let mut info = info(if over { life.how } else { "RUNNING" }, life.starts < life.ends);
            info.exit = over.then_some(ExitCode { code: 0, signal: 9 });
            life.accounted?;
            Some((id.clone(), info))
        };
        Ok(ids.iter().filter_map(accounted).collect())
    }

    async fn show(&self, id: &JobId) -> Result<Option<JobInfo>, Error> {
        self.calls.lock().unwrap().0.show += 1;
        let now = self.answer(&self.faults.show).await?;
        Ok(self.life(id).and_then(|life| self.info(now, &life)))
    }

    async fn memory(&self) -> Option<Memory> {
        let after = Duration::from_secs_f64(self.memory);
        Some(Memory { after, accounts: !self.faults.no_accounting })
    }
}

/// Jobs under watch, and what is reported of them.
pub(crate) struct Watched {
    pub(crate) world: World,
    pub(crate) watcher: Watcher,
    pub(crate) reports: UnboundedReceiver<Report>,
}

impl Watched {
    /// The next end of a job, and when it was reported.
    pub(crate) async fn next_end(&mut self) -> (u32, Ended, f64) {
        loop {
            let report = self.reports.recv().await.unwrap();
            if let Update::Ended(ended) = report.update {
                return (report.id.number, ended, self.world.now());
            }
        }
    }

    /// Waits so many seconds, in which nothing may be reported but that jobs wait and start.
    pub(crate) async fn no_end_for(&mut self, seconds: f64) {
        let wait = Duration::from_secs_f64(seconds);
        if let Ok(end) = tokio::time::timeout(wait, self.next_end()).await {
            panic!("{end:?}");
        }
    }
}
