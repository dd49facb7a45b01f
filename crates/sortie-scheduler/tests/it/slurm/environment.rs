//! What is in a job's environment, and what of it the job starts with.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use sortie_config::glob::Pattern;

use super::{Cluster, Site, on_both, scheduler};
use crate::GOOD;

on_both! { a_job_starts_with_what_slurm_sets_and_gets_what_the_settings_let_through }

/// The evaluator's own environment, and that with which Slurm has started the script.
const TELL: &str = "cat /proc/self/environ >\"$4/own\"; cat \"/proc/$PPID/environ\" >\"$4/start\"";

type Variables = BTreeMap<OsString, OsString>;

fn read(path: &Path) -> Variables {
    let bytes = fs::read(path).unwrap();
    let entries = bytes.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    let pair = |entry: &[u8]| {
        let at = entry.iter().position(|byte| *byte == b'=').unwrap();
        (OsString::from_vec(entry[..at].into()), OsString::from_vec(entry[at + 1..].into()))
    };
    entries.map(pair).collect()
}

/// The names, without those that Slurm or the shell sets.
fn others<'a>(variables: &'a Variables, known: &[&str]) -> Vec<&'a OsStr> {
    let of_slurm = ["SLURM", "OMPI_MCA_", "PRTE_MCA_", "HYDRA_", "I_MPI_HYDRA_"];
    let of_a_place = ["ENVIRONMENT", "HOSTNAME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"];
    let is_set = |name: &OsStr| {
        of_slurm.iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes()))
            || of_a_place.iter().chain(known).any(|known| name == *known)
    };
    variables.keys().map(OsString::as_os_str).filter(|name| !is_set(name)).collect()
}

async fn a_job_starts_with_what_slurm_sets_and_gets_what_the_settings_let_through(
    cluster: Cluster,
) {
    let site = Site::new(cluster, &format!("{TELL}\n{GOOD}"));
    let mut env = site.env(&[]);
    env.retain(|(name, _)| ["PATH", "SLURM_CONF"].iter().any(|kept| name == *kept));
    let odd = OsString::from_vec(b"a\nb=\xff'\"\\ $(id)".to_vec());
    let large = OsString::from("x".repeat(100_000));
    let given = [
        ("ODD", odd.clone()),
        ("LARGE", large.clone()),
        ("BASH_ENV", site.path("no-such-file").into()),
        ("BASH_FUNC_cd%%", "() { exit 9; }".into()),
        ("API_KEY", "secret".into()),
        ("KRB5CCNAME", "/tmp/of-the-launcher".into()),
        ("SBATCH_PARTITION", "no-such-partition".into()),
        ("SBATCH_EXPORT", "NONE".into()),
        ("SLURM_JOB_ID", "7".into()),
        ("SLURM_NTASKS", "64".into()),
        ("HOME", site.path("home").into()),
    ];
    env.extend(given.map(|(name, value)| (OsString::from(name), value)));
    let mut config = site.config();
    config.environment.deny = vec![Pattern::new("API_*").unwrap()];
    let scheduler = scheduler(config, env);
    let run = scheduler.run(site.path("candidate"), site.path("results"));
    let results = run.await.unwrap().0;
    assert!(results.correct, "{results:?}");

    let start = read(&site.path("results/start"));
    assert_eq!(others(&start, &["PATH", "HOME"]), [""; 0], "the job starts with these, too");
    assert_ne!(start[OsStr::new("SLURM_JOB_ID")], "7");
    assert_eq!(start[OsStr::new("SLURM_NTASKS")], "1");
    let own = read(&site.path("results/own"));
    let mine = ["PATH", "HOME", "ODD", "LARGE", "BASH_ENV", "BASH_FUNC_cd%%"];
    let told = ["PYTHONIOENCODING", "PYTHONUNBUFFERED", "SHINKA_EVAL_VERBOSE"];
    let marks = ["SORTIE_ATTEMPT", "SORTIE_TEST_MARK"];
    let known = [&mine[..], &told, &marks].concat();
    assert_eq!(others(&own, &known), [""; 0], "the evaluator has these, too");
    assert_eq!((&own[OsStr::new("ODD")], &own[OsStr::new("LARGE")]), (&odd, &large));
    assert_eq!(own[OsStr::new("HOME")], site.path("home").into_os_string());
}
