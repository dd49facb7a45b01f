//! Private Slurms, for tests and for looking around. Need root, on Debian 12.
//!
//! One has the Slurm of this machine: it keeps to a directory of its own under `target`, to ports of its own
//! on the loopback interface, and to daemons of its own, beside any other Slurm on the machine. Others have
//! the Slurm of a Debian release, in a root and in namespaces of their own (see [`release`], [`inside`]).
//!
//! A start is always afresh: nothing of an earlier run is taken up again. What belongs to a cluster is told
//! by what the processes are (see [`processes`]), not by pid files; whatever state an earlier xtask was
//! killed in, [`up`] and [`down`] come to terms with it.

mod inside;
mod layout;
mod processes;
mod release;
mod settings;
mod shape;
mod start;
mod stop;
mod users;

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use rustix::process::geteuid;
use xshell::{Cmd, Shell};

use crate::{packages, private};
use layout::Layout;
pub(crate) use release::Release;
use shape::Shape;

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
    Up {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        shape: Shape,
    },
    /// Stop it with all of its jobs
    Down(Which),
    /// Show what of it is running
    Status(Which),
    /// Run a command inside, as its plain user
    Run {
        #[command(flatten)]
        which: Which,
        /// As root instead
        #[arg(long)]
        as_root: bool,
        /// The command with its arguments
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// One of the clusters. All of them can be up at once.
#[derive(Args, Clone, Copy)]
pub(crate) struct Which {
    /// The other one, with accounting (slurmdbd and its database)
    #[arg(long)]
    accounting: bool,
    /// One with the Slurm of a Debian release, in a root of its own
    #[arg(long, value_enum)]
    release: Option<Release>,
}

impl Which {
    fn layout(self) -> Result<Layout> {
        let flavour = if self.accounting { Flavour::Accounting } else { Flavour::Plain };
        Layout::of(flavour, self.release)
    }
}

/// `cargo xtask slurm`.
pub(crate) fn run(sh: &Shell, task: &Task) -> Result<()> {
    match task {
        Task::Up { which, shape } => {
            let layout = which.layout()?;
            let cluster = come_up(sh, &layout, shape)?;
            ensure!(
                Shape::read(&layout)? == *shape,
                "it is up already with other nodes, user or directories: `cargo xtask slurm down` it first"
            );
            let state = if cluster.started { "is up" } else { "was up already" };
            println!("{} {state}, {} nodes", start::version(sh, &layout)?, shape.nodes);
            match which.release {
                Some(release) => println!(
                    "as {}: cargo xtask slurm run --release {}{} -- COMMAND...",
                    shape.user,
                    release.name(),
                    if which.accounting { " --accounting" } else { "" },
                ),
                None => println!("for its commands: export SLURM_CONF={}", cluster.conf.display()),
            }
            Ok(())
        }
        Task::Down(which) => stop(&which.layout()?),
        Task::Status(which) => {
            status(sh, &which.layout()?);
            Ok(())
        }
        Task::Run { which, as_root, command } => enter(sh, &which.layout()?, *as_root, command),
    }
}

/// A cluster with the Slurm of a release, which is up.
pub(crate) struct Inside {
    layout: Layout,
    /// By this call, which then is the one to stop it.
    started: bool,
    /// As in `slurm-wlm 26.05.5`.
    pub(crate) version: String,
}

impl Inside {
    pub(crate) fn up(sh: &Shell, release: Release, flavour: Flavour) -> Result<Self> {
        let layout = Layout::of(flavour, Some(release))?;
        let started = come_up(sh, &layout, &Shape::default())?.started;
        let version = start::version(sh, &layout)?;
        Ok(Self { layout, started, version })
    }

    /// What a command there, as its plain user or as root, starts with.
    pub(crate) fn command<'a>(&self, sh: &'a Shell, as_root: bool, dir: &Path) -> Result<Cmd<'a>> {
        inside_of(sh, &self.layout, as_root, dir)
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.layout.conf()
    }

    /// Stops it, if it was not up before.
    pub(crate) fn down(&self) -> Result<()> {
        if self.started { stop(&self.layout) } else { Ok(()) }
    }
}

/// Starts the cluster of this machine's own Slurm, unless it is up.
pub(crate) fn up(sh: &Shell, flavour: Flavour) -> Result<Cluster> {
    come_up(sh, &Layout::of(flavour, None)?, &Shape::default())
}

/// Starts a cluster, unless it is up; installs the packages it needs where they are missing.
/// What of it ran without being well is stopped first, and so is all of it if it does not come up.
fn come_up(sh: &Shell, layout: &Layout, shape: &Shape) -> Result<Cluster> {
    shape.check(layout)?;
    if let Some(release) = layout.release {
        need_root()?;
        release.ensure_root(sh)?;
    } else {
        packages::ensure(sh, packages::SLURM)?;
        if layout.flavour == Flavour::Accounting {
            packages::ensure(sh, packages::ACCOUNTING)?;
        }
    }
    need_root()?;
    let _lock = private::lock(&layout.dir)?;
    if start::is_up(sh, layout) {
        return Ok(Cluster { conf: layout.conf(), started: false });
    }
    stop::all(layout)?;
    let started = settings::write(layout, shape).and_then(|()| start::all(sh, layout, shape));
    match started {
        Ok(()) => Ok(Cluster { conf: layout.conf(), started: true }),
        Err(error) => {
            let error = error.context(format!("{}\nSlurm did not come up", layout.log_tails()));
            stop::all(layout)?;
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
    stop(&Layout::of(flavour, None)?)
}

fn stop(layout: &Layout) -> Result<()> {
    need_root()?;
    let _lock = private::lock(&layout.dir)?;
    stop::all(layout)
}

fn status(sh: &Shell, layout: &Layout) {
    for process in processes::of(layout) {
        println!("{:>8} {}", process.pid.as_raw_nonzero(), process.program);
    }
    let state = if start::is_up(sh, layout) { "up" } else { "not up" };
    println!("slurm is {state}: SLURM_CONF={}", layout.conf().display());
}

/// Becomes a command in a cluster's root.
fn enter(sh: &Shell, layout: &Layout, as_root: bool, command: &[OsString]) -> Result<()> {
    let here = std::env::current_dir().context("cannot read the working directory")?;
    let entered = inside_of(sh, layout, as_root, &here)?.args(command);
    Err(Command::from(entered).exec()).context("cannot run nsenter")
}

fn inside_of<'a>(sh: &'a Shell, layout: &Layout, as_root: bool, dir: &Path) -> Result<Cmd<'a>> {
    need_root()?;
    ensure!(layout.release.is_some(), "only a cluster with --release has an inside");
    let Some(first) = inside::first(layout) else {
        bail!("it is not up: start it with `cargo xtask slurm up`")
    };
    let user = if as_root { "root".to_owned() } else { Shape::read(layout)?.user };
    Ok(inside::command_as(sh, layout, first, &user, dir))
}

fn need_root() -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "a private Slurm needs root to be started and stopped: its daemons run as root"
    );
    Ok(())
}
