//! Files in memory, for what a command reads and prints.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// A file that holds `input`, and is read from its start.
pub(crate) fn input_file(input: &[u8]) -> io::Result<File> {
    let mut file = memory_file(c"stdin")?;
    file.write_all(input)?;
    file.rewind()?;
    Ok(file)
}

/// A file opened for appending, so that the log limit can hold.
pub(crate) fn output_file(name: &CStr) -> io::Result<File> {
    let file = memory_file(name)?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
    Ok(file)
}

fn memory_file(name: &CStr) -> io::Result<File> {
    Ok(memfd_create(name, MFdFlags::MFD_CLOEXEC)?.into())
}

/// Reads all that was written to a file.
pub(crate) fn contents(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
