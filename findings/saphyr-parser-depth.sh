#!/usr/bin/env bash
# saphyr-parser 0.3.4: flow collections nest 255 deep at most, block collections without a limit.
#
# `[[…1…]]` with 256 brackets is an error, "recursion limit exceeded", though the same value in block style ("- - … 1")
# is read at 5000 levels. So a bound of one's own for block style is still needed, and JSON that other readers
# take, which YAML should too, is refused from 256 levels on.
#
# Seen with rustc 1.95.0 on 2026-11-30:
#   flow 255: read
#   flow 256: recursion limit exceeded at byte 255 line 1 column 256
#   block 5000: read
#
# sortie refuses settings nested deeper than its own bound in both styles (crates/sortie-config/src/yaml).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "depth"
version = "0.0.0"
edition = "2024"

[dependencies]
saphyr-parser = "=0.3.4"
TOML
cat >"$dir/src/main.rs" <<'RUST'
use saphyr_parser::Parser;

fn read(text: &str) -> String {
    match Parser::new_from_str(text).find_map(Result::err) {
        Some(error) => error.to_string(),
        None => "read".to_owned(),
    }
}

fn main() {
    for depth in [255, 256] {
        println!("flow {depth}: {}", read(&format!("{}1{}", "[".repeat(depth), "]".repeat(depth))));
    }
    println!("block 5000: {}", read(&format!("{}1", "- ".repeat(5000))));
}
RUST
seen=$(cargo run --quiet --manifest-path "$dir/Cargo.toml" --target-dir "$dir/target")
echo "$seen"
[[ $seen == 'flow 255: read
flow 256: recursion limit exceeded at byte 255 line 1 column 256
block 5000: read' ]]
