//! Beginnings of files, and what they are taken for.

use std::path::Path;

use super::head::Head;

fn not_python(name: &str, text: &[u8]) -> Option<String> {
    Head(text.to_owned()).not_python(Path::new(name))
}

#[test]
fn what_python_cannot_run_is_told() {
    for (name, text, what) in [
        ("evaluate.sh", &b"#!/bin/bash\necho hi\n"[..], "a script for /bin/bash"),
        ("evaluate", b"#! /bin/sh -e\n", "a script for /bin/sh"),
        ("evaluate.py", b"#!/bin/sh\necho hi\n", "a script for /bin/sh"),
        ("e", b"#!/usr/bin/env bash", "a script for bash"),
        ("e", b"#!/usr/bin/env -S perl -w\r\n", "a script for perl"),
        ("e", b"#!/usr/bin/lua5.4\n", "a script for /usr/bin/lua5.4"),
        ("evaluate.py", b"\x7fELF\x02\x01", "a compiled program (ELF)"),
    ] {
        assert_eq!(not_python(name, text).as_deref(), Some(what), "{name}");
    }
}

#[test]
fn what_python_may_run_is_left_to_it() {
    for (name, text) in [
        ("e", &b"print(1)\n"[..]),
        ("e", b""),
        ("e", b"#!/usr/bin/env python3\n"),
        ("e", b"#!/usr/bin/env -S uv run --script\n"),
        ("e", b"#!/opt/my env/bin/python3.12 -u\n"),
        ("e", b"#!/usr/bin/pypy3\n"),
        ("e.pyz", b"PK\x03\x04"),
        ("e.pyz", b"#!/usr/bin/env python3\nPK\x03\x04"),
        // As pip writes.
        ("e", b"#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n' '''\nimport sys\n"),
        ("e", b"#!/bin/sh\n\"exec\" \"python3\" \"$0\" \"$@\"\n"),
        // A line that only a shell would mind.
        ("evaluate.py", b"#!/bin/bash\n\nimport json\n"),
    ] {
        assert_eq!(not_python(name, text), None, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn what_cannot_run_as_itself_is_told() {
    let cwd = Path::new("/");
    let runs = |text: &[u8]| Head(text.to_owned()).runs_here(cwd);
    assert_eq!(runs(b"#!/bin/sh\n"), Ok("a script for /bin/sh".to_owned()));
    assert_eq!(runs(b"#!bin/sh\n"), Ok("a script for bin/sh".to_owned()));
    for (text, said) in [
        (&b"#!/no/such\n"[..], "names /no/such, which does not exist"),
        (b"#!sh\n", "names sh, which does not exist"),
        (b"#!/bin/sh\r\necho\r\n", "end in CR LF"),
        (b"#! \n", "names no interpreter"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0", "a part of a compiled program"),
    ] {
        let problem = runs(text).unwrap_err();
        assert!(problem.contains(said), "{problem}");
    }
    let looked_up = Head(b"#!/usr/bin/env nope\n".to_vec()).finds(|_| Err("is not on PATH"));
    assert_eq!(
        looked_up.unwrap_err(),
        "has a `#!` line that asks `env` for nope, which is not on PATH"
    );
}
