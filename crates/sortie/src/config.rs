//! `sortie config`: the settings that hold, and why.

use crate::exit_status;
use crate::failure::Failure;
use crate::job::ConfigArgs;
use crate::output::{self, one_line};

const AFTER_HELP: &str = "\
Prints all settings as YAML, one a line, which can be used as --config again. A comment
says where each setting that was given comes from: a line of the file, a variable, or
--set.

Example:
  sortie config --config job.yaml --set time=00:05:00";

/// Print the settings in effect, and where each comes from
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let effective = args.config.effective()?;
    let yaml = effective.config.to_yaml().map_err(Failure::Yaml)?;
    let mut text = String::new();
    for line in yaml.lines() {
        let name = line.split(':').next().unwrap_or_default();
        text.push_str(line);
        if let Some(origins) = effective.origins.get(name).filter(|origins| !origins.is_empty()) {
            text.push_str("  # ");
            text.push_str(&one_line(&origins.join(", ")));
        }
        text.push('\n');
    }
    output::print(text.as_bytes()).map_err(Failure::Output)?;
    Ok(exit_status::CORRECT)
}
