//! `sortie report`: a sweep as a page to look at.

mod error;
mod file;
mod host;
mod serve;
mod settings;
mod source;

use std::path::PathBuf;

use sortie_report::Page;
use tokio::runtime::Builder;

use crate::failure::Failure;
use crate::signals::Signals;
use crate::{exit_status, output};
use source::Source;

pub(crate) use error::ReportError;

const AFTER_HELP: &str = "\
Writes DIR/report.html, which is complete in itself, and prints its path: who ranks
where, how the score rose, what ran when and where, what went wrong, with logs.
It may be written while the sweep runs, and again; there is never half a file.

With --watch the page is served to browsers on this machine instead, and follows the
sweep until Ctrl-C. Its address, which is printed, holds a secret: other users of
the machine cannot guess it.

Example:
  sortie report sweeps/monday && xdg-open sweeps/monday/report.html";

/// Write a page that shows a sweep: ranking, charts, failures with their logs
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The sweep's directory
    dir: PathBuf,
    /// Where the page goes; `-` is standard output [default: DIR/report.html]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Serve the page on 127.0.0.1 as the sweep goes on, until Ctrl-C
    #[arg(short, long, conflicts_with = "out")]
    watch: bool,
    /// The port to serve at; any free one by default
    #[arg(long, value_name = "N", requires = "watch")]
    port: Option<u16>,
}

pub(crate) fn execute(args: &Args) -> Result<u8, Failure> {
    let mut source = Source::open(&args.dir)?;
    if args.watch {
        return watch(source, args.port.unwrap_or(0));
    }
    if !source.is_sweep() {
        return Err(ReportError::NoResults { dir: args.dir.clone() }.into());
    }
    source.refresh()?;
    let html = source.report().html(Page::File).map_err(|_| ReportError::TooLarge)?;
    let printed = match &args.out {
        Some(out) if out.as_os_str() == "-" => output::print(html.as_bytes()),
        out => {
            let path = out.clone().unwrap_or_else(|| args.dir.join("report.html"));
            file::replace(&path, html.as_bytes())?;
            output::print(format!("{}\n", output::one_line(&path.to_string_lossy())).as_bytes())
        }
    };
    printed.map_err(Failure::Output)?;
    Ok(exit_status::CORRECT)
}

/// Serves until a signal asks to stop, which is the way to end it and so no failure.
fn watch(source: Source, port: u16) -> Result<u8, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(Failure::Runtime)?;
        let server = serve::Server::bind(source, port).await?;
        output::print(format!("{}\n", server.url()).as_bytes()).map_err(Failure::Output)?;
        tokio::select! {
            () = server.run() => {}
            _ = signals.next() => {}
        }
        Ok(exit_status::CORRECT)
    })
}
