//! `sortie ls`: which jobs there are below a directory.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sortie_results::Sight;

use crate::failure::Failure;
use crate::view::{View, is_sweep};
use crate::{exit_status, output};

/// How many directories are looked into at most.
const MOST: usize = 100_000;

const AFTER_HELP: &str = "\
Prints what `sortie status` does for each results dir and sweep that is found,
sorted by name. Symbolic links and names that begin with a dot are left out, and
nothing is looked for inside of a results dir or sweep. The jobs of a sweep are
listed if DIR is the sweep's own.

Examples:
  sortie ls
  sortie ls -0 generations | xargs -0 sortie wait";

/// List the jobs and sweeps below a directory
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Where to look
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// How deep to look: 1 is what lies in the directory itself
    #[arg(long, value_name = "LEVELS", default_value_t = 6)]
    depth: usize,
    /// Print a JSON object for each, on a line, as `sortie status --json` does
    #[arg(long)]
    json: bool,
    /// Print only the directories, byte for byte, with a NUL byte after each
    #[arg(short = '0', long, conflicts_with = "json")]
    null: bool,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let mut walk = Walk { found: Vec::new(), left: MOST };
    let entries = fs::read_dir(&args.dir).map_err(|cause| Failure::Job {
        dir: args.dir.clone(),
        problem: format!("cannot be listed: {cause}"),
        hint: "name a directory".to_owned(),
        status: exit_status::SETUP,
    })?;
    drop(entries);
    walk.start(&args.dir, args.depth);
    if walk.left == 0 {
        output::note(&format!("only the first {MOST} directories were looked into"));
    }
    for dir in &walk.found {
        if args.null {
            let name = [dir.as_os_str().as_bytes(), b"\0"].concat();
            output::print(&name).map_err(Failure::Output)?;
            continue;
        }
        match View::of(dir) {
            Ok(view) => view.show(args.json)?,
            // It may have been removed meanwhile, or hold what nobody can read.
            Err(failure) => failure.report(),
        }
    }
    Ok(exit_status::CORRECT)
}

struct Walk {
    found: Vec<PathBuf>,
    left: usize,
}

impl Walk {
    /// The jobs of a sweep are listed where it is named itself.
    fn start(&mut self, dir: &Path, depth: usize) {
        if is_sweep(dir) {
            self.list(dir, 1);
        } else {
            self.look_into(dir, depth);
        }
    }

    fn look_into(&mut self, dir: &Path, depth: usize) {
        if Sight::is_likely(dir) || is_sweep(dir) {
            self.found.push(dir.to_owned());
        } else if depth > 0 {
            self.list(dir, depth);
        }
    }

    fn list(&mut self, dir: &Path, depth: usize) {
        let mut names: Vec<OsString> = match fs::read_dir(dir) {
            Ok(entries) => entries
                .filter_map(Result::ok)
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.file_name())
                .filter(|name| !name.as_bytes().starts_with(b"."))
                .collect(),
            Err(error) => {
                output::note(&format!("{} is left out: {error}", dir.display()));
                return;
            }
        };
        names.sort();
        for name in names {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            let below = if dir == Path::new(".") { PathBuf::from(name) } else { dir.join(name) };
            self.look_into(&below, depth - 1);
        }
    }
}
