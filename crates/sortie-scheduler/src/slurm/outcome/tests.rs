use Ending::{
    BootFailed, Cancelled, Completed, Deadline, Failed, Lost, NodeFailed, OutOfMemory, Preempted,
    Recorded, Requeued, Revoked, TimedOut,
};
use sortie_results::JobStart;
use sortie_slurm::{ExitCode, JobInfo, JobState};

use super::*;

const ALL: [Ending; 14] = [
    Recorded,
    Completed,
    Failed,
    TimedOut,
    OutOfMemory,
    NodeFailed,
    BootFailed,
    Preempted,
    Cancelled(None),
    Cancelled(Some(1000)),
    Deadline,
    Requeued,
    Revoked,
    Lost,
];

/// Of a job with a limit of an hour that is told to end half a minute early.
fn context() -> Context {
    Context {
        reason: "PartitionTimeLimit".into(),
        time_limit: Some(Duration::from_secs(3600)),
        early_term: Duration::from_secs(30),
        began: true,
        user: 1000,
        ..Context::default()
    }
}

fn asked() -> Context {
    Context { stop: Some(Stop::Asked), ..context() }
}

fn ended(how: Ending) -> Ended {
    let info = JobInfo {
        state: JobState::Failed,
        reason: None,
        host: Some("n1".into()),
        start: None,
        end: None,
        exit: Some(ExitCode { code: 0, signal: 9 }),
        peak_memory: None,
    };
    Ended { how, recorded: true, info: Some(info) }
}

/// A record of a job that ran for so many seconds.
fn record(end: End, seconds: f64) -> JobEnd {
    let (attempt, job_id) = (sortie_results::AttemptId::generate(), "41".to_owned());
    let start = JobStart { attempt, job_id, host: "n1".into(), started_at: 1000.0 };
    let (cpu_user_seconds, cpu_system_seconds) = (0.0, 0.0);
    JobEnd { start, ended_at: 1000.0 + seconds, cpu_user_seconds, cpu_system_seconds, end }
}

/// In a few words, with the fault where the outcome has it.
fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::SubmitFailed { fault, .. } | Outcome::SetupFailed { fault, .. } => {
            format!("{outcome} ({fault:?})")
        }
        _ => outcome.to_string(),
    }
}

fn told(how: Ending, record: Option<&JobEnd>, context: &Context) -> String {
    words(&outcome(&ended(how), record, context))
}

#[test]
fn without_a_record_slurms_word_counts() {
    for (how, expected) in [
        (Recorded, "lost: it ended on n1, and the record of its end is not to be seen"),
        (Completed, "lost: it ended on n1, and the record of its end is not to be seen"),
        (Failed, "node failed: its script left no record on n1 (exit 0:9)"),
        (TimedOut, "stopped at its time limit of 3600 s"),
        (OutOfMemory, "out of memory"),
        (NodeFailed, "node failed: n1 failed"),
        (BootFailed, "node failed: n1 did not boot"),
        (Preempted, "preempted"),
        (Cancelled(None), "cancelled"),
        (Cancelled(Some(1000)), "cancelled"),
        (Deadline, "submit failed: it could not end before its deadline (Setup)"),
        (Revoked, "lost: it has left Slurm's queue, and no record of its end"),
        (Lost, "lost: it has left Slurm's queue, and no record of its end"),
    ] {
        assert_eq!(told(how, None, &context()), expected, "{how:?}");
    }
}

#[test]
fn without_a_record_one_that_was_to_be_stopped_was() {
    let overdue = Context { stop: Some(Stop::Overdue), ..context() };
    let too_long =
        "submit failed: it waited in Slurm's queue for too long: PartitionTimeLimit (Setup)";
    for how in [Cancelled(None), Cancelled(Some(0)), Failed, Lost] {
        assert_eq!(told(how, None, &asked()), "cancelled", "{how:?}");
        assert_eq!(told(how, None, &overdue), too_long, "{how:?}");
    }
    // Slurm knows better.
    for how in [TimedOut, OutOfMemory, NodeFailed, BootFailed, Preempted, Deadline, Completed] {
        assert_eq!(told(how, None, &asked()), told(how, None, &context()), "{how:?}");
    }
}

#[test]
fn what_the_evaluator_did_by_itself_counts_whatever_slurm_calls_it() {
    for how in ALL {
        for (end, expected) in [
            (End::Exited { code: 0 }, "exit code 0"),
            (End::Exited { code: 3 }, "exit code 3"),
            (End::Signaled { signal: 11 }, "killed by SIGSEGV"),
            (End::OutputLimit { limit_bytes: 7 }, "stopped because a log grew beyond 7 bytes"),
            (
                End::SetupFailed { step: "conda activate".into(), status: 1, reason: None },
                "set-up failed: conda activate: status 1 on n1 (Setup)",
            ),
        ] {
            assert_eq!(told(how, Some(&record(end, 5.0)), &context()), expected, "{how:?}");
        }
    }
}

#[test]
fn one_that_was_asked_to_stop_may_say_so_in_its_own_way() {
    for (end, expected) in [
        (End::Exited { code: 0 }, "exit code 0"),
        (End::Exited { code: 1 }, "cancelled"),
        (End::Signaled { signal: 15 }, "cancelled"),
        (End::Signaled { signal: 9 }, "cancelled"),
        (End::Terminated { signal: 15 }, "cancelled"),
    ] {
        for how in [Recorded, Cancelled(Some(0)), Failed, Lost] {
            let record = record(end.clone(), 5.0);
            assert_eq!(told(how, Some(&record), &asked()), expected, "{end:?} {how:?}");
        }
    }
}

#[test]
fn killed_for_its_use_of_memory_is_told_by_slurms_state_or_words() {
    let said = Context { out_of_memory: true, ..context() };
    let killed = record(End::Signaled { signal: 9 }, 5.0);
    for how in ALL {
        let slurms = told(how, None, &context());
        let expected = if is_slurms_doing(how) { &*slurms } else { "killed by SIGKILL" };
        assert_eq!(told(how, Some(&killed), &context()), expected, "{how:?}");
        assert_eq!(told(how, Some(&killed), &said), "out of memory", "{how:?}");
    }
    let engine = record(End::EngineFailed { status: 137 }, 5.0);
    assert_eq!(told(Failed, Some(&engine), &said), "out of memory");
    assert!(told(Failed, Some(&engine), &context()).contains("engine failed"));
    for how in [Failed, Completed, Cancelled(None), Lost] {
        assert_eq!(told(how, None, &said), "out of memory", "{how:?}");
    }
    for how in [TimedOut, NodeFailed, Preempted] {
        assert_eq!(told(how, None, &said), told(how, None, &context()), "{how:?}");
    }
    let terminated = record(End::Terminated { signal: 15 }, 5.0);
    assert_eq!(told(Failed, Some(&terminated), &said), "out of memory");
}

#[test]
fn why_a_script_was_told_to_end() {
    let of = |seconds| record(End::Terminated { signal: 15 }, seconds);
    let nobody_knows = "lost: it was killed by SIGTERM, and Slurm does not know why any more";
    for (how, expected) in [
        (Completed, "killed by SIGTERM"),
        (Failed, "killed by SIGTERM"),
        (Recorded, nobody_knows),
        (Lost, nobody_knows),
    ] {
        assert_eq!(told(how, Some(&of(5.0)), &context()), expected, "{how:?}");
        assert_eq!(told(how, Some(&of(3509.0)), &context()), expected, "{how:?}");
        let at_limit = told(how, Some(&of(3511.0)), &context());
        assert_eq!(at_limit, "stopped at its time limit of 3600 s", "{how:?}");
    }
    for (how, expected) in [
        (TimedOut, "stopped at its time limit of 3600 s"),
        (Preempted, "preempted"),
        (Cancelled(Some(0)), "cancelled"),
        (NodeFailed, "node failed: n1 failed"),
        (BootFailed, "node failed: n1 did not boot"),
        (OutOfMemory, "out of memory"),
        (Deadline, "submit failed: it could not end before its deadline (Setup)"),
        (Revoked, "lost: it has left Slurm's queue, and no record of its end"),
    ] {
        assert_eq!(told(how, Some(&of(5.0)), &context()), expected, "{how:?}");
    }
    // Without an early signal there is none before the limit.
    let late = Context { early_term: Duration::ZERO, ..context() };
    assert_eq!(told(Failed, Some(&of(3599.0)), &late), "killed by SIGTERM");
    assert_eq!(told(Failed, Some(&of(3600.0)), &late), "stopped at its time limit of 3600 s");
    let endless = Context { time_limit: None, ..context() };
    assert_eq!(told(Failed, Some(&of(1e6)), &endless), "killed by SIGTERM");
}

#[test]
fn a_second_start_means_that_the_first_was_cut_short() {
    let restarted = record(End::Restarted, 0.0);
    let cut_short = "node failed: Slurm started it a second time, so its first run was cut short";
    for how in [Completed, Failed, Recorded, Lost, Revoked, NodeFailed, BootFailed] {
        assert_eq!(told(how, Some(&restarted), &context()), cut_short, "{how:?}");
    }
    assert_eq!(told(Preempted, Some(&restarted), &context()), "preempted");
    assert_eq!(told(Cancelled(None), Some(&restarted), &asked()), "cancelled");
}

#[test]
fn slurms_words_about_memory_are_known() {
    for said in [
        "slurmstepd: error: Job 41 exceeded memory limit (250000 > 102400), being killed",
        "slurmstepd: error: StepId=41.batch exceeded memory limit (1 > 0), being killed",
        "x\nslurmstepd: error: Exceeded job memory limit\n",
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=41.batch. Some of your processes",
        "[2026-11-24T15:33:03.000] slurmstepd-n1: error: Detected 2 oom_kill events in StepId=41",
        // As 26.05.5 wrote them.
        "[2026-11-30T05:50:03.062] error: StepId=77.batch exceeded memory limit (87969792 > 52428800), being killed",
        "x\n[2026-11-30T05:50:03.069] error: Exceeded job memory limit",
        "[2026-11-30T05:50:03] error: Detected 1 oom_kill event in StepId=77.batch. Some of the step tasks",
    ] {
        assert!(says_out_of_memory(said), "{said}");
    }
    for said in [
        "",
        "exceeded memory limit",
        "error: exceeded memory limit",
        "slurmstepd: error: *** JOB 41 CANCELLED AT 12 ***",
    ] {
        assert!(!says_out_of_memory(said), "{said}");
    }
}

#[test]
fn a_shell_that_exits_for_the_signal_slurm_sent_is_slurms_doing() {
    for code in [143, 137] {
        let of = |how| outcome(&ended(how), Some(&record(End::Exited { code }, 60.0)), &context());
        assert_eq!(of(TimedOut), Outcome::TimedOut { limit_seconds: 3600.0 });
        assert_eq!(of(Preempted), Outcome::Preempted);
        assert_eq!(of(Cancelled(Some(7))), Outcome::Cancelled);
        assert_eq!(of(Failed), Outcome::Exited { code });
    }
}

/// `CANCELLED` with a node and exit 0:0 is what a failing Prolog leaves of a job.
fn launch(how: Ending, signal: u16) -> Ended {
    let mut ended = Ended { recorded: false, ..ended(how) };
    ended.info.as_mut().unwrap().exit = Some(ExitCode { code: 0, signal });
    ended
}

#[test]
fn what_never_began_is_the_machines_unless_the_user_cancelled_it() {
    let never = Context { began: false, ..context() };
    let of = |ended: &Ended, context: &Context| words(&outcome(ended, None, context));
    let not_started = "node failed: n1 did not start it, as where Slurm's Prolog fails";
    for how in [Cancelled(None), Cancelled(Some(0)), Cancelled(Some(7)), TimedOut] {
        assert_eq!(of(&launch(how, 0), &never), not_started, "{how:?}");
    }
    assert_eq!(of(&launch(Cancelled(Some(1000)), 0), &never), "cancelled");
    assert_eq!(of(&launch(Cancelled(None), 0), &Context { began: false, ..asked() }), "cancelled");
    // Its script was signalled, so that there was one.
    assert_eq!(of(&launch(Cancelled(None), 15), &never), "cancelled");
    assert_eq!(of(&launch(Cancelled(None), 0), &context()), "cancelled");
    let mut waiting = launch(Cancelled(None), 0);
    waiting.info.as_mut().unwrap().host = None;
    assert_eq!(of(&waiting, &never), "cancelled", "by somebody, before it had a node");
    // root's own jobs are cancelled by whom slurmd is, too.
    let root = Context { user: 0, ..never.clone() };
    assert_eq!(of(&launch(Cancelled(Some(0)), 0), &root), not_started);
}

#[test]
fn what_slurm_takes_back_is_the_machines() {
    let taken_back = "node failed: Slurm took it from n1 back into its queue";
    let ends = [
        End::Exited { code: 143 },
        End::Exited { code: 137 },
        End::Signaled { signal: 15 },
        End::Signaled { signal: 9 },
        End::Terminated { signal: 15 },
    ];
    for end in ends {
        let record = record(end.clone(), 5.0);
        assert_eq!(told(Requeued, Some(&record), &context()), taken_back, "{end:?}");
    }
    assert_eq!(told(Requeued, None, &context()), taken_back);
    assert_eq!(told(Requeued, None, &asked()), "cancelled");
}
