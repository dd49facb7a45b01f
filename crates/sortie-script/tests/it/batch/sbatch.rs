//! What the real sbatch makes of the directives: `--test-only`, on the private Slurm that
//! `SORTIE_TEST_SLURM_CONF` names.

use std::{fs, io::Write as _, process::Stdio};

use super::case::Case;
use crate::bash::program;

/// What the private Slurm has in place of the clusters that the cases are for. On the command line these
/// override the directives, which sbatch reads all the same.
const INSTEAD: [&str; 7] = [
    "--partition=gpu",
    "--constraint=",
    // Slurm 26.05 takes an empty list for no nodes at all.
    "--nodelist=n1",
    "--exclude=",
    "--reservation=",
    "--dependency=",
    "--licenses=",
];

/// What sbatch has against a script.
fn refused(script: &str) -> Option<String> {
    let conf = std::env::var_os("SORTIE_TEST_SLURM_CONF").unwrap_or_else(|| {
        panic!("SORTIE_TEST_SLURM_CONF does not name a slurm.conf: run `cargo xtask test`")
    });
    let mut sbatch = program("sbatch");
    sbatch.arg("--test-only").args(INSTEAD).env("SLURM_CONF", conf);
    sbatch.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = sbatch.spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success() || said.contains("error")).then_some(said)
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn every_script_is_taken() {
    let cases = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/batch")).unwrap();
    for path in cases.map(|entry| entry.unwrap().path()) {
        let case: Case = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(refused(&case.render().unwrap()), None, "{}", path.display());
    }
    // As it would be where one is written wrongly.
    let mut case = Case::default();
    case.options.push(("time".into(), Some("soon".into())));
    let said = refused(&case.render().unwrap()).unwrap();
    assert!(said.contains("Invalid --time specification"), "{said}");
}
