//! The pool of reapers, as the launcher sees it: which are idle, and which has which template.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{FromTemplate, Template};

/// How long a template that was of no use is left alone: at first …
const REST: Duration = Duration::from_secs(60);
/// … and at most, as each time is twice the one before.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// The launcher's connection to a reaper.
pub(crate) struct Reaper {
    pub(crate) number: u64,
    pub(crate) socket: UnixStream,
    pub(crate) permit: Option<Permit>,
}

/// The permit of one reaper to have a copy of a template, of which there may be so many and not more.
#[derive(Debug)]
pub(crate) struct Permit {
    template: Arc<Template>,
    /// As many are taken as there are copies of it.
    _taken: Arc<()>,
}

/// What a command is to be had from.
pub(crate) enum Source {
    /// Its template: the reaper that has it or may have it, or the right to give it to a new one.
    Template(Result<Reaper, Permit>),
    /// Its program: an idle reaper, if there is one, and why its template is left alone, if that
    /// is so.
    Program(Option<Reaper>, Option<String>),
}

/// All reapers of a supervisor.
#[derive(Default)]
pub(crate) struct Pool(Mutex<State>);

#[derive(Default)]
struct State {
    /// Those that keep no command now, and since when; the one used last is the first to be used
    /// again.
    idle: Vec<(Reaper, Instant)>,
    templates: Vec<Known>,
}

/// What is known of a template.
struct Known {
    template: Arc<Template>,
    taken: Arc<()>,
    rest: Option<Rest>,
}

/// Why, and for how long, nobody is to ask a template.
struct Rest {
    reason: String,
    until: Instant,
    time: Duration,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes back a reaper that keeps no command any more.
    pub(crate) fn put_idle(&self, reaper: Reaper) {
        self.state().idle.push((reaper, Instant::now()));
    }

    /// Finds what a command is to be had from.
    pub(crate) fn find(&self, from: Option<&FromTemplate>) -> Source {
        let mut state = self.state();
        let Some(FromTemplate { template, .. }) = from else {
            return Source::Program(state.take_plain(), None);
        };
        let known = state.known(template);
        if let Some(reason) = known.resting() {
            return Source::Program(state.take_plain(), Some(reason));
        }
        let permit = known.permit();
        let has_it = |reaper: &Reaper| {
            reaper.permit.as_ref().is_some_and(|permit| same(&permit.template, template))
        };
        if let Some(at) = state.idle.iter().rposition(|(reaper, _)| has_it(reaper)) {
            return Source::Template(Ok(state.idle.remove(at).0));
        }
        match (permit, state.take_plain()) {
            (None, plain) => Source::Program(plain, None),
            (permit, Some(plain)) => Source::Template(Ok(Reaper { permit, ..plain })),
            (Some(permit), None) => Source::Template(Err(permit)),
        }
    }

    /// Leaves a template alone for a while that was of no use.
    pub(crate) fn rest(&self, template: &Arc<Template>, reason: &str) {
        let mut state = self.state();
        let known = state.known(template);
        let time = known.rest.as_ref().map_or(REST, |rest| LONGEST_REST.min(rest.time * 2));
        let until = Instant::now() + time;
        known.rest = Some(Rest { reason: reason.to_owned(), until, time });
    }
}

impl State {
    fn known(&mut self, template: &Arc<Template>) -> &mut Known {
        let at = self.templates.iter().position(|known| same(&known.template, template));
        let at = at.unwrap_or_else(|| {
            self.templates.retain(|known| known.taken() > 0 || known.rest.is_some());
            let known = Known { template: template.clone(), taken: Arc::default(), rest: None };
            self.templates.push(known);
            self.templates.len() - 1
        });
        &mut self.templates[at]
    }

    /// An idle reaper without a template, or one that has ended its own by now.
    fn take_plain(&mut self) -> Option<Reaper> {
        let plain = |(reaper, since): &(Reaper, Instant)| {
            reaper.permit.as_ref().is_none_or(|permit| since.elapsed() > permit.template.idle)
        };
        let (reaper, _) = self.idle.remove(self.idle.iter().rposition(plain)?);
        Some(Reaper { permit: None, ..reaper })
    }
}

impl Known {
    fn taken(&self) -> usize {
        Arc::strong_count(&self.taken) - 1
    }

    /// A permit for one more reaper, if there may be one more.
    fn permit(&self) -> Option<Permit> {
        let free = self.taken() < self.template.most;
        free.then(|| Permit { template: self.template.clone(), _taken: self.taken.clone() })
    }

    fn resting(&self) -> Option<String> {
        let rest = self.rest.as_ref()?;
        (Instant::now() < rest.until).then(|| rest.reason.clone())
    }
}

fn same(one: &Arc<Template>, other: &Arc<Template>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}
