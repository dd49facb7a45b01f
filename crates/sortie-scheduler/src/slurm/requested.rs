//! What a user asks of sbatch by its variables, such as `SBATCH_ACCOUNT`; sbatch(1), INPUT ENVIRONMENT VARIABLES.
//!
//! sbatch itself is run without them, since they would win over the script. One counts where no setting says
//! otherwise, and becomes a line of the script then, which shows. The others are told of: a setting has a value,
//! perhaps its default, or the variable is about something that sortie sees to itself.

use std::ffi::OsString;

/// Variables that may count, without `SBATCH_`, and the options they stand for.
const COUNT: [(&str, &str); 15] = [
    ("ACCOUNT", "account"),
    ("QOS", "qos"),
    ("RESERVATION", "reservation"),
    ("CONSTRAINT", "constraint"),
    ("PARTITION", "partition"),
    ("TIMELIMIT", "time"),
    ("WCKEY", "wckey"),
    ("GRES", "gres"),
    ("GPUS", "gpus"),
    ("GPUS_PER_NODE", "gpus-per-node"),
    ("GPUS_PER_TASK", "gpus-per-task"),
    ("MEM_PER_NODE", "mem"),
    ("MEM_PER_CPU", "mem-per-cpu"),
    ("MEM_PER_GPU", "mem-per-gpu"),
    ("NETWORK", "network"),
];

/// Options of which a job has one at most.
const GROUPS: [&[&str]; 2] =
    [&["gres", "gpus", "gpus-per-node", "gpus-per-task"], &["mem", "mem-per-cpu", "mem-per-gpu"]];

/// Set by Slurm in a job, not by anybody for sbatch.
const OF_A_JOB: &str = "MEM_BIND";

/// What is in a launcher's environment for sbatch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Requested {
    /// The options that count, beside those of the settings.
    pub(crate) options: Vec<(String, Option<String>)>,
    /// The variables for sbatch that are used, and those that settings override.
    pub(crate) used: Vec<String>,
    pub(crate) unused: Vec<String>,
}

impl Requested {
    /// By the variables of an environment, where these options are given by settings.
    pub(crate) fn by(env: &[(OsString, OsString)], settings: &[(String, Option<String>)]) -> Self {
        let mut requested = Self::default();
        for (name, value) in env {
            let Some((name, rest)) =
                name.to_str().and_then(|name| Some((name, name.strip_prefix("SBATCH_")?)))
            else {
                continue;
            };
            if rest.starts_with(OF_A_JOB) || value.is_empty() {
                continue;
            }
            let option = COUNT.iter().find(|(variable, _)| *variable == rest).map(|(_, it)| *it);
            let free = |option: &&str| {
                let all = settings.iter().chain(&requested.options);
                !all.into_iter().any(|(given, _)| is_one_of(given, option))
            };
            match (option.filter(free), value.to_str().filter(|value| is_one_word(value))) {
                (Some(option), Some(value)) => {
                    requested.options.push((option.to_owned(), Some(value.to_owned())));
                    requested.used.push(name.to_owned());
                }
                _ => requested.unused.push(name.to_owned()),
            }
        }
        requested
    }
}

/// Whether a job that has the one option cannot have the other.
fn is_one_of(given: &str, option: &str) -> bool {
    let group = GROUPS.iter().find(|group| group.contains(&option));
    given == option || group.is_some_and(|group| group.contains(&given))
}

/// As in a directive, which sbatch splits at spaces and in which it knows quotes.
fn is_one_word(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_graphic() && !"\"'\\#".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(env: &[(&str, &str)], settings: &[&str]) -> Requested {
        let env: Vec<_> = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let settings: Vec<_> = settings.iter().map(|name| ((*name).to_owned(), None)).collect();
        Requested::by(&env, &settings)
    }

    #[test]
    fn what_no_setting_says_is_taken_from_the_environment() {
        let env = [("SBATCH_ACCOUNT", "lab"), ("SBATCH_RESERVATION", "r1"), ("HOME", "/home/u")];
        let requested = by(&env, &["partition", "time"]);
        let option = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(requested.options, [option("account", "lab"), option("reservation", "r1")]);
        assert_eq!(requested.used, ["SBATCH_ACCOUNT", "SBATCH_RESERVATION"]);
        assert_eq!(requested.unused, [""; 0]);
    }

    #[test]
    fn settings_win_and_what_is_sorties_stays_so() {
        for (variable, settings) in [
            ("SBATCH_ACCOUNT", &["account"][..]),
            ("SBATCH_PARTITION", &["partition"]),
            ("SBATCH_GPUS", &["gres"]),
            ("SBATCH_MEM_PER_CPU", &["mem"]),
            ("SBATCH_OUTPUT", &[]),
            ("SBATCH_EXPORT", &[]),
            ("SBATCH_NEW_IN_SLURM_30", &[]),
        ] {
            let requested = by(&[(variable, "1")], settings);
            assert_eq!((requested.options.len(), requested.unused), (0, vec![variable.into()]));
        }
    }

    #[test]
    fn of_options_that_exclude_each_other_one_is_taken() {
        let requested = by(&[("SBATCH_MEM_PER_CPU", "1G"), ("SBATCH_MEM_PER_NODE", "2G")], &[]);
        assert_eq!(requested.used, ["SBATCH_MEM_PER_CPU"]);
        assert_eq!(requested.unused, ["SBATCH_MEM_PER_NODE"]);
    }

    #[test]
    fn what_slurm_sets_in_a_job_or_says_nothing_is_no_request() {
        let env = [("SBATCH_MEM_BIND", "local"), ("SBATCH_MEM_BIND_TYPE", "x"), ("SBATCH_QOS", "")];
        assert_eq!(by(&env, &[]), Requested::default());
    }

    #[test]
    fn a_value_that_is_no_word_of_a_directive_is_not_taken() {
        for value in ["a b", "a\n#SBATCH --uid=0", "\"a\"", "a\\", "ä"] {
            assert_eq!(by(&[("SBATCH_ACCOUNT", value)], &[]).unused, ["SBATCH_ACCOUNT"], "{value}");
        }
    }
}
