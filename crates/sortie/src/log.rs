//! Tracing to standard error, where asked for.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

const VARIABLE: &str = "RUST_LOG";

/// Whether `RUST_LOG` says something.
fn filter() -> Option<String> {
    let value = env::var_os(VARIABLE)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

/// Whether there is tracing: whatever else is shown on standard error would get in its way.
pub(crate) fn is_on(verbose: bool) -> bool {
    verbose || filter().is_some()
}

/// Starts tracing as `RUST_LOG` says, or else, if verbose, from `info` on.
pub(crate) fn start(verbose: bool) -> Result<(), Failure> {
    let filter = match (filter(), verbose) {
        (Some(value), _) => EnvFilter::builder()
            .parse(&value)
            .map_err(|error| Failure::LogFilter { value, problem: error.to_string() })?,
        (None, true) => EnvFilter::new("info"),
        (None, false) => return Ok(()),
    };
    let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colours && io::stderr().is_terminal())
        .init();
    Ok(())
}
