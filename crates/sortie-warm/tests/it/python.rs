//! The server's own checks, in Python.

use crate::{python, run_program};

const FILES: [&str; 4] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/imports.py"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/server.py"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/check.py"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/src/which.py"),
];

#[test]
fn its_unit_tests_pass() {
    for tests in [
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/test_server.py"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/test_check.py"),
    ] {
        let said = run_program(python(), &["-B", "-W", "error", tests]);
        assert!(said.contains("OK"), "{said}");
    }
}

/// Its syntax is that of Python 3.8, no name is unknown and none is unused, no line too long.
#[test]
fn it_is_lint_free() {
    let lint = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/lint.py");
    run_program(python(), &[&["-B", "-W", "error", lint], &FILES[..]].concat());
}
