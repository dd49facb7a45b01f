//! Keeping what this process has in memory, such as keys, from others of the same user.

use std::io;

use nix::sys::prctl;

/// Has the kernel keep the memory, environment and descriptors of this process from every process that may not look at all
/// of them, and write no core file of it (`PR_SET_DUMPABLE`, prctl(2)). Programs that it starts are as they are always; root
/// sees everything still, and other users nothing, as before. Debuggers cannot attach any more.
///
/// For a program to decide, and not for a library. The helper processes of this crate are always so.
pub fn keep_memory_private() -> io::Result<()> {
    Ok(prctl::set_dumpable(false)?)
}
