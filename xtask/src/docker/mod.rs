//! A private Docker engine and a private Podman storage, for tests and for looking around. Needs
//! root, on Debian 12.
//!
//! Both keep to directories of their own under `target`, touch no network interface and no firewall
//! rule (containers have the loopback interface only, or the host's network if they ask for it), and
//! leave any other engine on the machine alone. Images stay loaded from one start to the next;
//! containers do not. What belongs to the engine is told by what the processes are (see
//! [`processes`]), not by pid files.

mod images;
mod layout;
mod podman;
mod processes;
mod start;
mod stop;

use std::ffi::OsString;

use anyhow::{Result, ensure};
use clap::Subcommand;
use rustix::process::geteuid;
use xshell::{Cmd, Shell};

use crate::{packages, private};
pub(crate) use images::Image;
use layout::Layout;

/// An engine that is up, with the images loaded into it and into Podman's storage.
pub(crate) struct Engine {
    /// What `DOCKER_HOST` must say for Docker's command to find it.
    pub(crate) host: String,
    /// Python with its standard library and a shell.
    pub(crate) python: Image,
    /// One static program: a shell and the small tools.
    pub(crate) busybox: Image,
    /// What Podman finds its private storage by.
    pub(crate) podman: [(&'static str, OsString); 2],
    /// By this call, which then is the one to stop it; otherwise it was up before.
    pub(crate) started: bool,
}

impl Engine {
    /// Docker's command, for this engine.
    pub(crate) fn docker<'a>(&self, sh: &'a Shell) -> Cmd<'a> {
        sh.cmd("docker").env("DOCKER_HOST", &self.host).quiet()
    }

    /// What tests find it by.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, OsString)> {
        let images = [("PYTHON", &self.python), ("BUSYBOX", &self.busybox)];
        let images = images.into_iter().flat_map(|(name, image)| {
            [
                (format!("SORTIE_TEST_{name}_IMAGE"), image.name.into()),
                (format!("SORTIE_TEST_{name}_TAR"), image.tar.clone().into()),
            ]
        });
        let podman = self.podman.iter();
        let podman = podman.map(|(name, value)| (format!("SORTIE_TEST_{name}"), value.clone()));
        let host = [("SORTIE_TEST_DOCKER_HOST".to_owned(), self.host.clone().into())];
        host.into_iter().chain(images).chain(podman)
    }
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start it, unless it is up; returns when it runs containers
    Up,
    /// Stop it with all of its containers; images stay
    Down,
    /// Show what of it is running
    Status,
}

/// `cargo xtask docker`.
pub(crate) fn run(sh: &Shell, task: &Task) -> Result<()> {
    match task {
        Task::Up => {
            let engine = up(sh)?;
            let state = if engine.started { "is up" } else { "was up already" };
            println!("docker {state}; for its command: export DOCKER_HOST={}", engine.host);
            for (name, value) in &engine.podman {
                println!("for podman: export {name}={}", value.display());
            }
            for image in [&engine.python, &engine.busybox] {
                println!("image {}, also in {}", image.name, image.tar.display());
            }
            Ok(())
        }
        Task::Down => down(sh),
        Task::Status => status(sh),
    }
}

/// Starts the engine, unless it is up; installs the packages and makes the images where they are
/// missing. What of it ran without being well is stopped first, and so is all of it if it does not
/// come up.
pub(crate) fn up(sh: &Shell) -> Result<Engine> {
    packages::ensure(sh, packages::CONTAINERS)?;
    ensure!(geteuid().is_root(), "a private Docker engine needs root, as does any");
    let layout = Layout::find()?;
    let _lock = private::lock(&layout.dir)?;
    let was_up = start::is_up(sh, &layout);
    if !was_up {
        stop::all(sh, &layout)?;
    }
    match come_up(sh, &layout, was_up) {
        Ok([python, busybox]) => Ok(Engine {
            host: layout.host(),
            python,
            busybox,
            podman: podman::variables(&layout),
            started: !was_up,
        }),
        Err(error) => {
            let error =
                error.context(format!("{}\nDocker did not come up", private::tail(&layout.log())));
            stop::all(sh, &layout)?;
            Err(error)
        }
    }
}

fn come_up(sh: &Shell, layout: &Layout, was_up: bool) -> Result<[Image; 2]> {
    if !was_up {
        start::engine(sh, layout)?;
        stop::remove_containers(sh, layout)?;
    }
    podman::write(layout)?;
    images::load(sh, layout)
}

/// Does something with the engine up, and stops it again if that started it.
pub(crate) fn with<T>(sh: &Shell, work: impl FnOnce(&Engine) -> Result<T>) -> Result<T> {
    let engine = up(sh)?;
    let done = work(&engine);
    let stopped = if engine.started { down(sh) } else { Ok(()) };
    let done = done?;
    stopped.map(|()| done)
}

/// Stops the engine and its containers, Podman's too, and waits for their end. Images and log stay.
pub(crate) fn down(sh: &Shell) -> Result<()> {
    let layout = Layout::find()?;
    let _lock = private::lock(&layout.dir)?;
    stop::all(sh, &layout)
}

fn status(sh: &Shell) -> Result<()> {
    let layout = Layout::find()?;
    for process in processes::of(&layout) {
        println!("{:>8} {}", process.pid.as_raw_nonzero(), process.program);
    }
    let state = if start::is_up(sh, &layout) { "up" } else { "not up" };
    println!("docker is {state}: DOCKER_HOST={}", layout.host());
    Ok(())
}
