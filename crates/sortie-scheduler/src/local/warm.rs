//! Evaluators kept warm: the servers that jobs are had from, and what is said of those that cannot be.

use std::collections::HashSet;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use sortie_config::Warm;
use sortie_process::{FromTemplate, Start, Template};

use super::plan::{Plan, Planned};

/// The server for a planned command that ends in `args`, the evaluator and its arguments: started as
/// the command would be, with the server in place of the evaluator.
pub(super) fn server(
    settings: &Warm,
    plan: &Plan,
    planned: &Planned,
    args: Vec<OsString>,
) -> FromTemplate {
    let before = planned.args.len() - args.len();
    let server = sortie_warm::server_args(plan.evaluator(), &settings.preload);
    let template = Template {
        program: planned.program.clone(),
        args: [&planned.args[..before], &server].concat(),
        env: planned.env.clone(),
        cwd: plan.here.cwd.clone(),
        most: settings.servers.map_or(usize::MAX, |most| most as usize),
        idle: settings.max_idle,
        commands: settings.max_jobs,
        ..sortie_warm::template()
    };
    FromTemplate { template: Arc::new(template), args }
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
