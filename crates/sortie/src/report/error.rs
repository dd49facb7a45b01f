//! Why there is no report.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::exit_status;

/// Why there is no report.
#[derive(Debug, Error)]
pub(crate) enum ReportError {
    #[error("{} is not the directory of a sweep: it has no ledger.jsonl and no results.jsonl", .dir.display())]
    NoResults { dir: PathBuf },
    #[error("cannot read {}: {cause}", .path.display())]
    Read { path: PathBuf, cause: io::Error },
    #[error("cannot write {}: {cause}", .path.display())]
    Write { path: PathBuf, cause: io::Error },
    #[error("cannot serve at 127.0.0.1:{port}: {cause}")]
    Listen { port: u16, cause: io::Error },
    #[error("the report does not fit into memory")]
    TooLarge,
}

impl ReportError {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::TooLarge => exit_status::INFRASTRUCTURE,
            _ => exit_status::SETUP,
        }
    }

    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoResults { .. } | Self::Read { .. } => {
                Some("name the directory given to `sortie sweep --out`")
            }
            Self::Write { .. } => Some("name another place with --out, or `--out -` to print it"),
            Self::Listen { .. } => Some("without --port any free one is taken"),
            Self::TooLarge => None,
        }
    }
}
