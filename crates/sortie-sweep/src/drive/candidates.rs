//! Where each candidate is: to be run, with the scheduler, over, or written down.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sortie_results::{Fault, Outcome, Record, Results};
use sortie_scheduler::{Event, Finished, JobId, JobScheduler, Status};

use tokio::time::Instant;

use super::{Drive, InFlight};
use crate::looks::Started;
use crate::recovery::Begun;
use crate::writer::{Finish, News, Order};
use crate::{Progress, State, Stop, Sweep, SweepDir};

/// Of jobs that are lost together, the last is found to be so within this time after the first.
const LOST_TOGETHER: Duration = Duration::from_secs(1);

/// For so long a file system may not answer once all is to be cancelled …
pub(super) const STOPPING: Duration = Duration::from_secs(10);
/// … and for so long once it is to stop now.
const KILLING: Duration = Duration::from_secs(2);

impl Drive {
    /// The candidates that were begun: what there is to do for them, their results dirs tell.
    pub(super) fn started(sweep: &Sweep, dir: &SweepDir) -> VecDeque<Started> {
        let places = (0..sweep.candidates.len())
            .filter(|place| matches!(sweep.states[*place], State::Started { .. }));
        let started = |place: usize| {
            let dir = dir.results_dir(&sweep.candidates[place].id);
            (place, dir, sweep.dead.get(&place).copied())
        };
        places.map(started).collect()
    }

    /// Goes through all candidates, in their order; waits for results dirs for as long as they answer.
    pub(super) async fn sort_all(&mut self) {
        let mut found = HashMap::new();
        while self.looks.are_left() {
            let Some((place, begun)) = self.looks.next().await else { break };
            found.insert(place, begun);
        }
        for place in 0..self.sweep.candidates.len() {
            match (&self.sweep.states[place], found.remove(&place)) {
                (State::Ended(_), _) => {}
                (State::Waiting, _) => self.todo.push_back(place),
                (State::Started { .. }, Some(begun)) => self.sort(place, begun),
                (State::Started { .. }, None) => {
                    let dir = self.results_dir(place);
                    tracing::warn!(
                        "{}: the file system does not answer; its candidate waits",
                        dir.display()
                    );
                }
            }
        }
    }

    /// Sees to a candidate that was begun.
    pub(super) fn sort(&mut self, place: usize, begun: Begun) {
        match begun {
            Begun::Again => self.todo.push_back(place),
            Begun::Submitted(note) => self.adrift.push_back((place, note)),
            Begun::Recorded => {
                self.progress.waiting -= 1;
                self.write_down(place, None, None);
            }
        }
    }

    pub(super) fn hear(&mut self, scheduler: &JobScheduler, event: Event) {
        match event {
            Event::Started { job } => self.moves(job, true),
            Event::Pending { job, .. } => self.moves(job, false),
            Event::Finished { job, finished } => self.over(scheduler, job, finished),
            Event::Missed(_) => self.look_at_all(scheduler),
            Event::Submitted { .. } => {}
        }
    }

    /// Some events were lost: all jobs are asked for.
    fn look_at_all(&mut self, scheduler: &JobScheduler) {
        let jobs = self.jobs();
        for (job, status) in jobs.iter().zip(scheduler.status_many(&jobs)) {
            match status {
                Some(Status::Finished(finished)) => self.over(scheduler, *job, finished),
                Some(Status::Running { .. }) => self.moves(*job, true),
                Some(Status::Queued { .. }) => self.moves(*job, false),
                None => {}
            }
        }
    }

    fn moves(&mut self, job: JobId, running: bool) {
        if let Some(in_flight) = self.in_flight.get_mut(&job)
            && in_flight.running != running
        {
            in_flight.running = running;
            let Progress { queued, running: runs, .. } = &mut self.progress;
            let (from, to) = if running { (queued, runs) } else { (runs, queued) };
            *from -= 1;
            *to += 1;
        }
    }

    fn over(&mut self, scheduler: &JobScheduler, job: JobId, finished: Arc<Finished>) {
        self.moves(job, true);
        let Some(InFlight { place, attached, .. }) = self.in_flight.remove(&job) else { return };
        self.moved = Instant::now();
        self.progress.running -= 1;
        let left = scheduler.take(job);
        let withdrawn = self.stops() && finished.outcome == Outcome::Cancelled;
        // It never came to the cluster, or left nothing there; or what it lacked may have been mended since.
        let lost = matches!(finished.outcome, Outcome::Lost { .. });
        let lost = attached && (lost || finished.fault == Some(Fault::Setup));
        if self.failed.is_some() {
            // It is not written down, but may be in its results dir, see `Writer::disbelieve`.
            self.write_down(place, Some(finished), left);
            self.unwritten -= 1;
            self.progress.waiting += 1;
        } else if withdrawn || lost {
            self.progress.waiting += 1;
            self.todo.push_back(place);
            // Those beside it may be lost as well, and are to be one array.
            self.not_before = Instant::now() + LOST_TOGETHER;
        } else {
            self.write_down(place, Some(finished), left);
        }
    }

    /// Has a candidate that is over written down.
    pub(super) fn write_down(
        &mut self,
        place: usize,
        finished: Option<Arc<Finished>>,
        left: Option<Box<(Record, Results)>>,
    ) {
        let candidate = self.sweep.candidates[place].clone();
        let results_dir = self.results_dir(place);
        self.unwritten += 1;
        let finish = |left| Box::new(Finish { place, candidate, results_dir, finished, left });
        let unread = || Err("not read".to_owned());
        match left {
            Some(left) => self.writer.order(Order::Finish(finish(Ok(left)))),
            None if self.failed.is_some() => self.writer.order(Order::Finish(finish(unread()))),
            None => self.reads.read(finish(unread())),
        }
    }

    pub(super) fn hear_news(&mut self, news: News) {
        self.moved = Instant::now();
        match news {
            News::Done { place, end } => {
                self.unwritten -= 1;
                self.progress.add(&self.sweep.candidates[place], &end);
                self.sweep.states[place] = State::Ended(end);
            }
            News::Failed(error) => {
                self.progress.waiting += self.unwritten;
                self.unwritten = 0;
                self.failed.get_or_insert(error);
            }
        }
    }

    pub(super) fn results_dir(&self, place: usize) -> std::path::PathBuf {
        self.dir.results_dir(&self.sweep.candidates[place].id)
    }

    /// Whether nothing more is to be handed over.
    pub(super) fn stops(&self) -> bool {
        self.stop != Stop::No || self.failed.is_some()
    }

    pub(super) fn is_over(&self) -> bool {
        // What a cluster has is found there again.
        if self.on_cluster && (self.failed.is_some() || self.stop == Stop::Now) {
            return true;
        }
        if self.failed.is_some() {
            return self.in_flight.is_empty();
        }
        if self.gives_up() {
            return true;
        }
        let to_do = !self.todo.is_empty() || !self.adrift.is_empty() || self.looks.are_left();
        let busy = !self.in_flight.is_empty() || self.unwritten > 0 || self.starting.is_some();
        !busy && (self.stops() || !to_do)
    }

    /// Whether nothing comes any more that would have to be waited for: it is to stop, nothing runs, and a file system does
    /// not answer.
    fn gives_up(&self) -> bool {
        let patience = match self.stop {
            Stop::No | Stop::Drain => return false,
            Stop::Cancel => STOPPING,
            Stop::Now => KILLING,
        };
        self.in_flight.is_empty() && self.moved.elapsed() >= patience
    }

    pub(super) fn tell(&self) {
        let now = Progress { stop: self.stop, ..self.progress.clone() };
        self.control.progress.send_if_modified(|told| {
            let news = *told != now;
            *told = now;
            news
        });
    }
}
