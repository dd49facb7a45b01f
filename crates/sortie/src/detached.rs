//! A launcher without a terminal: started by a command that waits only until the job is accepted.
//!
//! The command starts the tool once more, with [`FLAG`] and its own arguments. It sends the settings over a socket, as the
//! file that they are from may be readable only once (a pipe). Over the same socket it hears whether the job was accepted. A
//! launcher that finds nobody to tell gives the job up.

use std::cell::RefCell;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde::{Deserialize, Serialize};
use sortie_config::JobConfig;
use sortie_process::detach;

use crate::failure::Failure;

/// What makes a command the launcher without a terminal. For this tool alone to pass, as its first argument.
pub(crate) const FLAG: &str = "--detached";

/// What such a launcher tells its starter, as a line of JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Accepted,
    Refused { message: String, hint: Option<String>, status: u8 },
}

/// Starts this same command without a terminal, and returns when it has accepted what it is to do.
pub(crate) fn detach_this(settings: &JobConfig) -> Result<(), Failure> {
    detach_with(settings, env::args_os().skip(1))
}

/// The same with other arguments.
pub(crate) fn detach_with(
    settings: &JobConfig,
    args: impl IntoIterator<Item: AsRef<OsStr>>,
) -> Result<(), Failure> {
    start(args, Some(&settings.to_yaml().map_err(Failure::Yaml)?))
}

/// The same with arguments that need no settings.
pub(crate) fn detach(args: impl IntoIterator<Item: AsRef<OsStr>>) -> Result<(), Failure> {
    start(args, None)
}

fn start(
    args: impl IntoIterator<Item: AsRef<OsStr>>,
    settings: Option<&str>,
) -> Result<(), Failure> {
    let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
    let started = detach::start([OsString::from(FLAG)].into_iter().chain(args));
    let mut started = started.map_err(Failure::Detach)?;
    if let Some(settings) = settings {
        // If the settings do not arrive, the launcher has ended, or answers that it got none.
        let _ = send(&mut started.socket, &settings);
    }
    let mut line = String::new();
    let read = BufReader::new(started.socket).read_line(&mut line);
    match read.map(|_| serde_json::from_str(&line)) {
        Ok(Ok(Answer::Accepted)) => Ok(()),
        Ok(Ok(Answer::Refused { message, hint, status })) => {
            Err(Failure::Refused { message, hint, status })
        }
        Ok(Err(_)) | Err(_) => Err(Failure::OwnerEnded { pid: started.pid }),
    }
}

/// Does what a command that was started without a terminal does, and tells its starter if that is refused.
pub(crate) fn as_detached(
    work: impl FnOnce(&Launcher) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let launcher =
        Launcher { starter: RefCell::new(Some(detach::leave().map_err(Failure::Detach)?)) };
    let status = work(&launcher);
    if let Err(failure) = &status {
        launcher.refused(&failure.to_string(), failure.hint().as_deref(), failure.status());
    }
    status
}

/// A launcher without a terminal, to its starter.
pub(crate) struct Launcher {
    /// Until it has been told.
    starter: RefCell<Option<UnixStream>>,
}

impl Launcher {
    /// The settings, as the starter has read them.
    pub(crate) fn settings(&self) -> Result<JobConfig, Failure> {
        let mut line = String::new();
        if let Some(starter) = &*self.starter.borrow() {
            BufReader::new(starter).read_line(&mut line).map_err(Failure::Detach)?;
        }
        let text: String = serde_json::from_str(&line).map_err(|_| {
            Failure::Detach(io::Error::other(
                "the command that started it did not pass its settings on",
            ))
        })?;
        Ok(JobConfig::from_yaml(&text, "settings")?)
    }

    /// Tells the starter that the job is accepted, once; false if it had not been told and is not there any more.
    pub(crate) fn accepted(&self) -> bool {
        self.tell(&Answer::Accepted)
    }

    /// Tells the starter why the job is not, unless it has been told that it is.
    pub(crate) fn refused(&self, message: &str, hint: Option<&str>, status: u8) {
        let hint = hint.map(str::to_owned);
        self.tell(&Answer::Refused { message: message.to_owned(), hint, status });
    }

    fn tell(&self, answer: &Answer) -> bool {
        let Some(mut starter) = self.starter.take() else { return true };
        send(&mut starter, answer).is_ok()
    }
}

/// Sends a line of JSON: one that is cut short is not read as another.
fn send(socket: &mut UnixStream, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    socket.write_all(&line)
}
