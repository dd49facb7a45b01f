//! `sortie check`: whether jobs with these settings could run here.

mod node;

use std::path::PathBuf;

use clap::builder::styling::AnsiColor;
use schemars::JsonSchema;
use serde::Serialize;
use sortie_scheduler::{Finding, Problem, check};

use crate::exit_status;
use crate::failure::Failure;
use crate::forms::VERSION;
use crate::job::ConfigArgs;
use crate::output::{self, bold, one_line};
use crate::runtime;

const AFTER_HELP: &str = "\
Prints a line for each thing that jobs need: `ok` and what was found; or
`problem`, what is wrong, and what to do. The exit status is 0 if all is well,
else 2. Python is started to see that it runs, and imports what the evaluator
imports; nothing else of the evaluator runs, and nothing is changed.

Of jobs of Slurm that tells what is seen from here. With --submit, one short job
looks on a node: for its interpreter and imports, or the engine and the image, and
whether results come from there to here. It asks for what the settings ask for, for ten
minutes at most, and waits in the queue like others. Ctrl-C cancels it. Nothing of it
is left, but an image that it has brought to the node.

Example:
  sortie check --config job.yaml --submit=gen_0";

/// Check the settings, and that what they name is there
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print one JSON object: `version`, `ok`, and `findings` with `subject`, `ok`, and `found` or `problem` and
    /// `advice`
    #[arg(long)]
    json: bool,
    /// Also ask a node, by one short job of Slurm; its results dir is made in DIR, where those of other jobs are to be, and
    /// removed [default DIR: the working directory]
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = ".")]
    submit: Option<PathBuf>,
}

/// In JSON.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Report<'a> {
    version: u32,
    ok: bool,
    findings: Vec<Line<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct Line<'a> {
    subject: &'a str,
    ok: bool,
    #[serde(flatten)]
    result: Said<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Said<'a> {
    Found { found: &'a str },
    Problem { problem: &'a str, advice: &'a str },
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let findings = find(args)?;
    let ok = findings.iter().all(|finding| finding.result.is_ok());
    let printed = if args.json {
        let report = Report { version: VERSION, ok, findings: findings.iter().map(line).collect() };
        output::json(&report).and_then(|json| output::print(&json))
    } else {
        output::print_styled(&findings.iter().map(text).collect::<String>())
    };
    printed.map_err(Failure::Output)?;
    Ok(if ok { exit_status::CORRECT } else { exit_status::SETUP })
}

fn find(args: &Args) -> Result<Vec<Finding>, Failure> {
    let config = match args.config.load() {
        Ok(config) => config,
        Err(error) => {
            let failure = Failure::from(error);
            let advice = failure.hint().unwrap_or_else(|| "correct the settings".to_owned());
            let problem = Problem { what: failure.to_string(), advice };
            return Ok(vec![Finding { subject: "settings", result: Err(problem) }]);
        }
    };
    match &args.submit {
        None => Ok(runtime::start()?.block_on(check(&config))),
        Some(dir) => node::find(&config, dir),
    }
}

fn line(finding: &Finding) -> Line<'_> {
    let result = match &finding.result {
        Ok(found) => Said::Found { found },
        Err(Problem { what, advice }) => Said::Problem { problem: what, advice },
    };
    Line { subject: finding.subject, ok: finding.result.is_ok(), result }
}

fn text(finding: &Finding) -> String {
    let (color, word, said) = match &finding.result {
        Ok(found) => (AnsiColor::Green, "ok", found.clone()),
        Err(Problem { what, advice }) => (AnsiColor::Red, "problem", format!("{what}; {advice}")),
    };
    let style = bold(color);
    format!("{style}{word:<7}{style:#}  {:<11}  {}\n", finding.subject, one_line(&said))
}
