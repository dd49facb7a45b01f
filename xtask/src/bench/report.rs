//! The report of a sweep of ten thousand, opened and scrolled in a real browser. How long it takes to write is a matter of
//! the bench of sweeps.

#[path = "../../../crates/sortie/tests/it/report/browser.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests of the tool")]
mod browser;
#[path = "../../../crates/sortie/tests/it/report/lines.rs"]
#[allow(dead_code, reason = "shared with the tests of the tool")]
mod lines;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use xshell::{Shell, cmd};

use super::figure::{Figure, Target, Unit};
use crate::{packages, workspace};
use browser::Browser;

const CANDIDATES: u32 = 10_000;

/// Scrolls the ranking, so far each frame, and tells how long each frame took, in milliseconds.
const SCROLL: &str = r#"(async () => {
    const scroller = document.getElementById("scroller"), times = [];
    scroller.scrollIntoView();
    for (const step of [20, 400, 3000]) {
        scroller.scrollTop = 0;
        await new Promise((next) => setTimeout(next, 200));
        let last = await new Promise(requestAnimationFrame);
        for (let frame = 0; frame < 100; frame += 1) {
            scroller.scrollTop += step;
            const now = await new Promise(requestAnimationFrame);
            times.push(now - last);
            last = now;
        }
    }
    return times.sort((one, other) => one - other);
})()"#;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each measurement is made
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

pub(crate) fn run(sh: &Shell, options: &Options) -> Result<Vec<Figure>> {
    packages::ensure(sh, &["chromium"])?;
    cmd!(sh, "cargo build --quiet --release --package sortie").run()?;
    let tool = std::env::current_exe()?.with_file_name("sortie");
    let dir = workspace::target("bench/report");
    sh.remove_path(&dir)?;
    sh.create_dir(dir.join("sweep"))?;
    let mut text = String::new();
    for line in lines::many(CANDIDATES) {
        writeln!(text, "{line}")?;
    }
    sh.write_file(dir.join("sweep/results.jsonl"), text)?;
    let page: PathBuf = cmd!(sh, "{tool} report {dir}/sweep").quiet().read()?.into();
    let rounds = (0..options.rounds).map(|round| measure(sh, &dir, &page, round));
    let rounds = rounds.collect::<Result<Vec<_>>>()?;
    let values = |value: fn(&Round) -> f64| rounds.iter().map(value).collect::<Vec<_>>();
    let figure = |what: &str, unit, sortie, most| {
        let (what, target) = (what.to_owned(), Target::ValueAtMost(most));
        Figure { what, unit, sortie, other: None, target }
    };
    Ok(vec![
        figure("opening the report of 10,000", Unit::Seconds, values(|it| it.opened), 2.0),
        figure("a frame of scrolling, median", Unit::Seconds, values(|it| it.frame), 0.02),
        figure(
            "a frame of scrolling, 95 % within",
            Unit::Seconds,
            values(|it| it.slow_frame),
            0.05,
        ),
    ])
}

/// Seconds.
struct Round {
    opened: f64,
    frame: f64,
    slow_frame: f64,
}

fn measure(sh: &Shell, dir: &Path, page: &Path, round: usize) -> Result<Round> {
    let browser = Browser::start(cmd!(sh, "sh").into(), &dir.join(format!("profile-{round}")));
    browser.open(&format!("file://{}", page.display()));
    let opened = browser.value("performance.getEntriesByType('navigation')[0].loadEventEnd / 1e3");
    let frames = browser.value(SCROLL);
    let frames: Vec<f64> = serde_json::from_value(frames)?;
    ensure!(frames.len() == 300, "{} frames of 300 were drawn", frames.len());
    let opened = opened.as_f64().context("Chromium does not say how long it took to open")?;
    let (frame, slow_frame) = (frames[150] / 1e3, frames[285] / 1e3);
    Ok(Round { opened, frame, slow_frame })
}
