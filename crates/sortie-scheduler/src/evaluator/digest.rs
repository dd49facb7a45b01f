//! Which evaluator judged: the SHA-256 of its file, read once for as long as the file stays the same.

use std::fmt::Write;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use sortie_config::{JobConfig, JobSpec};

use crate::here::Here;

/// A larger file has no hash, as reading it would hold jobs up.
const LARGEST: u64 = 256 << 20;
/// How often a file is read that changes meanwhile.
const TRIES: u32 = 3;
const AT_ONCE: usize = 64 << 10;
/// A file system that counts time in ticks gives two changes within one tick the same time. No tick is as long as this …
const TICK: Duration = Duration::from_millis(100);
/// … and no clock of a file server is believed to be wrong by less than this.
const AGE: Duration = Duration::from_secs(2);

/// The hash of one evaluator: as it is when it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Digest(Mutex<Option<Known>>);

/// A file that was read.
#[derive(Debug)]
struct Known {
    state: State,
    since: Instant,
    /// Whether any later change gives it another state.
    settled: bool,
    sha256: Arc<str>,
}

/// What changes with a file's content: its device, inode, size, and the times of its last changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State(u64, u64, u64, [i64; 4]);

impl State {
    fn of(file: &Metadata) -> Self {
        let times = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()];
        Self(file.dev(), file.ino(), file.size(), times)
    }
}

impl Digest {
    /// In hexadecimal digits. A file that has not changed costs one `stat`. `None` where there is nothing to be read.
    pub(crate) fn of(&self, spec: &JobSpec, here: &Here) -> Option<Arc<str>> {
        let (path, found) = file(spec, here)?;
        let state = State::of(&found);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.as_ref().filter(|known| known.state == state);
        if let Some(Known { settled: true, sha256, .. }) = before {
            return Some(sha256.clone());
        }
        let since = before.map_or_else(Instant::now, |known| known.since);
        let is_old = SystemTime::now().duration_since(changed_at(&found)).is_ok_and(|it| it >= AGE);
        let settled = is_old || since.elapsed() >= TICK;
        let (read, sha256) = read(&path).ok().flatten()?;
        let sha256: Arc<str> = sha256.into();
        let (since, settled) =
            if read == state { (since, settled) } else { (Instant::now(), false) };
        *known = Some(Known { state: read, since, settled, sha256: sha256.clone() });
        Some(sha256)
    }
}

/// The file that is hashed: the evaluator's, or of a directory the one that Python runs. `None` where jobs do not get that of
/// this machine, as in a container that has an evaluator of its own.
fn file(spec: &JobSpec, here: &Here) -> Option<(PathBuf, Metadata)> {
    if spec.container().is_some_and(|container| !container.mount_workspace) {
        return None;
    }
    let path = here.cwd.join(&spec.evaluator);
    let found = fs::metadata(&path).ok()?;
    if !found.is_dir() {
        return found.is_file().then_some((path, found));
    }
    ["__main__.py", "__main__.pyc"].into_iter().find_map(|name| {
        let path = path.join(name);
        let found = fs::metadata(&path).ok()?;
        found.is_file().then_some((path, found))
    })
}

fn changed_at(file: &Metadata) -> SystemTime {
    let since_epoch = u64::try_from(file.ctime()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since_epoch + 1)
}

/// The hash of a file, and the state in which it was read; `None` for one that is too large, or changes all the time.
fn read(path: &Path) -> io::Result<Option<(State, String)>> {
    // What has taken the file's place meanwhile must not be waited for.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut file = File::options().read(true).custom_flags(flags).open(path)?;
    for _ in 0..TRIES {
        let before = file.metadata()?;
        if !before.is_file() || before.len() > LARGEST {
            return Ok(None);
        }
        let sha256 = hash(&mut file)?;
        let state = State::of(&before);
        if State::of(&file.metadata()?) == state {
            return Ok(Some((state, sha256)));
        }
        file = File::options().read(true).custom_flags(flags).open(path)?;
    }
    Ok(None)
}

fn hash(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut bytes = vec![0; AT_ONCE];
    let mut file = file.take(LARGEST);
    loop {
        match file.read(&mut bytes)? {
            0 => break,
            count => hash.update(&bytes[..count]),
        }
    }
    let mut digits = String::with_capacity(64);
    for byte in hash.finalize() {
        let _ = write!(digits, "{byte:02x}"); // a text has room
    }
    Ok(digits)
}

/// The SHA-256 of the evaluator that a job with these settings would get now, in hexadecimal digits.
///
/// It is that of the file at `eval_program_path`, of a directory that of its `__main__.py`. Modules that the evaluator imports
/// are not part of it. `None` for a file that cannot be read or is larger than 256 MiB, and in containers that do not get
/// the files of this machine (`mount_workspace: false`).
pub fn evaluator_sha256(config: &JobConfig) -> Option<String> {
    let here = Here::now().ok()?;
    Digest::default().of(&config.spec(), &here).map(|sha256| sha256.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sortie_config::{LocalDockerJobConfig, LocalJobConfig};

    use super::*;

    /// As `printf x | sha256sum` prints them.
    const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const OF_A: &str = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    const OF_B: &str = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

    fn config(evaluator: &Path) -> JobSpec {
        let config =
            LocalJobConfig { eval_program_path: evaluator.to_owned(), ..LocalJobConfig::default() };
        JobConfig::from(config).spec()
    }

    #[test]
    fn of_a_file_of_a_directory_and_of_nothing() {
        let here = Here::now().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let of = |path: &Path| Digest::default().of(&config(path), &here);
        assert_eq!(of(dir.path()), None);
        assert_eq!(of(&dir.path().join("missing")), None);
        assert_eq!(of(Path::new("/dev/null")), None);
        let main = dir.path().join("__main__.py");
        fs::write(&main, "a").unwrap();
        assert_eq!(of(dir.path()).as_deref(), Some(OF_A));
        fs::write(dir.path().join("helper.py"), "b").unwrap();
        assert_eq!(of(dir.path()).as_deref(), Some(OF_A));
        fs::write(&main, "").unwrap();
        assert_eq!(of(&main).as_deref(), Some(OF_NOTHING));
        let large = File::create(&main).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        assert_eq!(of(&main), None);
    }

    #[test]
    fn a_change_of_the_same_length_within_the_same_tick_is_seen() {
        let here = Here::now().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("evaluate.py");
        let (config, digest) = (config(&path), Digest::default());
        for _ in 0..200 {
            for (text, expected) in [("a", OF_A), ("b", OF_B)] {
                fs::write(&path, text).unwrap();
                assert_eq!(digest.of(&config, &here).as_deref(), Some(expected));
            }
        }
    }

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let here = Here::now().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("evaluate.py");
        fs::write(&path, "a").unwrap();
        let (config, digest) = (config(&path), Digest::default());
        assert_eq!(digest.of(&config, &here).as_deref(), Some(OF_A));
        let known = || digest.0.lock().unwrap().as_ref().unwrap().settled;
        assert!(!known(), "it was written just now");
        digest.0.lock().unwrap().as_mut().unwrap().since -= TICK;
        assert_eq!(digest.of(&config, &here).as_deref(), Some(OF_A));
        assert!(known());
        // Nobody reads what says something else of the same state.
        digest.0.lock().unwrap().as_mut().unwrap().sha256 = "known".into();
        assert_eq!(digest.of(&config, &here).as_deref(), Some("known"));
        fs::write(&path, "bb").unwrap();
        assert_ne!(digest.of(&config, &here).as_deref(), Some("known"));
    }

    #[test]
    fn a_container_with_files_of_its_own_has_none() {
        let here = Here::now().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("evaluate.py");
        fs::write(&path, "a").unwrap();
        let of = |mount_workspace| {
            let config = LocalDockerJobConfig {
                eval_program_path: path.clone(),
                mount_workspace,
                ..LocalDockerJobConfig::default()
            };
            Digest::default().of(&JobConfig::from(config).spec(), &here)
        };
        assert_eq!((of(true).as_deref(), of(false)), (Some(OF_A), None));
    }
}
