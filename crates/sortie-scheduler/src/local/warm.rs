//! Evaluators kept warm: the servers that jobs are had from, and what is said of those that cannot be.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sortie_process::{FromTemplate, Start, Template};

use super::plan::{Plan, Planned};
use crate::job::Paths;

impl Plan {
    /// The server that an evaluation can be had from, if its evaluator is kept warm: started as
    /// `planned` would be, with the server in place of the evaluator.
    pub(super) fn server(&self, planned: &Planned, paths: &Paths) -> Option<FromTemplate> {
        let settings = self.warm()?;
        let most = settings.servers.map_or(usize::MAX, |most| most as usize);
        // Jobs that have something to themselves have a server for each place.
        if planned.place >= most {
            return None;
        }
        let args = paths.evaluator_args(&self.spec);
        let before = planned.args.len().checked_sub(args.len())?;
        let server = sortie_warm::server_args(self.evaluator(), &settings.preload);
        let template = Template {
            program: planned.program.clone(),
            args: [&planned.args[..before], &server].concat(),
            env: planned.env.clone(),
            cwd: self.here.cwd.clone(),
            cpus: planned.cpus.clone(),
            most,
            idle: settings.max_idle,
            commands: settings.max_jobs,
            ..sortie_warm::template()
        };
        Some(FromTemplate { template: Arc::new(template), args })
    }
}

/// The reasons for which jobs started cold, each told once.
#[derive(Default)]
pub(super) struct Warnings(Mutex<HashSet<String>>);

impl Warnings {
    pub(super) fn note(&self, start: &Start) {
        let Start::Fallback { reason } = start else { return };
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(reason.clone()) {
            tracing::warn!("the evaluator is not kept warm, jobs start cold: {reason}");
        }
    }
}
