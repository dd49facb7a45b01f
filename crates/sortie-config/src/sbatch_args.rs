//! Which options of sbatch `sbatch_args` may hold.

use crate::{InvalidSetting, SlurmRequest};

/// Options, and the settings to use instead.
const TYPED: [(&str, &str); 14] = [
    ("partition", "partition"),
    ("time", "time"),
    ("cpus-per-task", "cpus"),
    ("cpus-per-gpu", "cpus"),
    ("account", "account"),
    ("qos", "qos"),
    ("constraint", "constraint"),
    ("nodelist", "nodelist"),
    ("nodefile", "nodelist"),
    ("exclude", "exclude"),
    ("reservation", "reservation"),
    ("nice", "nice"),
    ("dependency", "dependency"),
    ("signal", "early_term_seconds"),
];

/// Options that go with some values of settings.
const GPUS: [&str; 6] =
    ["gres", "gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket", "tres-per-task"];
const MEMORY: [&str; 3] = ["mem", "mem-per-cpu", "mem-per-gpu"];

/// Options that sortie relies on, or that would have sbatch do something else.
const OWN: [&str; 32] = [
    "job-name",
    "array",
    "output",
    "error",
    "input",
    "open-mode",
    "chdir",
    "nodes",
    "ntasks",
    "ntasks-per-node",
    "ntasks-per-core",
    "ntasks-per-socket",
    "ntasks-per-gpu",
    "requeue",
    "no-requeue",
    "export",
    "export-file",
    "get-user-env",
    "clusters",
    "cluster",
    "wrap",
    "wait",
    "parsable",
    "test-only",
    "quiet",
    "verbose",
    "help",
    "usage",
    "version",
    "uid",
    "gid",
    "use-min-nodes",
];

/// Checks the name of an option, alone and beside the settings.
pub(crate) fn check(name: &str, settings: &SlurmRequest) -> Result<(), InvalidSetting> {
    let refuse = |why: &str| {
        let field = format!("sbatch_args.{name}");
        Err(InvalidSetting::SbatchArg { field, why: why.to_owned() })
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() < 2
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.bytes().all(plain)
    {
        return refuse("is no long option of sbatch, named in lower case without dashes in front");
    }
    // sbatch accepts an abbreviated name, if no other name begins with it.
    let means = |option: &str| option.starts_with(name);
    if let Some((_, setting)) = TYPED.iter().find(|(option, _)| means(option)) {
        return refuse(&format!("contradicts the setting `{setting}`: use that"));
    }
    if GPUS.into_iter().any(means) && settings.gpus.count > 0 {
        return refuse(
            "contradicts the setting `gpus`: use that, or `gpus: 0` to ask in your own way",
        );
    }
    if MEMORY.into_iter().any(means) && settings.mem.is_some() {
        return refuse(
            "contradicts the setting `mem`: use that, or `mem: null` to ask in your own way",
        );
    }
    if OWN.into_iter().any(means) {
        return refuse("is for sortie to set");
    }
    Ok(())
}
