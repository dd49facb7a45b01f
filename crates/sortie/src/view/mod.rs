//! What a directory says, of its job or sweep, to somebody who comes by.

pub(crate) mod job;
mod sweep;

pub(crate) use sweep::SweepView;

use std::io;
use std::path::Path;

use sortie_results::Sight;
use sortie_scheduler::JobView;
use sortie_sweep::SweepDir;

use crate::failure::Failure;
use crate::output;

/// A job or a sweep, by its directory.
pub(crate) enum View {
    Job(Box<JobView>),
    Sweep(Box<SweepView>),
}

impl View {
    /// Looks at it.
    ///
    /// # Errors
    ///
    /// It is not there or cannot be read, or holds neither.
    pub(crate) fn of(dir: &Path) -> Result<Self, Failure> {
        if is_sweep(dir) {
            return Ok(Self::Sweep(Box::new(SweepView::of(dir)?)));
        }
        Ok(Self::Job(Box::new(JobView::of(dir)?)))
    }

    /// Prints where it is: a line, or an object of JSON.
    pub(crate) fn show(&self, json: bool) -> Result<(), Failure> {
        let printed = match (self, json) {
            (Self::Job(job), true) => print(output::json(&job::form(job))),
            (Self::Sweep(sweep), true) => print(output::json(&sweep.form())),
            (Self::Job(job), false) => output::print_styled(&job::line(job)),
            (Self::Sweep(sweep), false) => output::print_styled(&sweep.line()),
        };
        printed.map_err(Failure::Output)
    }
}

fn print(json: io::Result<Vec<u8>>) -> io::Result<()> {
    output::print(&json?)
}

/// Whether a directory is a sweep's. A results dir is not, whatever was written there.
pub(crate) fn is_sweep(dir: &Path) -> bool {
    !Sight::is_likely(dir) && SweepDir::new(dir).is_sweep()
}
