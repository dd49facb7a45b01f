//! `sortie clean`: removes what jobs left that could not end in order.

use sortie_scheduler::clean;

use crate::failure::Failure;
use crate::job::ConfigArgs;
use crate::{exit_status, output, runtime};

const AFTER_HELP: &str = "\
Containers are the engine's, and outlive a node or a job's script that is killed. The
next job on the machine removes those whose jobs are gone, and so does this, with a
line for each. Containers of jobs that still run, and those of other users, stay.

Example:
  sortie clean --config job.yaml";

/// Remove the containers on this machine whose jobs are gone
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let config = args.config.load()?;
    let runtime = runtime::start()?;
    let removed = runtime.block_on(clean(&config))?;
    let lines: Vec<_> = removed.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    output::print(lines.concat().as_bytes()).map_err(Failure::Output)?;
    Ok(exit_status::CORRECT)
}
