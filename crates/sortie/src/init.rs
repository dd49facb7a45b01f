//! `sortie init`: a file of settings to start from.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sortie_config::JobType;

use crate::failure::Failure;
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Every setting of the job type is there with its default and what it is for,
commented out. A file that is there is not overwritten.

Example:
  sortie init slurm_docker --output job.yaml";

/// Write a file of all settings to start from
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Where and how jobs run
    #[arg(default_value = "local", value_parser = job_types())]
    job_type: JobType,
    /// The file to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "job.yaml")]
    output: PathBuf,
}

/// Job types by name, which completions know then.
pub(crate) fn job_types() -> impl clap::builder::TypedValueParser<Value = JobType> {
    use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
    let names = JobType::ALL.map(|job_type| match job_type {
        JobType::SlurmConda => PossibleValue::new("slurm_conda").alias("slurm_env"),
        other => PossibleValue::new(other.as_str()),
    });
    PossibleValuesParser::new(names).try_map(|name| name.parse::<JobType>())
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let text = args.job_type.template();
    if args.output == Path::new("-") {
        output::print(text.as_bytes()).map_err(Failure::Output)?;
    } else {
        create(&args.output, text.as_bytes())?;
        output::note(&format!("wrote {}", args.output.display()));
    }
    Ok(exit_status::CORRECT)
}

/// Writes a file that is not there yet.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => Failure::Exists(path.to_owned()),
        _ => Failure::Write { path: path.to_owned(), cause },
    })
}
