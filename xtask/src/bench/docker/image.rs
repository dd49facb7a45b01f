//! A large image, in an archive that the engine has not loaded.

use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::Engine;
use crate::workspace;

pub(super) const NAME: &str = "localhost/sortie-bench:1";

/// What the archive has at least, in bytes.
pub(super) const SIZE: u64 = 150_000_000;

/// The archive: Python's image, padded with bytes that do not compress. Made once, and kept.
pub(super) fn archive(sh: &Shell, engine: &Engine) -> Result<PathBuf> {
    let tar = workspace::target("bench/padded-1.tar");
    if !tar.exists() {
        make(sh, engine, &tar).with_context(|| format!("cannot make the image {NAME}"))?;
    }
    Ok(tar)
}

fn make(sh: &Shell, engine: &Engine, tar: &PathBuf) -> Result<()> {
    let build = workspace::target("bench/padded");
    sh.remove_path(&build)?;
    sh.create_dir(&build)?;
    let (root, saved, padding) =
        (build.join("root.tar"), build.join("image.tar"), SIZE.to_string());
    let container = engine.docker(sh).args(["create", engine.python.name]);
    // It warns of a network that a container of this engine has no use for.
    let container = container.ignore_stderr().read()?;
    let exported = engine.docker(sh).args(["export", "--output"]).arg(&root).arg(&container).run();
    engine.docker(sh).args(["rm", &container]).ignore_stdout().run()?;
    exported?;
    cmd!(
        sh,
        "dd if=/dev/urandom of={build}/padding bs=1M iflag=count_bytes count={padding} status=none"
    )
    .quiet()
    .run()?;
    cmd!(sh, "tar --append --file {root} --directory {build} padding").quiet().run()?;
    let path = ["--change", "ENV PATH=/usr/bin:/bin"];
    engine.docker(sh).arg("import").args(path).arg(&root).arg(NAME).ignore_stdout().run()?;
    engine.docker(sh).args(["save", "--output"]).arg(&saved).arg(NAME).run()?;
    // Half a file would be taken for a whole one by the next bench.
    std::fs::rename(&saved, tar)?;
    sh.remove_path(&build)?;
    Ok(())
}

/// Has the engine forget the image, if it knows it.
pub(super) fn unload(sh: &Shell, engine: &Engine) -> Result<()> {
    let known = engine.docker(sh).args(["images", "--quiet", NAME]).read()?;
    if !known.is_empty() {
        engine.docker(sh).args(["rmi", NAME]).ignore_stdout().run()?;
    }
    Ok(())
}
