//! Who gets which devices: plain data, without clock, machine or tasks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What one job at a time has to itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Device {
    /// A GPU, as a process finds it in this variable.
    Gpu {
        variable: &'static str,
        id: Arc<str>,
    },
    Cpu(u32),
}

/// What a job asks for: so many of each list. No device is in two lists.
#[derive(Debug, Default)]
pub(crate) struct Ask(pub(crate) Vec<Pick>);

/// So many of these devices.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) count: usize,
    pub(crate) of: Vec<Device>,
}

impl Ask {
    /// What is dealt for it where all is free.
    pub(crate) fn first(&self) -> Vec<Device> {
        self.free(|_| true)
    }

    /// How many such there can be at once.
    pub(crate) fn at_once(&self) -> usize {
        let of_each = self.0.iter().filter_map(|pick| pick.of.len().checked_div(pick.count));
        of_each.min().unwrap_or(usize::MAX)
    }

    /// The place of these among all that are dealt where everybody asks for this.
    pub(crate) fn place(&self, devices: &[Device]) -> usize {
        let of = |pick: &Pick| {
            let at = pick.of.iter().position(|device| devices.first() == Some(device))?;
            at.checked_div(pick.count)
        };
        self.0.iter().find_map(of).unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.0.iter().map(|pick| pick.count).sum()
    }

    /// The first of each list that are free, as many as are asked for or fewer.
    fn free(&self, is_free: impl Fn(&Device) -> bool) -> Vec<Device> {
        let of = |pick: &Pick| {
            let free = pick.of.iter().filter(|device| is_free(device));
            free.take(pick.count).cloned().collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }
}

/// A place in the queue.
pub(crate) type Ticket = u64;

/// Which devices are out, and who waits for some.
#[derive(Debug, Default)]
pub(crate) struct Dealer {
    out: HashSet<Device>,
    /// In the order of their coming, since tickets count up.
    waiting: BTreeMap<Ticket, Arc<Ask>>,
    /// What is dealt, and not collected yet.
    dealt: HashMap<Ticket, Vec<Device>>,
    last: Ticket,
}

impl Dealer {
    /// Joins the queue.
    pub(crate) fn join(&mut self, ask: Arc<Ask>) -> Ticket {
        self.last += 1;
        self.waiting.insert(self.last, ask);
        self.deal();
        self.last
    }

    /// The devices for this ticket, once; `None` while it waits.
    pub(crate) fn collect(&mut self, ticket: Ticket) -> Option<Vec<Device>> {
        self.dealt.remove(&ticket)
    }

    /// Leaves the queue, if the ticket's devices were not collected.
    pub(crate) fn leave(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
        let dealt = self.dealt.remove(&ticket).unwrap_or_default();
        self.give_back(&dealt);
    }

    pub(crate) fn give_back(&mut self, devices: &[Device]) {
        for device in devices {
            self.out.remove(device);
        }
        self.deal();
    }

    /// Deals to all that can be served, who has waited longest first. What is free of what that asks for, and not enough, is kept
    /// for it: those who ask for less do not get ahead of it for ever.
    ///
    /// The first devices of a list go first, so that jobs which all ask for the same are dealt the same few sets again and
    /// again: what is kept for a set, as a warm evaluator is, is of use.
    fn deal(&mut self) {
        let mut kept = HashSet::new();
        let Self { out, waiting, dealt, .. } = self;
        waiting.retain(|ticket, ask| {
            let devices = ask.free(|device| !out.contains(device) && !kept.contains(device));
            if devices.len() < ask.count() {
                kept.extend(devices);
                return true;
            }
            out.extend(devices.iter().cloned());
            dealt.insert(*ticket, devices);
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(id: u32) -> Device {
        Device::Gpu { variable: "CUDA_VISIBLE_DEVICES", id: id.to_string().into() }
    }

    fn of_8_gpus(count: usize) -> Pick {
        Pick { count, of: (0..8).map(gpu).collect() }
    }

    fn of_cpus(count: usize, cpus: u32) -> Pick {
        Pick { count, of: (0..cpus).map(Device::Cpu).collect() }
    }

    fn ask<const N: usize>(picks: [Pick; N]) -> Arc<Ask> {
        Arc::new(Ask(picks.into()))
    }

    fn gpus<const N: usize>(ids: [u32; N]) -> Vec<Device> {
        ids.map(gpu).into()
    }

    #[test]
    fn each_device_is_out_once_and_the_first_come_again() {
        let (mut dealer, two) = (Dealer::default(), ask([of_8_gpus(2)]));
        assert_eq!(two.at_once(), 4);
        assert_eq!([[0, 1], [4, 5], [6, 7]].map(|ids| two.place(&gpus(ids))), [0, 2, 3]);
        let tickets: Vec<_> = (0..5).map(|_| dealer.join(two.clone())).collect();
        let hands: Vec<_> = tickets[..4].iter().map(|ticket| dealer.collect(*ticket)).collect();
        assert_eq!(hands, [[0, 1], [2, 3], [4, 5], [6, 7]].map(|ids| Some(gpus(ids))));
        assert_eq!(dealer.collect(tickets[4]), None);
        // A ticket is good once.
        assert_eq!(dealer.collect(tickets[0]), None);
        dealer.give_back(&gpus([4, 5]));
        dealer.give_back(&gpus([2, 3]));
        assert_eq!(dealer.collect(tickets[4]), Some(gpus([4, 5])));
        let next = dealer.join(two);
        assert_eq!(dealer.collect(next), Some(gpus([2, 3])));
    }

    #[test]
    fn who_asks_for_many_is_not_passed_for_ever_by_those_who_ask_for_one() {
        let (mut dealer, one) = (Dealer::default(), ask([of_8_gpus(1)]));
        let mut running: Vec<_> = (0..8).map(|_| dealer.join(one.clone())).collect();
        let many = dealer.join(ask([of_8_gpus(4)]));
        running.extend((0..8).map(|_| dealer.join(one.clone())));
        // Each that ends would make room for one more.
        for ended in 0..4 {
            assert_eq!(dealer.collect(many), None);
            let devices = dealer.collect(running[ended]).unwrap();
            dealer.give_back(&devices);
            assert_eq!(dealer.collect(running[8]), None);
        }
        assert_eq!(dealer.collect(many), Some(gpus([0, 1, 2, 3])));
        dealer.give_back(&gpus([0, 1, 2, 3]));
        assert_eq!(dealer.collect(running[8]), Some(gpus([0])));
    }

    #[test]
    fn no_more_is_kept_than_is_asked_for() {
        let mut dealer = Dealer::default();
        let all = dealer.join(ask([of_8_gpus(8)]));
        let both = dealer.join(ask([of_8_gpus(1), of_cpus(2, 8)]));
        let cpus = dealer.join(ask([of_cpus(6, 8)]));
        let too_many = dealer.join(ask([of_cpus(1, 8)]));
        assert!(dealer.collect(all).is_some());
        assert_eq!(dealer.collect(both), None);
        assert_eq!(dealer.collect(cpus), Some((2..8).map(Device::Cpu).collect()));
        assert_eq!(dealer.collect(too_many), None);
        // What was kept for one that gives up is free.
        dealer.leave(both);
        assert_eq!(dealer.collect(too_many), Some(vec![Device::Cpu(0)]));
    }

    #[test]
    fn what_was_dealt_to_one_that_gives_up_goes_to_the_next() {
        let (mut dealer, all) = (Dealer::default(), ask([of_8_gpus(8)]));
        let [first, second] = [(); 2].map(|()| dealer.join(all.clone()));
        assert_eq!(dealer.collect(second), None);
        dealer.leave(first);
        assert!(dealer.collect(second).is_some());
        // One that has collected has nothing to leave.
        dealer.leave(second);
        assert_eq!(dealer.collect(dealer.last), None);
        let third = dealer.join(all);
        assert_eq!(dealer.collect(third), None);
    }

    #[test]
    fn gpus_and_cpus_of_jobs_that_ask_alike_go_together() {
        let mut dealer = Dealer::default();
        let share = ask([of_8_gpus(2), of_cpus(3, 10)]);
        assert_eq!(share.at_once(), 3);
        let [a, b, c] = [(); 3].map(|()| {
            let ticket = dealer.join(share.clone());
            dealer.collect(ticket).unwrap()
        });
        for (given_back, also) in [(&c, &a), (&b, &c), (&a, &b)] {
            dealer.give_back(given_back);
            dealer.give_back(also);
            let mut dealt = [(); 2].map(|()| {
                let ticket = dealer.join(share.clone());
                dealer.collect(ticket).unwrap()
            });
            let mut expected = [given_back.clone(), also.clone()];
            let by_name = |devices: &Vec<Device>| format!("{devices:?}");
            dealt.sort_by_key(by_name);
            expected.sort_by_key(by_name);
            assert_eq!(dealt, expected);
        }
    }
}
