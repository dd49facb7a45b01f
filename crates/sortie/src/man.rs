//! `sortie man`: the manual, made from the help.

use std::fs;
use std::path::PathBuf;

use clap_mangen::Man;

use crate::failure::Failure;
use crate::{exit_status, output};

const AFTER_HELP: &str = "\
Without DIR, prints the page of sortie itself. With it, writes a page for sortie and
one for each command (sortie-run.1 and so on), over those that are there.

Example:
  sortie man ~/.local/share/man/man1";

/// Print the manual page, or write all of them into a directory
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Where the pages go; made where it is not there
    dir: Option<PathBuf>,
}

pub(crate) fn execute(args: &Args, mut command: clap::Command) -> Result<u8, Failure> {
    // Building gives each command its full name (`sortie run`) and the tool's own options.
    command = command.disable_help_subcommand(true);
    command.build();
    let Some(dir) = &args.dir else {
        let page = page(&command).map_err(Failure::Output)?;
        output::print(&page).map_err(Failure::Output)?;
        return Ok(exit_status::CORRECT);
    };
    fs::create_dir_all(dir).map_err(|cause| Failure::Write { path: dir.clone(), cause })?;
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    for command in commands.chain([&command]) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let path = dir.join(format!("{name}.1"));
        let written = page(command).and_then(|page| fs::write(&path, page));
        written.map_err(|cause| Failure::Write { path, cause })?;
    }
    Ok(exit_status::CORRECT)
}

fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let version = concat!("sortie ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(version).render(&mut page)?;
    Ok(page)
}
