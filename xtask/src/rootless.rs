//! The tests of containers with a Podman that has no root: that of a Debian release, in a root of its own, for a user who is
//! nobody special. There are no control groups and no network in it.

use std::fs;

use anyhow::{Context, Result};
use xshell::Shell;

use crate::{apptainer::image, interrupt::Interrupts, programs, roots::Inside};

/// What the root has beside the smallest Debian.
const PACKAGES: &str = "podman,netavark,catatonit,uidmap,crun,busybox-static,iproute2,procps";

/// What Podman is to do without: what it would use of a network, of systemd and of control groups.
const SETTINGS: &str = "[containers]\nnetns = \"none\"\ncgroups = \"disabled\"\n\
                        [engine]\nruntime = \"crun\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n";

/// Tests of Docker alone.
const OF_DOCKER: [&str; 7] = [
    "a_command_of_the_engine_that_is_killed",
    "an_engine_that_is_not_there",
    "gpus_are_those_that_were_assigned",
    "out_of_memory_is_told_apart",
    "settings_of_the_command_that_cannot_be_read",
    "what_is_pulled_is_kept_for_other_nodes",
    "who_submits_is_another_user_in_a_rootless_engine",
];

/// Loads the image, and runs the tests.
const RUN: &str =
    r#"podman load --quiet --input "$SORTIE_TEST_BUSYBOX_TAR" >/dev/null && exec "$@""#;

/// Whose Podman it is.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Which {
    Bookworm,
    Sid,
    All,
}

impl Which {
    fn releases(self) -> &'static [&'static str] {
        match self {
            Self::Bookworm => &["bookworm"],
            Self::Sid => &["sid"],
            Self::All => &["bookworm", "sid"],
        }
    }
}

/// Builds the tests, and runs those of containers as the user.
pub(crate) fn test(sh: &Shell, which: Which) -> Result<()> {
    let interrupts = Interrupts::take()?;
    let programs = programs::build(sh, &["sortie-script"])?;
    for release in which.releases() {
        let inside = Inside::new(sh, "rootless", release, PACKAGES)?;
        let archive = image::make(sh, inside.dir(), inside.root())?;
        let settings = inside.home().join("containers.conf");
        fs::write(&settings, SETTINGS)
            .with_context(|| format!("cannot write {}", settings.display()))?;
        for program in &programs {
            let command = inside
                .command(sh, &program.dir)
                .args(["SORTIE_TEST_ROOTLESS=1", "INSTA_UPDATE=no"])
                .arg("CONTAINERS_CONF=/home/ann/containers.conf")
                .arg("SORTIE_TEST_CONTAINERS_CONF=/home/ann/containers.conf")
                .arg("SORTIE_TEST_BUSYBOX_IMAGE=localhost/sortie-busybox:1")
                .arg(format!("SORTIE_TEST_BUSYBOX_TAR={}", archive.display()))
                .args(["timeout", "--kill-after=60", "1800", "sh", "-c", RUN, "sh"])
                .arg(&program.path)
                .args(["container::", "--include-ignored", "--skip=::texts::"])
                .args(OF_DOCKER.map(|test| format!("--skip={test}")));
            interrupts.run(command)?;
        }
        println!(
            "test: the tests of containers passed without root, with {}",
            inside.version(sh, "podman")?
        );
    }
    Ok(())
}
