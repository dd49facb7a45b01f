//! The processes of a cluster.
//!
//! - A daemon has one of the known programs as its executable, and the cluster's directory in its
//!   arguments or as its working directory. (Slurm's daemons change to that of their log.)
//! - A job's process descends from one, or has Slurm's variables of a job of this cluster.
//! - In a root of its own, all are in one PID namespace.

use super::{inside, layout::Layout};
use crate::private::{self, Process, Seen};

/// The programs; Debian's alternatives have a suffix after `-`.
const DAEMONS: &[&str] = &["munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "slurmstepd"];

/// All that live now, but for zombies. Those of jobs are called `(job)`.
pub(super) fn of(layout: &Layout) -> Vec<Process> {
    if layout.release.is_none() {
        let belongs = |seen: &Seen| is_daemon(seen, layout) || is_job(seen, layout);
        return private::find(daemon, "(job)", belongs);
    }
    match inside::first(layout) {
        Some(first) => private::find(daemon, "(other)", |seen| seen.is_in_namespace_of(first)),
        None => Vec::new(),
    }
}

fn daemon(name: &str) -> Option<&'static str> {
    let name = name.split(['-', ' ']).next()?;
    DAEMONS.iter().find(|daemon| **daemon == name).copied()
}

fn is_daemon(seen: &Seen, layout: &Layout) -> bool {
    seen.program.is_some() && (seen.works_in(&layout.dir) || seen.names(&layout.dir))
}

fn is_job(seen: &Seen, layout: &Layout) -> bool {
    let conf = layout.conf();
    let conf = conf.as_os_str().as_encoded_bytes();
    seen.has_variable(|variable| variable.starts_with(b"SLURM_JOB_ID="))
        && seen.has_variable(|it| it.strip_prefix(b"SLURM_CONF=") == Some(conf))
}
