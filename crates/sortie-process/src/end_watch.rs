//! A template that forked a command's first process, until it has told how that ended.

use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::fork_server::ForkServer;
use crate::tree;

/// How often it is looked whether the first process is over, where its template has not said so, …
const MISTRUST: Duration = Duration::from_millis(500);
/// … and for how long it may say nothing then.
const TEMPLATE_HANGS: Duration = Duration::from_secs(1);

/// Waits for what a fork server tells of the end of a command's first process.
pub(crate) struct EndWatch<'a> {
    pub(crate) fork_server: &'a mut ForkServer,
    /// When to look whether the first process is over.
    next_look: Instant,
    /// Since when it is known to be over.
    over: Option<Instant>,
}

impl<'a> EndWatch<'a> {
    pub(crate) fn new(fork_server: &'a mut ForkServer) -> Self {
        Self { fork_server, next_look: Instant::now() + MISTRUST, over: None }
    }

    /// Whether the first process has been over for long, and nothing was said of that: it comes to the reaper once
    /// the template is gone.
    pub(crate) fn hangs(&mut self, first: Option<Pid>) -> bool {
        let now = Instant::now();
        if now < self.next_look {
            return false;
        }
        self.next_look = now + MISTRUST;
        self.over = self.over.or(Some(now)).filter(|_| first.is_some_and(tree::is_over));
        self.over.is_some_and(|since| now - since >= TEMPLATE_HANGS)
    }
}
