//! Candidates of a small sweep.

use sortie_report::{Candidate, Report};
use sortie_results::indexmap::indexmap;
use sortie_results::jiff::Timestamp;
use sortie_results::{Fault, Outcome, Seconds, Usage, Value};

/// 2026-01-01, midnight UTC.
const START: i64 = 1_767_225_600;

/// A correct candidate that was started so many seconds after the sweep was.
pub(crate) fn correct(id: &str, started: i64, score: f64) -> Candidate {
    let at = |seconds| Timestamp::from_second(START + seconds).unwrap();
    Candidate {
        id: id.to_owned(),
        candidate: format!("runs/{id}/main.py"),
        correct: true,
        metrics: indexmap! {
            "combined_score".to_owned() => Value::Float(score),
            "circles".to_owned() => Value::Int(26),
        },
        stdout: "reading\nscored\n".to_owned(),
        stderr: String::new(),
        outcome: Outcome::Exited { code: 0 },
        fault: None,
        detail: None,
        seconds: Seconds { queued: 1.0, running: 4.0, total: 5.5 },
        attempt: "0190f1c27d3e70008000000000000001".to_owned(),
        usage: Usage {
            cpu_user_seconds: 3.0,
            cpu_system_seconds: 0.5,
            peak_memory_bytes: 64 << 20,
        },
        submitted_at: Some(at(started - 1)),
        started_at: Some(at(started)),
        ended_at: Some(at(started + 4)),
        host: "node1".to_owned(),
        evaluator_sha256: Some("1f0c2a6b9d8e".repeat(5) + "aaaa"),
    }
}

/// The same of one with another end.
pub(crate) fn ended(id: &str, started: i64, outcome: Outcome, fault: Option<Fault>) -> Candidate {
    let detail = Some(outcome.to_string());
    let metrics = indexmap! {};
    let stderr = "Traceback (most recent call last):\nValueError: no luck\n".to_owned();
    let correct = correct(id, started, 0.0);
    Candidate { correct: false, metrics, stderr, outcome, fault, detail, ..correct }
}

/// One of each kind.
pub(crate) fn report() -> Report {
    let mut report = Report::new("circle packing");
    report.settings = Some("job_type: local\ntime: 00:05:00\n".to_owned());
    report.written_at = Timestamp::from_second(START + 60).ok();
    report.add(&correct("gen-0", 1, 1.5));
    report.add(&correct("gen-1", 2, 2.5));
    let judged = Candidate { correct: false, ..correct("gen-2", 5, 1.75) };
    report.add(&judged);
    let candidate = Some(Fault::Candidate);
    report.add(&ended("gen-3", 6, Outcome::signaled(11), candidate));
    report.add(&ended("gen-4", 9, Outcome::TimedOut { limit_seconds: 4.0 }, candidate));
    let reason = || "node1 stopped answering".to_owned();
    let failed = Outcome::NodeFailed { reason: reason() };
    report.add(&ended("gen-5", 10, failed, Some(Fault::Infrastructure)));
    let not_started = ended("gen-6", 10, Outcome::not_started("no evaluator"), Some(Fault::Setup));
    report.add(&Candidate { started_at: None, host: String::new(), ..not_started });
    report.add(&ended("gen-7", 13, Outcome::Cancelled, None));
    report
}
