//! `sortie render`: what would run, as text for a shell.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use sortie_scheduler::{Preview, preview};
use sortie_script::{NulByte, quote};

use crate::failure::Failure;
use crate::job::JobArgs;
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Prints one command for bash, as env(1) would run it: the working directory (-C),
a line for each of your variables that is taken out (-u), a line for each that is
added or changed, and the evaluator's command line. Pasted, it runs as the job
would, but without limits, logs and record. Values of added variables are shown
as they are. For a job of Slurm it is the script that sbatch would be given.

Example:
  sortie render --config job.yaml gen_0/main.py gen_0/results";

/// Print what `sortie run` would run, without running it
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    job: JobArgs,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let config = args.job.load()?;
    let preview = preview(&config, &args.job.candidate, &args.job.results_dir)?;
    let text = text(&preview).map_err(Failure::Nul)?;
    output::print(text.as_bytes()).map_err(Failure::Output)?;
    Ok(exit_status::CORRECT)
}

/// A script as it is; or one command, on a line each: what env(1) changes, the command itself, and where it says that it is
/// set up.
fn text(preview: &Preview) -> Result<String, NulByte> {
    let (argv, cwd, set, unset, ready_fd) = match preview {
        Preview::Command { argv, cwd, set, unset, ready_fd } => (argv, cwd, set, unset, ready_fd),
        Preview::Script(script) => return Ok(script.clone()),
    };
    let mut lines = vec![format!("env -C {}", quote(cwd.as_os_str())?)];
    for name in unset {
        lines.push(format!("-u {}", quote(name)?));
    }
    for (name, value) in set {
        lines.push(format!("{}={}", quote(name)?, quote(value)?));
    }
    lines.push(command_line(argv)?);
    if let Some(fd) = ready_fd {
        lines.push(format!("{fd}>/dev/null"));
    }
    Ok(lines.join(" \\\n  ") + "\n")
}

/// The words of a command line. One whose program env(1) would take for a variable is left to a shell.
fn command_line(argv: &[OsString]) -> Result<String, NulByte> {
    let looks_like_variable = argv.first().is_some_and(|word| word.as_bytes().contains(&b'='));
    let shell = ["bash", "-c", r#"exec "$@""#, "bash"].map(OsStr::new);
    let shell = shell.iter().copied().filter(|_| looks_like_variable);
    let words = shell.chain(argv.iter().map(OsString::as_os_str)).map(quote);
    Ok(words.collect::<Result<Vec<_>, _>>()?.join(" "))
}
