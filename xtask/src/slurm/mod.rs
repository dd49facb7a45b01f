//! A private Slurm of one node, for tests and for looking around. Needs root, on Debian 12.
//!
//! It keeps to a directory of its own under `target`, to ports of its own on the loopback
//! interface, and to daemons of its own, beside any other Slurm on the machine. A start is always
//! afresh: nothing of an earlier run is taken up again. What belongs to the cluster is told by what
//! the processes are (see [`processes`]), not by pid files; whatever state an earlier xtask was
//! killed in, [`up`] and [`down`] come to terms with it.

mod layout;
mod processes;
mod settings;
mod start;
mod stop;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use rustix::process::geteuid;
use xshell::Shell;

use crate::{packages, private};
use layout::Layout;

/// Which of the two clusters; both can be up at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flavour {
    /// Without accounting, under `target/slurm`.
    Plain,
    /// With accounting in a database, under `target/slurm-accounting`.
    Accounting,
}

/// A cluster that is up.
pub(crate) struct Cluster {
    /// What `SLURM_CONF` must say for Slurm's commands to find it.
    pub(crate) conf: PathBuf,
    /// By this call, which then is the one to stop it; otherwise it was up before.
    pub(crate) started: bool,
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start it, unless it is up; returns when it runs jobs
    Up(Which),
    /// Stop it with all of its jobs
    Down(Which),
    /// Show what of it is running
    Status(Which),
}

#[derive(Args, Clone, Copy)]
pub(crate) struct Which {
    /// The other one, with accounting (slurmdbd and its database)
    #[arg(long)]
    accounting: bool,
}

impl Which {
    fn flavour(self) -> Flavour {
        if self.accounting { Flavour::Accounting } else { Flavour::Plain }
    }
}

/// `cargo xtask slurm`.
pub(crate) fn run(sh: &Shell, task: &Task) -> Result<()> {
    match task {
        Task::Up(which) => {
            let cluster = up(sh, which.flavour())?;
            let state = if cluster.started { "is up" } else { "was up already" };
            println!(
                "slurm {state}; for its commands: export SLURM_CONF={}",
                cluster.conf.display()
            );
            Ok(())
        }
        Task::Down(which) => down(which.flavour()),
        Task::Status(which) => status(sh, which.flavour()),
    }
}

/// Starts the cluster, unless it is up; installs the packages it needs where they are missing.
/// What of it ran without being well is stopped first, and so is all of it if it does not come up.
pub(crate) fn up(sh: &Shell, flavour: Flavour) -> Result<Cluster> {
    packages::ensure(sh, packages::SLURM)?;
    if flavour == Flavour::Accounting {
        packages::ensure(sh, packages::ACCOUNTING)?;
    }
    need_root()?;
    let layout = Layout::of(flavour)?;
    let _lock = private::lock(&layout.dir)?;
    if start::is_up(sh, &layout) {
        return Ok(Cluster { conf: layout.conf(), started: false });
    }
    stop::all(&layout)?;
    let started = settings::write(&layout).and_then(|()| start::all(sh, &layout));
    match started {
        Ok(()) => Ok(Cluster { conf: layout.conf(), started: true }),
        Err(error) => {
            let error = error.context(format!("{}\nSlurm did not come up", layout.log_tails()));
            stop::all(&layout)?;
            Err(error)
        }
    }
}

/// Does something with the cluster up, and stops it again if that started it.
pub(crate) fn with<T>(
    sh: &Shell,
    flavour: Flavour,
    work: impl FnOnce(&Cluster) -> Result<T>,
) -> Result<T> {
    let cluster = up(sh, flavour)?;
    let done = work(&cluster);
    let stopped = if cluster.started { down(flavour) } else { Ok(()) };
    let done = done?;
    stopped.map(|()| done)
}

/// Stops the cluster's daemons and its jobs, and waits for their end. Their logs stay.
pub(crate) fn down(flavour: Flavour) -> Result<()> {
    need_root()?;
    let layout = Layout::of(flavour)?;
    let _lock = private::lock(&layout.dir)?;
    stop::all(&layout)
}

fn status(sh: &Shell, flavour: Flavour) -> Result<()> {
    let layout = Layout::of(flavour)?;
    for process in processes::of(&layout) {
        println!("{:>8} {}", process.pid.as_raw_nonzero(), process.program);
    }
    let state = if start::is_up(sh, &layout) { "up" } else { "not up" };
    println!("slurm is {state}: SLURM_CONF={}", layout.conf().display());
    Ok(())
}

fn need_root() -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "a private Slurm needs root to be started and stopped: its daemons run as root"
    );
    Ok(())
}
