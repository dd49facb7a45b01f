//! The server's own checks, in Python.

use crate::{python, run_program};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server.py");

#[test]
fn its_unit_tests_pass() {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/test_server.py");
    let said = run_program(python(), &["-B", "-W", "error", tests]);
    assert!(said.contains("OK"), "{said}");
}

/// Its syntax is that of Python 3.8, no name is unknown and none is unused, no line too long.
#[test]
fn it_is_lint_free() {
    let lint = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/lint.py");
    run_program(python(), &["-B", "-W", "error", lint, SERVER]);
}
