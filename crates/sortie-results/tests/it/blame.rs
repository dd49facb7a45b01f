//! The table of `docs/blame.md`: each line is a case here, and each case a line there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use sortie_results::{
    Evidence, Fault, Found, LogTail, Outcome, Programs, Unusable, Value, Verdict, judge,
};

const TABLE: &str = include_str!("../../../../docs/blame.md");

/// A line of the table: what happened, the outcome's kind, the fault, whether it is tried again.
struct Line {
    what: &'static str,
    kind: &'static str,
    fault: &'static str,
    again: &'static str,
}

fn lines() -> Vec<Line> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    let line = |cells: Vec<&'static str>| {
        let [what, _, kind, fault, again] = cells[..] else { panic!("{cells:?}") };
        Line { what, kind, fault, again }
    };
    cells.skip(2).map(line).collect()
}

/// What an attempt left behind.
struct Case {
    outcome: Outcome,
    found: Found,
    stderr: String,
    inside: bool,
}

fn missing() -> Found {
    Found { correct: Err(Unusable::Missing), metrics: Err(Unusable::Missing) }
}

fn json(text: &str) -> Result<Value, Unusable> {
    Value::parse(text.as_bytes()).map_err(Unusable::Broken)
}

fn ended(outcome: Outcome) -> Case {
    Case { outcome, found: missing(), stderr: String::new(), inside: false }
}

fn exited(code: i32, stderr: &str) -> Case {
    Case { stderr: stderr.to_owned(), ..ended(Outcome::Exited { code }) }
}

fn said(correct: &str, metrics: &str) -> Case {
    let found = Found { correct: json(correct), metrics: json(metrics) };
    Case { found, ..exited(0, "") }
}

/// Python's own words for an exception that was raised through these files.
fn raised(files: &[&str], error: &str) -> Case {
    let frame = |file: &&str| {
        format!("  File \"{file}\", line 3, in <module>\n    import it\n    ^^^^^^^^^\n")
    };
    let frames: String = files.iter().map(frame).collect();
    exited(1, &format!("a warning\nTraceback (most recent call last):\n{frames}{error}\n"))
}

const EVALUATOR: &str = "/task/evaluate.py";
const MISSING: &str = "ModuleNotFoundError: No module named 'nope'";
const SYNTAX: &str = "SyntaxError: invalid syntax";

fn setup(kind: &str, fault: Fault) -> Case {
    let reason = || "why".to_owned();
    ended(match kind {
        "not_started" => Outcome::NotStarted { reason: reason(), fault },
        "setup_failed" => Outcome::SetupFailed { reason: reason(), fault },
        _ => Outcome::SubmitFailed { reason: reason(), fault },
    })
}

/// What the lines of the table stand for.
#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<(&'static str, Case)> {
    let reason = || "why".to_owned();
    vec![
        ("the evaluator says the candidate is correct", said(r#"{"correct": true}"#, "{}")),
        ("the evaluator says the candidate is not correct", said(r#"{"correct": false}"#, "{}")),
        ("a result file is missing, broken, refused, or its score is not finite", {
            said(r#"{"correct": true}"#, r#"{"combined_score": NaN}"#)
        }),
        ("a result file cannot be read for want of a working disk", {
            let metrics = Err(Unusable::Unreadable(io::Error::from_raw_os_error(5)));
            Case { found: Found { correct: json("{}"), metrics }, ..exited(0, "") }
        }),
        ("the evaluator's import is missing", raised(&["evaluate.py"], MISSING)),
        ("a module beside the evaluator misses an import", {
            raised(&[EVALUATOR, "/task/lib/helper.py"], MISSING)
        }),
        (
            "an installed package fails to import",
            raised(
                &[
                    "./evaluate.py",
                    "<frozen importlib._bootstrap>",
                    "/v/lib/python3.12/site-packages/np/__init__.py",
                ],
                "ImportError: libblas.so.3: cannot open shared object file",
            ),
        ),
        (
            "the evaluator has a syntax error",
            exited(
                1,
                &format!("  File \"{EVALUATOR}\", line 3\n    def f(:\n          ^\n{SYNTAX}\n"),
            ),
        ),
        ("the evaluator runs in a container and misses an import", {
            Case { inside: true, ..raised(&["/workspace/evaluate.py"], MISSING) }
        }),
        ("the evaluator's directory has no `__main__.py`", {
            exited(1, "/usr/bin/python3: can't find '__main__' module in 'evaluate.py'\n")
        }),
        (
            "Python cannot open the evaluator",
            exited(
                2,
                "python3: can't open file '/task/evaluate.py': [Errno 2] No such file or directory\n",
            ),
        ),
        (
            "a program that the candidate starts cannot open its own script",
            exited(
                2,
                "python3: can't open file '/task/gen_3/evaluate.py': [Errno 2] No such file or directory\n",
            ),
        ),
        (
            "what the evaluator's first line has `env` look for is missing",
            exited(127, "/usr/bin/env: ‘ruby’: No such file or directory\n"),
        ),
        (
            "the shell before the evaluator cannot become it",
            exited(126, "script: line 506: ./evaluate.py: Argument list too long\n"),
        ),
        (
            "a program that the candidate starts is missing",
            exited(127, "/usr/bin/env: ‘ruby2’: No such file or directory\n"),
        ),
        (
            "a compiled evaluator lacks a library",
            exited(
                127,
                "/task/evaluate.py: error while loading shared libraries: libx.so.1: cannot open shared object file\n",
            ),
        ),
        ("the candidate's import is missing", raised(&[EVALUATOR, "gen_3/main.py"], MISSING)),
        ("the candidate has a syntax error", raised(&[EVALUATOR, "/task/gen_3/main.py"], SYNTAX)),
        ("a file beside the candidate misses an import", {
            raised(&[EVALUATOR, "/task/gen_3/util.py"], MISSING)
        }),
        ("a copy of the candidate misses an import", {
            raised(&[EVALUATOR, "/tmp/x/program.py"], MISSING)
        }),
        ("the candidate's text is run by exec", raised(&[EVALUATOR, "<string>"], MISSING)),
        ("an import of the candidate failed and led to another", {
            let Case { stderr, .. } = raised(&[EVALUATOR, "gen_3/main.py"], MISSING);
            let Case { stderr: then, .. } = raised(&[EVALUATOR], MISSING);
            let then = then.replace("a warning\n", "");
            let chain = "During handling of the above exception, another exception occurred:";
            exited(1, &format!("{stderr}\n{chain}\n\n{then}"))
        }),
        ("the evaluator cannot find the candidate as a module", {
            raised(&[EVALUATOR], "ModuleNotFoundError: No module named 'main'")
        }),
        (
            "an import is missing after a result was written",
            Case {
                found: Found { metrics: json("{}"), ..missing() },
                ..raised(&[EVALUATOR], MISSING)
            },
        ),
        ("something was said after the traceback", {
            let case = raised(&[EVALUATOR], MISSING);
            Case { stderr: case.stderr + "exiting\n", ..case }
        }),
        ("the evaluator ends with any other exception", raised(&[EVALUATOR], "KeyError: 'x'")),
        ("the evaluator ends with any other exit code", exited(6, "")),
        ("a signal ends the evaluator", ended(Outcome::signaled(11))),
        ("the time limit is reached", ended(Outcome::TimedOut { limit_seconds: 2.0 })),
        ("memory runs out", ended(Outcome::OutOfMemory)),
        ("a log grows beyond its limit", ended(Outcome::OutputLimit { limit_bytes: 9 })),
        ("the evaluator could not be started", setup("not_started", Fault::Setup)),
        ("the machine could not start the evaluator", setup("not_started", Fault::Infrastructure)),
        ("the environment could not be set up", setup("setup_failed", Fault::Setup)),
        ("an image could not be fetched", setup("setup_failed", Fault::Infrastructure)),
        ("the cluster refused the job", setup("submit_failed", Fault::Setup)),
        ("the cluster could not be reached", setup("submit_failed", Fault::Infrastructure)),
        ("the node or the engine failed", ended(Outcome::NodeFailed { reason: reason() })),
        ("the job was preempted", ended(Outcome::Preempted)),
        ("nothing is known of its end", ended(Outcome::Lost { reason: reason() })),
        ("you cancelled it", ended(Outcome::Cancelled)),
    ]
}

fn verdict(case: &Case) -> Verdict {
    let programs = Programs {
        directory: "/task".into(),
        evaluator: "evaluate.py".into(),
        candidate: "gen_3/main.py".into(),
        results_dir: "gen_3/results".into(),
        inside: case.inside.then(|| "/workspace".into()),
        asks_env_for: Some("ruby".into()),
    };
    let stderr = LogTail { bytes: case.stderr.clone().into_bytes(), omitted: 0 };
    judge(&case.outcome, &case.found, Evidence { stderr: &stderr, programs: &programs })
}

#[test]
fn each_line_of_the_table_holds() {
    let lines = lines();
    let cases: BTreeMap<_, _> = cases().into_iter().collect();
    let told: BTreeSet<_> = lines.iter().map(|line| line.what).collect();
    assert_eq!(told, cases.keys().copied().collect(), "lines of the table, and cases here");
    assert_eq!(told.len(), lines.len(), "a line is there twice");
    for Line { what, kind, fault, again } in &lines {
        let case = &cases[what];
        let verdict = verdict(case);
        let found = verdict.fault.map_or("none", |fault| match fault {
            Fault::Candidate => "candidate",
            Fault::Setup => "setup",
            Fault::Infrastructure => "infrastructure",
        });
        assert_eq!((case.outcome.kind(), found), (*kind, *fault), "{what}: {verdict:?}");
        assert_eq!(*again == "yes", *fault == "infrastructure", "{what}");
    }
}

#[test]
fn an_odd_log_blames_the_candidate() {
    let with_odd_ends = [
        "Traceback (most recent call last):\n".to_owned(),
        format!("{MISSING}\n"),
        format!("  File \"{EVALUATOR}\", line x, in <module>\n{MISSING}\n"),
        format!("Traceback (most recent call last):\n  File \"\", line 1\n{MISSING}\n"),
        format!(
            "Traceback (most recent call last):\n  File \"/task/../x/evaluate.py\", line 1\n{MISSING}\n"
        ),
        "\u{fffd}\0\x1b[".to_owned(),
    ];
    for stderr in with_odd_ends {
        assert_eq!(verdict(&exited(1, &stderr)).fault, Some(Fault::Candidate), "{stderr:?}");
    }
}

#[test]
fn colours_do_not_hide_a_traceback() {
    let coloured = format!(
        "Traceback (most recent call last):\n  File \x1b[35m\"{EVALUATOR}\"\x1b[0m, line \x1b[35m1\x1b[0m, in \
         \x1b[35m<module>\x1b[0m\n    import nope\n\x1b[1;35mModuleNotFoundError\x1b[0m: \x1b[35mNo module named \
         'nope'\x1b[0m\n"
    );
    let verdict = verdict(&exited(1, &coloured));
    assert_eq!(verdict.fault, Some(Fault::Setup));
    assert_eq!(
        verdict.detail.as_deref(),
        Some("exit code 1; ModuleNotFoundError: No module named 'nope'")
    );
}

#[test]
fn python_names_its_script_in_several_ways() {
    let errno = "[Errno 2] No such file or directory";
    for (code, said, fault) in [
        (2, format!("python: can't open file 'evaluate.py': {errno}"), Fault::Setup),
        (
            2,
            format!("/usr/bin/python3: can't open file '/task/./evaluate.py': {errno}"),
            Fault::Setup,
        ),
        (2, format!("python3: can't open file '/task/\\x65valuate.py': {errno}"), Fault::Setup),
        (2, format!("python3: can't open file \"/task/evaluate.py\": {errno}"), Fault::Setup),
        (2, format!("python3: can't open file '/task/evaluate.pyc': {errno}"), Fault::Candidate),
        (2, format!("python3: can't open file 'gen_3/main.py': {errno}"), Fault::Candidate),
        (2, "python3: can't open file ".to_owned(), Fault::Candidate),
        (2, "python3: can't open file '\\udc".to_owned(), Fault::Candidate),
        (
            1,
            "python3: can't find '__main__' module in '/task/evaluate.py'".to_owned(),
            Fault::Setup,
        ),
        (
            1,
            "python3: can't find '__main__' module in '/x/evaluate.py'".to_owned(),
            Fault::Candidate,
        ),
    ] {
        assert_eq!(verdict(&exited(code, &said)).fault, Some(fault), "{said}");
    }
}

#[test]
fn what_cannot_be_started_is_named_in_several_ways() {
    for (code, said, fault) in [
        (127, "/usr/bin/env: 'ruby': No such file or directory", Fault::Setup),
        (126, "env: ‘ruby’: Permission denied", Fault::Setup),
        (127, "env: can't execute 'ruby': No such file or directory", Fault::Setup),
        (127, "env: exec ruby: No such file or directory", Fault::Setup),
        (1, "/usr/bin/env: 'ruby': No such file or directory", Fault::Candidate),
        (127, "my env: 'ruby': No such file or directory", Fault::Candidate),
        (127, "sh: ruby: not found", Fault::Candidate),
        (
            127,
            "x: line 5: /task/evaluate.py: cannot execute: required file not found",
            Fault::Setup,
        ),
        (
            126,
            "x: line 5: evaluate.py: cannot execute binary file: Exec format error",
            Fault::Setup,
        ),
        (126, "x: line 5: /task/gen_3/main.py: Permission denied", Fault::Candidate),
        (126, "x: line y: /task/evaluate.py: Permission denied", Fault::Candidate),
        (126, "/task/evaluate.py: Permission denied", Fault::Candidate),
        (3, "x: line 5: /task/evaluate.py: Permission denied", Fault::Candidate),
        (127, "ruby", Fault::Candidate),
    ] {
        assert_eq!(verdict(&exited(code, said)).fault, Some(fault), "{said}");
    }
    let found = Found { metrics: json("{}"), ..missing() };
    let said = "/usr/bin/env: 'ruby': No such file or directory";
    let fault = verdict(&Case { found, ..exited(127, said) }).fault;
    assert_eq!(fault, Some(Fault::Candidate), "a result is there");
}
