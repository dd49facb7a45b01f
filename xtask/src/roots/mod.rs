//! Root directories of Debian's releases, made once by debootstrap. They are entered by `enter.sh`.

mod inside;

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::{packages, private};
pub(crate) use inside::Inside;

/// Makes the root of a release with some packages, unless it is there, in some minutes. It gets its name as the last step, so
/// that one that was left half made is never taken for a whole one.
pub(crate) fn ensure(sh: &Shell, root: &Path, release: &str, include: &str) -> Result<()> {
    private::ensure_plain("debootstrap", root)?;
    let _lock = private::lock(root)?;
    if root.exists() {
        return Ok(());
    }
    packages::ensure(sh, packages::ROOTS)?;
    let mirror = mirror(sh)?;
    let half = root.with_extension("half");
    private::remove(&half)?;
    println!("making a root of Debian's {release} in {}: minutes, once", root.display());
    // In a mount namespace of its own, as it mounts into the root: whatever becomes of it, nothing of
    // this machine's is there when a later run removes what it left.
    let made = cmd!(
        sh,
        "unshare --mount --pid --fork --kill-child
            debootstrap --variant=minbase --include={include} {release} {half} {mirror}"
    )
    .quiet()
    .ignore_status()
    .output()?;
    let said = String::from_utf8_lossy(&made.stdout);
    let errors = said.lines().filter(|line| !line.starts_with("I: ")).collect::<Vec<_>>();
    ensure!(
        made.status.success(),
        "{}\n{}\ndebootstrap failed for {release}",
        private::tail(&half.join("debootstrap/debootstrap.log")),
        errors.join("\n"),
    );
    settle(&half)?;
    fs::rename(&half, root).with_context(|| format!("cannot create {}", root.display()))
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
