//! The processes below a process, found and signalled.
//!
//! A subreaper (`PR_SET_CHILD_SUBREAPER`, prctl(2)) becomes the parent of every descendant whose own
//! parent dies, so no process can leave the tree below it, whatever session or group it moves to.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgrp, getpid};

/// A process, as `/proc/PID/stat` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
}

/// Sends `signal` to every process below this one, save `spared`.
pub(crate) fn signal(signal: Signal, spared: Option<Pid>) -> io::Result<()> {
    let mut below = descendants(&processes()?, getpid().as_raw(), &HashSet::new());
    let is_spared = |process: &Process| Some(process.pid) == spared.map(Pid::as_raw);
    let of_spared = below.iter().find(|process| is_spared(process)).map(|process| process.group);
    below.retain(|process| !is_spared(process));
    send(signal, &below, of_spared);
    Ok(())
}

/// Sends `signal` to every process below this one, save what is in the trees of `spared`. Returns
/// how many there were.
pub(crate) fn signal_others(signal: Signal, spared: &HashSet<Pid>) -> io::Result<usize> {
    let below = descendants(&processes()?, getpid().as_raw(), spared);
    send(signal, &below, None);
    Ok(below.len())
}

/// Signals processes, in their groups, but for the group of this process and the one given.
///
/// A group is signalled as a whole: the kernel lets no `fork` of a member slip through in between.
/// All members of such a group are in the tree, as a group never reaches beyond its session, and
/// each tree's root starts a session.
fn send(signal: Signal, processes: &[Process], spared_group: Option<i32>) {
    let not_whole = [Some(getpgrp().as_raw()), spared_group];
    let (single, grouped): (Vec<&Process>, Vec<&Process>) =
        processes.iter().partition(|process| not_whole.contains(&Some(process.group)));
    for group in grouped.iter().map(|process| process.group).collect::<HashSet<_>>() {
        let _ = killpg(Pid::from_raw(group), signal);
    }
    for process in single {
        let _ = kill(Pid::from_raw(process.pid), signal);
    }
}

/// Whether a process has ended, all its threads, and waits for its parent to take note.
pub(crate) fn is_over(pid: Pid) -> bool {
    let fields = fields(pid);
    fields.first().is_some_and(|state| state == "Z") && fields.get(17).is_some_and(|n| n == "1")
}

/// The processor that a process last ran on.
pub(crate) fn last_processor(pid: Pid) -> Option<usize> {
    fields(pid).get(36)?.parse().ok()
}

/// The fields of `proc_pid_stat(5)` from the third on, the state; none of a process that is gone.
fn fields(pid: Pid) -> Vec<String> {
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = after_name(&stat).map(String::from_utf8_lossy).unwrap_or_default();
    fields.split_whitespace().map(str::to_owned).collect()
}

/// Whether `child` is the only child of this process, which has one thread.
///
/// The kernel's list (`proc_pid_children(5)`) may miss a child while others go: here none does, as
/// this process is the one that lets them go. Without it (`CONFIG_PROC_CHILDREN`), all are looked at.
pub(crate) fn is_only_child(child: Pid) -> bool {
    let own = getpid();
    match fs::read_to_string(format!("/proc/self/task/{own}/children")) {
        Ok(children) => children.split_whitespace().eq([child.to_string()]),
        Err(_) => processes()
            .is_ok_and(|all| descendants(&all, own.as_raw(), &HashSet::from([child])).is_empty()),
    }
}

fn descendants(all: &[Process], root: i32, spared: &HashSet<Pid>) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(*process);
    }
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            if !spared.contains(&Pid::from_raw(child.pid)) {
                parents.push(child.pid);
                found.push(child);
            }
        }
    }
    found
}

fn processes() -> io::Result<Vec<Process>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // A process that ends meanwhile is no error.
        if let Ok(stat) = fs::read(format!("/proc/{pid}/stat"))
            && let Some(process) = parse(pid, &stat)
        {
            all.push(process);
        }
    }
    Ok(all)
}

/// Reads `PID (NAME) STATE PARENT GROUP …`, `proc_pid_stat(5)`; the name may hold anything.
fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    let mut fields = str::from_utf8(after_name(stat)?).ok()?.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Process { pid, parent, group })
}

/// When a process was started, in ticks of the machine's clock.
pub(crate) fn started(pid: Pid) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    str::from_utf8(after_name(&stat)?).ok()?.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The fields after the name, from the state on.
fn after_name(stat: &[u8]) -> Option<&[u8]> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    Some(&stat[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_other_fields() {
        let found = parse(7, b"7 (a) R 1 1) (b) S 42 43 44 0 -1").unwrap();
        assert_eq!(found, Process { pid: 7, parent: 42, group: 43 });
    }

    #[test]
    fn descendants_are_found_at_any_depth_and_spared_trees_left_out() {
        let process = |pid, parent| Process { pid, parent, group: pid };
        let all = [process(5, 4), process(2, 1), process(4, 2), process(3, 1), process(6, 3)];
        let pids = |spared: &[i32]| {
            let spared = spared.iter().map(|pid| Pid::from_raw(*pid)).collect();
            let mut found: Vec<_> = descendants(&all, 1, &spared).iter().map(|p| p.pid).collect();
            found.sort_unstable();
            found
        };
        assert_eq!(pids(&[]), [2, 3, 4, 5, 6]);
        assert_eq!(pids(&[3]), [2, 4, 5]);
        assert_eq!(pids(&[2, 3]), [] as [i32; 0]);
    }

    #[test]
    fn this_process_is_listed_below_its_parent() {
        let own = getpid().as_raw();
        let found = processes().unwrap().into_iter().find(|p| p.pid == own).unwrap();
        assert_eq!(found.parent, nix::unistd::getppid().as_raw());
        assert_eq!(found.group, getpgrp().as_raw());
    }
}
