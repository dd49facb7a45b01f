//! The GPUs and CPUs of this machine, dealt out to the jobs that are to have some to themselves.
//!
//! All schedulers of a process deal from one hand: what a job of one has, no job of another gets. A job joins the queue once its
//! results dir is its own and its command is planned, and has what it was dealt until nothing of it runs any more, however that
//! comes about ([`Grant`]). Other processes know nothing of it: each deals out what it may see.

mod dealer;
mod found;

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use sortie_config::{EngineKind, JobSpec, Share};
use tokio::sync::Notify;

use self::dealer::{Ask, Dealer, Pick, Ticket};
use self::found::{Cpus, Gpus};
use crate::SchedulerError;
use crate::here::Here;
use crate::local::Planned;

pub(crate) use self::dealer::Device;

/// Tells the script of a container which CPUs that is to have, as engines take them.
const FOR_CONTAINER: &str = "SORTIE_CPUSET";

/// What each job of a scheduler is dealt.
pub(crate) struct Devices {
    ask: Arc<Ask>,
    /// Whether a job is bound to its CPUs.
    bind: bool,
    in_container: bool,
    /// What there is, in words.
    found: String,
}

impl Devices {
    /// `None` where a job is to have nothing to itself.
    pub(crate) fn new(spec: &JobSpec, here: &Here) -> Result<Option<Self>, SchedulerError> {
        let Share { gpus, cpus } = spec.share();
        let (mut picks, mut words, mut bind) = (Vec::new(), Vec::new(), false);
        if let Some(count) = gpus.filter(|count| *count > 0) {
            let gpus = Gpus::find(&here.env, Path::new("/"));
            enough("gpus", count, gpus.ids.len(), &gpus.whence)?;
            if let Some(engine) = spec.container().filter(|it| it.kind == EngineKind::Docker)
                && gpus.are_amds()
            {
                return Err(SchedulerError::GpusOfContainers { engine: engine.engine.clone() });
            }
            words.push(format!("{count} of {} GPUs ({})", gpus.ids.len(), gpus.whence));
            let device = |id| Device::Gpu { variable: gpus.variable, id };
            picks.push(Pick {
                count: count as usize,
                of: gpus.ids.into_iter().map(device).collect(),
            });
        }
        if let Some(count) = cpus {
            let cpus = Cpus::find().map_err(SchedulerError::Cpus)?;
            enough("cpus", count, cpus.numbers.len(), cpus.whence())?;
            words.push(format!("{count} of {} CPUs ({})", cpus.numbers.len(), cpus.whence()));
            bind = cpus.bind;
            let of = cpus.numbers.into_iter().map(Device::Cpu).collect();
            picks.push(Pick { count: count as usize, of });
        }
        let is_some = !picks.is_empty();
        Ok(is_some.then(|| Self {
            ask: Arc::new(Ask(picks)),
            bind,
            in_container: spec.container().is_some(),
            found: words.join(", "),
        }))
    }

    /// How many jobs there is enough for at once.
    pub(crate) fn at_once(&self) -> usize {
        self.ask.at_once()
    }

    /// What a job is dealt, in words.
    pub(crate) fn in_words(&self) -> String {
        let jobs = self.at_once();
        let s = if jobs == 1 { "" } else { "s" };
        format!("each job has {} to itself: {jobs} job{s} at once", self.found)
    }

    /// Waits until there is enough for one more job. `waits` is called if it has to wait.
    pub(crate) async fn take(&self, waits: impl FnOnce()) -> Grant {
        Hand::take(&HAND, &self.ask, waits).await
    }

    /// Has a command use these.
    pub(crate) fn give(&self, devices: &[Device], planned: &mut Planned) {
        planned.place = self.ask.place(devices);
        let mut gpus: Option<(&str, String)> = None;
        for device in devices {
            match (device, &mut gpus) {
                (Device::Cpu(number), _) => planned.cpus.extend(self.bind.then_some(*number)),
                (Device::Gpu { id, .. }, Some((_, list))) => {
                    list.push(',');
                    list.push_str(id);
                }
                (Device::Gpu { variable, id }, none) => *none = Some((variable, id.to_string())),
            }
        }
        let cpus = Some(&planned.cpus).filter(|cpus| self.in_container && !cpus.is_empty());
        let cpus = cpus.map(|cpus| {
            let numbers: Vec<_> = cpus.iter().map(u32::to_string).collect();
            (FOR_CONTAINER, numbers.join(","))
        });
        for (name, value) in gpus.into_iter().chain(cpus) {
            let others = planned.env.iter().filter(|(other, _)| other != name).cloned();
            let own = (OsString::from(name), OsString::from(value));
            planned.env = others.chain([own]).collect();
        }
    }

    /// Has a command use what the first job is dealt.
    pub(crate) fn give_first(&self, planned: &mut Planned) {
        self.give(&self.ask.first(), planned);
    }
}

fn enough(
    field: &'static str,
    wanted: u32,
    found: usize,
    whence: &str,
) -> Result<(), SchedulerError> {
    if found >= wanted as usize {
        return Ok(());
    }
    Err(SchedulerError::TooFew { field, wanted, found, whence: whence.to_owned() })
}

/// By which all schedulers of this process deal.
static HAND: LazyLock<Arc<Hand>> = LazyLock::new(Arc::default);

/// Whoever waits looks again whenever something is given back.
#[derive(Default)]
struct Hand {
    dealer: Mutex<Dealer>,
    given_back: Notify,
}

impl Hand {
    async fn take(this: &Arc<Self>, ask: &Arc<Ask>, waits: impl FnOnce()) -> Grant {
        let mut waits = Some(waits);
        let ticket = this.dealer().join(ask.clone());
        let place = Place { hand: this, ticket };
        loop {
            let given_back = this.given_back.notified();
            if let Some(devices) = this.dealer().collect(place.ticket) {
                return Grant { hand: this.clone(), devices };
            }
            if let Some(waits) = waits.take() {
                waits();
            }
            given_back.await;
        }
    }

    /// The dealer stays usable if a thread panics while it holds the lock: each of its steps is done as a whole.
    fn dealer(&self) -> MutexGuard<'_, Dealer> {
        self.dealer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, which is left when nobody waits there any more.
struct Place<'a> {
    hand: &'a Hand,
    ticket: Ticket,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.hand.dealer().leave(self.ticket);
        self.hand.given_back.notify_waiters();
    }
}

/// Devices that a job has, given back when this is dropped.
pub(crate) struct Grant {
    hand: Arc<Hand>,
    devices: Vec<Device>,
}

impl Grant {
    pub(crate) fn devices(&self) -> &[Device] {
        &self.devices
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.hand.dealer().give_back(&self.devices);
        self.hand.given_back.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    fn cpus(count: usize) -> Arc<Ask> {
        Arc::new(Ask(vec![Pick { count, of: (0..2).map(Device::Cpu).collect() }]))
    }

    #[tokio::test]
    async fn who_waits_is_served_when_one_before_gives_up_or_gives_back() {
        let hand = Arc::<Hand>::default();
        let take = async |count| Hand::take(&hand, &cpus(count), || ()).await;
        let first = Hand::take(&hand, &cpus(1), || panic!("nothing is out")).await;
        assert_eq!(first.devices(), [Device::Cpu(0)]);
        // One waits for both, for which the other is kept.
        let (mut both, mut one) = (Box::pin(take(2)), Box::pin(take(1)));
        let soon = Duration::from_millis(10);
        assert!(timeout(soon, &mut both).await.is_err());
        assert!(timeout(soon, &mut one).await.is_err());
        drop(both);
        let one = one.await;
        assert_eq!(one.devices(), [Device::Cpu(1)]);

        let mut both = Box::pin(take(2));
        assert!(timeout(soon, &mut both).await.is_err());
        drop(first);
        assert!(timeout(soon, &mut both).await.is_err());
        drop(one);
        assert_eq!(both.await.devices().len(), 2);
    }
}
