//! What may be named as a candidate, and what it is called.

use std::io::Write;
use std::process::Stdio;

use sortie::exit_status::{CORRECT, SETUP};
use sortie_results::Value;

use super::{SCORES, begin, stage};
use crate::stage::{Stage, ended, ran};

type Names<'a> = &'a [(&'a str, &'a str)];

/// The ids and candidates of a sweep with these arguments, and this on standard input.
fn named(stage: &Stage, args: &[&str], input: &[u8]) -> Vec<(String, String)> {
    let mut command = stage.sortie(["sweep", "--config", "job.yaml", "--out", "out"]);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = command.spawn().unwrap();
    tool.stdin.take().unwrap().write_all(input).unwrap();
    let ran = ended(tool);
    assert_eq!(ran.status, Some(CORRECT.into()), "{args:?}: {ran:?}");
    let lines = stage.read("out/ledger.jsonl");
    let entries = lines.lines().map(|line| Value::parse(&line.as_bytes()[9..]).unwrap());
    let candidates = entries.filter_map(|entry| {
        let text = |name| entry.get("candidate")?.get(name)?.as_str().map(str::to_owned);
        Some((text("id")?, text("candidate")?))
    });
    let candidates = candidates.collect();
    std::fs::remove_dir_all(stage.path("out")).unwrap();
    candidates
}

#[test]
fn files_directories_patterns_and_lists() {
    let stage = stage(SCORES, "", 2);
    stage.write("gen_0/main.py", "7\n");
    stage.write("gen_1/main.py", "8\n");
    stage.write("gen_1/notes.txt", "");
    stage.write("both/.hidden", "");
    stage.write("both/x.py", "1\n");
    stage.write("both/inner/main.py", "2\n");
    stage.write("both/other/x.py", "3\n");
    let p = [("p0", "c/p0.py"), ("p1", "c/p1.py")];
    let gens = [("gen_0", "gen_0/main.py"), ("gen_1", "gen_1/main.py")];
    let twice = [("p0", "c/p0.py"), ("p0-2", "./c/p0.py")];
    let cases: [(&[&str], &[u8], Names<'_>); 9] = [
        (&["c/p0.py", "c/p1.py"], b"", &p),
        (&["c"], b"", &p),
        (&["c/*.py", "c/p0.py"], b"", &p),
        (&["gen_*"], b"", &gens),
        (&["gen_*/main.py"], b"", &gens),
        (&["gen_0", "gen_1"], b"", &gens),
        (&["both"], b"", &[("inner", "both/inner/main.py"), ("x", "both/x.py")]),
        (&["-"], b"c/p0.py\nc/p1.py\n", &p),
        (&["-0", "-"], b"c/p0.py\0./c/p0.py", &twice),
    ];
    for (args, input, expected) in cases {
        let named = named(&stage, args, input);
        let named: Vec<_> = named.iter().map(|(id, path)| (id.as_str(), path.as_str())).collect();
        assert_eq!(named, expected, "{args:?}");
    }
}

#[test]
fn json_lines_have_ids_and_arguments() {
    let evaluator = format!("printf '%s|' \"$@\" > \"$4/args\"\n{SCORES}");
    let stage = stage(&evaluator, "extra_cmd_args: {seed: 1, fast: true}\n", 2);
    let list = r#"{"id": "a b", "candidate": "c/p0.py", "args": {"seed": 2, "list": [1, "x"], "none": null}}

{"candidate": "c/p0.py"}
{"id": 7, "candidate": "c/p1.py", "args": {}}
"#;
    stage.write("list.jsonl", list);
    let args = ["sweep", "--config", "job.yaml", "--out", "out", "list.jsonl", "--json"];
    let ran = ran(&mut stage.sortie(args));
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.results()["candidates"], Value::Int(3));
    let told = |id| {
        let args = stage.read(&format!("out/{id}/args"));
        args.split_once("/out/").unwrap().1.split_once('|').unwrap().1.to_owned()
    };
    assert_eq!(told("a b"), "--seed|2|--fast|True|--list|[1, 'x']|--none|None|");
    assert_eq!((told("p0"), told("7")), ("--seed|1|--fast|True|".into(), told("p0")));
    let again = ["sweep", "--config", "job.yaml", "--out", "out2", "--jsonl", "list.jsonl"];
    assert_eq!(stage.sortie(again).status().unwrap().code(), Some(0));
}

#[test]
fn what_is_no_candidate_is_refused_before_anything_is_made() {
    let stage = stage(SCORES, "", 1);
    stage.write("empty/.hidden", "");
    let bad = [
        (r#"{"id": "a", "candidate": "c/p0.py"}"#, r#"id "a" of candidate c/p0.py is there twice"#),
        (r#"{"id": "../x", "candidate": "c/p0.py"}"#, "starts with a full stop"),
        (r#"{"id": "lock", "candidate": "c/p0.py"}"#, "is the name of one of the sweep's own"),
        (r#"{"candidate": "nowhere.py"}"#, "bad.jsonl:2: nowhere.py: No such file"),
        (r#"{"candidates": "c/p0.py"}"#, "bad.jsonl:2: unknown member `candidates`"),
        ("[]", "bad.jsonl:2: expected an object with `candidate`"),
        (r#"{"candidate": "c/p0.py""#, "bad.jsonl:2: line 1 column 24"),
    ];
    for (line, said) in bad {
        let good = r#"{"id": "a", "candidate": "c/p0.py"}"#;
        stage.write("bad.jsonl", format!("{good}\n{line}\n"));
        let args = ["sweep", "--config", "job.yaml", "--out", "out", "bad.jsonl"];
        ran(&mut stage.sortie(args)).is_error(SETUP, said);
    }
    let cases = [
        ("nowhere.py", "candidate nowhere.py: No such file"),
        ("*.txt", "pattern \"*.txt\": nothing matches"),
        ("empty", "directory empty holds no candidate"),
    ];
    for (candidate, said) in cases {
        let args = ["sweep", "--config", "job.yaml", "--out", "out", candidate];
        ran(&mut stage.sortie(args)).is_error(SETUP, said);
    }
    let none = ["sweep", "--config", "job.yaml", "--out", "out"];
    ran(&mut stage.sortie(none)).is_error(SETUP, "no candidates");
    assert!(!stage.path("out").exists());
    assert_eq!(ran(&mut begin(&stage)).status, Some(0));
}
