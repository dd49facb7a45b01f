//! A small image, as `docker save` writes it, of what the root has: no engine makes it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde_json::json;
use xshell::{Shell, cmd};

/// Makes the archive, unless it is there: a busybox with all its names.
pub(crate) fn make(sh: &Shell, dir: &Path, root: &Path) -> Result<PathBuf> {
    let archive = dir.join("busybox.tar");
    if archive.exists() {
        return Ok(archive);
    }
    let build = dir.join("build");
    sh.remove_path(&build)?;
    for path in ["files/bin", "files/etc", "files/proc", "files/tmp", "files/usr/bin"] {
        sh.create_dir(build.join(path))?;
    }
    let busybox = root.join("bin/busybox");
    let bin = build.join("files/bin");
    cmd!(sh, "cp {busybox} {bin}").quiet().run()?;
    for name in cmd!(sh, "{busybox} --list").quiet().read()?.lines() {
        if name != "busybox" {
            std::os::unix::fs::symlink("busybox", bin.join(name))?;
        }
    }
    let _here = sh.push_dir(&build);
    let files = ["--owner=0", "--group=0"];
    cmd!(sh, "tar {files...} --create --file layer.tar --directory files .").quiet().run()?;
    let sum = cmd!(sh, "sha256sum layer.tar").quiet().read()?;
    let digest = sum.split(' ').next().unwrap_or_default();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/bin:/bin"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    fs::write(build.join("config.json"), config.to_string())?;
    let manifest = json!([{
        "Config": "config.json",
        "RepoTags": ["localhost/sortie-busybox:1"],
        "Layers": ["layer.tar"],
    }]);
    fs::write(build.join("manifest.json"), manifest.to_string())?;
    cmd!(sh, "tar --create --file image.tar manifest.json config.json layer.tar").quiet().run()?;
    fs::rename(build.join("image.tar"), &archive)?;
    sh.remove_path(&build)?;
    Ok(archive)
}
