//! What is going on, on a line that comes and goes.

use std::borrow::Cow;
use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::one_line;

/// A spinner with the job's name, its state, and since when. It is shown only at a terminal, until it is dropped.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Of a candidate that has so much time.
    pub(crate) fn start(wanted: bool, candidate: &Path, limit: Option<Duration>) -> Self {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        if !wanted || dumb || !io::stderr().is_terminal() {
            return Self(None);
        }
        let limit = limit.map(|limit| format!(" of {} s", limit.as_secs())).unwrap_or_default();
        let template = format!("{{spinner}} {{prefix}}: {{msg}}, {{elapsed_precise}}{limit}");
        let style = ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let name = candidate.file_name().unwrap_or(candidate.as_os_str()).to_string_lossy();
        let bar = ProgressBar::new_spinner().with_style(style).with_prefix(one_line(&name));
        bar.enable_steady_tick(Duration::from_millis(100));
        let progress = Self(Some(bar));
        progress.say("starting");
        progress
    }

    /// It waits, and why.
    pub(crate) fn pending(&self, reason: &str) {
        self.say(format!("queued ({})", one_line(reason)));
    }

    /// Its time counts from here.
    pub(crate) fn running(&self) {
        if let Some(bar) = &self.0 {
            bar.reset_elapsed();
        }
        self.say("running");
    }

    pub(crate) fn say(&self, state: impl Into<Cow<'static, str>>) {
        if let Some(bar) = &self.0 {
            bar.set_message(state);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
