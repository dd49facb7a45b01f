//! An evaluator that is compiled: a program of its own, for any machine and image, as it needs no library.

use std::path::Path;

/// A program of this machine that is linked dynamically, to be loaded by what is nowhere.
pub(crate) fn without_loader() -> Vec<u8> {
    let mut bytes = std::fs::read("/bin/true").unwrap();
    let loader = bytes.windows(8).position(|window| window == b"ld-linux").unwrap();
    bytes[loader..loader + 8].copy_from_slice(b"no-linux");
    bytes
}

/// Compiles it, as these tests were; where there is no compiler, `SORTIE_TEST_JUDGE` names it compiled.
pub(crate) fn judge(to: &Path) {
    if let Some(judge) = std::env::var_os("SORTIE_TEST_JUDGE") {
        std::fs::copy(judge, to).unwrap();
        return;
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/compiled/judge.rs");
    let fixed =
        ["--crate-name=judge", "--edition=2024", "-Ctarget-feature=+crt-static", "-Copt-level=s"];
    crate::run_program("rustc", &[&fixed[..], &["-o", to.to_str().unwrap(), source]].concat());
}
