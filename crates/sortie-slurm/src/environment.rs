//! The environment that Slurm's commands are given.
//!
//! What is in the launcher's environment can change what the commands do and print: `SBATCH_*`
//! override a script's directives, `SQUEUE_FORMAT` and its like change the output, and the
//! `SLURM_*` of an enclosing job (a launcher that itself runs in one) bind the new job to the old
//! one's nodes, CPUs and memory. What says which cluster to talk to, and as whom, has to stay.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use sortie_process::Environment;

/// Begin the names of variables that are taken away …
const TAKEN: &[&str] = &[
    "SBATCH_",
    "SALLOC_",
    "SRUN_",
    "SQUEUE_",
    "SACCT_",
    "SCANCEL_",
    "SCONTROL_",
    "SLURM_",
    "SLURMD_",
];

/// … except for these, which select and authenticate to a cluster: sbatch(1), slurm.conf(5), jwt
/// and `auth/slurm` in Slurm's documentation.
const KEPT: &[&str] = &[
    "SLURM_CONF",
    "SLURM_CONF_SERVER",
    "SLURM_CLUSTERS",
    "SLURM_JWT",
    "SLURM_SACK_KEY",
    "SLURM_SACK_JWKS",
    "SLURM_SACK_SOCKET",
];

/// Of the rest, what sbatch is left with where all of its environment becomes the job's: what it takes to find and start it and its
/// libraries, and the options of the site's plugins (`SPANK_`). Nothing that a shell acts on at its start (`BASH_ENV`, functions), or
/// that would be wrong on another machine (`KRB5CCNAME`, `TMPDIR`).
const BARE: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "TZ", "LD_LIBRARY_PATH"];

/// The user's key to Slurm, by which whoever has it acts as the user.
const KEY: &str = "SLURM_JWT";

/// Has times printed in seconds since 1970, whatever the time zone; squeue(1), sacct(1),
/// scontrol(1).
const TIME_FORMAT: (&str, &str) = ("SLURM_TIME_FORMAT", "%s");

/// The environments of the two kinds of commands.
pub(crate) struct Environments {
    /// For sbatch.
    pub(crate) submit: Environment,
    /// For an sbatch that passes all of it on to the job; `None` where that would give the job a key.
    pub(crate) bare: Option<Environment>,
    /// For the others.
    pub(crate) ask: Environment,
    /// Whether the commands talk to clusters named in the environment.
    pub(crate) names_clusters: bool,
}

impl Environments {
    /// Of a variable that is given more than once, the last value counts.
    pub(crate) fn new(all: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut env: BTreeMap<_, _> = all.into_iter().filter(|(name, _)| !is_taken(name)).collect();
        let names_clusters =
            env.get(OsStr::new("SLURM_CLUSTERS")).is_some_and(|names| !names.is_empty());
        let submit: Environment = env.clone().into_iter().collect();
        let has_key = env.contains_key(OsStr::new(KEY));
        let bare = || submit.iter().filter(|(name, _)| is_bare(name)).cloned().collect();
        let bare = (!has_key).then(bare);
        env.insert(TIME_FORMAT.0.into(), TIME_FORMAT.1.into());
        Self { submit, bare, ask: env.into_iter().collect(), names_clusters }
    }
}

pub(crate) fn path(env: &Environment) -> String {
    let path = env.iter().find(|(name, _)| name == "PATH");
    path.map_or_else(|| "not set".into(), |(_, value)| value.to_string_lossy().into_owned())
}

fn is_taken(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    TAKEN.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
        && !KEPT.iter().any(|kept| kept.as_bytes() == name)
}

/// Of what is not taken.
fn is_bare(name: &OsStr) -> bool {
    let text = name.as_encoded_bytes();
    text.starts_with(b"SLURM_")
        || text.starts_with(b"SPANK_")
        || BARE.iter().any(|kept| name == *kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enclosing_job_leaves_no_trace_and_the_cluster_stays_selected() {
        let given = [
            "PATH",
            "HOME",
            "SLURM_CONF",
            "SLURM_JWT",
            "SLURM_CLUSTERS",
            "SLURM_CPU_BIND",
            "SLURM_JOB_ID",
            "SLURM_TIME_FORMAT",
            "SLURM_CONF_OUT",
            "SBATCH_PARTITION",
            "SQUEUE_FORMAT",
            "SRUN_CPUS_PER_TASK",
            "SLURMD_NODENAME",
            "MY_SLURM_NOTES",
            "SPANK_ROOT",
            "BASH_ENV",
            "BASH_FUNC_cd%%",
            "KRB5CCNAME",
            "API_KEY",
        ];
        let env = Environments::new(given.map(|name| (name.into(), "x".into())));
        let names = |env: &Environment| {
            env.iter().map(|(name, _)| name.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let bare = ["HOME", "PATH", "SLURM_CLUSTERS", "SLURM_CONF", "SPANK_ROOT"];
        let keyless = given.into_iter().filter(|name| *name != KEY);
        let keyless = Environments::new(keyless.map(|name| (name.into(), "x".into())));
        assert_eq!(names(&keyless.bare.unwrap()), bare);
        assert!(env.bare.is_none(), "a job would have the key");
        let others = ["API_KEY", "BASH_ENV", "BASH_FUNC_cd%%", "KRB5CCNAME", "MY_SLURM_NOTES"];
        let mut kept = [&bare[..], &others, &[KEY]].concat();
        kept.sort_unstable();
        assert_eq!(names(&env.submit), kept);
        kept.insert(kept.len() - 1, "SLURM_TIME_FORMAT");
        assert_eq!(names(&env.ask), kept);
        assert!(env.ask.contains(&("SLURM_TIME_FORMAT".into(), "%s".into())));
        assert!(env.names_clusters);
    }

    #[test]
    fn the_last_value_counts() {
        let env = Environments::new(["/a", "/b"].map(|path| ("PATH".into(), path.into())));
        assert_eq!((env.submit.len(), path(&env.submit).as_str()), (1, "/b"));
    }
}
