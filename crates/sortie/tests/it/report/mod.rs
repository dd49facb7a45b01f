//! `sortie report`: what it writes, as a browser shows it, and what it serves.

mod browser;
mod lines;
mod page;
mod served;
mod sweep;
mod widths;
mod written;

use crate::stage::Stage;
use browser::Browser;

/// A browser whose files are in the stage.
fn browser(stage: &Stage) -> Browser {
    Browser::start(stage.command("sh"), &stage.path("profile"))
}
