//! How a sweep fares: bars at a terminal, a plain line now and then elsewhere; and no tracing among them.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sortie_sweep::Progress;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::output::one_line;
use crate::sweep_summary::counts;

/// How often bars are drawn anew.
const FRAME: Duration = Duration::from_millis(100);
/// How often it is looked whether a line is due …
const LOOK: Duration = Duration::from_secs(1);
/// … which it is after so long, or so much progress.
const LINE: Duration = Duration::from_secs(10);
const SHARE: f64 = 0.1;

/// The bars that are on the terminal now.
static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Standard error, with bars out of the way while something is written.
pub(crate) struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bars = BARS.lock().unwrap_or_else(PoisonError::into_inner);
        match &*bars {
            Some(bars) => bars.suspend(|| io::stderr().write(bytes)),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Shows how a sweep fares, until it is dropped.
pub(crate) struct Display {
    seen: watch::Receiver<Progress>,
    ticks: Interval,
    since: Instant,
    /// How many were done then.
    before: usize,
    form: Form,
}

enum Form {
    Bars {
        bar: ProgressBar,
        gist: ProgressBar,
    },
    /// When the last one was said, and how much was done then.
    Lines {
        at: Instant,
        share: f64,
    },
}

impl Display {
    pub(crate) fn start(seen: watch::Receiver<Progress>) -> Self {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let form = if dumb || !io::stderr().is_terminal() {
            Form::Lines { at: Instant::now(), share: share(&seen.borrow()) }
        } else {
            bars(&seen.borrow())
        };
        let every = if matches!(form, Form::Bars { .. }) { FRAME } else { LOOK };
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let before = seen.borrow().done.total();
        Self { seen, ticks, since: Instant::now(), before, form }
    }

    /// Waits until it is time to show something, and does.
    pub(crate) async fn next(&mut self) {
        self.ticks.tick().await;
        let now = self.seen.borrow().clone();
        let gist = self.gist(&now);
        match &mut self.form {
            Form::Bars { bar, gist: line } => {
                bar.set_position(now.done.total() as u64);
                bar.set_message(places(&now));
                line.set_message(gist);
            }
            Form::Lines { at, share: last } => {
                if at.elapsed() >= LINE || share(&now) >= *last + SHARE {
                    (*at, *last) = (Instant::now(), share(&now));
                    self.line(&now);
                }
            }
        }
    }

    fn line(&self, now: &Progress) {
        let (done, total) = (now.done.total(), now.candidates);
        say(&format!("{done} of {total} done, {}; {}", places(now), self.gist(now)));
    }

    /// What came of those that are done, how fast it goes, and for how long it will.
    fn gist(&self, now: &Progress) -> String {
        let mut gist = counts(&now.done);
        let done = now.done.total().saturating_sub(self.before);
        if done > 0 {
            let rate = number(done) / self.since.elapsed().as_secs_f64().max(0.001);
            let left = number(now.candidates - now.done.total()) / rate;
            let _ = write!(gist, "; {rate:.1}/s, {} left", clock(left));
        }
        if let Some(best) = &now.best {
            let _ = write!(gist, "; best {} ({})", best.score, one_line(&best.id));
        }
        gist
    }
}

/// Says something that is to be seen once.
pub(crate) fn say(what: &str) {
    let _ = Writer.write_all(format!("{what}\n").as_bytes());
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Form::Bars { bar, gist } = &self.form {
            gist.finish_and_clear();
            bar.finish_and_clear();
            *BARS.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

fn bars(now: &Progress) -> Form {
    let style = |template| {
        let style = ProgressStyle::with_template(template);
        style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
    };
    let all = MultiProgress::new();
    let bar = all.add(ProgressBar::new(now.candidates as u64));
    bar.set_style(style("[{bar:24}] {pos}/{len} {wide_msg}"));
    let gist = all.add(ProgressBar::new_spinner());
    gist.set_style(style("{wide_msg}"));
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = Some(all);
    Form::Bars { bar, gist }
}

/// As in `4 running, 20 queued, 64 waiting`.
fn places(now: &Progress) -> String {
    let Progress { running, queued, waiting, .. } = now;
    format!("{running} running, {queued} queued, {waiting} waiting")
}

fn share(now: &Progress) -> f64 {
    number(now.done.total()) / number(now.candidates.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn number(count: usize) -> f64 {
    count as f64
}

/// As in `01:02:03`.
fn clock(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
