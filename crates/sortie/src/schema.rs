//! `sortie schema`: what the files it reads and the JSON it prints look like.

use clap::ValueEnum;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use sortie_results::Results;
use sortie_sweep::{ResultLine, Summary};

use crate::failure::Failure;
use crate::forms::{JobStatus, LogLine, SweepStatus};
use crate::{check, exit_status, output};

const AFTER_HELP: &str = "\
The schema of settings is for editors: in VS Code with its YAML extension, put
`# yaml-language-server: $schema=sortie.schema.json` into the first line of a file.

JSON that sortie prints has a member `version`, which is 1. Members may be added
within a version, so pass over those you do not know. Numbers that are not finite,
which JSON has none of, are the strings \"NaN\", \"Infinity\" and \"-Infinity\".

Example:
  sortie schema settings > sortie.schema.json";

/// Print the JSON Schema of settings, or of what commands print with --json
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Of what
    #[arg(default_value = "settings")]
    form: Form,
}

/// What there is a schema of. A command that prints another form adds it here.
#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// A file of settings, of any job type
    Settings,
    /// What `run`, `attach` and `results` print
    Results,
    /// What `submit`, `status`, `wait`, `cancel` and `ls` print with --json, a line for each job
    Status,
    /// What the same print of a sweep
    Sweep,
    /// What `sweep` prints with --json
    Summary,
    /// A line of a sweep's results.jsonl, and of what `results` prints of one
    Line,
    /// What `logs` prints with --json, on each line
    Logs,
    /// What `check` prints with --json
    Check,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let schema = match args.form {
        Form::Settings => sortie_config::schema(),
        Form::Results => of::<Results>(),
        Form::Status => of::<JobStatus>(),
        Form::Sweep => of::<SweepStatus>(),
        Form::Summary => of::<Summary>(),
        Form::Line => of::<ResultLine<'_>>(),
        Form::Logs => of::<LogLine>(),
        Form::Check => of::<check::Report<'_>>(),
    };
    let json = output::json(&schema).and_then(|json| output::print(&json));
    json.map_err(Failure::Output)?;
    Ok(exit_status::CORRECT)
}

/// As it is written, so that all its members are required.
fn of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft07().for_serialize().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}
