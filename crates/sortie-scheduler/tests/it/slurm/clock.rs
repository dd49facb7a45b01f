//! The clock of a test's runtime, for what takes minutes.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A runtime's clock that goes forward only while none of the commands runs, so that none of them is found to take
/// long. With it, minutes pass in seconds.
pub(super) struct Clock {
    /// The directory that the commands have in their environment.
    commands: PathBuf,
    _held: Sender<()>,
}

impl Clock {
    /// Stops the clock.
    pub(super) fn stop(commands: PathBuf) -> Self {
        tokio::time::pause();
        // By itself it goes on when there is nothing to do, but not while a thread is blocked.
        let (held, release) = channel::<()>();
        tokio::task::spawn_blocking(move || release.recv());
        Self { commands, _held: held }
    }

    /// Lets time pass until something is so.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        self.until_in(Duration::from_secs(2), what, is_so).await;
    }

    /// The same in steps of another length, for what is looked at more often.
    pub(super) async fn until_in(&self, step: Duration, what: &str, is_so: impl Fn() -> bool) {
        let give_up = Instant::now() + Duration::from_secs(120);
        while !is_so() {
            assert!(Instant::now() < give_up, "waited for {what}");
            if !self.a_command_runs() {
                tokio::time::advance(step).await;
            }
            tokio::task::spawn_blocking(|| sleep(Duration::from_millis(10))).await.unwrap();
        }
    }

    fn a_command_runs(&self) -> bool {
        let mark = format!("SHIM_DIR={}", self.commands.display());
        fs::read_dir("/proc").unwrap().any(|entry| {
            let environ = fs::read(entry.unwrap().path().join("environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        })
    }
}
