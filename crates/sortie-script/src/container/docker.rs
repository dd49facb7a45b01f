//! Docker and Podman, which take the same arguments.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
};

use sortie_model::ContainerUser;

use super::{
    Container, ContainerError, LABEL, absolute,
    engine::{Dialect, Value, Values},
    flags::{Syntax, is_on, mount_target},
};
use crate::batch::IN_DOCKER;

pub(super) struct Docker;

impl Dialect for Docker {
    fn text(&self) -> &'static str {
        IN_DOCKER
    }

    fn syntax(&self) -> &'static Syntax {
        &SYNTAX
    }

    fn flags(&self, container: &Container<'_>) -> Result<Vec<String>, ContainerError> {
        let Container { attempt, launcher, flags, .. } = container;
        let mut all = vec![
            format!("--name={}", attempt.name()),
            format!("--label={LABEL}attempt={attempt}"),
            format!("--label={LABEL}launcher={launcher}"),
            "--init".to_owned(),
            // What removes it kills it: its grace is the script's to give.
            "--stop-timeout=0".to_owned(),
            "--pull=never".to_owned(),
        ];
        let directory = absolute(container.directory)?;
        container.add_unless_given(&mut all, "workdir", Some(directory));
        if let ContainerUser::Named(user) = &container.spec.user {
            container.add_unless_given(&mut all, "user", Some(user));
        }
        let memory = container.spec.memory_bytes.map(|bytes| format!("{bytes}b"));
        container.add_unless_given(&mut all, "memory", memory.as_deref());
        // This is memory and swap together, which without it would be twice as much.
        let both = flags.value("memory").or(memory.as_deref());
        container.add_unless_given(&mut all, "memory-swap", both);
        container.add_unless_given(&mut all, "pids-limit", container.spec.pids_limit);
        container.add_unless_given(&mut all, "network", container.spec.network.as_deref());
        // The engine would keep a second copy of the logs, without a limit.
        container.add_unless_given(&mut all, "log-driver", Some("none"));
        all.extend(container.mount_options()?.iter().map(|option| format!("--mount={option}")));
        all.extend(container.assignments()?.iter().map(|variable| format!("--env={variable}")));
        all.extend_from_slice(flags.words());
        Ok(all)
    }

    fn results_dir(&self, container: &Container<'_>) -> OsString {
        container.probed_dir().to_owned()
    }

    fn values<'a>(&self, container: &'a Container<'a>) -> Result<Values<'a>, ContainerError> {
        let plain = |value: bool| Value::Plain(u8::from(value).to_string());
        let borrowed = |words: Vec<&'a OsStr>| words.into_iter().map(Cow::Borrowed).collect();
        let limits = container.limits().into_iter().map(OsStr::new).collect();
        let image = OsStr::new(container.image()?);
        Ok(vec![
            ("image", Value::Text("the image", image.into())),
            ("archive", Value::Path("the image's archive", container.spec.archive.as_deref())),
            ("pull", Value::Plain(container.spec.pull.to_string())),
            ("cache", Value::Path("the cache of images", container.spec.cache.as_deref())),
            ("cpus", Value::Plain(cpus(container).to_string())),
            ("gpus", Value::Plain(gpus(container).to_owned())),
            ("limits", Value::Array("a limit", borrowed(limits))),
            ("strict", plain(container.spec.require_limits)),
            ("http_proxy", plain(container.flags.has("http-proxy"))),
            ("probe", Value::Array("an argument of the probe", borrowed(container.probe()))),
            ("settings", Value::Plain(format!("{:016x}", container.settings()))),
            // Whether the user is to be found out on the node.
            (
                "as_submitter",
                plain(
                    container.spec.user == ContainerUser::Submitter && !container.flags.has("user"),
                ),
            ),
            // Whether it may be put into the job's control group.
            ("job_group", plain(!container.flags.has("cgroup-parent"))),
        ])
    }
}

/// Which GPUs it gets: `none`, those `assigned` to the job, or `all` where none are assigned.
pub(super) fn gpus(container: &Container<'_>) -> &'static str {
    let flags = container.flags;
    match (flags.all_gpus(), container.spec.gpus && !flags.has("gpus")) {
        (true, _) => "all",
        (false, true) => "assigned",
        (false, false) => "none",
    }
}

/// The CPUs it may use, 0 for all. No engine takes more than its machine has, which Slurm may be told
/// to take for more.
fn cpus(container: &Container<'_>) -> u32 {
    container.spec.cpus.filter(|_| !container.flags.has("cpus")).unwrap_or(0)
}

const SYNTAX: Syntax = Syntax {
    setting: "docker_flags",
    switches: SWITCHES,
    short: SHORT,
    synonyms: &[("net", "network")],
    is_done,
    refusal,
    targets,
};

fn is_done(name: &str, value: Option<&str>) -> bool {
    matches!(name, "rm" | "init") && is_on(value) || (name, value) == ("restart", Some("no"))
}

fn targets(flag: &str, value: &str) -> Vec<String> {
    let target = match flag {
        // SOURCE:TARGET[:OPTIONS], or just a target.
        "volume" => Some(value.split(':').nth(1).unwrap_or(value)),
        "tmpfs" => value.split(':').next(),
        "mount" => mount_target(value),
        _ => None,
    };
    target.map(str::to_owned).into_iter().collect()
}

/// What would break if the engine were given the flag, if anything.
fn refusal(name: &str, value: Option<&str>) -> Option<&'static str> {
    Some(match (name, value) {
        ("detach" | "detach-keys", _) => "the job lasts as long as its container",
        ("restart", _) => "no container may outlive its job, or run a second time",
        ("name" | "replace", _) => "containers are named by their attempt, to be found again",
        ("rm", _) => "containers are removed when their end has been looked at",
        ("init", _) => "without it no signal reaches the evaluator",
        ("cidfile" | "pidfile" | "conmon-pidfile" | "pod-id-file", _) => {
            "all jobs would write this one file"
        }
        ("label-file", _) => "it may hold labels by which containers are found again",
        ("label", Some(label)) if label.starts_with("sortie.") => {
            "by these labels containers are found again"
        }
        ("stop-timeout", _) => "set `limits.grace` instead",
        ("attach", _) => "both outputs are needed for the logs",
        ("tty", _) => "a job has no terminal, and its two outputs would become one",
        ("sig-proxy", Some(_)) => "signals have to reach the evaluator",
        ("pull", _) => "set `pull` to `missing`, `always` or `never` instead",
        ("pid", Some(_)) => {
            "processes of the job could not be told from others, nor stopped with it"
        }
        ("pod" | "rootfs" | "rmi", _) => "a job is one container of one image",
        ("oom-kill-disable", _) => "a job out of memory would hang",
        ("env-host" | "env-merge", _) => {
            "the launcher's environment stays outside; name what is wanted in `environment`"
        }
        ("help" | "version", _) => "nothing would be run",
        _ => return None,
    })
}

/// Flags without a value, of docker 20.10 to 28 and podman 4.
const SWITCHES: &[&str] = &[
    "detach",
    "disable-content-trust",
    "env-host",
    "help",
    "http-proxy",
    "init",
    "interactive",
    "no-healthcheck",
    "no-hostname",
    "no-hosts",
    "oom-kill-disable",
    "passwd",
    "privileged",
    "publish-all",
    "quiet",
    "read-only",
    "read-only-tmpfs",
    "replace",
    "rm",
    "rmi",
    "rootfs",
    "sig-proxy",
    "tls-verify",
    "tty",
    "unsetenv-all",
    "use-api-socket",
    "version",
];

const SHORT: &[(char, &str)] = &[
    ('a', "attach"),
    ('c', "cpu-shares"),
    ('d', "detach"),
    ('e', "env"),
    ('h', "hostname"),
    ('i', "interactive"),
    ('l', "label"),
    ('m', "memory"),
    ('p', "publish"),
    ('P', "publish-all"),
    ('q', "quiet"),
    ('t', "tty"),
    ('u', "user"),
    ('v', "volume"),
    ('w', "workdir"),
];
