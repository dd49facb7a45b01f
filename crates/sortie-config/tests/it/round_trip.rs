//! Settings written as YAML read back as the same settings.

use std::time::Duration;

use proptest::prelude::*;
use sortie_config::{
    EnvironmentPolicy, GpuRequest, Gpus, JobConfig, Limits, LocalJobConfig, SlurmCondaJobConfig,
    SlurmDockerJobConfig, TimeLimit, Warm, glob::Pattern,
};

use crate::values::{text, value};

/// Text that every setting takes.
fn plain() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace('\0', ""))
}

/// Text that is one word.
fn word() -> impl Strategy<Value = String> {
    "[a-z0-9][a-z0-9_.,:/-]{0,8}".prop_union("(yes|1:30|null|010|1e3|true|0x1f)")
}

prop_compose! {
    fn environment()(
        allow in prop::collection::vec("[A-Z*?_]{1,4}|\\[a-z\\]", 0..3),
        set in prop::collection::hash_map("[A-Z_]{1,4}", plain(), 0..3),
    ) -> EnvironmentPolicy {
        let pattern = |text: String| Pattern::new(&text.replace("**", "*")).ok();
        let allow: Vec<_> = allow.into_iter().filter_map(pattern).collect();
        EnvironmentPolicy { deny: allow.clone(), allow, set: set.into_iter().collect() }
    }
}

prop_compose! {
    fn limits()(millis in 0u64..10_000_000, sizes in [1..=u64::MAX, 0..=u64::MAX, 1..=u64::MAX]) -> Limits {
        let [max_log_bytes, log_tail_bytes, max_result_bytes] = sizes;
        Limits { grace: Duration::from_millis(millis), max_log_bytes, log_tail_bytes, max_result_bytes }
    }
}

prop_compose! {
    fn warm()(
        preload in prop::collection::vec("[a-z_]{1,4}(\\.[a-z]{1,3})?|yes|null", 0..3),
        servers in prop::option::of(1u32..),
        millis in 0u64..10_000_000,
        max_jobs in 1u32..,
    ) -> Warm {
        let max_idle = Duration::from_millis(millis);
        Warm { preload, servers, max_idle, max_jobs }
    }
}

prop_compose! {
    fn local()(
        args in prop::collection::vec((plain(), value()), 0..4),
        eval_program_path in "[^\0-][^\0]{0,7}",
        seconds in prop::option::of(0u64..1 << 31),
        conda_env in prop::option::of(plain()),
        python in prop::option::of(plain()),
        eval_verbose: bool,
        numeric_threads_per_job: Option<i64>,
        warm in prop::option::of(warm()),
        environment in environment(),
        limits in limits(),
    ) -> LocalJobConfig {
        let carried = |(_, value): &(String, sortie_config::PyValue)| !value.to_string().contains('\0');
        LocalJobConfig {
            eval_program_path: eval_program_path.into(),
            extra_cmd_args: args.into_iter().filter(carried).collect(),
            time: seconds.map(|seconds| TimeLimit::from_seconds(seconds).unwrap()),
            conda_env,
            python_executable: python.map(Into::into),
            eval_verbose,
            numeric_threads_per_job,
            warm,
            environment,
            limits,
            ..LocalJobConfig::default()
        }
    }
}

prop_compose! {
    fn gpus()(kind in prop::option::of("[a-z][a-z0-9_.-]{0,8}"), count: u32) -> Gpus {
        Gpus { kind, count }
    }
}

prop_compose! {
    /// The settings that both kinds of Slurm job have.
    fn asked()(
        words in prop::collection::vec(prop::option::of(word()), 7),
        partition in word(),
        cpus in 1u32..65_533,
        gpus in gpus(),
        by_node: bool,
        mem in prop::option::of("[0-9]{1,6}[KMGT]?"),
        nice in prop::option::of(-2_147_483_645i64..=2_147_483_645),
        args in prop::collection::hash_map("x[a-z-]{1,8}", prop::option::of(word_but_bool()), 0..4),
        early_term_seconds in 0u32..65_536,
        max_queue_time in prop::option::of(0u64..1 << 31),
        infrastructure_retries: u32,
    ) -> SlurmCondaJobConfig {
        let mut words = words.into_iter();
        let mut next = || words.next().flatten();
        SlurmCondaJobConfig {
            account: next(),
            qos: next(),
            constraint: next(),
            nodelist: next().map(|word| word.replace(',', "")),
            exclude: next(),
            reservation: next(),
            dependency: next(),
            partition,
            cpus,
            gpus,
            gpu_request: if by_node { GpuRequest::GpusPerNode } else { GpuRequest::Gres },
            mem: mem.map(|mem| mem.parse().unwrap()),
            nice,
            sbatch_args: args.into_iter().collect(),
            early_term_seconds,
            max_queue_time: max_queue_time.map(|seconds| TimeLimit::from_seconds(seconds).unwrap()),
            infrastructure_retries,
            ..SlurmCondaJobConfig::default()
        }
    }
}

fn word_but_bool() -> impl Strategy<Value = String> {
    word().prop_filter("a switch has no value", |word| word != "true")
}

prop_compose! {
    fn slurm()(
        common in local(),
        asked in asked(),
        activate_script in prop::option::of(plain()),
        names in prop::collection::vec(word(), 2..5),
        flags in "[a-z =\n\"'$-]{0,20}",
        docker: bool,
    ) -> JobConfig {
        let LocalJobConfig { eval_program_path, extra_cmd_args, environment, mut limits, .. } = common;
        let early_term = if docker { 30 } else { asked.early_term_seconds };
        limits.grace = limits.grace.min(Duration::from_secs(early_term.into()));
        let time = common.time.unwrap_or(TimeLimit::ONE_HOUR);
        let activate_script = activate_script.map(Into::into);
        if docker {
            return SlurmDockerJobConfig {
                eval_program_path, extra_cmd_args, environment, limits, time,
                image: names[0].clone(), image_tar_path: activate_script, docker_flags: flags,
                partition: asked.partition, cpus: asked.cpus, gpus: asked.gpus,
                gpu_request: asked.gpu_request, mem: asked.mem, account: asked.account,
                nice: asked.nice, sbatch_args: asked.sbatch_args,
                ..Default::default()
            }.into();
        }
        SlurmCondaJobConfig {
            eval_program_path, extra_cmd_args, environment, limits, time, activate_script,
            modules: names, ..asked
        }.into()
    }
}

/// Settings of several kinds.
pub(crate) fn config() -> impl Strategy<Value = JobConfig> {
    prop_oneof![local().prop_map(JobConfig::from), slurm()]
}

proptest! {
    #[test]
    fn written_settings_read_back(config in config()) {
        let yaml = config.to_yaml().unwrap();
        match JobConfig::from_yaml(&yaml, "job.yaml") {
            Ok(read) => prop_assert_eq!(read, config, "{}", yaml),
            Err(error) => prop_assert!(false, "{}\n{}", error, yaml),
        }
    }
}

#[test]
fn not_a_number_reads_back() {
    let arguments = [("x".to_owned(), f64::NAN.into())].into();
    let config =
        JobConfig::from(LocalJobConfig { extra_cmd_args: arguments, ..LocalJobConfig::default() });
    let read = JobConfig::from_yaml(&config.to_yaml().unwrap(), "job.yaml").unwrap();
    assert_eq!(read.spec().args["x"], "nan");
}

#[test]
fn a_path_that_is_not_utf8_cannot_be_written() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let eval_program_path = OsStr::from_bytes(b"\xff.py").into();
    let config = LocalJobConfig { eval_program_path, ..LocalJobConfig::default() };
    let error = JobConfig::from(config).to_yaml().unwrap_err().to_string();
    assert!(error.contains("UTF-8"), "{error}");
}
