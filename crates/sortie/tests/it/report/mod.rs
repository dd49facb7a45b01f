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

/// A browser whose files are in the stage; none if tests are to do without.
fn browser(stage: &Stage) -> Option<Browser> {
    let installed = stage.command("sh").args(["-c", "command -v chromium"]).output().unwrap();
    if !installed.status.success() {
        let quick = std::env::var_os("SORTIE_TEST_QUICK").is_some_and(|quick| quick == "1");
        assert!(quick, "chromium is missing: install it, or set SORTIE_TEST_QUICK=1");
        return None;
    }
    Some(Browser::start(stage.command("sh"), &stage.path("profile")))
}
