//! What jobs left that could not end in order.

use std::time::Duration;

use sortie_config::JobConfig;
use sortie_process::{Command, Limits, Status, Supervisor};
use sortie_script::clean_up;

use crate::SchedulerError;
use crate::container::Containers;
use crate::engine;
use crate::here::Here;

/// How long the engine may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Removes the containers of this user on this machine whose jobs are gone, as when a launcher or a node was
/// killed: a line for each. Those of jobs that are still there are left alone. Without containers in the
/// settings, and with Apptainer, there is nothing to do.
///
/// # Errors
///
/// Settings that cannot work, and an engine that cannot be asked.
pub async fn clean(config: &JobConfig) -> Result<Vec<String>, SchedulerError> {
    config.validate()?;
    let leaves_any = |kind| engine::of(kind).outlives_its_script();
    let spec = config.spec();
    let Some(container) = spec.container().filter(|container| leaves_any(container.kind)) else {
        return Ok(Vec::new());
    };
    let here = Here::now()?;
    let env = Containers::of_engine(&here);
    let limits = Limits { time: Some(PATIENCE), ..Limits::default() };
    let mut argv = clean_up(&container.engine).into_iter();
    let program = argv.next().unwrap_or_default();
    let command = Command::new(program, env, here.cwd).args(argv).limits(limits);
    let captured = Supervisor::new().capture(&command, &[]).await;
    let captured = captured.map_err(|error| SchedulerError::NotReady(error.to_string()))?;
    let said = String::from_utf8_lossy(&captured.stderr);
    match captured.exit.status {
        Status::Exited(0) => Ok(said.lines().map(str::to_owned).collect()),
        _ => Err(SchedulerError::NotReady(format!("{} {}", container.engine, said.trim()))),
    }
}
