#!/usr/bin/env bash
# insta 1.49.0: with `glob!` in two tests of one binary, a failed snapshot can fail the other test, and its own passes.
#
# `glob!` counts the failures of its files to report them at the end. The counters are one stack for the whole process, whose
# top is whichever test began last. So a snapshot that differs in test `a` is counted for test `b`, should that have begun
# meanwhile; and where `b` ends first, `b` fails with "glob! resulted in 1 snapshot assertion failure", and `a` passes. The snapshot
# that is printed is the right one. `--test-threads=1` keeps them apart.
#
# Seen with rustc 1.95.0 on 2026-11-30:
#   test a ... ok
#   test b ... FAILED
#
# sortie's own tests still fail as a whole; whoever reads them looks for the snapshot that differs, not for the test's name.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir"/{src,tests/snapshots,a,b}
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "two"
version = "0.0.0"
edition = "2024"

[dependencies]
insta = { version = "=1.49.0", features = ["glob"] }
TOML
: >"$dir/src/lib.rs"
echo text >"$dir/a/file.txt"
echo text >"$dir/b/file.txt"
printf -- '---\nsource: tests/it.rs\n---\nanother text\n' >"$dir/tests/snapshots/it__a@file.txt.snap"
cat >"$dir/tests/it.rs" <<'RUST'
use std::{sync::Barrier, thread::sleep, time::Duration};

static A_HAS_BEGUN: Barrier = Barrier::new(2);
static B_HAS_BEGUN: Barrier = Barrier::new(2);
static A_HAS_COMPARED: Barrier = Barrier::new(2);

#[test]
fn a() {
    insta::glob!("../a", "*.txt", |path| {
        A_HAS_BEGUN.wait();
        B_HAS_BEGUN.wait();
        insta::assert_snapshot!("a", std::fs::read_to_string(path).unwrap());
        A_HAS_COMPARED.wait();
        sleep(Duration::from_secs(1)); // until `b` has ended
    });
}

#[test]
fn b() {
    A_HAS_BEGUN.wait();
    insta::glob!("../b", "*.txt", |_| {
        B_HAS_BEGUN.wait();
        A_HAS_COMPARED.wait();
    });
}
RUST
seen=$(INSTA_UPDATE=no INSTA_WORKSPACE_ROOT=$dir cargo test --quiet --manifest-path "$dir/Cargo.toml" --target-dir "$dir/target" \
  --test it -- --test-threads=2 --format=pretty 2>/dev/null | grep -E '^test [ab] ' | sort || true)
echo "$seen"
[[ $seen == 'test a ... ok
test b ... FAILED' ]]
