//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::{
    attach, cancel, check, clean, exit_status, log, logs, ls, render, report, results, run, status,
    submit, sweep, wait,
};

/// Evaluates generated programs: runs your evaluator on a candidate, in a results dir, within limits.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Say on standard error what happens; the variable `RUST_LOG` says it more finely
    #[arg(short, long, global = true)]
    verbose: bool,
    /// What `keeper::detach` passes.
    #[arg(long, hide = true)]
    detached: bool,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Sweep(sweep::Args),
    Submit(submit::Args),
    Status(status::Args),
    Wait(wait::Args),
    Results(results::Args),
    Cancel(cancel::Args),
    Logs(logs::Args),
    Ls(ls::Args),
    Attach(attach::Args),
    Render(render::Args),
    Check(check::Args),
    Clean(clean::Args),
    Report(report::Args),
}

/// Does what the command line says. Everything of the process is used as it is: its arguments,
/// environment, standard streams and signals.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_error) => return explain(&help_or_error),
    };
    ended(execute(&cli))
}

fn execute(cli: &Cli) -> Result<u8, Failure> {
    log::start(cli.verbose)?;
    match &cli.command {
        Command::Run(args) => run::execute(args, cli.verbose),
        Command::Sweep(args) => sweep::execute(args, cli.verbose, cli.detached),
        Command::Submit(args) => submit::execute(args, cli.verbose, cli.detached),
        Command::Status(args) => status::execute(args),
        Command::Wait(args) => Ok(wait::execute(args)),
        Command::Results(args) => results::execute(args),
        Command::Cancel(args) => Ok(cancel::execute(args, cli.verbose)),
        Command::Logs(args) => logs::execute(args),
        Command::Ls(args) => ls::execute(args),
        Command::Attach(args) => attach::execute(args, cli.verbose, cli.detached),
        Command::Render(args) => render::execute(args),
        Command::Check(args) => check::execute(args),
        Command::Clean(args) => clean::execute(args),
        Command::Report(args) => report::execute(args),
    }
}

/// Prints the help or version that was asked for, or what is wrong with the command line.
fn explain(help_or_error: &clap::Error) -> ExitCode {
    let printed = help_or_error.print();
    if help_or_error.use_stderr() {
        return ExitCode::from(exit_status::SETUP);
    }
    ended(printed.map(|()| exit_status::CORRECT).map_err(Failure::Output))
}

fn ended(status: Result<u8, Failure>) -> ExitCode {
    ExitCode::from(status.unwrap_or_else(|failure| {
        failure.report();
        failure.status()
    }))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }
}
