//! A sweep made, or taken up again, as the command line says.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use clap::ValueEnum;
use sortie_config::{ConfigError, JobConfig};
use sortie_results::Fault;
use sortie_scheduler::{Problem, preflight};
use sortie_sweep::{
    Candidate, End, NewSweep, OpenSweep, Options, RealDisk, SourceError, Sources, Sweep, SweepDir,
    SweepError,
};

use crate::exit_status;
use crate::failure::Failure;
use crate::output::SEE_CHECK;
use crate::sweep::Args;
use crate::sweep_progress::say;

/// What cannot be done where a sweep's working directory is gone.
pub(crate) const GO_THERE: &str = "go to the sweep's working directory";

/// Which candidates that are done are to be run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Again {
    /// Something was missing or wrong in your set-up, and you have fixed it
    Setup,
    /// The machine or the cluster failed
    Infrastructure,
    /// They crashed, ran into a limit, or left no usable result
    Candidate,
    /// Somebody stopped them
    Stopped,
}

impl Again {
    fn is_of(self, end: &End) -> bool {
        match self {
            Self::Setup => end.fault == Some(Fault::Setup),
            Self::Infrastructure => end.fault == Some(Fault::Infrastructure),
            Self::Candidate => end.fault == Some(Fault::Candidate),
            Self::Stopped => end.is_stopped(),
        }
    }
}

pub(crate) fn open(args: &Args) -> Result<(OpenSweep, JobConfig), Failure> {
    match (&args.resume, &args.out) {
        (Some(dir), _) => resume(args, dir),
        (None, Some(out)) => begin(args, out),
        // The command line sees to it that there is one of the two.
        (None, None) => Err(Failure::Source(SourceError::None)),
    }
}

/// Makes a sweep.
fn begin(args: &Args, out: &Path) -> Result<(OpenSweep, JobConfig), Failure> {
    let config = args.warm.apply(args.config.load()?)?;
    let candidates = candidates(args)?;
    look_before(&config)?;
    let settings = config.to_yaml().map_err(|error| Failure::Output(io::Error::other(error)))?;
    let new = NewSweep {
        settings: &settings,
        cwd: env::current_dir().map_err(Failure::Runtime)?,
        options: options(args, Options::default()),
        candidates,
    };
    let dir = SweepDir::new(absolute(out)?);
    Ok((OpenSweep::create(dir, new, Arc::new(RealDisk))?, config))
}

/// Takes one up again, where it was begun.
fn resume(args: &Args, dir: &Path) -> Result<(OpenSweep, JobConfig), Failure> {
    let dir = SweepDir::new(absolute(dir)?);
    let mut open = OpenSweep::resume_with(dir, Arc::new(RealDisk), args.take_over.consent())?;
    let header = &open.sweep().header;
    let options = options(args, header.options.clone());
    let cwd = header.cwd.clone();
    env::set_current_dir(&cwd).map_err(|cause| SweepError::Io {
        action: GO_THERE,
        path: cwd,
        cause,
    })?;
    let config = JobConfig::load(&open.dir().settings_file())?;
    open.set_options(options.workers, options.in_slurm, options.setup_failures);
    let is_meant = |end: &End| args.again.iter().any(|again| again.is_of(end));
    let Sweep { states, .. } = open.sweep();
    if states.iter().any(|state| state.end().is_none_or(is_meant)) {
        look_before(&config)?;
    }
    if !args.again.is_empty() {
        let count = open.again(is_meant)?;
        say(&format!("candidates to run again: {count}"));
    }
    Ok((open, config))
}

/// Refuses what could only fail, before anything is begun.
fn look_before(config: &JobConfig) -> Result<(), Failure> {
    let Some(Problem { what, advice }) = preflight(config) else { return Ok(()) };
    Err(Failure::Refused {
        message: format!("nothing was started, because every job would fail: {what}"),
        hint: Some(format!("{advice}; {SEE_CHECK}")),
        status: exit_status::SETUP,
    })
}

fn options(args: &Args, before: Options) -> Options {
    let given = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
    Options {
        score: args.score.clone().unwrap_or(before.score),
        workers: given(args.workers).unwrap_or(before.workers),
        in_slurm: given(args.in_slurm).unwrap_or(before.in_slurm),
        setup_failures: given(args.setup_failures).unwrap_or(before.setup_failures),
    }
}

pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::Runtime)
}

fn candidates(args: &Args) -> Result<Vec<Candidate>, Failure> {
    let stdin = || {
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text).map_err(Failure::Input)?;
        Ok::<_, Failure>(text)
    };
    let is_stdin = |path: &Path| path.as_os_str() == "-";
    let mut sources = Sources::default();
    for candidate in &args.candidates {
        if is_stdin(candidate) {
            sources.add_list(&stdin()?, if args.null { 0 } else { b'\n' })?;
        } else {
            sources.add(candidate)?;
        }
    }
    for list in &args.jsonl {
        if is_stdin(list) {
            sources.add_json_lines("standard input", &stdin()?)?;
        } else {
            let read = fs::read(list);
            let text = read.map_err(|cause| ConfigError::Read { file: list.clone(), cause })?;
            sources.add_json_lines(&list.display().to_string(), &text)?;
        }
    }
    Ok(sources.candidates()?)
}
