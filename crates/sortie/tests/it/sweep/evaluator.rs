//! An evaluator that is changed in the middle of a sweep, or before the sweep is resumed: that is told.

use sortie::exit_status::CORRECT;
use sortie_results::{Object, Value};

use super::{SCORES, begin, results, resume, stage};
use crate::stage::{Stage, ran};

/// Takes the place of the evaluator's file while candidate 1 is judged.
const CHANGES: &str = r"
case $2 in
  */p1.py) if [ ! -e changed ]; then
    : > changed
    { cat evaluate.sh; echo '# another'; } > next
    mv next evaluate.sh
  fi
esac
";

fn sha256(stage: &Stage) -> String {
    let printed = ran(stage.command("sha256sum").arg("evaluate.sh")).stdout;
    printed.split(' ').next().unwrap().to_owned()
}

/// The evaluators that a JSON form has, with the numbers of their results.
fn evaluators(form: &Object) -> Vec<(String, i64)> {
    let Some(Value::Array(all)) = form.get("evaluators") else { panic!("{form:?}") };
    let each = |it: &Value| match it.get("results") {
        Some(Value::Int(results)) => {
            (it.get("sha256").and_then(Value::as_str).unwrap().to_owned(), *results)
        }
        other => panic!("{other:?}"),
    };
    all.iter().map(each).collect()
}

fn form(stage: &Stage) -> Object {
    ran(&mut stage.sortie(["status", "--json", "out"])).results()
}

#[test]
fn a_change_in_the_middle_is_told() {
    let stage = stage(&format!("{CHANGES}{SCORES}"), "", 6);
    let before = sha256(&stage);
    let swept = ran(begin(&stage).args(["--workers", "1"]));
    let after = sha256(&stage);
    assert_eq!(swept.status, Some(CORRECT.into()), "{swept:?}");
    let told = format!(
        "the evaluator evaluate.sh has changed while the sweep runs: it was {} (SHA-256), and is {} now",
        &before[..12],
        &after[..12]
    );
    assert_eq!(swept.stderr.matches(&told).count(), 1, "{swept:?}");
    assert_eq!(swept.stderr.matches("has changed").count(), 1, "{swept:?}");
    let counts =
        format!("the evaluator changed: 2 results with {}, 4 with {}", &before[..12], &after[..12]);
    assert!(swept.stdout.contains(&format!("\n{counts}\n")), "{swept:?}");

    let of = |id: &str| results(&stage)[id]["evaluator_sha256"].as_str().unwrap().to_owned();
    assert_eq!((of("p1"), of("p2")), (before.clone(), after.clone()));
    let record = stage.read("out/p2/job.json");
    assert!(record.contains(&format!("\"evaluator_sha256\": \"{after}\"")), "{record}");
    assert_eq!(evaluators(&form(&stage)), [(before.clone(), 2), (after.clone(), 4)]);
    let status = ran(&mut stage.sortie(["status", "out"]));
    assert!(status.stdout.contains(&counts), "{status:?}");
    let page = ran(&mut stage.sortie(["report", "out", "--out", "-"])).stdout;
    let (before, after) = (&before[..12], &after[..12]);
    let note = format!("The evaluator changed: 2 results with {before}, 4 results with {after}.");
    assert!(page.contains(&note), "{page}");
}

#[test]
fn a_change_before_the_sweep_is_resumed_is_told() {
    let stage = stage(&format!("[ -e good ] || case $2 in */p2.py) exit 3; esac\n{SCORES}"), "", 3);
    let before = sha256(&stage);
    let first = ran(begin(&stage).arg("--json"));
    assert!(!first.stderr.contains("has changed"), "{first:?}");
    assert_eq!(evaluators(&first.results()), [(before.clone(), 3)]);
    assert!(!ran(&mut stage.sortie(["status", "out"])).stdout.contains("evaluator"));

    // The same content is the same evaluator, whatever the file's times and inode.
    stage.write("good", "");
    let text = stage.read("evaluate.sh");
    stage.write("copy", &text);
    std::fs::rename(stage.path("copy"), stage.path("evaluate.sh")).unwrap();
    let resumed = ran(&mut resume(&stage));
    assert!(!resumed.stderr.contains("has changed"), "{resumed:?}");

    stage.write("evaluate.sh", format!("{text}# another\n"));
    let after = sha256(&stage);
    let resumed = ran(resume(&stage).args(["--again", "candidate", "--json"]));
    let told = format!(
        "the evaluator evaluate.sh has changed since the sweep began: it is {} now (SHA-256); the sweep has 2 results with {}",
        &after[..12],
        &before[..12]
    );
    assert_eq!(resumed.stderr.matches(&told).count(), 1, "{resumed:?}");
    assert_eq!(resumed.stderr.matches("has changed").count(), 1, "{resumed:?}");
    assert_eq!(evaluators(&resumed.results()), [(before, 2), (after, 1)]);
}

#[test]
fn results_of_an_evaluator_that_is_not_known_are_of_none() {
    let stage = stage(SCORES, "", 2);
    assert_eq!(ran(&mut begin(&stage)).status, Some(CORRECT.into()));
    // As an earlier sortie has left it.
    let ledger = stage.read("out/ledger.jsonl");
    let kept: Vec<_> = ledger.lines().filter(|line| !line.contains("\"evaluator\"")).collect();
    assert_eq!(kept.len(), ledger.lines().count() - 1);
    stage.write("out/ledger.jsonl", kept.join("\n") + "\n");
    stage.write("evaluate.sh", format!("{SCORES}# another\n"));
    let resumed = ran(resume(&stage).arg("--json"));
    assert!(!resumed.stderr.contains("has changed"), "{resumed:?}");
    assert_eq!(evaluators(&resumed.results()), []);
}
