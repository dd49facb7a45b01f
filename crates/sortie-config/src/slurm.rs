//! What the two kinds of Slurm job share.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Gpus, Memory, TimeLimit};

/// How `gpus` are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuRequest {
    /// `--gres=gpu:2`, which every site with GPUs knows.
    #[default]
    Gres,
    /// `--gpus-per-node=2`, which some sites ask for instead.
    GpusPerNode,
}

impl<'de> Deserialize<'de> for GpuRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = GpuRequest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`gres` or `gpus-per-node`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GpuRequest, E> {
                match text {
                    "gres" => Ok(GpuRequest::Gres),
                    "gpus-per-node" => Ok(GpuRequest::GpusPerNode),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Declares the settings of a kind of Slurm job: some of its own, and those that both have.
macro_rules! slurm_job_config {
    ($(#[$of_struct:meta])* $name:ident {
        $($(#[$of_field:meta])* $field:ident: $type:ty = $default:expr,)*
    }) => {
        crate::fields::job_settings! {
            $(#[$of_struct])*
            $name {
                $($(#[$of_field])* $field: $type = $default,)*
                /// The Python of the node or of the image that runs the evaluator, a path or a name that is looked up on `PATH` there;
                /// `python` by default, and where an environment is activated. Not for `evaluator: executable`, which runs as itself.
                python_executable: Option<std::path::PathBuf> = None,
                /// Slurm partition, or several with commas; `gpu` by default.
                partition: String = "gpu".to_owned(),
                /// How long the job may run; one hour by default.
                time: crate::TimeLimit = crate::TimeLimit::ONE_HOUR,
                /// CPUs of the job; 1 by default.
                #[serde(deserialize_with = "crate::fields::cpus")]
                #[schemars(range(min = 1, max = 65533))]
                cpus: u32 = 1,
                /// GPUs of the job, in YAML a number or as in `a100:2`; 1 by default, 0 asks for none.
                gpus: crate::Gpus = crate::Gpus::from(1),
                /// How they are asked for; as a `gres` by default.
                gpu_request: crate::GpuRequest = crate::GpuRequest::Gres,
                /// Memory of the job, 8 GiB by default; `None` leaves it to the cluster.
                mem: Option<crate::Memory> = Some(crate::Memory::from_gibibytes(8)),
                /// The account that is charged.
                account: Option<String> = None,
                /// The quality of service.
                qos: Option<String> = None,
                /// Features the node must have, as sbatch writes them (`a100|h100`).
                constraint: Option<String> = None,
                /// The node to run on.
                nodelist: Option<String> = None,
                /// Nodes not to run on, as sbatch writes them (`node[1-4],node7`).
                exclude: Option<String> = None,
                /// The reservation to run in.
                reservation: Option<String> = None,
                /// Added to the job's niceness: more is later.
                #[schemars(range(min = -2147483645, max = 2147483645))]
                nice: Option<i64> = None,
                /// What the job waits for, as sbatch writes it (`afterok:123`).
                dependency: Option<String> = None,
                /// All other options of sbatch: the long name, without dashes, and a value, or none. One that
                /// would contradict a setting is an error.
                #[serde(deserialize_with = "crate::fields::null_is_empty")]
                #[schemars(with = "crate::schema::SbatchArgs")]
                sbatch_args: indexmap::IndexMap<String, Option<String>> = indexmap::IndexMap::new(),
                /// How long before its time limit a job is asked to stop, in seconds, so that it ends in an
                /// orderly way; 30 by default, 0 leaves it to the limit. Not done where the limit is so
                /// short that it would come too early: less than twice this and two minutes.
                #[schemars(range(max = 65535))]
                early_term_seconds: u32 = 30,
                /// How long the job may wait in the queue, in the forms of `time`; without a limit by default.
                max_queue_time: Option<crate::TimeLimit> = None,
                /// How often a job is run again after a fault of the cluster; 2 by default.
                infrastructure_retries: u32 = 2,
                /// Whether the evaluator is told to be verbose; true by default.
                eval_verbose: bool = true,
                /// Threads numeric libraries may use; less than 1 counts as 1, `None` leaves them alone.
                numeric_threads_per_job: Option<i64> = None,
            }
        }

        impl $name {
            /// Where the job runs.
            pub(crate) fn place(&self) -> crate::JobPlace {
                crate::JobPlace::Slurm(Box::new(crate::SlurmRequest {
                    partition: self.partition.clone(),
                    time: self.time,
                    cpus: self.cpus,
                    gpus: self.gpus.clone(),
                    gpu_request: self.gpu_request,
                    mem: self.mem,
                    account: self.account.clone(),
                    qos: self.qos.clone(),
                    constraint: self.constraint.clone(),
                    nodelist: self.nodelist.clone(),
                    exclude: self.exclude.clone(),
                    reservation: self.reservation.clone(),
                    nice: self.nice,
                    dependency: self.dependency.clone(),
                    sbatch_args: self.sbatch_args.clone(),
                    early_term: self.early_term_seconds,
                    max_queue_time: self.max_queue_time,
                    infrastructure_retries: self.infrastructure_retries,
                }))
            }
        }
    };
}
pub(crate) use slurm_job_config;

/// What a Slurm job of either kind asks of Slurm, and of the launcher while it waits.
#[derive(Clone, Debug, PartialEq)]
pub struct SlurmRequest {
    pub(crate) partition: String,
    pub(crate) time: TimeLimit,
    pub(crate) cpus: u32,
    pub(crate) gpus: Gpus,
    pub(crate) gpu_request: GpuRequest,
    pub(crate) mem: Option<Memory>,
    pub(crate) account: Option<String>,
    pub(crate) qos: Option<String>,
    pub(crate) constraint: Option<String>,
    pub(crate) nodelist: Option<String>,
    pub(crate) exclude: Option<String>,
    pub(crate) reservation: Option<String>,
    pub(crate) nice: Option<i64>,
    pub(crate) dependency: Option<String>,
    pub(crate) sbatch_args: IndexMap<String, Option<String>>,
    pub(crate) early_term: u32,
    /// How long the job may wait in the queue; `None` means without a limit.
    pub max_queue_time: Option<TimeLimit>,
    /// How often the job is run again after a fault of the cluster.
    pub infrastructure_retries: u32,
}

impl SlurmRequest {
    /// The settings as options of sbatch: the long name, without dashes, and a value if it takes one.
    pub fn sbatch_options(&self) -> Vec<(String, Option<String>)> {
        let time = self.time.to_string();
        let cpus = self.cpus.to_string();
        let mem = self.mem.map(|mem| mem.to_string());
        let nice = self.nice.map(|nice| nice.to_string());
        let (gpu_option, gpus) = match self.gpu_request {
            _ if self.gpus.count == 0 => ("gres", None),
            GpuRequest::Gres => ("gres", Some(format!("gpu:{}", self.gpus))),
            GpuRequest::GpusPerNode => ("gpus-per-node", Some(self.gpus.to_string())),
        };
        let typed = [
            ("partition", Some(self.partition.as_str())),
            ("time", Some(&time)),
            ("cpus-per-task", Some(&cpus)),
            (gpu_option, gpus.as_deref()),
            ("mem", mem.as_deref()),
        ];
        let typed = typed.into_iter().chain(self.words()).chain([("nice", nice.as_deref())]);
        let owned =
            |(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(str::to_owned));
        let others = self.sbatch_args.iter().map(|(name, value)| (name.clone(), value.clone()));
        typed.filter(|(_, value)| value.is_some()).map(owned).chain(others).collect()
    }

    /// The partitions that the job may run in.
    pub fn partitions(&self) -> impl Iterator<Item = &str> {
        self.partition.split(',').filter(|name| !name.is_empty())
    }

    /// How long the job may run.
    pub fn time(&self) -> TimeLimit {
        self.time
    }

    /// The memory that is asked for; `None` leaves it to the cluster.
    pub fn memory(&self) -> Option<Memory> {
        self.mem
    }

    /// The settings that are texts, by the names that they and sbatch's options have.
    pub(crate) fn words(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("account", self.account.as_deref()),
            ("qos", self.qos.as_deref()),
            ("constraint", self.constraint.as_deref()),
            ("nodelist", self.nodelist.as_deref()),
            ("exclude", self.exclude.as_deref()),
            ("reservation", self.reservation.as_deref()),
            ("dependency", self.dependency.as_deref()),
        ]
    }

    /// How long before its time limit the job is asked to stop, in seconds; 0 if it is not.
    ///
    /// Slurm may do so up to a minute early (sbatch(1), `--signal`). Where that would take more than
    /// half of a job's time, it is left to the limit itself, which ends in SIGTERM too.
    pub fn early_term_seconds(&self) -> u32 {
        let most = 2 * (u64::from(self.early_term) + 60);
        let short = self.time.as_duration().is_some_and(|limit| limit.as_secs() < most);
        if short { 0 } else { self.early_term }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JobConfig, SlurmCondaJobConfig, SlurmDockerJobConfig};

    fn request(config: &JobConfig) -> SlurmRequest {
        config.spec().slurm().unwrap().clone()
    }

    fn options(config: &SlurmCondaJobConfig) -> String {
        let option = |(name, value): (String, Option<String>)| match value {
            Some(value) => format!("--{name}={value} "),
            None => format!("--{name} "),
        };
        request(&config.clone().into()).sbatch_options().into_iter().map(option).collect()
    }

    #[test]
    fn defaults_are_the_references() {
        let expected = "--partition=gpu --time=01:00:00 --cpus-per-task=1 --gres=gpu:1 --mem=8G ";
        assert_eq!(options(&SlurmCondaJobConfig::default()), expected);
        let docker = SlurmDockerJobConfig::default();
        let conda = SlurmCondaJobConfig::default();
        assert_eq!(
            request(&docker.into()).sbatch_options(),
            request(&conda.into()).sbatch_options()
        );
    }

    #[test]
    fn gpus_in_either_form() {
        let with = |gpus: Gpus, gpu_request| SlurmCondaJobConfig {
            gpus,
            gpu_request,
            ..SlurmCondaJobConfig::default()
        };
        let of_kind: Gpus = "a100:2".parse().unwrap();
        let by_node = GpuRequest::GpusPerNode;
        assert!(options(&with(of_kind.clone(), GpuRequest::Gres)).contains("--gres=gpu:a100:2 "));
        assert!(options(&with(of_kind, by_node)).contains("--gpus-per-node=a100:2 "));
        for form in [GpuRequest::Gres, by_node] {
            let none = options(&with(0.into(), form));
            assert!(!none.contains("gres") && !none.contains("gpus"), "{none}");
        }
    }

    #[test]
    fn an_early_signal_takes_no_more_than_half() {
        let with = |seconds, early_term_seconds| {
            let time = TimeLimit::from_seconds(seconds).unwrap();
            let config =
                SlurmCondaJobConfig { time, early_term_seconds, ..SlurmCondaJobConfig::default() };
            request(&config.clone().into()).early_term_seconds()
        };
        assert_eq!(with(3600, 30), 30);
        assert_eq!(with(180, 30), 30);
        assert_eq!(with(179, 30), 0);
        assert_eq!(with(3600, 0), 0);
        assert_eq!(with(0, 30), 30, "without a limit, that of the partition counts");
    }
}
