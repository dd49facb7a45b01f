//! Debian packages: which are missing, and installing those.

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;
use xshell::{Shell, cmd};

/// What a private Slurm runs on.
pub(crate) const SLURM: &[&str] = &["munge", "slurm-client", "slurmctld", "slurmd"];

/// What its accounting needs besides. Without `mariadb-server`, which would start a service: the
/// programs are in these.
pub(crate) const ACCOUNTING: &[&str] = &["mariadb-client-core", "mariadb-server-core", "slurmdbd"];

/// What makes the roots of Debian's releases.
pub(crate) const ROOTS: &[&str] = &["debootstrap"];

/// What private container engines run on, and what makes their images. Podman's `--init` takes
/// `catatonit`, Docker's brings its own; `runc` comes with Docker.
pub(crate) const CONTAINERS: &[&str] = &["busybox-static", "catatonit", "docker.io", "podman"];

/// What the tests run besides.
pub(crate) const TESTS: &[&str] = &["chromium", "python3", "python3-numpy", "shellcheck"];

/// Installs the packages that are missing; costs some milliseconds if none is.
pub(crate) fn ensure(sh: &Shell, packages: &[&str]) -> Result<()> {
    let missing = missing(sh, packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    ensure!(
        geteuid().is_root(),
        "these Debian packages are missing: {list}; run as root, or install them with \
         `apt-get install {list}`",
        list = missing.join(" "),
    );
    // The runlevel keeps init scripts from starting services that a private cluster has no use for.
    let apt = || {
        cmd!(sh, "apt-get -y -o DPkg::Lock::Timeout=300")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1")
    };
    apt().arg("update").run().context("cannot refresh the list of Debian packages")?;
    apt()
        .args(["install", "--no-install-recommends"])
        .args(&missing)
        .run()
        .with_context(|| format!("cannot install the Debian packages {}", missing.join(" ")))
}

fn missing<'a>(sh: &Shell, packages: &[&'a str]) -> Result<Vec<&'a str>> {
    // It exits with 1 if it has never heard of one of them.
    let listed = cmd!(sh, "dpkg-query --show --showformat '${Package} ${db:Status-Status}\n'")
        .args(packages)
        .quiet()
        .ignore_status()
        .ignore_stderr()
        .read()
        .with_context(|| {
            let list = packages.join(" ");
            format!("cannot ask dpkg; this needs Debian 12, or its packages {list}")
        })?;
    let installed = |package: &&str| listed.lines().any(|it| it == format!("{package} installed"));
    Ok(packages.iter().copied().filter(|package| !installed(package)).collect())
}
