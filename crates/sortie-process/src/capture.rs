//! A short command run for what it prints.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;

use thiserror::Error;

use crate::memory_file::{contents, input_file, output_file};
use crate::{Command, Exit, Files, RunError, SpawnError, Supervisor};

/// What a command printed, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// How it ended; [`Exit::stopped`] tells whether it ran into one of its limits.
    pub exit: Exit,
    /// Its standard output, at most [`Limits::log_bytes`](crate::Limits::log_bytes) of it.
    pub stdout: Vec<u8>,
    /// Its standard error, likewise.
    pub stderr: Vec<u8>,
}

/// Why there is nothing to tell of a captured command.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// It was not handed over to be run.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It was not started, or how it ended is not known.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its input or output cannot be held in memory.
    #[error("cannot keep what {program:?} reads and prints in memory: {cause}")]
    Memory {
        /// The command's program.
        program: OsString,
        /// What the kernel said, such as that no more files may be opened.
        cause: io::Error,
    },
}

impl Supervisor {
    /// Runs `command` to its end, with `input` as its standard input. Dropping the future kills the
    /// command, with all its processes.
    ///
    /// Input and output are files in memory, not pipes: a command that does not read its input, or
    /// leaves a process behind that holds on to its output, blocks nobody.
    pub async fn capture(&self, command: &Command, input: &[u8]) -> Result<Captured, CaptureError> {
        let memory = |cause| CaptureError::Memory { program: command.program.clone(), cause };
        let stdin = input_file(input).map_err(memory)?;
        let mut stdout = output_file(c"stdout").map_err(memory)?;
        let mut stderr = output_file(c"stderr").map_err(memory)?;
        let files = Files { stdout: stdout.as_fd(), stderr: stderr.as_fd(), hold: None };
        let mut process = self.spawn_with_input(command, files, Some(stdin.as_fd())).await?;
        let exit = process.wait().await?;
        let (stdout, stderr) = (contents(&mut stdout), contents(&mut stderr));
        Ok(Captured { exit, stdout: stdout.map_err(memory)?, stderr: stderr.map_err(memory)? })
    }
}
