//! `sortie cancel`: ends jobs, whoever sees to them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sortie_config::JobConfig;
use sortie_process::{Held, Holder};

use crate::attend::{Errand, see_to};
use crate::failure::Failure;
use crate::forms::State;
use crate::status::show;
use crate::view::View;
use crate::{exit_status, output};

/// Settings that a job of Slurm can be cancelled with: no others matter for that.
const ANY_OF_SLURM: &str = "job_type: slurm_conda\ninfrastructure_retries: 0\n";
/// How long a keeper may take to note that it was asked, before it is asked again.
const TO_NOTE: Duration = Duration::from_secs(5);
/// How long what a killed keeper has left may take to end.
const TO_END: Duration = Duration::from_secs(5);
/// After so long it is said what is waited for.
const SILENT: Duration = Duration::from_secs(1);

const AFTER_HELP: &str = "\
Asks whoever sees to a job, be it `sortie submit` or `sortie run` on another
terminal, to end it as Ctrl-C does: its processes get SIGTERM and, after their
grace period, SIGKILL. A job of Slurm that nobody sees to is cancelled there.
Returns when all are over, with a line for each; a job that is over already stays
as it is.

Exit status: 0 if all are over; 3 if one is not after --timeout; 2 if one cannot
be cancelled from here.

Example:
  sortie cancel gen_0/results";

/// End jobs, and wait until they are over
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Results dirs
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Without a grace period
    #[arg(long)]
    now: bool,
    /// How long to wait for the end of each
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
    /// Print a JSON object for each, on a line, as `sortie status --json` does
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(args: &Args, verbose: bool) -> u8 {
    // All are asked before the first is waited for.
    let asked: Vec<_> = args.dirs.iter().map(|dir| ask(dir, args.now, verbose)).collect();
    let timeout = Duration::from_secs(args.timeout);
    let mut largest = exit_status::CORRECT;
    for (dir, asked) in args.dirs.iter().zip(asked) {
        let over = asked.and_then(|()| until_over(dir, timeout, verbose));
        if let Err(failure) = over.and_then(|view| show(&view, args.json)) {
            failure.report();
            largest = largest.max(failure.status());
        }
    }
    largest
}

/// Has the job ended by whoever sees to it, or here where nobody does.
fn ask(dir: &Path, now: bool, verbose: bool) -> Result<(), Failure> {
    let view = View::of(dir)?;
    match (&view.sighted.held, view.state) {
        (Held::By(holder), state) => ask_holder(dir, holder, state, now),
        (Held::Elsewhere, _) => Err(Failure::Job {
            dir: dir.to_owned(),
            problem: format!("it is in the hands of {}", view.sighted.who()),
            hint: "cancel it on that machine".to_owned(),
            status: exit_status::SETUP,
        }),
        (Held::Free, State::Orphaned) => cancel_here(dir, verbose),
        (Held::Free, _) => Ok(()),
    }
}

/// Asks once for a gentle end, and once more for one without grace; never more often than that.
fn ask_holder(dir: &Path, holder: &Holder, state: State, now: bool) -> Result<(), Failure> {
    let ask = || {
        holder.ask_to_end().map(drop).map_err(|error| Failure::Job {
            dir: dir.to_owned(),
            problem: format!("process {} cannot be asked to end the job: {error}", holder.pid()),
            hint: "cancel it as the user who started it".to_owned(),
            status: exit_status::SETUP,
        })
    };
    if state != State::Stopping {
        ask()?;
    }
    if !now {
        return Ok(());
    }
    // Signals that come too soon after one another become one.
    let until = Instant::now() + TO_NOTE;
    while Instant::now() < until && View::of(dir)?.state != State::Stopping {
        if holder.ends_within(Duration::from_millis(10)).unwrap_or(false) {
            return Ok(());
        }
    }
    ask()
}

/// Takes up a job of Slurm that nobody sees to, only to cancel it.
fn cancel_here(dir: &Path, verbose: bool) -> Result<(), Failure> {
    let errand = Errand {
        config: JobConfig::from_yaml(ANY_OF_SLURM, "for cancelling")?,
        name: dir,
        results_dir: dir,
        candidate: None,
        command: "cancel",
        verbose,
        launcher: None,
        prints: false,
    };
    see_to(errand, async |scheduler| {
        let job = scheduler.attach(dir)?;
        scheduler.cancel(&[job]);
        scheduler.wait(job).await?;
        scheduler.results(job)
    })
    .map(drop)
}

fn until_over(dir: &Path, timeout: Duration, verbose: bool) -> Result<View, Failure> {
    let begun = Instant::now();
    let mut said = false;
    loop {
        let view = View::of(dir)?;
        let left = timeout.saturating_sub(begun.elapsed());
        match view.state {
            // Its keeper was killed meanwhile.
            State::Orphaned => cancel_here(dir, verbose)?,
            State::Finished | State::Lost => return Ok(view),
            State::Running if !view.sighted.is_there() && begun.elapsed() > TO_END => {
                return Err(Failure::Job {
                    dir: view.dir,
                    problem: "it is in the hands of a program that is not this tool".to_owned(),
                    hint: "end that program, and the job ends with it".to_owned(),
                    status: exit_status::SETUP,
                });
            }
            _ if left.is_zero() => {
                let problem = format!(
                    "not over after {} s; it is being stopped by {}",
                    timeout.as_secs(),
                    view.sighted.who()
                );
                let hint = "`sortie cancel --now` leaves it no grace period".to_owned();
                let status = exit_status::INFRASTRUCTURE;
                return Err(Failure::Job { dir: view.dir, problem, hint, status });
            }
            _ => {
                view.rest(if said { left } else { left.min(SILENT) });
                if !said && begun.elapsed() >= SILENT {
                    said = true;
                    output::note(&format!(
                        "waiting for {}, which is ending the job in {}",
                        view.sighted.who(),
                        dir.display()
                    ));
                }
            }
        }
    }
}
