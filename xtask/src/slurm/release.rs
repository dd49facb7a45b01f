//! Debian's releases, and a root directory of each, made once by debootstrap and kept under `target`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::{packages, private, workspace};

/// Whose Slurm a cluster has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Release {
    /// Debian 12, with Slurm 22.05 and bash 5.2
    Bookworm,
    /// Debian 13, with Slurm 24.11 and bash 5.2
    Trixie,
    /// The one that is never finished: Slurm 26.05 and bash 5.3 at the end of 2026
    Sid,
}

/// What a root has beside the smallest Debian. Slurm's nodes call `python`, which is a package of its own.
const PACKAGES: &str = "ca-certificates,python3,python-is-python3,munge,slurmctld,slurmd,slurm-client,\
                        slurmdbd,mariadb-server,procps,iproute2";

impl Release {
    /// As Debian's mirrors call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
            Self::Sid => "sid",
        }
    }

    /// Where its root is, if that was made.
    pub(super) fn root(self) -> PathBuf {
        workspace::target("slurm-roots").join(self.name())
    }

    /// Makes its root, unless it is there, in some minutes. It gets its name as the last step, so that one
    /// that was left half made is never taken for a whole one.
    pub(super) fn ensure_root(self, sh: &Shell) -> Result<()> {
        let root = self.root();
        private::ensure_plain("debootstrap", &root)?;
        let _lock = private::lock(&root)?;
        if root.exists() {
            return Ok(());
        }
        packages::ensure(sh, packages::ROOTS)?;
        let mirror = mirror(sh)?;
        let half = root.with_extension("half");
        private::remove(&half)?;
        let name = self.name();
        println!("making a root of Debian's {name} in {}: minutes, once", root.display());
        // In a mount namespace of its own, as it mounts into the root: whatever becomes of it, nothing of
        // this machine's is there when a later run removes what it left.
        let made = cmd!(
            sh,
            "unshare --mount --pid --fork --kill-child
                debootstrap --variant=minbase --include={PACKAGES} {name} {half} {mirror}"
        )
        .quiet()
        .ignore_status()
        .output()?;
        let said = String::from_utf8_lossy(&made.stdout);
        let errors = said.lines().filter(|line| !line.starts_with("I: ")).collect::<Vec<_>>();
        ensure!(
            made.status.success(),
            "{}\n{}\ndebootstrap failed for {name}",
            private::tail(&half.join("debootstrap/debootstrap.log")),
            errors.join("\n"),
        );
        settle(&half)?;
        fs::rename(&half, &root).with_context(|| format!("cannot create {}", root.display()))
    }
}

/// Readable for everybody, and on disk before it has its name.
fn settle(root: &Path) -> Result<()> {
    // Of the packages that were unpacked.
    private::remove(&root.join("var/cache/apt/archives"))?;
    let dir = File::open(root).with_context(|| format!("cannot open {}", root.display()))?;
    rustix::fs::syncfs(&dir).with_context(|| format!("cannot write {}", root.display()))
}

/// The mirror that apt uses on this machine for the release it runs.
fn mirror(sh: &Shell) -> Result<String> {
    let system = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let own = system.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let own = own.unwrap_or_default().trim_matches('"');
    let targets = cmd!(
        sh,
        "apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(CREATED_BY) $(REPO_URI)'"
    )
    .quiet()
    .read()
    .context("cannot ask apt for its mirror")?;
    let wanted = format!("{own} main Packages ");
    let mirror = targets.lines().find_map(|line| line.strip_prefix(&wanted));
    ensure!(
        mirror.is_some(),
        "apt has no mirror for {own:?}, the release this machine runs: this needs Debian, with sources for apt"
    );
    Ok(mirror.unwrap_or_default().to_owned())
}
