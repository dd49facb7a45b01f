//! Tracing to standard error.

use std::env;
use std::io;

use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
/// warnings only.
pub(crate) fn start(verbose: bool) -> Result<(), Failure> {
    let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let to_stderr = tracing_subscriber::fmt::layer().with_writer(|| Writer).with_ansi(colours);
    let filter = match (filter(), verbose) {
        (Some(value), _) => {
            parse(&value).map_err(|problem| Failure::LogFilter { value, problem })?
        }
        (None, true) => Targets::new().with_default(LevelFilter::INFO),
        (None, false) => Targets::new().with_default(LevelFilter::WARN),
    };
    tracing_subscriber::registry().with(filter).with(to_stderr).init();
    Ok(())
}

/// Reads levels and targets with levels, separated by commas. Spans and fields, which
/// `tracing_subscriber::EnvFilter` knows too, would bring regular expressions into the tool.
fn parse(value: &str) -> Result<Targets, String> {
    let parts: Vec<_> = value.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    if let Some(part) = parts.iter().find(|it| it.contains('[')) {
        return Err(format!("`{part}` must be LEVEL or TARGET=LEVEL, without a span or fields"));
    }
    parts.join(",").parse().map_err(|error: ParseError| error.to_string())
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::LevelFilter;

    use super::*;

    #[test]
    fn targets_and_levels_are_read() {
        let read = parse("warn, sortie_process=debug,").unwrap();
        let mut targets: Vec<_> = read.iter().collect();
        targets.sort_unstable_by_key(|(target, _)| *target);
        assert_eq!(targets, [("sortie_process", LevelFilter::DEBUG)]);
        assert_eq!(read.default_level(), Some(LevelFilter::WARN));
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let problem = parse("info,sortie[job]=debug").unwrap_err();
        let right = "`sortie[job]=debug` must be LEVEL or TARGET=LEVEL, without a span or fields";
        assert_eq!(problem, right);
        assert!(parse("a=b").is_err() && parse("a=b=c").is_err());
    }
}
