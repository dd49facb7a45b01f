//! A trivial native evaluator: finds every candidate correct. Built by the bench, with `rustc`.

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let mut args = env::args_os().skip_while(|arg| arg != "--results_dir").skip(1);
    let dir = PathBuf::from(args.next().ok_or(io::ErrorKind::InvalidInput)?);
    fs::write(dir.join("metrics.json"), r#"{"combined_score": 1.0, "public": {"circles": 26}}"#)?;
    fs::write(dir.join("correct.json"), r#"{"correct": true, "error": null}"#)
}
