#![doc = include_str!("../README.md")]
//!
//! # Architecture invariant
//!
//! This crate knows commands, processes and log files. It must not know what a job, a setting or a
//! result is; and the system-call library it uses (nix) does not show in its API.
//!
//! # Theory of operation
//!
//! ```text
//!   launcher ──control──▶ spawn server ──fork──▶ reaper ──▶ command
//!      │                                        reaper ──▶ command
//!      └───────────one socket each──────────────┘
//! ```
//!
//! Only the parent of a process can wait for it without racing, and only a *subreaper*
//! (`PR_SET_CHILD_SUBREAPER`) becomes the parent of the orphans below it. A library must be neither in
//! its host's process. So each command has a small process of its own as its parent, a **reaper**,
//! which is a subreaper: when it has no child left, the command has no process left, whatever its
//! processes tried. Reapers are used again, as a new process for each command would cost more than the
//! command's own.
//!
//! The reapers are forked by the **spawn server**, the launcher's program started once more (before its
//! `main` runs, a hook takes it elsewhere): a small process with one thread, whose fork is cheap and safe.
//! The spawn server is a subreaper as well, and ends what is left of a command whose reaper was killed. A
//! reaper kills its command when its socket closes, the kernel tells it when the spawn server dies, and the
//! spawn server watches the launcher, so every way for one of the three to die ends the command.
//!
//! # Templates
//!
//! Where a command's set-up costs more than its work, it can be had from a [`Template`]: a process that
//! has done the set-up and forks itself. The reaper starts it as one more child and asks it over a
//! private socket. What it forks is below the reaper as well: it is limited and ended by the same code
//! as a command that was executed. Only its first process is waited for by the template, which tells
//! the reaper how that ended; all others come to the reaper, as ever. To make it the reaper's
//! own child would take a second fork, and to fork is most of what a large template does.
//! The command runs only when the reaper has said so. A template that is of no use, however that
//! is, leaves its command to be executed; [`Exit::start`] tells. One that dies while its command runs
//! takes that along: the reaper leaves then, and the command is lost.
//!
//! ```text
//!   reaper ──▶ template ──fork──▶ command
//! ```
//!
//! # Launchers
//!
//! A launcher itself can be started so that it outlives its terminal, see [`detach`]; a [`Holder`] is one that
//! others have found.
//!
//! # The launcher's side
//!
//! The launcher's side is one socket a running command, waited for in tokio's reactor: no thread, no
//! polling, no signal handler.

mod attempt;
mod capture;
mod command;
pub mod detach;
mod end_watch;
mod environment;
mod exit;
mod failure;
mod fork_server;
mod holder;
mod hook;
mod late;
mod launched;
mod logs;
mod memory_file;
mod oom;
mod open_files;
mod pool;
mod privacy;
mod process;
mod program;
mod protection;
mod reaper;
mod spawn_server;
mod supervisor;
mod sys;
mod template;
mod tree;
mod waiting;
mod warm;
mod wire;

pub use capture::{CaptureError, Captured};
pub use command::{Command, Files, Limits};
pub use environment::Environment;
pub use exit::{Exit, Start, Status, Stopped, Usage};
pub use holder::Holder;
pub use open_files::OpenFiles;
pub use privacy::keep_memory_private;
pub use process::{News, Process, RunError};
pub use protection::Protection;
pub use supervisor::{SpawnError, Supervisor};
pub use template::{FromTemplate, Template};
