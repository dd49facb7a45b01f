//! Jobs on this machine: one process tree each, one task of the runtime for each that runs.

mod attempt;
mod container;
mod files;
mod outcome;
mod plan;
mod python;
mod trial;
mod warm;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sortie_config::JobSpec;
use tokio::runtime::Handle;
use tokio::sync::watch;

pub(crate) use plan::{NotReady, Plan, Planned};
pub(crate) use python::executable;
pub(crate) use trial::Inside;

use self::warm::Warnings;
use crate::devices::Devices;
use crate::executor::{Cancel, Executor, Job, Setting};
use crate::here::Here;
use crate::{JobId, SchedulerError};

/// The executor of local jobs. The scheduler gives it no more of them than may run at once.
pub(crate) struct Local {
    shared: Arc<Shared>,
    runtime: Handle,
}

/// What the tasks of jobs share.
struct Shared {
    plan: Plan,
    setting: Setting,
    running: Mutex<HashMap<JobId, watch::Sender<Option<Cancel>>>>,
    warnings: Warnings,
    /// Whether all is near that planning a job looks at, beside the job's own files; unset until that is known.
    plan_is_near: OnceLock<bool>,
}

impl Local {
    pub(crate) fn new(
        spec: JobSpec,
        here: Here,
        mut setting: Setting,
    ) -> Result<Self, SchedulerError> {
        let plan = Plan::new(spec, here)?;
        if plan.warm().is_some() {
            // Two schedulers never share a server, nor does a server outlive its scheduler.
            setting.supervisor = setting.supervisor.apart();
        }
        let runtime = setting.runtime.clone();
        let shared = Arc::new(Shared {
            plan,
            setting,
            running: Mutex::default(),
            warnings: Warnings::default(),
            plan_is_near: OnceLock::new(),
        });
        Ok(Self { shared, runtime })
    }

    /// How many jobs the machine has enough for at once, of what each is to have to itself.
    pub(crate) fn at_once(&self) -> usize {
        self.shared.plan.devices.as_ref().map_or(usize::MAX, Devices::at_once)
    }
}

impl Executor for Local {
    fn submit(&self, jobs: Vec<Job>) {
        for job in jobs {
            let (sender, cancel) = watch::channel(None);
            self.shared.running().insert(job.id, sender);
            let listed = Listed { shared: self.shared.clone(), id: job.id };
            self.runtime.spawn(attempt::run(listed, job, cancel));
        }
    }

    fn cancel(&self, jobs: &[JobId], how: Cancel) {
        let running = self.shared.running();
        for sender in jobs.iter().filter_map(|job| running.get(job)) {
            sender.send_modify(|cancel| *cancel = (*cancel).max(Some(how)));
        }
    }
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, HashMap<JobId, watch::Sender<Option<Cancel>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job's place among those that can be cancelled; it leaves when its task ends, however that is.
struct Listed {
    shared: Arc<Shared>,
    id: JobId,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.shared.running().remove(&self.id);
    }
}
