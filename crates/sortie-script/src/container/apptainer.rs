//! Apptainer, which was Singularity.
//!
//! It has no daemon: what it runs is below its own process, so that there is nothing to name, to ask or to remove.
//! Variables are arguments of `env` in the container. Those of its own `--env` and of `APPTAINERENV_…` are read by a shell, and
//! one of a name that is none to a shell makes all of them vanish without a word (1.4.5).

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    path::Path,
};

use super::{
    Container, ContainerError, absolute,
    engine::{Dialect, Value, Values},
    flags::{Syntax, is_on, mount_target},
    probe::hash,
};
use crate::batch::IN_APPTAINER;

pub(super) struct Apptainer;

/// Where programs keep what they keep at home. The caller's, which Apptainer sets, is not there inside.
const HOME: &str = "HOME=/tmp";

impl Dialect for Apptainer {
    fn text(&self) -> &'static str {
        IN_APPTAINER
    }

    fn syntax(&self) -> &'static Syntax {
        &SYNTAX
    }

    fn flags(&self, container: &Container<'_>) -> Result<Vec<String>, ContainerError> {
        let flags = container.flags;
        let mut all = vec!["--containall".to_owned(), "--no-home".to_owned()];
        // Where it starts has to be there (255); the directory need not be, where nothing is mounted in it.
        container.add_unless_given(&mut all, "pwd", Some("/"));
        // The host's is what it has without a flag.
        let network = container.spec.network.as_deref().filter(|network| *network != "host");
        if let Some(network) = network.filter(|_| !flags.has("network") && !flags.has("net")) {
            all.extend(["--net".to_owned(), format!("--network={network}")]);
        }
        all.extend(container.mount_options()?.iter().map(|option| format!("--mount={option}")));
        all.extend_from_slice(flags.words());
        Ok(all)
    }

    fn results_dir(&self, container: &Container<'_>) -> OsString {
        let writable = container.mounts.iter().rfind(|mount| mount.writable);
        writable.map(|mount| mount.target.clone().into_os_string()).unwrap_or_default()
    }

    fn values<'a>(&self, container: &'a Container<'a>) -> Result<Values<'a>, ContainerError> {
        let owned = |words: Vec<String>| words.into_iter().map(|word| Cow::Owned(word.into()));
        let source = container
            .spec
            .archive
            .as_deref()
            .map_or(OsStr::new(&container.spec.image), Path::as_os_str);
        let variables = [HOME.to_owned()].into_iter().chain(container.assignments()?).collect();
        let image = OsStr::new(container.image()?);
        let directory = container.directory;
        absolute(directory)?;
        let directory = Some(directory).filter(|_| !container.flags.has("pwd"));
        Ok(vec![
            ("image", Value::Text("the image", image.into())),
            ("archive", Value::Path("the image's archive", container.spec.archive.as_deref())),
            ("image_hash", Value::Plain(format!("{:016x}", hash([source].into_iter())))),
            ("pull", Value::Plain(container.spec.pull.to_string())),
            ("cache", Value::Path("the cache of images", container.spec.cache.as_deref())),
            ("gpus", Value::Plain(gpus(container).to_owned())),
            ("limits", Value::Array("a limit", owned(limits(container)).collect())),
            ("strict", Value::Plain(u8::from(container.spec.require_limits).to_string())),
            ("inner_directory", Value::Path("the working directory", directory)),
            ("variables", Value::Array("a variable", owned(variables).collect())),
        ])
    }
}

/// Which GPUs it gets: `none`, those `assigned` to the job, or what the user's flags ask for, which is to be there, too.
fn gpus(container: &Container<'_>) -> &'static str {
    let flags = container.flags;
    if flags.has("nv") || flags.has("nvccli") {
        "nvidia"
    } else if flags.has("rocm") {
        "amd"
    } else if container.spec.gpus {
        "assigned"
    } else {
        "none"
    }
}

/// The settings' limits, each by its name and as a flag. The user's own flags need no trial: they are given as they are.
fn limits(container: &Container<'_>) -> Vec<String> {
    let all = [
        ("mem", "memory", container.spec.memory_bytes),
        ("cpus", "cpus", container.spec.cpus.filter(|cpus| *cpus > 0).map(u64::from)),
        ("pids_limit", "pids-limit", container.spec.pids_limit.map(u64::from)),
    ];
    let wanted = all.into_iter().filter(|(_, flag, _)| !container.flags.has(flag));
    let wanted = wanted.filter_map(|(name, flag, value)| Some((name, flag, value?)));
    wanted.flat_map(|(name, flag, value)| [name.to_owned(), format!("--{flag}={value}")]).collect()
}

const SYNTAX: Syntax = Syntax {
    setting: "apptainer_flags",
    switches: SWITCHES,
    short: SHORT,
    synonyms: &[("cwd", "pwd")],
    is_done,
    refusal,
    targets,
};

fn is_done(name: &str, value: Option<&str>) -> bool {
    let done = ["contain", "containall", "cleanenv", "no-home", "pid", "ipc", "no-eval"];
    done.contains(&name) && is_on(value)
}

/// What `--bind` and its like mount on: a list with commas, each `SOURCE[:TARGET[:OPTIONS]]`.
fn targets(flag: &str, value: &str) -> Vec<String> {
    match flag {
        "bind" => {
            let binds = value.split(',').map(|bind| bind.split(':').nth(1).unwrap_or(bind));
            binds.map(str::to_owned).collect()
        }
        "scratch" => value.split(',').map(str::to_owned).collect(),
        "mount" => mount_target(value).map(str::to_owned).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What would break if Apptainer were given the flag, if anything.
fn refusal(name: &str, value: Option<&str>) -> Option<&'static str> {
    Some(match (name, value) {
        ("env" | "env-file", _) => {
            "a shell reads what it sets; set variables in `environment`, where each arrives as it is"
        }
        ("contain" | "containall" | "cleanenv" | "no-home" | "ipc" | "no-eval", _) => {
            "what is the launcher's stays outside; bind what is wanted, and name variables in `environment`"
        }
        ("pid" | "no-pid" | "no-init" | "sharens", _) => {
            "processes of the job could not be told from others, nor stopped with it"
        }
        ("compat", _) => {
            "it leaves out the first process, which passes signals on; name what is wanted of it, as `--writable-tmpfs`"
        }
        ("home", _) => "set HOME in `environment`, and mount its place by `--bind`",
        ("writable", _) => "all jobs would write to the one image: use `--writable-tmpfs`",
        ("overlay", Some(overlay)) if !overlay.ends_with(":ro") => {
            "all jobs would write to it: let it end in `:ro`"
        }
        ("oom-kill-disable", _) => "a job out of memory would hang",
        ("passphrase" | "docker-login", _) => "a job has no terminal to ask at",
        ("help" | "version", _) => "nothing would be run",
        _ => return None,
    })
}

/// Flags of `apptainer exec` without a value, of 1.4, and of Singularity 3 and 4.
const SWITCHES: &[&str] = &[
    "allow-setuid",
    "cleanenv",
    "compat",
    "contain",
    "containall",
    "disable-cache",
    "docker-login",
    "fakeroot",
    "help",
    "ignore-fakeroot-command",
    "ignore-subuid",
    "ignore-userns",
    "ipc",
    "keep-privs",
    "net",
    "no-eval",
    "no-home",
    "no-https",
    "no-init",
    "no-pid",
    "no-privs",
    "no-umask",
    "nohttps",
    "nv",
    "nvccli",
    "oom-kill-disable",
    "passphrase",
    "pid",
    "rocm",
    "sharens",
    "underlay",
    "unsquash",
    "userns",
    "uts",
    "version",
    "writable",
    "writable-tmpfs",
];

const SHORT: &[(char, &str)] = &[
    ('B', "bind"),
    ('c', "contain"),
    ('C', "containall"),
    ('e', "cleanenv"),
    ('f', "fakeroot"),
    ('h', "help"),
    ('H', "home"),
    ('i', "ipc"),
    ('n', "net"),
    ('o', "overlay"),
    ('p', "pid"),
    ('S', "scratch"),
    ('u', "userns"),
    ('W', "workdir"),
    ('w', "writable"),
];

#[cfg(test)]
mod tests {
    use sortie_model::EngineKind;

    use super::super::{Flags, FlagsError};

    fn parse(text: &str) -> Result<Flags, FlagsError> {
        Flags::parse(EngineKind::Apptainer, text, |_| None)
    }

    #[test]
    fn flags_are_read_as_apptainer_reads_them() {
        let words = |text| parse(text).unwrap().words().to_vec();
        assert_eq!(
            words("-B /a,/b:/c:ro --nv --cwd /x -uW /scratch --dns=1.1.1.1"),
            [
                "--bind=/a,/b:/c:ro",
                "--nv",
                "--pwd=/x",
                "--userns",
                "--workdir=/scratch",
                "--dns=1.1.1.1"
            ]
        );
        // What is done in any case.
        assert_eq!(words("-cCepi --containall=true --no-home --no-eval"), [""; 0]);
    }

    #[test]
    fn what_would_break_a_promise_is_refused() {
        for text in [
            "--env A=1",
            "--env-file x",
            "--containall=false",
            "--cleanenv=false",
            "--no-pid",
            "--pid=false",
            "--no-init",
            "--sharens",
            "--compat",
            "-H /x",
            "-w",
            "-o x.img",
            "--overlay=x.img:rw",
            "--passphrase",
            "-h",
        ] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, FlagsError::Refused { .. }), "{text}: {error}");
            assert!(error.to_string().starts_with("apptainer_flags: `--"), "{error}");
        }
        assert!(parse("--overlay x.img:ro --writable-tmpfs").is_ok());
        // It has no such flag, nor has it the image among these.
        for text in ["-v /a:/b", "eval.sif", "-x"] {
            assert!(matches!(parse(text), Err(FlagsError::NotAFlag { .. })), "{text}");
        }
    }

    #[test]
    fn targets_of_mounts() {
        let flags = "-B /a,/b:/c/:ro --mount type=bind,src=/d,dst=/e -S /f,/g";
        let flags = parse(flags).unwrap();
        for target in ["/a", "/c", "/e", "/f", "/g"] {
            assert!(flags.mounts_at(target), "{target}");
        }
        assert!(!flags.mounts_at("/b") && !flags.mounts_at("/d"));
    }
}
