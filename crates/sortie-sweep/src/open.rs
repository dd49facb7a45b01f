//! A sweep in the hands of this launcher: made, or taken up again.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sortie_results::jiff::Timestamp;
use sortie_results::{Consent, Lease, LeaseError, Owner};

use crate::entry::{Entry, Header, VERSION};
use crate::files::SweepFiles;
use crate::{Candidate, Disk, Options, Session, Sweep, SweepDir, SweepError, line, names, repair};

/// How much is handed to the disk at once when a ledger is made, in bytes.
const AT_ONCE: usize = 1 << 20;

/// A sweep in the hands of this launcher, and of no other.
pub struct OpenSweep {
    pub(crate) dir: SweepDir,
    pub(crate) sweep: Sweep,
    pub(crate) files: SweepFiles,
    pub(crate) lease: Lease,
}

/// A sweep to be made.
#[derive(Debug, Clone)]
pub struct NewSweep<'a> {
    /// The settings of its jobs, kept as `settings.yaml`.
    pub settings: &'a str,
    /// Where relative paths start from: the launcher's working directory.
    pub cwd: PathBuf,
    /// How it is driven.
    pub options: Options,
    /// What there is to do; each id once, and fit for the name of a directory.
    pub candidates: Vec<Candidate>,
}

impl fmt::Debug for OpenSweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSweep").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl OpenSweep {
    /// Makes a sweep in a directory that is not there, or is empty. It is there whole, or not at all: until its ledger
    /// has its name, which is the last step, it can be made again. What is refused leaves nothing behind.
    pub fn create(
        dir: SweepDir,
        new: NewSweep<'_>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, SweepError> {
        let lease = take(&dir, &*disk)?;
        let header = Header {
            version: VERSION,
            sortie: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: Timestamp::now(),
            cwd: new.cwd,
            candidates: new.candidates.len(),
            options: new.options,
        };
        // First, since it tells that the other files are ours.
        let ledger = unfinished(&dir);
        let mut entries = vec![Entry::Sweep(header)];
        entries.extend(new.candidates.into_iter().map(Entry::Candidate));
        write(&*disk, &ledger, &entries)?;
        let settings = dir.settings_file();
        let file = disk.create(&settings).map_err(SweepError::io("create", &settings))?;
        let written = disk.append(&file, new.settings.as_bytes()).and_then(|()| disk.sync(&file));
        written.map_err(SweepError::io("write", &settings))?;
        let results = dir.results_file();
        disk.create(&results).map_err(SweepError::io("create", &results))?;
        let named = disk
            .sync_dir(dir.path())
            .and_then(|()| disk.rename(&ledger, &dir.ledger_file()))
            .and_then(|()| disk.sync_dir(dir.path()));
        named.map_err(SweepError::io("create", &dir.ledger_file()))?;
        let sweep = dir.read()?;
        Self::with(dir, sweep, 0, lease, disk)
    }

    /// Takes up a sweep again, and mends what a launcher that was killed left half written.
    pub fn resume(dir: SweepDir, disk: Arc<dyn Disk>) -> Result<Self, SweepError> {
        Self::resume_with(dir, disk, Consent::No)
    }

    /// The same, and with consent also from a launcher of which nobody can say whether it is still there.
    pub fn resume_with(
        dir: SweepDir,
        disk: Arc<dyn Disk>,
        consent: Consent,
    ) -> Result<Self, SweepError> {
        if !dir.is_sweep() {
            return Err(SweepError::NoSweep { dir: dir.path().to_owned() });
        }
        let lease = lease(&dir, consent)?;
        let (sweep, offset) = repair::repair(&dir, &*disk)?;
        Self::with(dir, sweep, offset, lease, disk)
    }

    fn with(
        dir: SweepDir,
        sweep: Sweep,
        offset: u64,
        lease: Lease,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, SweepError> {
        let score = sweep.header.options.score.clone();
        let mut files = SweepFiles::new(disk, dir.clone(), offset, score)?;
        let Owner { pid, host, .. } = Owner::this(None, None);
        files.note(&[Entry::Session(Session { at: Timestamp::now(), pid, host })])?;
        Ok(Self { dir, sweep, files, lease })
    }

    /// Drives it in another way than it was begun with, but ranks candidates as before.
    pub fn set_options(&mut self, workers: usize, in_slurm: usize, setup_failures: usize) {
        let options = &mut self.sweep.header.options;
        (options.workers, options.in_slurm) = (workers, in_slurm);
        options.setup_failures = setup_failures;
    }

    /// How far it is.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// Where it is.
    pub fn dir(&self) -> &SweepDir {
        &self.dir
    }
}

/// Makes the directory of a sweep, taken, with nothing else in it.
fn take(dir: &SweepDir, disk: &dyn Disk) -> Result<Lease, SweepError> {
    // Before anything is made, so that a refusal leaves nothing.
    if dir.path().is_dir() {
        is_free(dir)?;
    }
    let mut made = Vec::new();
    let taken = make_dir(disk, dir.path(), &mut made);
    let taken = taken.and_then(|()| lease(dir, Consent::No)).and_then(|lease| {
        // Another may have made one before we had the lease.
        is_free(dir)?;
        Ok(lease)
    });
    if taken.is_err() {
        for path in made.iter().rev() {
            // What is not empty is not ours alone, and stays.
            let _ = fs::remove_dir(path);
        }
    }
    taken
}

/// Makes the directory, and its parents, so that they survive a loss of power; `made` gets each.
fn make_dir(disk: &dyn Disk, path: &Path, made: &mut Vec<PathBuf>) -> Result<(), SweepError> {
    if path.is_dir() {
        return Ok(());
    }
    if path.exists() {
        let cause = io::Error::other("a file of that name is there");
        return Err(SweepError::Io { action: "create", path: path.to_owned(), cause });
    }
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    if let Some(parent) = parent {
        make_dir(disk, parent, made)?;
    }
    let mut create = || {
        disk.create_dir(path)?;
        made.push(path.to_owned());
        disk.sync_dir(parent.unwrap_or(Path::new(".")))
    };
    create().map_err(SweepError::io("create", path))
}

fn lease(dir: &SweepDir, consent: Consent) -> Result<Lease, SweepError> {
    let taken = Lease::take(&dir.lock_file(), &Owner::this(None, Some("sweep")), consent);
    taken.map_err(|error| match error {
        LeaseError::InUse(in_use) => SweepError::InUse(in_use.of(dir.path())),
        LeaseError::Failed { action, path, cause } => SweepError::Io { action, path, cause },
    })
}

/// What a ledger is called until it is whole.
fn unfinished(dir: &SweepDir) -> PathBuf {
    dir.path().join(format!("{}.new", names::LEDGER))
}

/// Whether nothing is in the directory but what a launcher left that was killed while it made a sweep here.
fn is_free(dir: &SweepDir) -> Result<(), SweepError> {
    let exists = || SweepError::Exists { dir: dir.path().to_owned() };
    if dir.is_sweep() {
        return Err(exists());
    }
    let unfinished = unfinished(dir);
    let ours = [dir.lock_file(), unfinished.clone(), dir.settings_file(), dir.results_file()];
    let ours = if unfinished.exists() { &ours[..] } else { &ours[..1] };
    let first_other = || -> io::Result<Option<String>> {
        for entry in fs::read_dir(dir.path())? {
            let path = entry?.path();
            if !ours.contains(&path) {
                let name = path.file_name().unwrap_or_default();
                return Ok(Some(name.to_string_lossy().into_owned()));
            }
        }
        Ok(None)
    };
    match first_other().map_err(SweepError::io("read", dir.path()))? {
        Some(_) if dir.is_sweep() => Err(exists()),
        Some(name) => Err(SweepError::NotEmpty { dir: dir.path().to_owned(), name }),
        None => Ok(()),
    }
}

fn write(disk: &dyn Disk, path: &Path, entries: &[Entry]) -> Result<(), SweepError> {
    let file = disk.create(path).map_err(SweepError::io("create", path))?;
    let write = || {
        let mut lines = Vec::new();
        for entry in entries {
            line::push(&mut lines, entry)?;
            if lines.len() >= AT_ONCE {
                disk.append(&file, &lines)?;
                lines.clear();
            }
        }
        disk.append(&file, &lines)?;
        disk.sync(&file)
    };
    write().map_err(SweepError::io("write", path))
}
