//! The processes of this machine, and what they use.

use std::{fs, io, time::Duration};

use anyhow::{Context, Result};

pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) name: String,
}

/// All that run at this moment.
pub(crate) fn all() -> io::Result<Vec<Process>> {
    Ok(fs::read_dir("/proc")?.filter_map(|entry| process(&entry.ok()?)).collect())
}

/// `None` for what is no process, or none any more.
fn process(entry: &fs::DirEntry) -> Option<Process> {
    let id = entry.file_name().to_str()?.parse().ok()?;
    // PID (NAME) STATE PARENT …, proc_pid_stat(5)
    let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
    Some(Process { id, parent, name: name.to_owned() })
}

/// The CPU time of a process with one thread, nothing if it is gone.
///
/// In nanoseconds, the first figure of `schedstat`: the times in `stat` are in hundredths of a second.
pub(crate) fn cpu(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/schedstat")).unwrap_or_default();
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// The memory of a process, in bytes: its proportional set size, in which each page counts for as
/// much as its share of the processes that have it (`proc_pid_smaps(5)`).
pub(crate) fn memory(id: u32) -> Result<u64> {
    bytes(&format!("/proc/{id}/smaps_rollup"), "Pss:")
}

/// The most memory that a process has had at a time, in bytes, shared pages in full.
pub(crate) fn peak_memory(id: u32) -> Result<u64> {
    bytes(&format!("/proc/{id}/status"), "VmHWM:")
}

/// What a line of a file that begins with `name` says, which is in kibibytes.
fn bytes(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.with_context(|| format!("{file} has no {name}"))? * 1024)
}

/// The memory of a process and of all below it.
pub(crate) fn memory_of_tree(root: u32) -> Result<u64> {
    let all = all()?;
    let mut tree = vec![root];
    let mut seen = 0;
    while let Some(&parent) = tree.get(seen) {
        seen += 1;
        tree.extend(all.iter().filter(|it| it.parent == parent).map(|it| it.id));
    }
    tree.into_iter().map(memory).sum()
}
