//! The tests of Apptainer with the real one, which Debian 12 does not have: that of sid, in a root of its own, as a user
//! who is not root and without network. What sid holds changes: not a gate.

mod image;

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Cmd, Shell, cmd};

use crate::{interrupt::Interrupts, private, programs, roots, workspace};

/// What the root has beside the smallest Debian.
const PACKAGES: &str = "apptainer,busybox-static,iproute2,procps";

/// The packages with tests of Apptainer.
const PACKAGES_OF_TESTS: [&str; 2] = ["sortie-script", "sortie-scheduler"];

/// The root with Apptainer, for one at a time.
pub(crate) struct Inside {
    dir: PathBuf,
    root: PathBuf,
    _lock: File,
}

impl Inside {
    /// Makes the root if need be.
    pub(crate) fn new(sh: &Shell) -> Result<Self> {
        let dir = workspace::target("apptainer");
        let root = dir.join("sid");
        roots::ensure(sh, &root, "sid", PACKAGES)?;
        let lock = private::lock(&dir)?;
        prepare(&dir.join("over"), &root)?;
        let script = concat!(include_str!("../roots/enter.sh"), include_str!("run.sh"));
        sh.write_file(dir.join("run.sh"), script)?;
        Ok(Self { dir, root, _lock: lock })
    }

    /// What a command there, in a directory of the work tree, starts with: for a user who is not root, without network, and with
    /// nothing of this process's environment.
    pub(crate) fn command<'a>(&self, sh: &'a Shell, dir: &Path) -> Cmd<'a> {
        sh.cmd("unshare")
            .args(["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "sh"])
            .args([&self.dir.join("run.sh"), &self.root, &self.dir])
            .args([Path::new("sid"), workspace::root(), Path::new("--"), dir])
            .quiet()
    }

    /// As in `apptainer 1.4.5-2`.
    pub(crate) fn version(&self, sh: &Shell) -> Result<String> {
        let packages = self.root.join("var/lib/dpkg");
        let version = cmd!(sh, "dpkg-query --admindir={packages} --show apptainer").quiet();
        Ok(version.read()?.replace('\t', " "))
    }
}

/// Builds the tests, and runs them in the root, with those that want the real one.
pub(crate) fn test(sh: &Shell) -> Result<()> {
    let interrupts = Interrupts::take()?;
    let inside = Inside::new(sh)?;
    let programs = programs::build(sh, &PACKAGES_OF_TESTS)?;
    let archive = image::make(sh, &inside.dir, &inside.root)?;
    for program in &programs {
        let command = inside
            .command(sh, &program.dir)
            .args(["SORTIE_TEST_APPTAINER=apptainer", "INSTA_UPDATE=no"])
            .arg(format!("SORTIE_TEST_APPTAINER_ARCHIVE={}", archive.display()))
            .args(["timeout", "--kill-after=60", "1800"])
            .arg(&program.path)
            .args(["apptainer::", "--include-ignored"]);
        interrupts.run(command)?;
    }
    println!("test: the tests of Apptainer passed with {}", inside.version(sh)?);
    Ok(())
}

/// Makes what is mounted over the root's directories and accounts: empty ones, and one more user.
fn prepare(over: &Path, root: &Path) -> Result<()> {
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
        fs::write(over.join("etc/hosts"), "127.0.0.1 localhost sid\n")
    };
    made().with_context(|| format!("cannot make {}", over.display()))
}
