//! Handing candidates to the scheduler, and taking them back.

use sortie_results::jiff::Timestamp;
use sortie_scheduler::{JobId, JobScheduler, Request, Status};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Drive, InFlight};
use crate::writer::Order;
use crate::{State, Stop, SweepError};

/// How many local jobs wait in the scheduler, so that its workers never wait for a disk.
const QUEUED: usize = 256;
/// How many are handed over at once, if there are so many: on Slurm, an array.
const LOCAL_BATCH: usize = 64;
const SLURM_BATCH: usize = 1000;

impl Drive {
    /// How many the scheduler may have more.
    fn room(&self) -> usize {
        let options = &self.sweep.header.options;
        let most = if self.on_cluster { options.in_slurm } else { options.workers + QUEUED };
        most.saturating_sub(self.in_flight.len() + self.unwritten)
    }

    /// Notes that further candidates are about to be handed over, if there is room for a good number.
    pub(super) fn begin(&mut self) {
        let busy = self.starting.is_some() || Instant::now() < self.not_before;
        if self.stops() || busy || self.todo.is_empty() {
            return;
        }
        let in_slurm = self.sweep.header.options.in_slurm;
        let batch = if self.on_cluster { SLURM_BATCH.min(in_slurm) } else { LOCAL_BATCH };
        let room = self.room();
        if room < batch.min(self.todo.len()) {
            return;
        }
        let places: Vec<_> = self.todo.drain(..room.min(self.todo.len())).collect();
        let ids = places.iter().map(|place| self.sweep.candidates[*place].id.clone()).collect();
        let (sender, noted) = oneshot::channel();
        self.writer.order(Order::Start { ids, noted: sender });
        self.starting = Some((places, noted));
    }

    /// Hands candidates over.
    pub(super) fn submit(
        &mut self,
        scheduler: &JobScheduler,
        places: Vec<usize>,
        noted: bool,
    ) -> Result<(), SweepError> {
        if !noted || self.stops() {
            self.todo.extend(places);
            return Ok(());
        }
        let requests: Vec<_> = places.iter().map(|place| self.request(*place)).collect();
        let answers = scheduler.submit_many(requests);
        let at = Timestamp::now();
        for (place, answer) in places.into_iter().zip(answers) {
            self.sweep.states[place] = State::Started { at };
            self.flies(answer?, place, false);
        }
        Ok(())
    }

    /// Takes up those again that a cluster may have.
    pub(super) fn attach(&mut self, scheduler: &JobScheduler) {
        while !self.stops() && self.room() > 0 {
            let Some((place, note)) = self.adrift.pop_front() else { return };
            match scheduler.attach_noted(self.request(place), *note) {
                Ok(job) => self.flies(job, place, true),
                Err(error) => {
                    let id = &self.sweep.candidates[place].id;
                    tracing::warn!(%id, %error, "cannot be attached to, and is run again");
                    self.todo.push_back(place);
                }
            }
        }
    }

    fn flies(&mut self, job: JobId, place: usize, attached: bool) {
        self.in_flight.insert(job, InFlight { place, running: false, attached });
        self.progress.waiting -= 1;
        self.progress.queued += 1;
    }

    fn request(&self, place: usize) -> Request {
        let candidate = &self.sweep.candidates[place];
        Request {
            candidate: candidate.path.clone(),
            results_dir: self.results_dir(place),
            extra_args: candidate.args.clone(),
        }
    }

    /// Does what is wished for by now.
    pub(super) fn hear_stop(&mut self, scheduler: &JobScheduler) {
        let wish = *self.control.stop.borrow_and_update();
        if wish <= self.stop {
            return;
        }
        (self.stop, self.moved) = (wish, Instant::now());
        match wish {
            Stop::Drain => self.withdraw(scheduler),
            Stop::Cancel => scheduler.cancel(&self.jobs()),
            Stop::Now if !self.on_cluster => scheduler.kill(&self.jobs()),
            Stop::No | Stop::Now => {}
        }
    }

    pub(super) fn jobs(&self) -> Vec<JobId> {
        self.in_flight.keys().copied().collect()
    }

    /// Takes back what waits in the scheduler. What waits in a cluster's queue is left there.
    pub(super) fn withdraw(&self, scheduler: &JobScheduler) {
        if self.on_cluster {
            return;
        }
        let jobs = self.jobs();
        let statuses = jobs.iter().zip(scheduler.status_many(&jobs));
        let is_queued = |status: &Option<Status>| matches!(status, Some(Status::Queued { .. }));
        let queued = statuses.filter(|(_, status)| is_queued(status)).map(|(job, _)| *job);
        scheduler.cancel(&queued.collect::<Vec<_>>());
    }
}
