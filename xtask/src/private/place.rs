//! Directories of daemons.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// Fails if the path has more than such files can name as it is.
pub(crate) fn ensure_plain(files: &str, dir: &Path) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte);
    ensure!(
        dir.as_os_str().as_encoded_bytes().iter().copied().all(plain),
        "{files} cannot name {}: keep the work tree where the path has letters, digits and `.-_` only",
        dir.display(),
    );
    Ok(())
}

/// The directory for sockets: in `dir`, unless that is longer than leaves room for their names in an
/// address, which has 108 bytes (unix(7)).
pub(crate) fn sockets(dir: &Path, longest: usize) -> PathBuf {
    if dir.as_os_str().len() <= longest {
        dir.join("run")
    } else {
        Path::new("/run").join(format!("sortie-{:016x}", hash(dir)))
    }
}

/// A number of the path's own: the same with every build of xtask by one toolchain.
pub(crate) fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// The last lines of a log, under a heading.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(15)..];
    format!("--- {}\n{}", log.display(), tail.join("\n"))
}

/// Has one xtask at a time start or stop what is in a directory. Held until dropped, or until the
/// process ends.
pub(crate) fn lock(dir: &Path) -> Result<File> {
    let path = dir.with_extension("lock");
    let locked = || -> io::Result<File> {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        let file = File::create(&path)?;
        file.lock()?;
        Ok(file)
    };
    locked().with_context(|| format!("cannot lock {}", path.display()))
}

/// Removes a directory with all that is in it, if it is there.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}
