//! `sortie clean`: removes what jobs left that could not end in order.

use sortie_scheduler::clean;

use crate::failure::Failure;
use crate::job::ConfigArgs;
use crate::{exit_status, output, runtime};

const AFTER_HELP: &str = "\
A container can outlive its job, if the node crashes or the job's script is killed.
This command removes such containers, and prints a line for each; so does the next job
on the machine. Containers of jobs that still run stay, and so do those of other users.

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
