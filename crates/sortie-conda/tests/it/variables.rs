//! The variables an environment has of its own.

use std::ffi::OsStr;

use sortie_conda::{Env, activate};

use crate::world::{World, env};

/// The variables that are set, those of conda left out, and those that are unset.
fn changes(world: &World, env: &Env) -> (Vec<(String, String)>, Vec<String>) {
    let activation = activate(&world.path("x"), env).unwrap();
    let text = |text: &OsStr| text.to_str().unwrap_or("(no text)").to_owned();
    let own = activation.set.iter().map(|(name, value)| (text(name), text(value)));
    let own = own.filter(|(name, _)| !name.starts_with("CONDA_") && name != "PATH").collect();
    (own, activation.unset.iter().map(|name| text(name)).collect())
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

#[test]
fn the_environment_wins_over_packages_and_later_packages_over_earlier() {
    let world = World::new();
    world.environment("x");
    let package = |name: &str, text| world.write(&format!("x/etc/conda/env_vars.d/{name}"), text);
    package("b.json", r#"{"A": "b", "B": "b", "C": "b", "GONE": "b"}"#);
    package("a.json", r#"{"A": "a", "OF_A": "a"}"#);
    let state = r#"{"version": 1, "env_vars": {"C": "state", "GONE": "***unset***", "D": "e\n'"}}"#;
    world.write("x/conda-meta/state", state);
    let expected = pairs([("A", "b"), ("B", "b"), ("C", "state"), ("D", "e\n'"), ("OF_A", "a")]);
    assert_eq!(changes(&world, &Env::new()), (expected, vec![]));
}

#[test]
fn what_is_hidden_is_kept() {
    let world = World::new();
    world.environment("x");
    let state =
        r#"{"env_vars": {"A": "new", "NOT_SET": "***unset***", "OUT": null, "NONE": null}}"#;
    world.write("x/conda-meta/state", state);
    let env = env([("A", "old"), ("NOT_SET", "stays"), ("OUT", "old"), ("CONDA_SHLVL", "4")]);
    let kept = [("A", "new"), ("__CONDA_SHLVL_4_A", "old"), ("__CONDA_SHLVL_4_OUT", "old")];
    assert_eq!(changes(&world, &env), (pairs(kept), vec!["OUT".into()]));
}

#[test]
fn values_are_pythons_text_of_them_and_names_in_upper_case() {
    let world = World::new();
    world.environment("x");
    let state = r#"{"env_vars": {"lower": "a", "N": 12, "F": 1.5, "T": true, "E": "", "U": "é"}}"#;
    world.write("x/conda-meta/state", state);
    let expected =
        [("E", ""), ("F", "1.5"), ("LOWER", "a"), ("N", "12"), ("T", "True"), ("U", "é")];
    assert_eq!(changes(&world, &Env::new()).0, pairs(expected));
}

#[test]
fn a_state_without_variables_is_none() {
    let world = World::new();
    world.environment("x");
    world.write("x/conda-meta/state", r#"{"version": 1}"#);
    assert_eq!(changes(&world, &Env::new()), (vec![], vec![]));
}

#[test]
fn what_cannot_be_a_variable_is_located() {
    let world = World::plain();
    let prefix = world.environment("x");
    let file = world.path("x/conda-meta/state");
    for (variables, problem) in [
        (r#"{"a b": "1"}"#, "`a b` is no name for a variable: letters, digits and `_` are"),
        (r#"{"": "1"}"#, "`` is no name"),
        (r#"{"1A": "1"}"#, "`1A` is no name"),
        (r#"{"a\n$(x)": "1"}"#, r"`a\n$(x)` is no name"),
        (r#"{"A=B": "1"}"#, "`A=B` is no name"),
        (r#"{"path": "/bin"}"#, "`path` is set by activation itself"),
        (r#"{"A": "x\u0000y"}"#, "`A` has a NUL character"),
        (r#"{"A": ["x"]}"#, "`A` is not text"),
    ] {
        world.write("x/conda-meta/state", format!(r#"{{"env_vars": {variables}}}"#));
        let error = activate(&prefix, &Env::new()).unwrap_err().to_string();
        let expected = format!("{}: environment variable {problem}", file.display());
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn what_is_no_object_is_located() {
    let world = World::plain();
    let prefix = world.environment("x");
    let (package, state) = ("x/etc/conda/env_vars.d/a.json", "x/conda-meta/state");
    for (file, text) in [
        (package, ""),
        (package, "[]"),
        (package, r#"{"A": "\ud800"}"#),
        (state, "{"),
        (state, "[]"),
        (state, r#"{"env_vars": ["A"]}"#),
        (state, r#"{"env_vars": null}"#),
    ] {
        let path = world.write(file, text);
        let error = activate(&prefix, &Env::new()).unwrap_err().to_string();
        let expected = format!("{}: not an object of environment variables: ", path.display());
        assert!(error.starts_with(&expected), "{text} {error}");
        std::fs::remove_file(path).unwrap();
    }
}
