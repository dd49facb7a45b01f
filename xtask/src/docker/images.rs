//! The images for tests, made of Debian's packages: nothing is pulled.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::{layout::Layout, podman::podman, start::docker};

/// One that is loaded, and kept as a file too.
pub(crate) struct Image {
    /// Under a registry that is not there: a pull fails, and at once.
    pub(crate) name: &'static str,
    /// As `docker save` writes it.
    pub(crate) tar: PathBuf,
}

/// How one is made; what changes the recipe gives it another tag.
struct Recipe {
    name: &'static str,
    file: &'static str,
    packages: &'static [&'static str],
}

const PYTHON: Recipe = Recipe {
    name: "localhost/sortie-python:1",
    file: "python-1.tar",
    packages: &[
        "busybox-static",
        "libbz2-1.0",
        "libc6",
        "libexpat1",
        "libffi8",
        "liblzma5",
        "libpython3.11-minimal",
        "libpython3.11-stdlib",
        "libssl3",
        "libuuid1",
        "python3.11-minimal",
        "zlib1g",
    ],
};

const BUSYBOX: Recipe = Recipe {
    name: "localhost/sortie-busybox:1",
    file: "busybox-1.tar",
    packages: &["busybox-static"],
};

/// Makes sure that both engines have both images: Python's and busybox's.
pub(super) fn load(sh: &Shell, layout: &Layout) -> Result<[Image; 2]> {
    Ok([load_one(sh, layout, &PYTHON)?, load_one(sh, layout, &BUSYBOX)?])
}

fn load_one(sh: &Shell, layout: &Layout, recipe: &Recipe) -> Result<Image> {
    let Recipe { name, file, .. } = recipe;
    let tar = layout.dir.join("images").join(file);
    if !tar.exists() {
        make(sh, layout, recipe, &tar).with_context(|| format!("cannot make the image {name}"))?;
    }
    for engine in [docker, podman] {
        let known = engine(sh, layout).args(["image", "inspect", name]);
        if known.ignore_stdout().ignore_stderr().run().is_err() {
            let load = engine(sh, layout).args(["load", "--quiet", "--input"]).arg(&tar);
            load.ignore_stdout().run().with_context(|| format!("cannot load {}", tar.display()))?;
        }
    }
    Ok(Image { name, tar })
}

fn make(sh: &Shell, layout: &Layout, recipe: &Recipe, tar: &Path) -> Result<()> {
    let build = layout.dir.join("build");
    sh.remove_path(&build)?;
    let root = build.join("root");
    sh.create_dir(&root)?;
    unpack(sh, &build, &root, recipe.packages)?;
    finish(sh, &root)?;
    let files = build.join("root.tar");
    cmd!(sh, "tar --create --file {files} --directory {root} --owner=0 --group=0 .")
        .quiet()
        .run()?;
    docker(sh, layout)
        .args(["import", "--change", "ENV PATH=/usr/bin:/bin", "--change", r#"CMD ["/bin/sh"]"#])
        .arg(&files)
        .arg(recipe.name)
        .ignore_stdout()
        .run()?;
    // Beside it and renamed: half a file would be taken for a whole one by the next start.
    let saved = build.join("image.tar");
    docker(sh, layout).args(["save", "--output"]).arg(&saved).arg(recipe.name).run()?;
    sh.create_dir(tar.parent().unwrap_or(tar))?;
    fs::rename(&saved, tar)?;
    sh.remove_path(&build)?;
    Ok(())
}

/// Downloads the packages and unpacks them, running none of their scripts.
fn unpack(sh: &Shell, build: &Path, root: &Path, packages: &[&str]) -> Result<()> {
    let _here = sh.push_dir(build);
    // It warns of a directory that its own user cannot write to.
    cmd!(sh, "apt-get download --quiet=2").args(packages).quiet().ignore_stderr().run()?;
    for file in sh.read_dir(build)?.iter().filter(|it| it.extension().is_some_and(|it| it == "deb"))
    {
        cmd!(sh, "dpkg-deb --extract {file} {root}").quiet().run()?;
    }
    Ok(())
}

/// What the packages' scripts would have done, as far as it is of use here.
fn finish(sh: &Shell, root: &Path) -> Result<()> {
    for unused in ["doc", "locale", "man", "lintian"] {
        sh.remove_path(root.join("usr/share").join(unused))?;
    }
    for dir in ["etc", "proc", "usr/bin"] {
        sh.create_dir(root.join(dir))?;
    }
    sh.write_file(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
    sh.write_file(root.join("etc/group"), "root:x:0:\n")?;
    sh.create_dir(root.join("tmp"))?;
    cmd!(sh, "chmod 1777").arg(root.join("tmp")).quiet().run()?;
    if root.join("usr/bin/python3.11").exists() {
        for name in ["python", "python3"] {
            symlink("python3.11", root.join("usr/bin").join(name))?;
        }
    }
    for tool in cmd!(sh, "busybox --list").quiet().read()?.lines() {
        let link = root.join("bin").join(tool);
        if fs::symlink_metadata(&link).is_err() {
            symlink("busybox", link)?;
        }
    }
    Ok(())
}
