//! One job's story, told by hand and at random.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::JobState;
use crate::info::ExitCode;

/// A machine, and the time of its story.
struct Story {
    machine: Machine,
    begun: Instant,
    now: Instant,
}

impl Story {
    fn new() -> Self {
        let now = Instant::now();
        Self { machine: Machine::new(now, Patience::default()), begun: now, now }
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self
    }

    fn see(&mut self, seen: Observation) -> Option<Update> {
        self.machine.observe(self.now, seen)
    }

    fn tick(&mut self) -> Option<Update> {
        self.machine.tick(self.now)
    }

    fn asks(&mut self) -> Option<Question> {
        self.machine.question(self.now)
    }

    /// Lists the queue, without the job, every ten seconds until something comes of it.
    fn absent_until_news(&mut self) -> (u64, Option<Update>) {
        let from = self.now;
        for _ in 0..1000 {
            self.after(10);
            let update = self.see(Observation::Queue(None)).or_else(|| self.tick());
            if update.is_some() {
                return (self.now.duration_since(from).as_secs(), update);
            }
        }
        (u64::MAX, None)
    }
}

fn info(state: &str, host: &str, reason: &str) -> JobInfo {
    let some = |text: &str| (!text.is_empty()).then(|| text.into());
    JobInfo { host: some(host), reason: some(reason), ..JobInfo::new(JobState::parse(state)) }
}

fn queue(state: &str) -> Observation {
    Observation::Queue(Some(info(state, "n1", "")))
}

fn pending(reason: &str) -> Observation {
    Observation::Queue(Some(info("PENDING", "", reason)))
}

fn account(state: &str, exit: &str) -> Observation {
    let exit = ExitCode::parse(exit);
    Observation::Accounts(Some(JobInfo { exit, ..info(state, "n1", "") }))
}

fn ending(update: Option<Update>) -> Option<Ending> {
    match update {
        Some(Update::Ended(ended)) => Some(ended.how),
        _ => None,
    }
}

#[test]
fn a_record_that_tells_all_ends_the_job_whatever_slurm_says() {
    let mut story = Story::new();
    assert!(matches!(story.see(queue("RUNNING")), Some(Update::Started(_))));
    assert_eq!(story.after(5).see(Observation::Evidence(Evidence::None)), None);
    let update = story.see(Observation::Evidence(Evidence::Complete));
    let Some(Update::Ended(ended)) = update else { panic!("{update:?}") };
    assert_eq!((ended.how, ended.recorded), (Ending::Recorded, true));
    assert_eq!(story.see(Observation::Evidence(Evidence::Complete)), None);
    assert_eq!(story.after(9999).tick(), None);
}

#[test]
fn a_reason_is_told_once_and_again_when_it_changes() {
    let mut story = Story::new();
    assert!(matches!(story.see(pending("Priority")), Some(Update::Pending(_))));
    assert_eq!(story.see(pending("Priority")), None);
    for reason in ["JobHeldUser", "launch failed requeued held", "PartitionTimeLimit"] {
        let Some(Update::Pending(info)) = story.see(pending(reason)) else { panic!("{reason}") };
        assert_eq!(info.reason.as_deref(), Some(reason));
    }
    assert!(matches!(story.see(queue("RUNNING")), Some(Update::Started(_))));
}

#[test]
fn not_found_right_after_the_submit_is_pending() {
    let mut story = Story::new();
    for _ in 0..20 {
        assert_eq!(story.after(10).see(Observation::Queue(None)), None);
        assert_eq!(story.see(Observation::Accounts(None)), None);
    }
    assert!(matches!(story.see(queue("RUNNING")), Some(Update::Started(_))));
}

#[test]
fn a_job_that_left_the_queue_is_looked_up_in_the_accounts() {
    let mut story = Story::new();
    story.see(queue("RUNNING"));
    assert_eq!(story.after(10).asks(), None);
    story.see(Observation::Queue(None));
    assert_eq!(story.asks(), None, "its record may be a moment late");
    assert_eq!(story.after(2).asks(), Some(Question::Accounts));
    assert_eq!(story.asks(), None);
    assert_eq!(story.see(account("TIMEOUT", "0:15")), None, "its record may still come");
    assert_eq!(story.after(60).asks(), None, "nothing is left to ask");
    assert_eq!(ending(story.tick()), Some(Ending::TimedOut));
}

#[test]
fn a_late_record_is_waited_for() {
    let mut story = Story::new();
    story.see(queue("RUNNING"));
    story.after(10).see(queue("COMPLETED"));
    assert_eq!(story.after(58).tick(), None);
    let update = story.see(Observation::Evidence(Evidence::Complete));
    assert_eq!(ending(update), Some(Ending::Recorded));
}

#[test]
fn what_never_had_a_node_is_not_waited_for() {
    let mut story = Story::new();
    story.see(pending("Priority"));
    let cancelled = Observation::Queue(Some(info("CANCELLED", "", "JobHeldUser")));
    assert_eq!(ending(story.see(cancelled)), Some(Ending::Cancelled(None)));

    let mut story = Story::new();
    story.see(pending("Resources"));
    story.see(Observation::Queue(None));
    let update = story.see(Observation::Accounts(Some(info("CANCELLED by 7", "", ""))));
    assert_eq!(ending(update), Some(Ending::Cancelled(Some(7))));
}

#[test]
fn a_record_that_needs_the_state_waits_for_it_and_not_for_ever() {
    let mut story = Story::new();
    story.see(queue("RUNNING"));
    assert_eq!(story.see(Observation::Evidence(Evidence::NeedsState)), None);
    assert!(story.machine.awaits_queue());
    assert_eq!(story.see(queue("COMPLETING")), None);
    assert_eq!(ending(story.see(queue("PREEMPTED"))), Some(Ending::Preempted));

    let mut story = Story::new();
    story.see(queue("NODE_FAIL"));
    let update = story.see(Observation::Evidence(Evidence::NeedsState));
    assert_eq!(ending(update), Some(Ending::NodeFailed));

    let mut story = Story::new();
    story.see(Observation::Evidence(Evidence::NeedsState));
    story.see(Observation::Accounts(None));
    let (after, update) = story.absent_until_news();
    let Some(Update::Ended(ended)) = update else { panic!("{update:?}") };
    assert_eq!((ended.how, ended.recorded), (Ending::Lost, true));
    assert!(after <= 80, "{after}");
}

#[test]
fn a_job_nobody_knows_is_lost_after_what_each_source_deserves() {
    let lost_after = |answers: &[Observation]| {
        let mut story = Story::new();
        story.see(queue("RUNNING"));
        story.see(Observation::Queue(None));
        for answer in answers {
            assert_eq!(story.see(answer.clone()), None);
        }
        let (after, update) = story.absent_until_news();
        assert_eq!(ending(update), Some(Ending::Lost), "{answers:?}");
        after
    };
    let (forgotten, without) = (Observation::Shown(None), Observation::Accounts(None));
    assert_eq!(lost_after(&[Observation::NoAccounts, forgotten.clone()]), 60);
    assert_eq!(lost_after(&[Observation::NoAccounts]), 300);
    assert_eq!(lost_after(std::slice::from_ref(&without)), 300);
    assert_eq!(lost_after(&[]), 3600, "silence of the accounts");
    assert_eq!(lost_after(&[forgotten]), 3600, "silence of the accounts");
    assert_eq!(lost_after(&[account("RUNNING", "0:0")]), 3600, "accounts that lag behind");
    assert_eq!(lost_after(&[account("HIBERNATED", "0:0")]), 300, "a state that is not known");
}

#[test]
fn an_unknown_state_is_kept_as_text() {
    let mut story = Story::new();
    assert_eq!(story.see(queue("HIBERNATED")), None);
    story.see(Observation::Queue(None));
    story.see(account("DREAMING", "0:0"));
    let Some(Update::Ended(ended)) = story.absent_until_news().1 else { panic!() };
    assert_eq!(ended.info.unwrap().state.to_string(), "DREAMING");
}

#[test]
fn silence_of_the_queue_is_no_verdict_however_long() {
    let mut story = Story::new();
    story.see(queue("RUNNING"));
    story.see(Observation::Queue(None));
    story.see(Observation::Queue(None));
    story.see(Observation::Accounts(None));
    for _ in 0..1000 {
        assert_eq!(story.after(60).tick(), None);
    }
    assert_eq!(story.see(queue("RUNNING")), None);
    assert_eq!(story.see(Observation::Queue(None)), None);
}

#[test]
fn a_job_the_controller_shows_is_not_lost_though_the_queue_is_without_it() {
    let mut story = Story::new();
    story.see(Observation::NoAccounts);
    for _ in 0..1000 {
        story.after(10).see(Observation::Queue(None));
        if story.asks() == Some(Question::Show) {
            let update = story.see(Observation::Shown(Some(info("RUNNING", "n1", ""))));
            assert_eq!(ending(update), None);
        }
    }
}

#[test]
fn where_one_source_is_of_no_help_the_other_is_asked() {
    use Question::{Accounts, Show};
    let mut story = Story::new();
    story.see(Observation::Queue(None));
    let mut asked = Vec::new();
    for _ in 0..60 {
        asked.extend(story.after(2).asks());
    }
    assert_eq!(asked, [Accounts, Show, Accounts, Show, Accounts, Show], "less and less often");

    let mut story = Story::new();
    story.see(Observation::NoAccounts);
    story.see(Observation::Queue(None));
    assert_eq!((story.after(2).asks(), story.after(60).asks()), (Some(Show), Some(Show)));
}

#[test]
fn the_accounts_correct_and_complete_what_the_queue_said() {
    let mut story = Story::new();
    story.see(queue("RUNNING"));
    story.see(Observation::Queue(Some(info("FAILED", "n1", "OutOfMemory"))));
    story.after(1);
    assert_eq!(story.asks(), Some(Question::Accounts));
    assert_eq!(story.see(account("RUNNING", "0:0")), None);
    // No record is to come any more.
    let Some(Update::Ended(ended)) = story.see(account("FAILED", "0:125")) else { panic!() };
    let info = ended.info.unwrap();
    assert_eq!((ended.how, info.reason.as_deref()), (Ending::OutOfMemory, Some("OutOfMemory")));
    assert_eq!(info.exit, Some(ExitCode { code: 0, signal: 125 }));
}

/// As `scontrol show job` tells of a job that is over.
fn shown(state: &str, host: &str, exit: &str) -> Observation {
    let exit = ExitCode::parse(exit);
    Observation::Shown(Some(JobInfo { exit, ..info(state, host, "") }))
}

#[test]
fn what_cannot_have_left_a_record_is_told_at_once() {
    for (state, exit, how) in [
        ("FAILED", "0:9", Ending::Failed),
        ("CANCELLED", "0:0", Ending::Cancelled(None)),
        ("NODE_FAIL", "0:0", Ending::NodeFailed),
        ("NODE_FAIL", "1:0", Ending::NodeFailed),
        ("OUT_OF_MEMORY", "0:125", Ending::OutOfMemory),
    ] {
        let mut story = Story::new();
        story.see(queue("RUNNING"));
        story.after(3).see(queue(state));
        let update = story.after(1).see(shown(state, "n1", exit));
        assert_eq!(ending(update), Some(how), "{state} {exit}");
    }
    for (state, exit) in [
        ("FAILED", "1:0"),
        ("FAILED", "0:15"),
        ("CANCELLED", "0:15"),
        ("COMPLETED", "0:0"),
        ("TIMEOUT", "0:15"),
        ("PREEMPTED", "0:15"),
    ] {
        let mut story = Story::new();
        story.see(queue("RUNNING"));
        story.after(3).see(queue(state));
        story.see(shown(state, "n1", exit));
        assert_eq!(story.after(59).tick(), None, "{state} {exit}: its record may be late");
        assert!(story.after(2).tick().is_some());
    }
}

#[test]
fn a_job_that_slurm_takes_back_is_over() {
    for recorded in [false, true] {
        let mut story = Story::new();
        story.see(queue("RUNNING"));
        if recorded {
            assert_eq!(story.see(Observation::Evidence(Evidence::NeedsState)), None);
        }
        assert_eq!(story.after(3).see(pending("BeginTime")), None, "the list may be an old one");
        assert!(story.machine.awaits_queue());
        assert_eq!(ending(story.after(3).see(pending("BeginTime"))), Some(Ending::Requeued));
    }
    let mut story = Story::new();
    story.see(queue("RUNNING"));
    story.see(pending("BeginTime"));
    story.see(queue("RUNNING"));
    assert_eq!(story.see(pending("BeginTime")), None, "once more the first time");
}

#[test]
fn a_waiting_job_that_the_controller_does_not_know_any_more_was_cancelled() {
    let waiting = || {
        let mut story = Story::new();
        story.machine.remembered_for(Some(Duration::from_secs(300)));
        story.see(pending("Priority"));
        story
    };
    for accounts in [Observation::NoAccounts, Observation::Accounts(None)] {
        let mut story = waiting();
        story.after(30).see(Observation::Queue(None));
        assert_eq!(story.asks(), Some(Question::Show));
        story.see(accounts);
        assert_eq!(ending(story.see(Observation::Shown(None))), Some(Ending::Cancelled(None)));
    }
    // It may have run and been forgotten.
    let mut story = waiting();
    story.after(301).see(Observation::Queue(None));
    assert_eq!(story.see(Observation::Shown(None)), None);
    let mut story = waiting();
    story.see(queue("RUNNING"));
    story.after(30).see(Observation::Queue(None));
    assert_eq!(story.see(Observation::Shown(None)), None, "it ran");
    // And where nobody says for how long jobs are remembered.
    let mut story = Story::new();
    story.see(pending("Priority"));
    story.see(Observation::Queue(None));
    assert_eq!(story.see(Observation::Shown(None)), None);
}

fn states() -> impl Strategy<Value = JobInfo> {
    let state = prop::sample::select(vec![
        "PENDING",
        "RUNNING",
        "COMPLETING",
        "COMPLETED",
        "FAILED",
        "CANCELLED by 5",
        "NODE_FAIL",
        "TIMEOUT",
        "REQUEUED",
        "HIBERNATED",
        "OUT_OF_MEMORY",
        "PREEMPTED",
    ]);
    (state, any::<bool>(), any::<bool>()).prop_map(|(state, host, exit)| {
        let exit = exit.then_some(ExitCode { code: 0, signal: 125 });
        JobInfo { exit, ..info(state, if host { "n1" } else { "" }, "") }
    })
}

/// What may be seen; `None` is silence, in which only time passes.
fn observations() -> impl Strategy<Value = Option<Observation>> {
    let maybe = || prop::option::of(states());
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(Observation::Evidence(Evidence::None))),
        1 => Just(Some(Observation::Evidence(Evidence::NeedsState))),
        1 => Just(Some(Observation::Evidence(Evidence::Complete))),
        1 => Just(Some(Observation::NoAccounts)),
        6 => maybe().prop_map(|info| Some(Observation::Queue(info))),
        3 => maybe().prop_map(|info| Some(Observation::Accounts(info))),
        3 => maybe().prop_map(|info| Some(Observation::Shown(info))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn every_job_ends_once_and_in_time_and_never_lost_while_it_is_there(
        events in vec((0_u64..200, observations()), 0..40),
    ) {
        let mut story = Story::new();
        let mut ends = 0;
        let mut take = |update: Option<Update>, queue_is_without: bool| {
            if let Some(update) = update {
                assert_eq!(ends, 0, "news after the end: {update:?}");
                if let Update::Ended(ended) = update {
                    ends += 1;
                    assert!(ended.how != Ending::Lost || queue_is_without, "lost, but there");
                }
            }
            ends
        };
        for (pause, seen) in events {
            story.after(pause);
            let _ = story.asks();
            take(story.tick(), false);
            let Some(seen) = seen else { continue };
            let without = matches!(seen, Observation::Queue(None));
            take(story.see(seen), without);
        }
        // Then the queue answers, and nobody else does.
        let from = story.now;
        loop {
            story.after(10);
            if take(story.tick(), false) + take(story.see(Observation::Queue(None)), true) > 0 {
                break;
            }
            assert!(story.now.duration_since(from) < Duration::from_secs(2 * 3600), "no end");
        }
        prop_assert_eq!(ends, 1);
        prop_assert!(story.begun <= story.now);
    }
}

#[test]
fn cancelled_before_it_started_it_may_leave_no_trace() {
    let mut story = Story::new();
    story.after(1).see(Observation::Queue(Some(info("PENDING", "", "Resources"))));
    story.machine.cancelled(story.now);
    let (seconds, update) = story.absent_until_news();
    let Some(Update::Ended(ended)) = update else { panic!("{update:?}") };
    assert_eq!((ended.how, seconds), (Ending::Cancelled(None), 30));
}

#[test]
fn cancelled_while_it_ran_it_is_waited_for() {
    let mut story = Story::new();
    story.after(1).see(queue("RUNNING"));
    story.machine.cancelled(story.now);
    let (seconds, update) = story.absent_until_news();
    let Some(Update::Ended(ended)) = update else { panic!("{update:?}") };
    assert!(ended.how == Ending::Lost && seconds >= 60, "{seconds}");
}
