//! `sortie logs`: what a job writes.

mod shown;

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use sortie_results::Log;
use sortie_scheduler::{JobHandle, LogReader};
use sortie_sweep::SweepDir;

use crate::exit_status;
use crate::failure::Failure;
use crate::view::View;
use shown::{Sink, Target};

/// The pauses while nothing is written: each is twice the one before. Not events of the file system, which a file that
/// another machine writes to does not have.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(250);

/// How much is read at once, in bytes.
const BLOCK: usize = 64 << 10;

const AFTER_HELP: &str = "\
Prints job_log.out on standard output and job_log.err on standard error, byte for
byte. Only at a terminal is what it would take for commands shown as text, as a
candidate may have written it (--raw shows it as it is).

With --follow it goes on, as the logs grow and into the next attempt if there is
one, until the job is over.

Examples:
  sortie logs -f gen_0/results
  sortie logs --stderr gen_0/results | tail";

/// Print what a job has written
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// The results dir, or the directory of a sweep
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Which candidate of the sweep
    #[arg(value_name = "ID")]
    id: Option<OsString>,
    /// Go on until the job is over
    #[arg(short, long)]
    follow: bool,
    /// Only what it wrote to its standard output
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// Only what it wrote to its standard error, on standard output
    #[arg(long)]
    stderr: bool,
    /// Begin with the last N lines of each
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<usize>,
    /// Show at a terminal what is written as it is, commands to the terminal included
    #[arg(long)]
    raw: bool,
    /// Print a JSON object for each line, with its `stream`
    #[arg(long, conflicts_with = "raw")]
    json: bool,
}

/// The results dir of a sweep's candidate.
fn of_candidate(dir: &Path, id: &OsStr) -> Result<PathBuf, Failure> {
    let failure = |problem: String, hint: String| {
        Err(Failure::Job { dir: dir.to_owned(), problem, hint, status: exit_status::SETUP })
    };
    let View::Sweep(_) = View::of(dir)? else {
        let hint = "only candidates of a sweep have ids: use `sortie logs DIR`".to_owned();
        return failure("this is not a sweep".to_owned(), hint);
    };
    let mut parts = Path::new(id).components();
    let id = id.to_string_lossy();
    let ids = SweepDir::new(dir.to_owned()).read()?.candidates;
    let mut ids: Vec<_> = ids.into_iter().map(|candidate| candidate.id).collect();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if ids.iter().any(|known| *known == id) => {
            Ok(dir.join(name))
        }
        _ => {
            let hint = match nearest(&mut ids, &id) {
                Some(listed) => format!("the nearest ids are {listed}; `sortie ls DIR` lists all"),
                None => format!("the ids are `{}`", ids.join("`, `")),
            };
            failure(format!("no candidate has the id `{id}`"), hint)
        }
    }
}

/// How many ids are listed where not all are.
const NEAREST: usize = 5;

/// Puts ids in order, those first that are most like this one; lists some of them if there are many.
fn nearest(ids: &mut [String], id: &str) -> Option<String> {
    ids.sort_by_cached_key(|known| strsim::damerau_levenshtein(known, id));
    (ids.len() > 2 * NEAREST).then(|| format!("`{}`", ids[..NEAREST].join("`, `")))
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let dir = match &args.id {
        Some(id) => of_candidate(&args.dir, id)?,
        None => args.dir.clone(),
    };
    let View::Job(job) = View::of(&dir)? else {
        return Err(Failure::Job {
            dir,
            problem: "a sweep has no logs of its own, only its candidates have".to_owned(),
            hint: "name a candidate: `sortie logs DIR ID`; `sortie ls DIR` lists them".to_owned(),
            status: exit_status::SETUP,
        });
    };
    let job = job.handle();
    print(args.follow, &job, &mut streams(args, &job)).map(|()| exit_status::CORRECT)
}

/// A log, and where it goes.
struct Stream {
    log: LogReader,
    sink: Sink,
}

impl Stream {
    /// Shows what was written since the last time; whether there was anything.
    fn read_on(&mut self, block: &mut [u8]) -> Result<bool, Failure> {
        let mut has_grown = false;
        loop {
            match self.log.read(block)? {
                0 => return Ok(has_grown),
                read => self.sink.write(&block[..read]).map_err(Failure::Output)?,
            }
            has_grown = true;
        }
    }
}

fn streams(args: &Args, job: &JobHandle) -> Vec<Stream> {
    let stream = |log, target| Stream {
        log: job.logs(log, args.lines),
        sink: Sink::new(target, args.raw, args.json.then_some(log)),
    };
    let of_stderr = if args.stderr || args.json { Target::Stdout } else { Target::Stderr };
    let mut streams = Vec::new();
    if !args.stderr {
        streams.push(stream(Log::Stdout, Target::Stdout));
    }
    if !args.stdout {
        streams.push(stream(Log::Stderr, of_stderr));
    }
    streams
}

fn print(follow: bool, job: &JobHandle, streams: &mut [Stream]) -> Result<(), Failure> {
    let mut pause = SHORTEST;
    let mut block = vec![0; BLOCK];
    loop {
        // First, so that what was written before the end is read.
        let over = !follow || job.status()?.has_whole_logs();
        let mut grown = false;
        for stream in &mut *streams {
            grown |= stream.read_on(&mut block)?;
        }
        match (over, grown) {
            (true, false) => break,
            (true, true) => {}
            (false, true) => pause = SHORTEST,
            (false, false) => {
                shown::wait_for_reader_to_leave(pause).map_err(Failure::Output)?;
                pause = LONGEST.min(pause * 2);
            }
        }
    }
    streams.iter_mut().try_for_each(|stream| stream.sink.end()).map_err(Failure::Output)
}
