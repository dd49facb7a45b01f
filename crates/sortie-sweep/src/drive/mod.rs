//! A sweep on its way: candidates handed to the scheduler, few enough at once, and their ends written down.

mod candidates;
mod dispatch;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use sortie_config::{JobConfig, JobType};
use sortie_results::Submitted;
use sortie_scheduler::{JobId, JobScheduler, SchedulerOptions};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::candidates::STOPPING;
use crate::breaker::Breaker;
use crate::evaluators::Evaluators;
use crate::looks::Looks;
use crate::reads::{PATIENCE, Reads};
use crate::writer::{News, Order, Writer};
use crate::writer_thread::WriterThread;
use crate::{OpenSweep, Progress, Stop, Sweep, SweepDir, SweepError};

/// So many bytes of results go from the scheduler to the writer without being read again.
const RECENT: usize = 1 << 20;

/// How a sweep on its way is watched and stopped.
#[derive(Debug)]
pub struct Control {
    /// Whether it is to stop, and how. A later wish counts if it is more urgent.
    pub stop: watch::Receiver<Stop>,
    /// How it fares.
    pub progress: watch::Sender<Progress>,
}

impl OpenSweep {
    /// Evaluates what is not done yet, until all is done or it is asked to stop; answers with the sweep as it is then.
    /// `options.max_workers` and `options.recent_bytes` are the sweep's own.
    ///
    /// Within a tokio runtime with I/O and time enabled. Dropping the future kills jobs of this machine, and cancels those
    /// of Slurm.
    ///
    /// # Errors
    ///
    /// Settings that cannot work; and a file of the sweep that cannot be written, a full disk say: nothing more is handed
    /// over then, what runs comes to its end, and the sweep can be resumed.
    pub async fn run(
        self,
        config: JobConfig,
        options: SchedulerOptions,
        control: Control,
    ) -> Result<Sweep, SweepError> {
        let Self { dir, sweep, files, lease } = self;
        let job_type = config.job_type();
        let on_cluster = matches!(job_type, JobType::SlurmConda | JobType::SlurmDocker);
        let limits = config.spec().limits.read();
        let evaluators = Evaluators::new(&sweep, &config);
        let max_workers = sweep.header.options.workers;
        let options = SchedulerOptions { max_workers, recent_bytes: RECENT, ..options };
        let scheduler = JobScheduler::new(job_type, config, options)?;
        let (sender, mut news) = mpsc::unbounded_channel();
        let writer = Writer {
            files,
            _lease: lease,
            sync_starts: on_cluster,
            news: sender,
            breaker: Breaker::new(sweep.header.options.setup_failures),
            evaluators,
        };
        let writer = WriterThread::start(writer)
            .map_err(|cause| SweepError::NoThread { dir: dir.path().to_owned(), cause })?;
        let reads = Reads::new(writer.orders.clone(), limits);
        let mut drive = Drive::new(dir, sweep, on_cluster, (writer, reads), control);
        let driven = drive.drive(&scheduler, &mut news).await;
        // What a cluster has goes on, if anything is left; here there is nothing left.
        scheduler.leave();
        let closed = drive.close(news).await;
        driven.and(closed)
    }
}

/// A candidate that the scheduler has.
struct InFlight {
    place: usize,
    running: bool,
    /// Whether another launcher has submitted it.
    attached: bool,
}

struct Drive {
    dir: SweepDir,
    sweep: Sweep,
    on_cluster: bool,
    writer: WriterThread,
    reads: Reads,
    control: Control,
    /// Those that were begun, and are being looked at.
    looks: Looks,
    /// Candidates that are to be run, by their places.
    todo: VecDeque<usize>,
    /// Those that a cluster may have already.
    adrift: VecDeque<(usize, Box<Submitted>)>,
    /// Not before then is anything handed over.
    not_before: Instant,
    /// Those that will be handed over once that is noted.
    starting: Option<(Vec<usize>, oneshot::Receiver<()>)>,
    in_flight: HashMap<JobId, InFlight>,
    /// How many are over, and not written down yet.
    unwritten: usize,
    stop: Stop,
    /// When something last came of what is under way.
    moved: Instant,
    /// Why nothing can be written any more.
    failed: Option<SweepError>,
    progress: Progress,
}

impl Drive {
    fn new(
        dir: SweepDir,
        sweep: Sweep,
        on_cluster: bool,
        (writer, reads): (WriterThread, Reads),
        control: Control,
    ) -> Self {
        let progress = Progress::of(&sweep);
        let looks = Looks::new(Self::started(&sweep, &dir), on_cluster);
        Self {
            dir,
            sweep,
            on_cluster,
            writer,
            reads,
            control,
            looks,
            todo: VecDeque::new(),
            adrift: VecDeque::new(),
            not_before: Instant::now(),
            starting: None,
            in_flight: HashMap::new(),
            unwritten: 0,
            stop: Stop::No,
            moved: Instant::now(),
            failed: None,
            progress,
        }
    }

    async fn drive(
        &mut self,
        scheduler: &JobScheduler,
        news: &mut mpsc::UnboundedReceiver<News>,
    ) -> Result<(), SweepError> {
        let mut events = scheduler.events();
        self.sort_all().await;
        loop {
            self.hear_stop(scheduler);
            self.attach(scheduler);
            self.begin();
            self.tell();
            if self.is_over() {
                break;
            }
            tokio::select! {
                written = news.recv(), if self.failed.is_none() => {
                    self.hear_news(written.unwrap_or_else(|| self.broken("it says nothing")));
                    if self.failed.is_some() {
                        self.withdraw(scheduler);
                    }
                }
                Some(event) = events.next() => self.hear(scheduler, event),
                (places, noted) = noted(&mut self.starting) => {
                    self.submit(scheduler, places, noted)?;
                }
                found = self.looks.next(), if self.looks.are_left() => {
                    if let Some((place, begun)) = found {
                        self.sort(place, begun);
                    }
                }
                _ = self.writer.ended(), if self.failed.is_none() => {
                    self.hear_news(self.broken("it has ended"));
                    self.withdraw(scheduler);
                }
                () = sleep(PATIENCE), if self.unwritten > 0 || self.stop >= Stop::Cancel => {
                    self.reads.go_on();
                }
                Ok(()) = self.control.stop.changed() => {}
                () = sleep_until(self.not_before), if Instant::now() < self.not_before => {}
            }
        }
        Ok(())
    }

    /// Waits until all that is over is written down, as far as it can be.
    async fn close(mut self, mut news: mpsc::UnboundedReceiver<News>) -> Result<Sweep, SweepError> {
        self.writer.order(Order::Close);
        let patience = if self.stop >= Stop::Cancel { STOPPING } else { Duration::MAX };
        if timeout(patience, self.writer.ended()).await == Ok(false) {
            self.hear_news(self.broken("it broke off"));
        }
        while let Ok(written) = news.try_recv() {
            self.hear_news(written);
        }
        if self.unwritten > 0 && self.failed.is_none() {
            tracing::warn!(
                "{} candidates are not written down, as a file system does not answer: resume the sweep when it does",
                self.unwritten
            );
            self.progress.waiting += self.unwritten;
        }
        self.tell();
        self.failed.map_or(Ok(self.sweep), Err)
    }

    fn broken(&self, reason: &str) -> News {
        let dir = self.dir.path().to_owned();
        News::Failed(SweepError::Broken { dir, reason: reason.to_owned() })
    }
}

/// The candidates whose starts are noted now, or, if the writer has failed, never will be; waits for ever if there are none.
async fn noted(starting: &mut Option<(Vec<usize>, oneshot::Receiver<()>)>) -> (Vec<usize>, bool) {
    let Some((places, noted)) = starting else { return std::future::pending().await };
    let noted = noted.await.is_ok();
    let places = std::mem::take(places);
    *starting = None;
    (places, noted)
}
