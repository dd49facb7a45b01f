//! The task behind a [`Watcher`](crate::Watcher).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::{self, JoinSet};
use tokio::time::sleep_until;

use super::looks::Looks;
use super::{Look, Order, Report, Tracked};
use crate::pace::Pacer;
use crate::{
    Cluster, Error, JobId, JobInfo, Jobs, Machine, Memory, Observation, Pace, Patience, Question,
    Update,
};

struct Job {
    machine: Machine,
    look: Look,
    submitted: SystemTime,
    tracked: Instant,
    next_look: Instant,
    /// Whether a look has no answer yet.
    looking: bool,
}

/// The kinds of calls, of each of which one is under way at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Call {
    Queue,
    Memory,
    Accounts,
    Show,
}

enum Answer {
    Queue { asked: Instant, result: Result<Jobs, Error> },
    Memory(Option<Memory>),
    Accounts { ids: Vec<JobId>, result: Result<Jobs, Error> },
    Shown(Vec<(JobId, Option<JobInfo>)>),
}

pub(super) struct Task {
    cluster: Arc<dyn Cluster>,
    pace: Pace,
    patience: Patience,
    orders: UnboundedReceiver<Order>,
    reports: UnboundedSender<Report>,
    jobs: HashMap<JobId, Job>,
    looks: Looks,
    calls: JoinSet<(Call, Answer)>,
    under_way: HashMap<Call, task::Id>,
    pacer: Pacer,
    next_round: Instant,
    /// How often in a row the queue could not be listed.
    failures: u32,
    /// For how long the controller remembers jobs that are over, if it says so.
    memory: Option<Duration>,
}

impl Task {
    pub(super) fn new(
        cluster: Arc<dyn Cluster>,
        pace: Pace,
        patience: Patience,
        orders: UnboundedReceiver<Order>,
        reports: UnboundedSender<Report>,
    ) -> Self {
        Self {
            cluster,
            pace,
            patience,
            orders,
            reports,
            jobs: HashMap::new(),
            looks: Looks::new(),
            calls: JoinSet::new(),
            under_way: HashMap::new(),
            pacer: Pacer::new(pace, now()),
            next_round: now(),
            failures: 0,
            memory: None,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                Some(done) = self.calls.join_next() => match done {
                    Ok((call, answer)) => {
                        self.under_way.remove(&call);
                        self.take(answer);
                    }
                    Err(error) => {
                        tracing::error!(%error, "a call made to watch jobs broke off");
                        self.under_way.retain(|_, id| *id != error.id());
                    }
                },
                (id, found) = self.looks.next() => {
                    if let Some(job) = self.jobs.get_mut(&id) {
                        job.looking = false;
                    }
                    self.observe(now(), &id, Observation::Evidence(found));
                }
                () = sleep_until(self.next_round.into()), if !self.jobs.is_empty() => self.round(),
                () = self.reports.closed() => return,
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let now = now();
        match order {
            Order::Track(Tracked { id, submitted, look }) => {
                if self.jobs.is_empty() {
                    self.next_round = now;
                    self.pacer.restart(now);
                    let cluster = self.cluster.clone();
                    self.call(Call::Memory, async move { Answer::Memory(cluster.memory().await) });
                }
                let machine = Machine::new(now, self.patience);
                let (tracked, next_look, looking) = (now, now, false);
                let job = Job { machine, look, submitted, tracked, next_look, looking };
                self.jobs.insert(id, job);
                self.pacer.hurry(now);
            }
            Order::Forget(id) => drop(self.jobs.remove(&id)),
            Order::Cancelled(ids) => {
                for id in ids {
                    if let Some(job) = self.jobs.get_mut(&id) {
                        job.machine.cancelled(now);
                    }
                }
                self.pacer.hurry(now);
            }
            Order::Hurry => self.pacer.hurry(now),
        }
    }

    /// Lets time pass for all jobs, and makes the calls that are due.
    fn round(&mut self) {
        let now = now();
        self.next_round = now + self.pace.look;
        self.observe_all(now, |_, job| job.machine.tick(now));
        self.look(now);
        if now >= self.pacer.next {
            let cluster = self.cluster.clone();
            self.call(Call::Queue, async move {
                Answer::Queue { asked: now, result: cluster.queue().await }
            });
        }
        self.ask(now);
    }

    /// Looks at those that are due, but for those of which a look has no answer.
    fn look(&mut self, now: Instant) {
        if self.looks.are_begun() {
            let may_end = self.jobs.values().filter(|job| job.machine.may_end()).count();
            let [often, seldom] = self.pace.looks(may_end, self.jobs.len() - may_end);
            let is_due = |job: &Job| job.next_look <= now && !job.looking;
            let due = self.jobs.iter_mut().filter(|(_, job)| is_due(job));
            self.looks.add(due.map(|(id, job)| {
                job.next_look = now + if job.machine.may_end() { often } else { seldom };
                job.looking = true;
                (id.clone(), job.look.clone())
            }));
        }
        self.looks.go_on();
    }

    /// Asks the questions that single jobs have.
    fn ask(&mut self, now: Instant) {
        let free = [Call::Accounts, Call::Show].map(|call| !self.under_way.contains_key(&call));
        if free != [true, true] {
            return;
        }
        let (mut accounts, mut shows) = (Vec::new(), Vec::new());
        let mut since = SystemTime::now();
        for (id, job) in &mut self.jobs {
            match job.machine.question(now) {
                Some(Question::Accounts) => {
                    accounts.push(id.clone());
                    since = since.min(job.submitted);
                }
                Some(Question::Show) => shows.push(id.clone()),
                None => {}
            }
        }
        if !accounts.is_empty() {
            let cluster = self.cluster.clone();
            self.call(Call::Accounts, async move {
                let result = cluster.accounting(&accounts, since).await;
                Answer::Accounts { ids: accounts, result }
            });
        }
        if !shows.is_empty() {
            let cluster = self.cluster.clone();
            self.call(Call::Show, async move { Answer::Shown(show(&*cluster, shows).await) });
        }
    }

    fn call(&mut self, call: Call, answer: impl Future<Output = Answer> + Send + 'static) {
        if !self.under_way.contains_key(&call) {
            let started = self.calls.spawn(async move { (call, answer.await) });
            self.under_way.insert(call, started.id());
        }
    }

    fn take(&mut self, answer: Answer) {
        let now = now();
        match answer {
            Answer::Queue { asked, result } => self.take_queue(now, asked, result),
            Answer::Memory(Some(Memory { after, accounts })) => {
                self.memory = Some(after);
                if !accounts {
                    self.pacer.heed_forgetting(after);
                }
            }
            Answer::Memory(None) => {}
            Answer::Accounts { ids, result: Ok(jobs) } => {
                for id in ids {
                    self.observe(now, &id, Observation::Accounts(jobs.get(&id).cloned()));
                }
            }
            Answer::Accounts { ids, result: Err(Error::NoAccounting) } => {
                for id in ids {
                    self.observe(now, &id, Observation::NoAccounts);
                }
            }
            Answer::Accounts { result: Err(error), .. } => {
                tracing::warn!(%error, "the accounts do not answer");
            }
            Answer::Shown(shown) => {
                for (id, info) in shown {
                    if let Some(job) = self.jobs.get_mut(&id) {
                        job.machine.remembered_for(self.memory);
                    }
                    self.observe(now, &id, Observation::Shown(info));
                }
            }
        }
    }

    fn take_queue(&mut self, now: Instant, asked: Instant, result: Result<Jobs, Error>) {
        let jobs = match result {
            Ok(jobs) => jobs,
            Err(error) => {
                self.failures += 1;
                tracing::warn!(%error, failures = self.failures, "the queue cannot be listed");
                return self.pacer.failed(now);
            }
        };
        self.failures = 0;
        self.observe_all(now, |id, job| {
            let info = jobs.get(id).cloned();
            // A list that was asked for before the job was there says nothing by being without it.
            let counts = info.is_some() || job.tracked <= asked;
            counts.then(|| job.machine.observe(now, Observation::Queue(info))).flatten()
        });
        let expects_news = self.jobs.values().any(|job| job.machine.awaits_queue());
        self.pacer.answered(now, now - asked, expects_news);
    }

    fn observe(&mut self, now: Instant, id: &JobId, seen: Observation) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        let awaited = job.machine.awaits_queue();
        let update = job.machine.observe(now, seen);
        if job.machine.awaits_queue() && !awaited {
            self.pacer.hurry(now);
        }
        if let Some(update) = update {
            self.report(id.clone(), update);
        }
    }

    fn observe_all(
        &mut self,
        now: Instant,
        mut observe: impl FnMut(&JobId, &mut Job) -> Option<Update>,
    ) {
        let mut updates = Vec::new();
        for (id, job) in &mut self.jobs {
            if let Some(update) = observe(id, job) {
                // It is looked at as its new state deserves.
                job.next_look = job.next_look.min(now + self.pace.look);
                updates.push((id.clone(), update));
            }
        }
        for (id, update) in updates {
            self.report(id, update);
        }
    }

    fn report(&mut self, id: JobId, update: Update) {
        if matches!(update, Update::Ended(_)) {
            self.jobs.remove(&id);
        }
        // Whoever does not take reports any more has no use for them.
        let _ = self.reports.send(Report { id, update });
    }
}

/// Asks for one job after the other; when the controller does not answer, not for the rest.
async fn show(cluster: &dyn Cluster, ids: Vec<JobId>) -> Vec<(JobId, Option<JobInfo>)> {
    let mut shown = Vec::new();
    for id in ids {
        match cluster.show(&id).await {
            Ok(info) => shown.push((id, info)),
            Err(error) => {
                tracing::warn!(%id, %error, "the controller does not tell of a job");
                break;
            }
        }
    }
    shown
}

/// By tokio's clock, which a test may set.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watched_job_takes_little_memory() {
        assert!(size_of::<JobId>() + size_of::<Job>() <= 1024, "{}", size_of::<Job>());
    }
}
