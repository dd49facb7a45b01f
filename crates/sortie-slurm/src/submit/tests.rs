//! Submitting, against a Slurm that loses answers, with time that passes at once.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What becomes of one sbatch.
#[derive(Debug, Clone)]
enum Fate {
    /// The job is taken, and its id printed.
    Taken,
    /// The job is taken, sbatch hears nothing of it, and it can be looked up so much later.
    TakenUnheard(Duration),
    /// What sbatch sent is lost.
    Lost,
    /// There is no controller to send anything to.
    Unsent,
    /// The job is taken, and something else than its id printed.
    Garbled,
    Full,
    Refused,
}

/// A Slurm that does what it is told to, and then all that is asked of it.
#[derive(Default)]
struct FakeDesk {
    fates: RefCell<VecDeque<Fate>>,
    /// Whether each look-up is answered.
    answers: RefCell<VecDeque<bool>>,
    /// When each job that was taken can be seen.
    jobs: RefCell<Vec<Instant>>,
    tries: Cell<u32>,
}

fn failed(words: &str) -> Error {
    Error::Failed { command: "sbatch", status: "exit code 1".into(), words: words.into() }
}

const NO_ANSWER: &str = "Socket timed out on send/recv operation";
const NOBODY: &str = "Unable to contact slurm controller (connect failure)";
const FULL: &str = "sbatch: error: AssocMaxSubmitJobLimit";

impl FakeDesk {
    fn new(fates: impl Into<VecDeque<Fate>>, answers: impl Into<VecDeque<bool>>) -> Self {
        let (fates, answers) = (RefCell::new(fates.into()), RefCell::new(answers.into()));
        Self { fates, answers, ..Self::default() }
    }

    fn take(&self, visible_after: Duration) {
        self.jobs.borrow_mut().push(Instant::now() + visible_after);
    }

    async fn run(&self, retry: &Retry) -> Result<JobId, SubmitError> {
        submit(self, &JobName::new("sortie-1").unwrap(), retry, &mut Jitter::default()).await
    }
}

impl Desk for FakeDesk {
    async fn submit(&self) -> Result<JobId, Error> {
        self.tries.set(self.tries.get() + 1);
        sleep(Duration::from_secs(10)).await;
        let fate = self.fates.borrow_mut().pop_front().unwrap_or(Fate::Taken);
        match fate {
            Fate::Taken => {
                self.take(Duration::ZERO);
                Ok(JobId::new(7))
            }
            Fate::TakenUnheard(after) => {
                self.take(after);
                Err(failed(NO_ANSWER))
            }
            Fate::Garbled => {
                self.take(Duration::ZERO);
                Err(Error::not_understood("sbatch", "the new job's id", "moo"))
            }
            Fate::Lost => Err(failed(NO_ANSWER)),
            Fate::Unsent => Err(failed(NOBODY)),
            Fate::Full => Err(failed(FULL)),
            Fate::Refused => Err(failed("Invalid partition name specified")),
        }
    }

    async fn find(&self, _: SystemTime) -> Result<Option<JobId>, Error> {
        sleep(Duration::from_secs(1)).await;
        if !self.answers.borrow_mut().pop_front().unwrap_or(true) {
            return Err(failed(NO_ANSWER));
        }
        let visible = self.jobs.borrow().iter().any(|at| *at <= Instant::now());
        Ok(visible.then(|| JobId::new(7)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_taken_unheard_is_adopted_however_late_it_shows() {
    for late in [0, 10, 30, 59] {
        let desk = FakeDesk::new([Fate::TakenUnheard(Duration::from_secs(late))], []);
        assert_eq!(desk.run(&Retry::default()).await.unwrap(), JobId::new(7));
        assert_eq!((desk.tries.get(), desk.jobs.borrow().len()), (1, 1), "{late}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_job_cannot_be_looked_up_nothing_is_submitted() {
    let desk = FakeDesk::new([Fate::TakenUnheard(Duration::ZERO)], [false; 12]);
    assert_eq!(desk.run(&Retry::default()).await.unwrap(), JobId::new(7));
    assert_eq!(desk.tries.get(), 1);

    let desk = FakeDesk::new([Fate::TakenUnheard(Duration::ZERO)], [false; 100]);
    let begun = Instant::now();
    let error = desk.run(&Retry::default()).await.unwrap_err();
    assert!(matches!(error, SubmitError::InDoubt { .. }), "{error}");
    assert!(error.to_string().contains("sortie-1") && error.to_string().contains(NO_ANSWER));
    assert_eq!(desk.tries.get(), 1);
    assert!(begun.elapsed() < Duration::from_secs(20 * 60));
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_is_sent_again_over_minutes() {
    let desk = FakeDesk::new(vec![Fate::Lost; 4], []);
    let begun = Instant::now();
    assert_eq!(desk.run(&Retry::default()).await.unwrap(), JobId::new(7));
    assert_eq!((desk.tries.get(), desk.jobs.borrow().len()), (5, 1));
    assert!(begun.elapsed() > Duration::from_secs(240));

    let desk = FakeDesk::new(vec![Fate::Lost; 1000], []);
    let error = desk.run(&Retry::default()).await.unwrap_err();
    assert!(matches!(error, SubmitError::GaveUp { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_waited_for() {
    let desk = FakeDesk::new(vec![Fate::Full; 60], []);
    let begun = Instant::now();
    assert_eq!(desk.run(&Retry::default()).await.unwrap(), JobId::new(7));
    assert!(begun.elapsed() > Duration::from_secs(1800), "{:?}", begun.elapsed());
    let day = FakeDesk::new(vec![Fate::Full; 10_000], []).run(&Retry::default()).await.unwrap_err();
    assert!(day.to_string().contains("AssocMaxSubmitJobLimit"), "{day}");
}

#[tokio::test(start_paused = true)]
async fn what_the_user_has_to_mend_is_told_at_once() {
    let desk = FakeDesk::new([Fate::Refused], []);
    let begun = Instant::now();
    let error = desk.run(&Retry::default()).await.unwrap_err();
    assert!(matches!(&error, SubmitError::Refused(_)), "{error}");
    assert!(error.to_string().contains("Invalid partition name specified"), "{error}");
    assert_eq!((desk.tries.get(), begun.elapsed()), (1, Duration::from_secs(10)));
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let late = (0_u64..60).prop_map(|late| Fate::TakenUnheard(Duration::from_secs(late)));
    let fate = prop_oneof![
        1 => Just(Fate::Taken),
        3 => late,
        6 => Just(Fate::Lost),
        2 => Just(Fate::Unsent),
        1 => Just(Fate::Garbled),
        3 => Just(Fate::Full),
        1 => Just(Fate::Refused),
    ];
    vec(fate, 0..12)
}

proptest! {
    #[test]
    fn whatever_happens_there_is_one_job_at_most(fates in fates(), answers in vec(any::<bool>(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let desk = FakeDesk::new(fates, answers);
        let result = runtime.block_on(desk.run(&Retry::default()));
        let jobs = desk.jobs.borrow().len();
        match result {
            Ok(_) => prop_assert_eq!(jobs, 1),
            Err(SubmitError::InDoubt { .. }) => prop_assert!(jobs <= 1),
            Err(error) => prop_assert_eq!(jobs, 0, "{}", error),
        }
    }
}
