//! `sortie completions`: what a shell has to know to complete command lines.

use clap_complete::Shell;

use crate::failure::Failure;
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Where they go:
  bash  sortie completions bash > ~/.local/share/bash-completion/completions/sortie
  zsh   sortie completions zsh > DIR/_sortie, with DIR in $fpath
  fish  sortie completions fish > ~/.config/fish/completions/sortie.fish

Example:
  source <(sortie completions bash)";

/// Print completions for a shell
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn execute(args: &Args, mut command: clap::Command) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "sortie", &mut script);
    output::print(&script).map_err(Failure::Output)?;
    Ok(exit_status::CORRECT)
}
