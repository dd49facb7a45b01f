//! What a container sees of the host's files.

use std::path::{Component, Path, PathBuf};

use sortie_model::WORKSPACE;

use super::{ContainerError, text};

/// A file or directory of the host in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// On the host: absolute.
    pub source: PathBuf,
    /// In the container: absolute.
    pub target: PathBuf,
    /// Whether the container may write to it.
    pub writable: bool,
}

impl Mount {
    /// As the value of `--mount`: a record of comma-separated values as RFC 4180 has them, which is
    /// how docker and podman read it (`encoding/csv` of Go), so that paths may hold any text but a
    /// carriage return before a line feed, which that reader drops.
    pub(super) fn option(&self) -> Result<String, ContainerError> {
        let field = |key: &str, path: &Path| {
            let path = text("a mounted path", path)?;
            if path.contains("\r\n") {
                return Err(ContainerError::LineBreak { path: path.into() });
            }
            let field = format!("{key}={path}");
            Ok(if field.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            })
        };
        let (source, target) = (field("source", &self.source)?, field("target", &self.target)?);
        let read_only = if self.writable { "" } else { ",readonly" };
        Ok(format!("type=bind,{source},{target}{read_only}"))
    }
}

/// The files of a job, as on the evaluator's command line but for the prefix of [`WORKSPACE`].
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The launcher's working directory: absolute.
    pub directory: &'a Path,
    /// Whether programs are mounted, read-only; otherwise the image has them, or the user's flags
    /// mount them.
    pub mount_programs: bool,
    /// The evaluator.
    pub evaluator: &'a Path,
    /// The candidate.
    pub candidate: &'a Path,
    /// The results dir.
    pub results_dir: &'a Path,
}

impl Files<'_> {
    /// What has to be mounted for the container to find them: the working directory; the results
    /// dir, writable, at its path on the host and, if given as a relative path, where that leads
    /// from [`WORKSPACE`]; and the directories of an evaluator or candidate outside the working
    /// directory, as a program may well read what is beside it.
    pub fn mounts(&self) -> Vec<Mount> {
        let mut mounts = Vec::new();
        if self.mount_programs {
            add(&mut mounts, self.directory, WORKSPACE.as_ref(), false);
            self.add_program(&mut mounts, self.evaluator);
            self.add_program(&mut mounts, self.candidate);
        }
        let results_dir = self.directory.join(self.results_dir);
        add(&mut mounts, &results_dir, &clean(&results_dir), true);
        let inside = clean(&Path::new(WORKSPACE).join(self.results_dir));
        add(&mut mounts, &results_dir, &inside, true);
        mounts
    }

    fn add_program(&self, mounts: &mut Vec<Mount>, program: &Path) {
        let source = self.directory.join(program);
        let target = clean(&Path::new(WORKSPACE).join(program));
        if target.starts_with(WORKSPACE) {
            return;
        }
        match (source.parent(), target.parent().filter(|parent| parent.parent().is_some())) {
            (Some(source), Some(target)) => add(mounts, source, target, false),
            // What is at the root is mounted alone: the root itself cannot be.
            _ => add(mounts, &source, &target, false),
        }
    }
}

/// A later one takes the place of one at the same target.
fn add(mounts: &mut Vec<Mount>, source: &Path, target: &Path, writable: bool) {
    let mount = Mount { source: source.to_owned(), target: target.to_owned(), writable };
    mounts.retain(|other| other.target != mount.target);
    mounts.push(mount);
}

/// The path without `.`, `..` and doubled slashes, as engines do it to the places of mounts.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = cleaned.pop(),
            Component::CurDir => {}
            other => cleaned.push(other),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts(evaluator: &str, candidate: &str, results_dir: &str) -> Vec<String> {
        let files = Files {
            directory: "/home/me/work".as_ref(),
            mount_programs: true,
            evaluator: evaluator.as_ref(),
            candidate: candidate.as_ref(),
            results_dir: results_dir.as_ref(),
        };
        let shown = |mount: Mount| {
            let to = if mount.writable { "=>" } else { "->" };
            format!("{} {to} {}", mount.source.display(), mount.target.display())
        };
        files.mounts().into_iter().map(shown).collect()
    }

    #[test]
    fn all_in_the_working_directory() {
        assert_eq!(
            mounts("evaluate.py", "gen/main.py", "gen/results"),
            [
                "/home/me/work -> /workspace",
                "/home/me/work/gen/results => /home/me/work/gen/results",
                "/home/me/work/gen/results => /workspace/gen/results",
            ]
        );
    }

    #[test]
    fn what_is_elsewhere_is_mounted_too() {
        assert_eq!(
            mounts("/eval/evaluate.py", "../x/main.py", "/scratch/7"),
            [
                "/home/me/work -> /workspace",
                "/eval -> /eval",
                "/home/me/work/../x -> /x",
                "/scratch/7 => /scratch/7",
            ]
        );
        // The results dir stays writable, whatever else is there.
        assert_eq!(
            mounts("/evaluate.py", "/scratch/7/main.py", "/scratch/7"),
            [
                "/home/me/work -> /workspace",
                "/evaluate.py -> /evaluate.py",
                "/scratch/7 => /scratch/7",
            ]
        );
    }

    #[test]
    fn any_path_is_a_record() {
        let option = |path: &str| {
            Mount { source: path.into(), target: "/t".into(), writable: false }.option()
        };
        assert_eq!(option("/a b:c").unwrap(), "type=bind,source=/a b:c,target=/t,readonly");
        assert_eq!(
            option("/a,\"b\"\n").unwrap(),
            "type=bind,\"source=/a,\"\"b\"\"\n\",target=/t,readonly"
        );
        assert!(option("/a\r\nb").unwrap_err().to_string().contains("carriage return"));
    }
}
