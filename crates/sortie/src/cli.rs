//! The command line.

use std::env;
use std::io;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use crate::failure::Failure;
use crate::{
    attach, cancel, check, clean, completions, config, exit_status, init, log, logs, ls, man,
    output, render, report, results, run, schema, status, submit, sweep, wait,
};

/// What ends a process that writes to a pipe which nobody reads (`signal(7)`).
const SIGPIPE: u8 = 13;

const AFTER_HELP: &str = "\
Settings come from the file that --config or SORTIE_CONFIG names. Variables
(SORTIE_TIME=00:05:00, SORTIE_LIMITS__GRACE_SECONDS=2) override the file, and --set
(--set time=00:05:00) overrides both. `sortie init` writes a file of all settings, and
`sortie config` shows which are in effect, and why.";

/// Evaluates generated programs: runs your evaluator on a candidate, in a results dir, within limits.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Log what happens to standard error; the variable `RUST_LOG` selects in more detail
    #[arg(short, long, global = true)]
    verbose: bool,
    /// What `detached::detach` passes.
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
    Init(init::Args),
    Config(config::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
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
    take_precautions();
    match &cli.command {
        Command::Run(args) => run::execute(args, cli.verbose),
        Command::Sweep(args) => sweep::execute(args, cli.verbose, cli.detached),
        Command::Submit(args) => submit::execute(args, cli.verbose, cli.detached),
        Command::Status(args) => till_enough(status::execute(args)),
        Command::Wait(args) => wait::execute(args),
        Command::Results(args) => till_enough(results::execute(args)),
        Command::Cancel(args) => cancel::execute(args, cli.verbose),
        Command::Logs(args) => till_enough(logs::execute(args)),
        Command::Ls(args) => till_enough(ls::execute(args)),
        Command::Attach(args) => attach::execute(args, cli.verbose, cli.detached),
        Command::Render(args) => render::execute(args),
        Command::Check(args) => check::execute(args),
        Command::Clean(args) => clean::execute(args),
        Command::Report(args) => report::execute(args),
        Command::Init(args) => init::execute(args),
        Command::Config(args) => config::execute(args),
        Command::Schema(args) => schema::execute(args),
        Command::Completions(args) => completions::execute(args, Cli::command()),
        Command::Man(args) => man::execute(args, Cli::command()),
    }
}

/// What the environment holds may be keys, which jobs are not to find here; and many jobs need more files than most
/// processes may have open.
fn take_precautions() {
    if let Err(error) = sortie_process::keep_memory_private() {
        tracing::warn!("other processes of this user can read the memory of this one: {error}");
    }
    if let Err(error) = sortie_process::OpenFiles::raise_limit() {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
}

/// Of a list its reader may take as much as they want: it ends as by SIGPIPE then, without a word.
fn till_enough(listed: Result<u8, Failure>) -> Result<u8, Failure> {
    match listed {
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(exit_status::of_signal(SIGPIPE))
        }
        listed => listed,
    }
}

/// Prints the help or version that was asked for, or what is wrong with the command line.
fn explain(help_or_error: &clap::Error) -> ExitCode {
    if let Some(name) = setting_as_flag(help_or_error) {
        let flag = name.replace(['_', '.'], "-");
        let message = format!("`--{flag}` is not an option: `{name}` is a setting");
        output::error(&message, Some(&format!("write `--set {name}=VALUE`")));
        return ExitCode::from(exit_status::SETUP);
    }
    let printed = help_or_error.print();
    if help_or_error.use_stderr() {
        return ExitCode::from(exit_status::SETUP);
    }
    ended(printed.map(|()| exit_status::CORRECT).map_err(Failure::Output))
}

/// The setting that was given as if it were an option, of a command that takes settings.
fn setting_as_flag(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.strip_prefix("--")?.replace('-', "_");
    let variable = format!("SORTIE_{}", name.replace('.', "__").to_uppercase());
    let cli = Cli::command();
    let mut words = env::args_os().skip(1);
    let command = words.find_map(|word| cli.find_subcommand(&word))?;
    let takes_settings = command.get_arguments().any(|argument| argument.get_id() == "set");
    (takes_settings && sortie_config::is_setting(variable.as_ref())).then_some(name)
}

fn ended(status: Result<u8, Failure>) -> ExitCode {
    ExitCode::from(status.unwrap_or_else(|failure| {
        failure.report();
        failure.status()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }
}
