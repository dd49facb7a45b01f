//! An evaluator that is compiled: a program of its own, for any machine and image, as it needs no library.

use std::path::Path;

/// Knows its arguments by their names; its score is the number in the candidate.
const JUDGE: &str = r#"
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name).unwrap();
        args[at + 1].clone()
    };
    let score = std::fs::read_to_string(value("--program_path")).unwrap();
    let dir = std::path::PathBuf::from(value("--results_dir"));
    std::fs::write(dir.join("metrics.json"), format!("{{\"combined_score\": {}}}", score.trim())).unwrap();
    std::fs::write(dir.join("correct.json"), "{\"correct\": true}").unwrap();
}
"#;

/// A program of this machine that is linked dynamically, to be loaded by what is nowhere.
pub(crate) fn without_loader() -> Vec<u8> {
    let mut bytes = std::fs::read("/bin/true").unwrap();
    let loader = bytes.windows(8).position(|window| window == b"ld-linux").unwrap();
    bytes[loader..loader + 8].copy_from_slice(b"no-linux");
    bytes
}

/// Compiles it, as these tests were.
pub(crate) fn judge(to: &Path) {
    let source = to.with_extension("rs");
    std::fs::write(&source, JUDGE).unwrap();
    let [source, to] = [&source, to].map(|path| path.to_str().unwrap());
    let fixed =
        ["--crate-name=judge", "--edition=2024", "-Ctarget-feature=+crt-static", "-Copt-level=s"];
    crate::run_program("rustc", &[&fixed[..], &["-o", to, source]].concat());
}
