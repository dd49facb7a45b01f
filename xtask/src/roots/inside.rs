//! A root that is entered for a while, as a user who is not root and without network.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Cmd, Shell, cmd};

use super::ensure;
use crate::{private, workspace};

/// A root with one more user, who is not root; for one command at a time.
pub(crate) struct Inside {
    dir: PathBuf,
    root: PathBuf,
    release: &'static str,
    _lock: File,
}

impl Inside {
    /// Makes the root of a release with some packages if need be, in a directory of this name under `target`.
    pub(crate) fn new(
        sh: &Shell,
        name: &str,
        release: &'static str,
        packages: &str,
    ) -> Result<Self> {
        let dir = workspace::target(name);
        let root = dir.join(release);
        ensure(sh, &root, release, packages)?;
        let lock = private::lock(&dir)?;
        prepare(&dir.join("over"), &root, release)?;
        let script = concat!(include_str!("enter.sh"), include_str!("run.sh"));
        sh.write_file(dir.join("run.sh"), script)?;
        Ok(Self { dir, root, release, _lock: lock })
    }

    /// What a command there, in a directory of the work tree, starts with: for a user who is not root, without network, and with
    /// nothing of this process's environment.
    pub(crate) fn command<'a>(&self, sh: &'a Shell, dir: &Path) -> Cmd<'a> {
        sh.cmd("unshare")
            .args(["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh"])
            .args([&self.dir.join("run.sh"), &self.root, &self.dir])
            .args([Path::new(self.release), workspace::root(), Path::new("--"), dir])
            .quiet()
    }

    /// Where the root is, and what else is made for it.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The user's home, from here.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.join("over/home/ann")
    }

    /// Of a package, as in `apptainer 1.4.5-2`.
    pub(crate) fn version(&self, sh: &Shell, package: &str) -> Result<String> {
        let packages = self.root.join("var/lib/dpkg");
        let version = cmd!(sh, "dpkg-query --admindir={packages} --show {package}").quiet();
        Ok(version.read()?.replace('\t', " "))
    }
}

/// Makes what is mounted over the root's directories and accounts: empty ones, and one more user.
fn prepare(over: &Path, root: &Path, release: &str) -> Result<()> {
    private::remove(over)?;
    let made = || -> std::io::Result<()> {
        for dir in ["etc", "home/ann", "run", "tmp", "var/tmp"] {
            fs::create_dir_all(over.join(dir))?;
        }
        for dir in ["tmp", "var/tmp"] {
            fs::set_permissions(over.join(dir), Permissions::from_mode(0o1777))?;
        }
        chown(over.join("home/ann"), Some(1000), Some(1000))?;
        for (name, line) in [
            ("passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n"),
            ("group", "ann:x:1000:\n"),
            ("shadow", "ann:!:20000:0:99999:7:::\n"),
        ] {
            let accounts = fs::read_to_string(root.join("etc").join(name))?;
            fs::write(over.join("etc").join(name), accounts + line)?;
        }
        // In the root, as it is the same for all that enter it.
        for name in ["subuid", "subgid"] {
            fs::write(root.join("etc").join(name), "ann:100000:65536\n")?;
        }
        fs::write(over.join("etc/hosts"), format!("127.0.0.1 localhost {release}\n"))
    };
    made().with_context(|| format!("cannot make {}", over.display()))
}
