//! Submitting exactly once.
//!
//! sbatch can fail although the controller has taken the job: it waits for an answer for ten
//! seconds (`MessageTimeout`), and a busy controller takes longer. So a failed sbatch says nothing
//! about the job; only its name, which nobody else has, tells whether it is there. Until that is
//! known, sbatch is not run again.

use std::time::{Duration, SystemTime};

use thiserror::Error;
use tokio::time::{Instant, sleep};

use crate::jitter::Jitter;
use crate::{Advice, Client, Error, JobId, JobName, Submission};

/// How long to go on trying to submit, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The first pause; each further one is twice as long, up to `longest`. All are varied by a
    /// fifth.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// For so long after an sbatch whose outcome is not known, a job may still appear in the queue;
    /// only when it is not there after that, sbatch is run again.
    pub settle: Duration,
    /// How long to go on while the controller does not answer.
    pub transient_for: Duration,
    /// How long to go on while the queue is full.
    pub full_for: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(60),
            settle: Duration::from_secs(60),
            transient_for: Duration::from_secs(15 * 60),
            full_for: Duration::from_secs(24 * 3600),
        }
    }
}

/// Why there is no job, or no telling.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// There is no job, and trying again would give none.
    #[error(transparent)]
    Refused(Error),
    /// There is no job, as Slurm could not take it for all the time given.
    #[error("gave up submitting after {} s: {cause}", after.as_secs())]
    GaveUp {
        /// How long it was tried.
        after: Duration,
        /// What sbatch said last.
        cause: Error,
    },
    /// Whether there is a job is not known, as Slurm did not tell for all the time given. It is to
    /// be cancelled by its name ([`Client::cancel_named`]) before another one takes its place.
    #[error(
        "the job named {name} may or may not have been submitted: Slurm did not tell for {} s: {cause}",
        after.as_secs()
    )]
    InDoubt {
        /// The job's name.
        name: JobName,
        /// How long it was tried.
        after: Duration,
        /// Why the job could not be looked up.
        cause: Error,
    },
}

impl Client {
    /// Submits a job, trying again for as long as `retry` allows where Slurm does not answer or its
    /// queue is full. However often sbatch fails, hangs or is killed, there is one job at most:
    /// before each new try the name is looked up, and the job adopted if it is there.
    ///
    /// Dropping the future may leave a job behind; [`Client::cancel_named`] removes it.
    pub async fn submit(
        &self,
        submission: &Submission,
        retry: &Retry,
    ) -> Result<JobId, SubmitError> {
        let desk = ClientDesk { client: self, submission };
        submit(&desk, &submission.name, retry, &mut Jitter::default()).await
    }
}

/// What submitting needs of Slurm.
pub(crate) trait Desk {
    /// Hands the job in once.
    async fn submit(&self) -> Result<JobId, Error>;
    /// Looks for the job by its name; it was not handed in before `since`.
    async fn find(&self, since: SystemTime) -> Result<Option<JobId>, Error>;
}

struct ClientDesk<'a> {
    client: &'a Client,
    submission: &'a Submission,
}

impl Desk for ClientDesk<'_> {
    async fn submit(&self) -> Result<JobId, Error> {
        self.client.sbatch(self.submission).await
    }

    async fn find(&self, since: SystemTime) -> Result<Option<JobId>, Error> {
        self.client.find(&self.submission.name, since).await
    }
}

/// A submission under way.
struct Trying<'a, D> {
    desk: &'a D,
    name: &'a JobName,
    retry: &'a Retry,
    jitter: &'a mut Jitter,
    begun: Instant,
    /// When sbatch last told more than that there is no answer.
    answered: Instant,
    /// When the first of the tries began of which the outcome may not be known.
    since: SystemTime,
    /// Until when a job may appear that one of these has handed in.
    doubt: Option<Instant>,
    pause: Duration,
}

pub(crate) async fn submit<D: Desk>(
    desk: &D,
    name: &JobName,
    retry: &Retry,
    jitter: &mut Jitter,
) -> Result<JobId, SubmitError> {
    let begun = Instant::now();
    let since = SystemTime::now();
    let (answered, pause) = (begun, retry.first);
    let mut trying =
        Trying { desk, name, retry, jitter, begun, answered, since, doubt: None, pause };
    loop {
        if let Some(id) = trying.once().await? {
            return Ok(id);
        }
    }
}

impl<D: Desk> Trying<'_, D> {
    /// Hands the job in, and finds out what became of it; `None` if there is none and another try
    /// may help.
    async fn once(&mut self) -> Result<Option<JobId>, SubmitError> {
        self.since = SystemTime::now();
        let error = match self.desk.submit().await {
            Ok(id) => return Ok(Some(id)),
            Err(error) => error,
        };
        let advice = error.advice();
        if error.is_uncertain() {
            self.doubt = Some(Instant::now() + self.retry.settle);
        } else if advice == Advice::Report {
            return Err(SubmitError::Refused(error));
        }
        let name = self.name;
        tracing::warn!(job = %name, %error, "sbatch failed; looking the job up before trying again");
        if let Some(id) = self.look_up().await? {
            tracing::info!(job = %name, %id, "the job had been submitted all the same: adopted");
            return Ok(Some(id));
        }
        let enough = match advice {
            Advice::Report => return Err(SubmitError::Refused(error)),
            Advice::Retry => self.answered.elapsed() >= self.retry.transient_for,
            Advice::Wait => {
                self.answered = Instant::now();
                self.begun.elapsed() >= self.retry.full_for
            }
        };
        if enough {
            return Err(SubmitError::GaveUp { after: self.begun.elapsed(), cause: error });
        }
        Ok(None)
    }

    /// Looks for the job until it is certain that it is there or is not, or there was no answer for
    /// `transient_for`.
    async fn look_up(&mut self) -> Result<Option<JobId>, SubmitError> {
        let mut answered = Instant::now();
        loop {
            self.rest().await;
            let asked = Instant::now();
            match self.desk.find(self.since).await {
                Ok(Some(id)) => return Ok(Some(id)),
                Ok(None) if self.doubt.is_none_or(|until| asked >= until) => {
                    self.doubt = None;
                    return Ok(None);
                }
                Ok(None) => answered = Instant::now(),
                // Nobody can tell. But there was no doubt that sbatch was refused.
                Err(error) if error.advice() == Advice::Report && self.doubt.is_none() => {
                    return Ok(None);
                }
                Err(error) => {
                    let silent = answered.elapsed() >= self.retry.transient_for;
                    if silent || error.advice() == Advice::Report {
                        return Err(self.give_up(error));
                    }
                    tracing::warn!(job = %self.name, %error, "cannot look the job up; trying again");
                }
            }
        }
    }

    fn give_up(&self, cause: Error) -> SubmitError {
        let after = self.begun.elapsed();
        match self.doubt {
            Some(_) => SubmitError::InDoubt { name: self.name.clone(), after, cause },
            None => SubmitError::GaveUp { after, cause },
        }
    }

    async fn rest(&mut self) {
        sleep(self.jitter.vary(self.pause)).await;
        self.pause = (self.pause * 2).min(self.retry.longest);
    }
}

#[cfg(test)]
mod tests;
