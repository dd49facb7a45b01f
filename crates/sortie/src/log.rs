//! Tracing to standard error.

use std::env;
use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::failure::Failure;
use crate::sweep_progress::Writer;

const VARIABLE: &str = "RUST_LOG";

/// Whether `RUST_LOG` says something.
fn filter() -> Option<String> {
    let value = env::var_os(VARIABLE)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

/// Whether tracing is asked for: whatever else is shown on standard error would get in its way.
pub(crate) fn is_on(verbose: bool) -> bool {
    verbose || filter().is_some()
}

/// Starts tracing as `RUST_LOG` says, or else, if verbose, from `info` on. Without either there are
/// warnings only, for which no filter has to be built.
pub(crate) fn start(verbose: bool) -> Result<(), Failure> {
    let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let to_stderr = tracing_subscriber::fmt().with_writer(|| Writer).with_ansi(colours);
    match (filter(), verbose) {
        (Some(value), _) => {
            let filter = EnvFilter::builder().parse(&value);
            let filter =
                filter.map_err(|error| Failure::LogFilter { value, problem: error.to_string() })?;
            to_stderr.with_env_filter(filter).init();
        }
        (None, true) => to_stderr.with_max_level(LevelFilter::INFO).init(),
        (None, false) => to_stderr.with_max_level(LevelFilter::WARN).init(),
    }
    Ok(())
}
