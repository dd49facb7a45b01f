//! `sortie sweep`: many candidates, to their results.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

use clap::ValueEnum as _;
use sortie_config::{JobConfig, is_setting};
use sortie_scheduler::SchedulerOptions;
use sortie_sweep::{
    Control, OpenSweep, Progress, SourceError, Stop, Summary, Sweep, SweepDir, SweepError,
};
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::detached::{Launcher, as_detached, detach};
use crate::failure::{Failure, in_use_hint};
use crate::job::{ConfigArgs, TakeOverArgs, WarmArgs};
use crate::signals::Signals;
use crate::sweep_open::{Again, GO_THERE, absolute, open};
use crate::sweep_progress::{Display, say};
use crate::sweep_score::Unranked;
use crate::view::View;
use crate::{exit_status, output, sweep_summary};

/// What `sortie cancel` sends, and a system that ends what runs.
const SIGTERM: u8 = 15;

/// How many candidates the summary names.
const BEST: usize = 5;

const SCORE_HELP: &str = "What candidates are ranked by, highest first: a member of metrics.json [default: combined_score]";

const USAGE: &str = "\
sortie sweep [OPTIONS] --config FILE --out DIR CANDIDATE...
       sortie sweep [OPTIONS] --resume DIR";

const AFTER_HELP: &str = "\
A CANDIDATE is a file; a directory, for its main.py, or else for the files in it and
those of its directories that have a main.py; a pattern in quotes, as 'gen_*/main.py';
a file NAME.jsonl, as for --jsonl; or - for a list on standard input, a path a line.

OUT gets a results dir for each candidate, called by its id: the stem of its file, or
the name of its directory if that is main.py, with a number if it is not the first.
OUT/results.jsonl gets a line for each that is done: id, candidate, all that `sortie run`
prints, submitted_at, started_at, ended_at, host, and evaluator_sha256: the evaluator's
file as it was when the job began. OUT/ledger.jsonl and the results dirs
hold all that is needed to go on after anything, with --resume: candidates that are done
are not run again, but for what --again says; jobs that Slurm has are taken up. OUT/settings.yaml is a copy of the
settings, used by --resume, which runs in the directory where the sweep was begun.

Nothing is started if every job would fail because the evaluator or its interpreter
is missing. If the set-up fails for the first 3 candidates (see --setup-failures), or later
for any 20 in a row, with the same error, the sweep stops; it runs those again when it is resumed.

Ctrl-C (or SIGHUP) once: no more jobs start, and running ones finish (with
--cancel-running, SIGTERM or `sortie cancel` they are cancelled). Twice: local jobs are
killed, Slurm jobs are left running. Either way the sweep can be resumed.

Exit status:
  0    all candidates are done, and each has a verdict, correct or not
  2    you have to fix something: command line, settings, or why jobs failed
  3    the machine failed, in a job or for the sweep's own files: try again
  130  interrupted by Ctrl-C before all were done (143 by SIGTERM, 129 by SIGHUP)

Examples:
  sortie sweep --config job.yaml --out results candidates/
  sortie sweep --resume results
  sortie sweep --resume results --again setup,infrastructure";

/// Run the evaluator on many candidates, in a directory that can be resumed
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP, override_usage = USAGE)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(flatten)]
    pub(crate) warm: WarmArgs,
    /// Where logs and results go: a new directory, or an empty one
    #[arg(short, long, value_name = "DIR", required_unless_present = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// The programs to evaluate
    #[arg(value_name = "CANDIDATE")]
    pub(crate) candidates: Vec<PathBuf>,
    /// JSON Lines that name candidates, each {"candidate": PATH, "id": NAME, "args": {NAME: VALUE}}, of
    /// which the last two may be left out; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) jsonl: Vec<PathBuf>,
    /// Paths in the list on standard input end with NUL, as `find -print0` prints them
    #[arg(short = '0', long)]
    pub(crate) null: bool,
    /// Go on with a sweep that was stopped or killed
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "set", "warm", "out", "candidates", "jsonl", "null", "score"])]
    pub(crate) resume: Option<PathBuf>,
    /// Also rerun candidates that failed because of the set-up (`setup`), the machine or cluster
    /// (`infrastructure`) or themselves (`candidate`), or that somebody stopped (`stopped`)
    #[arg(
        long,
        value_name = "FAULT",
        value_delimiter = ',',
        requires = "resume",
        conflicts_with = "out",
        hide_possible_values = true
    )]
    pub(crate) again: Vec<Again>,
    /// How many jobs run at once on this machine [default: 4]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) workers: Option<u32>,
    /// How many jobs Slurm may have at once, queued or running [default: 4000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) in_slurm: Option<u32>,
    /// Stop when the first N candidates all fail by the set-up, with the same error; 0 for never [default: 3]
    #[arg(long, value_name = "N")]
    pub(crate) setup_failures: Option<u32>,
    #[arg(long, value_name = "METRIC", help = SCORE_HELP)]
    pub(crate) score: Option<String>,
    #[command(flatten)]
    pub(crate) take_over: TakeOverArgs,
    /// Cancel what runs at the first Ctrl-C
    #[arg(long)]
    cancel_running: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
    /// Go on without this terminal, as `sortie submit` does, and print where the sweep is
    #[arg(long)]
    detach: bool,
}

pub(crate) fn execute(args: &Args, verbose: bool, detached: bool) -> Result<u8, Failure> {
    let dir = args.resume.as_deref().or(args.out.as_deref());
    let in_dir = |failure: Failure| match dir {
        Some(dir) => failure.in_dir(dir),
        None => failure,
    };
    if detached {
        return as_detached(|launcher| drive(args, verbose, Some(launcher)).map_err(in_dir));
    }
    if args.resume.is_some() {
        tell_unused();
    }
    let done = if args.detach { detach_sweep(args, verbose) } else { drive(args, verbose, None) };
    done.map_err(in_dir)
}

/// Says which variables hold settings that a sweep which is taken up again does not use.
fn tell_unused() {
    let variables = env::vars_os().filter(|(name, value)| is_setting(name) && !value.is_empty());
    let mut names: Vec<_> =
        variables.map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort();
    if !names.is_empty() {
        let names = names.join(", ");
        tracing::warn!(
            "not used: {names}: a resumed sweep keeps the settings it began with, in settings.yaml"
        );
    }
}

/// Makes the sweep here, where standard input is, and has another process go on with it.
fn detach_sweep(args: &Args, verbose: bool) -> Result<u8, Failure> {
    let dir = match (&args.resume, &args.out) {
        (Some(dir), _) => dir,
        (None, Some(out)) => {
            drop(open(args)?);
            out
        }
        (None, None) => return Err(Failure::Source(SourceError::None)),
    };
    let mut again = vec![OsString::from("sweep")];
    again.extend(verbose.then(|| "--verbose".into()));
    again.extend(args.cancel_running.then(|| "--cancel-running".into()));
    let numbers = [
        ("--workers", args.workers),
        ("--in-slurm", args.in_slurm),
        ("--setup-failures", args.setup_failures),
    ];
    for (flag, number) in numbers {
        again.extend(number.map(|number| format!("{flag}={number}").into()));
    }
    let faults = args.again.iter().filter_map(Again::to_possible_value);
    again.extend(faults.map(|fault| format!("--again={}", fault.get_name()).into()));
    again.extend(["--resume".into(), absolute(dir)?.into()]);
    detach(again)?;
    View::of(dir)?.show(args.json)?;
    Ok(exit_status::CORRECT)
}

fn drive(args: &Args, verbose: bool, launcher: Option<&Launcher>) -> Result<u8, Failure> {
    let (open, config) = open(args)?;
    if let Some(launcher) = launcher {
        log_here(open.dir())?;
        if !launcher.accepted() {
            return Ok(exit_status::INTERRUPTED);
        }
    }
    let consent = args.take_over.consent();
    let options = SchedulerOptions { verbose, consent, ..SchedulerOptions::default() };
    let made = open.dir().path().to_owned();
    let dir = args.resume.as_deref().or(args.out.as_deref()).unwrap_or(&made);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    let ran = runtime.block_on(run(open, config, options, args.cancel_running));
    // Without waiting for a file system that does not answer.
    runtime.shutdown_background();
    let (sweep, signal) = ran?;
    let summary = Summary::of(&sweep, BEST);
    let printed = if args.json {
        output::json(&summary).and_then(|json| output::print(&json))
    } else {
        output::print(sweep_summary::text(&summary, dir).as_bytes())
    };
    printed.map_err(Failure::Output)?;
    Ok(status(&summary, signal))
}

/// Has all that this process says from now on written to a file of the sweep.
fn log_here(dir: &SweepDir) -> Result<(), Failure> {
    let path = dir.log_file();
    let log = File::options().create(true).append(true).open(&path);
    let logs = log.and_then(|log| sortie_process::detach::log_to(&log));
    Ok(logs.map_err(|cause| SweepError::Io { action: "open", path, cause })?)
}

/// Has the sweep run, and shows how it fares: the sweep as it is then, and the signal that stopped it, if one did.
async fn run(
    open: OpenSweep,
    config: JobConfig,
    options: SchedulerOptions,
    cancel_running: bool,
) -> Result<(Sweep, Option<u8>), Failure> {
    let mut signals = Signals::listen().map_err(Failure::Runtime)?;
    let (stop, stopped) = watch::channel(Stop::No);
    let (progress, seen) = watch::channel(Progress::of(open.sweep()));
    let latest = seen.clone();
    let mut display = Display::start(seen);
    let control = Control { stop: stopped, progress };
    let mut unranked = Unranked::of(&open);
    let mut running = std::pin::pin!(open.run(config, options, control));
    let mut first = None;
    loop {
        tokio::select! {
            ended = &mut running => {
                let sweep = ended?;
                unranked.look(&Progress::of(&sweep));
                return Ok((sweep, first));
            }
            () = display.next() => unranked.look(&latest.borrow()),
            signal = signals.next() => {
                let wish = match (*stop.borrow(), cancel_running || signal == SIGTERM) {
                    (Stop::No, false) => Stop::Drain,
                    (Stop::No, true) => Stop::Cancel,
                    (Stop::Drain | Stop::Cancel, _) => Stop::Now,
                    (Stop::Now, _) => return Err(Failure::Abandoned { signal }),
                };
                first.get_or_insert(signal);
                say(match wish {
                    Stop::Drain => "stopping when what runs has ended (Ctrl-C again stops now)",
                    Stop::Cancel => "cancelling what runs (Ctrl-C again stops now)",
                    Stop::No | Stop::Now => "stopping now",
                });
                stop.send_replace(wish);
            }
        }
    }
}

fn status(summary: &Summary, signal: Option<u8>) -> u8 {
    match signal {
        Some(signal) if !summary.complete => exit_status::of_signal(signal),
        _ if summary.done.setup > 0 => exit_status::SETUP,
        _ if summary.done.infrastructure > 0 || !summary.complete => exit_status::INFRASTRUCTURE,
        _ => exit_status::CORRECT,
    }
}

/// What to do where a sweep cannot be made, or cannot go on.
pub(crate) fn hint(error: &SweepError) -> Option<&'static str> {
    match error {
        SweepError::Exists { .. } => Some("resume it: `sortie sweep --resume DIR`"),
        SweepError::NoSweep { .. } => {
            Some("begin one: `sortie sweep --config FILE --out DIR CANDIDATE...`")
        }
        SweepError::Io { action: "write" | "write into" | "repair", .. } => Some(
            "free some space or fix what is wrong there, then resume: `sortie sweep --resume DIR`",
        ),
        SweepError::Io { action: "find", .. } => Some(
            "put it back where it was, then resume: `sortie sweep --resume DIR`; add `--again candidate` for what failed meanwhile",
        ),
        SweepError::Io { action: GO_THERE, .. } => {
            Some("put it back: the relative paths of candidates and settings start there")
        }
        SweepError::SetUp { .. } => {
            Some("fix it, then resume: `sortie sweep --resume DIR`, which runs them again")
        }
        SweepError::InUse(in_use) => Some(in_use_hint(in_use)),
        SweepError::Damaged { .. } => Some("take it from a copy, or begin a new sweep"),
        _ => None,
    }
}
