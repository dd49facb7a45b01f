//! What is said and done of a job whose files do not answer.

use std::path::Path;
use std::time::Duration;

use sortie_results::Outcome;

/// Why a job waits.
pub(crate) const HANGS: &str = "the file system of its results dir does not answer";
/// For so long the file system may not answer once a job is to be stopped.
pub(crate) const STOPPING: Duration = Duration::from_secs(10);

/// The outcome of an attempt that is over, and of which nothing can be read.
pub(crate) fn unread(results_dir: &Path) -> Outcome {
    let dir = results_dir.display();
    Outcome::Lost { reason: format!("the file system of the results dir {dir} does not answer") }
}
