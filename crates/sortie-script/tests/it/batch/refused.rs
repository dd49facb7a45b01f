//! Values that no script can carry.

use std::ffi::OsString;

use super::case::{Activation, Case};

#[track_caller]
fn refused(change: impl FnOnce(&mut Case), said: &str) {
    let mut case = Case::default();
    change(&mut case);
    assert_eq!(case.render().unwrap_err().to_string(), said);
}

#[test]
fn nul_is_refused_everywhere() {
    let nul = "a NUL byte at offset 1, which no argument of a program can carry";
    let text = || String::from("a\0");
    refused(|c| c.attempts[0].candidate = text().into(), &format!("the candidate holds {nul}"));
    let argument = format!("an argument of the evaluator holds {nul}");
    refused(|c| c.attempts[0].command = vec!["python".into(), text().into()], &argument);
    refused(|c| c.modules = vec![text()], &format!("a module holds {nul}"));
    let conda = format!("the Conda environment holds {nul}");
    refused(|c| c.activation = Activation::Conda(text()), &conda);
    refused(|c| c.set = vec![("A".into(), text().into())], &format!("A holds {nul}"));
    refused(|c| c.attempts[0].results_dir = "/\0".into(), &format!("the results dir holds {nul}"));
}

#[test]
fn paths_are_absolute() {
    refused(
        |c| c.attempts[0].results_dir = "results".into(),
        "the results dir must be an absolute path, got `results`",
    );
    refused(|c| c.directory = "".into(), "the working directory must be an absolute path, got ``");
}

#[test]
fn programs_and_names() {
    let program = "the evaluator's program \"a=b\" must be a name or path without `=`";
    refused(|c| c.attempts[0].command = vec!["a=b".into()], program);
    for name in ["", "a=b"] {
        let said = format!("no variable can be named {name:?}: a name is not empty and has no `=`");
        refused(|c| c.set = vec![(name.into(), OsString::new())], &said);
    }
    refused(
        |c| c.activation = Activation::Conda("-p".into()),
        "the Conda environment \"-p\" starts with a dash and would be taken for an option",
    );
}

#[test]
fn options() {
    let option = |name: &str, value: &str| vec![(name.to_owned(), Some(value.to_owned()))];
    refused(
        |c| c.options = option("comment", "a\nb"),
        "sbatch option `comment` with value \"a\\nb\": no directive can carry this value",
    );
    refused(
        |c| c.options = option("output", "x"),
        "sbatch option `output` with value \"x\": sortie writes this one itself",
    );
}

#[test]
fn what_the_operating_system_would_not_pass_on() {
    refused(
        |c| c.attempts[0].command = vec!["python".into(), "x".repeat(131_072).into()],
        "an argument of the evaluator has 131072 bytes, more than the 131071 of one argument or variable",
    );
    refused(|c| c.attempts.clear(), "a job array needs at least one element");
}
