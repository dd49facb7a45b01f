//! The namespaces of a cluster that has a root of its own, and how to get inside.
//!
//! All of it lives in one PID namespace, so that the end of the first process there ends everything.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rustix::process::Pid;
use xshell::{Cmd, Shell};

use super::{layout::Layout, release::Release, shape::Shape, start::wait_until};
use crate::private;

/// What its first process runs.
const INIT: &str = concat!("set -x\n", include_str!("../roots/enter.sh"), include_str!("init.sh"));

/// The host's name there.
pub(super) const HOST: &str = "ctl";

/// For commands inside, where none of this machine's is meant.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What of this process's environment a command of the plain user gets: what tests and the programs of this
/// workspace are told.
const PASSED_ON: &[&[u8]] = &[b"SORTIE_", b"INSTA_", b"RUST_", b"TERM="];

/// Makes the namespaces, and waits until they are as they should be.
pub(super) fn begin(sh: &Shell, layout: &Layout, release: Release, shape: &Shape) -> Result<Pid> {
    // The paths are arguments of the script's: no shell reads them.
    sh.cmd("setsid")
        .args(["--fork", "sh", "-c", r#"exec >"$0" 2>&1 </dev/null "$@""#])
        .arg(layout.dir.join("log/init.log"))
        .args(["unshare", "--mount", "--net", "--pid", "--uts", "--ipc"])
        .args(["--fork", "--kill-child", "sh", "-c", INIT, "init.sh"])
        .args([release.root().as_os_str(), layout.dir.as_os_str(), HOST.as_ref()])
        .args(shape.bound())
        .quiet()
        .run()
        .context("cannot make namespaces")?;
    wait_until("the root is entered", || first(layout).is_some())?;
    first(layout).context("the first process in the root has ended")
}

/// The first process of the cluster's PID namespace, once all is in place there.
pub(super) fn first(layout: &Layout) -> Option<Pid> {
    let mut mark = b"SORTIE_PRIVATE_SLURM=".to_vec();
    mark.extend(layout.dir.as_os_str().as_encoded_bytes());
    private::first_of_namespace(&mark)
}

/// A command inside, as root.
pub(super) fn command<'a>(sh: &'a Shell, layout: &Layout, first: Pid) -> Cmd<'a> {
    enter(sh, first).args(["env", "-i", "HOME=/root", "USER=root"]).args(common(layout))
}

/// A command inside as a user, in a directory if it is there too, else at the user's home.
pub(super) fn command_as<'a>(
    sh: &'a Shell,
    layout: &Layout,
    first: Pid,
    user: &str,
    dir: &Path,
) -> Cmd<'a> {
    let home = if user == "root" { "/root".into() } else { PathBuf::from("/home").join(user) };
    let there = Path::new("/proc").join(first.as_raw_nonzero().to_string()).join("root");
    let is_there = there.join(dir.strip_prefix("/").unwrap_or(dir)).is_dir();
    let assigned = |name: &str, value: &OsStr| [name.as_ref(), value].join("=".as_ref());
    let passed_on = std::env::vars_os().filter_map(|(name, value)| {
        let assigned = [name, value].join("=".as_ref());
        let bytes = assigned.as_encoded_bytes();
        PASSED_ON.iter().any(|start| bytes.starts_with(start)).then_some(assigned)
    });
    enter(sh, first)
        .args(["setpriv", "--reuid", user, "--regid", user, "--init-groups", "env", "-i"])
        .arg("--chdir")
        .arg(if is_there { dir } else { &home })
        .arg(assigned("HOME", home.as_os_str()))
        .args([format!("USER={user}"), format!("LOGNAME={user}")])
        .args(common(layout))
        .args(passed_on)
}

fn enter(sh: &Shell, first: Pid) -> Cmd<'_> {
    let target = first.as_raw_nonzero().to_string();
    sh.cmd("nsenter")
        .args(["--target", &target, "--mount", "--net", "--pid", "--uts", "--ipc"])
        .quiet()
}

fn common(layout: &Layout) -> [OsString; 4] {
    let mut conf = OsString::from("SLURM_CONF=");
    conf.push(layout.conf());
    [conf, PATH.into(), "SHELL=/bin/bash".into(), "LANG=C.UTF-8".into()]
}
