//! How many jobs the limit of open files has room for: the others wait.

use std::io;

use rustix::io::Errno;
use sortie_process::OpenFiles;

/// What a job holds while it runs (its results dir, logs, lock, and the socket of its helper process), and for a moment when
/// it starts and ends.
const A_JOB: u64 = 8;
/// What else there is: results that are read, files of a sweep, commands of a cluster.
const OTHERS: u64 = 40;

/// How many jobs may run at once: so many as are asked for, or fewer where there is no room for so many, but one.
pub(crate) fn at_most(wanted: usize) -> usize {
    let Ok(OpenFiles { limit, open }) = OpenFiles::now() else { return wanted };
    let room = fit(limit.saturating_sub(open));
    if room < wanted {
        tracing::warn!(
            "{room} jobs run at once, and not {wanted}: the limit of open files is {limit} (`ulimit -Hn`)"
        );
    }
    wanted.min(room)
}

/// How many results dirs may be held open at once.
pub(crate) fn open_at_once() -> usize {
    OpenFiles::now().map_or(usize::MAX, |files| fit(files.limit.saturating_sub(files.open)))
}

fn fit(files: u64) -> usize {
    let jobs = (files.saturating_sub(OTHERS) / A_JOB).max(1);
    usize::try_from(jobs).unwrap_or(usize::MAX)
}

/// Whether an error says that no more files may be open, in this process or on the machine: that passes.
pub(crate) fn are_short(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_job_always_fits() {
        assert_eq!(fit(0), 1);
        assert_eq!(fit(256 - 16), 25);
        assert_eq!(fit(u64::MAX), usize::try_from((u64::MAX - OTHERS) / A_JOB).unwrap());
    }
}
