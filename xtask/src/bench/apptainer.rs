//! Jobs in Apptainer, one at a time: by the scheduler, by the script that Slurm would run, and by `apptainer exec` alone, in the
//! root that its tests have.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use anyhow::Result;
use clap::Args;
use xshell::Shell;

use super::{docker::one, figure::Figure};
use crate::{apptainer, docker, workspace};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each job is run to be timed
    #[arg(long, default_value_t = 30)]
    rounds: usize,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<Vec<Figure>> {
    sh.create_dir(workspace::target("bench"))?;
    let inside = apptainer::inside(sh)?;
    // Which needs no engine once it is made, and is the engine's alone to read.
    let archive = workspace::target("apptainer/python.tar");
    docker::with(sh, |engine| Ok(sh.copy_file(&engine.python.tar, &archive)?))?;
    fs::set_permissions(&archive, Permissions::from_mode(0o644))?;
    eprintln!("measuring: {}", inside.version(sh, "apptainer")?);
    let command = inside
        .command(sh, workspace::root())
        .arg(env::current_exe()?)
        .args(["bench", "launcher", "one"])
        .arg(format!("docker-archive:{}", archive.display()));
    one::figures(one::Kind::Apptainer, command, options.rounds)
}
