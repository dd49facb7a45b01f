//! What is tried before the first evaluator is run in a container of an image on a node.

use std::ffi::{OsStr, OsString};
use std::fmt;

use sortie_model::ContainerUser;

use super::{Container, docker::gpus};

/// How much of a job the script does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trial {
    /// All of it.
    #[default]
    No,
    /// Only the trial of the container, which is repeated even if it was done before.
    Container,
    /// Only the question to the engine, what it can do.
    Engine,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "",
            Self::Container => "container",
            Self::Engine => "engine",
        })
    }
}

/// Writes into a directory and tells so on a line of its own, or why it could not: a program for Python and for a
/// shell alike. The lines that it prints are none of its own, which an entrypoint may print.
const PROGRAM: &str = r#"''':'
f=$0/.sortie-probe-$$
if t=$({ echo >"$f" && rm -f -- "$f"; } 2>&1); then
  printf '\nsortie:%s\n' written
else
  printf '\nsortie:%s\n' "refused $t"
fi
exit 0
'''
import os, sys
try:
    f = os.path.join(sys.argv[1], '.sortie-probe-%d' % os.getpid())
    open(f, 'w').close()
    os.remove(f)
    t = 'written'
except Exception as e:
    t = 'refused %s' % e
sys.stdout.write('\nsortie:%s\n' % t)
"#;

/// Says whether a program that runs as itself is there with what loads it, or what its `#!` line names, and can write its
/// results: a program for a shell of any kind. It ends with 126 or 127 if it is not.
const OWN: &str = r##"
if ! [ -x "$1" ]; then
  echo "$1 cannot be executed in the container: it is not there, or may not be" >&2
  exit 126
fi
: >"$2/.sortie-probe-$$" && rm -f -- "$2/.sortie-probe-$$" || exit 1
if [ -n "$3" ] && ! [ -e "$3" ]; then
  echo "$1 is compiled to be loaded by $3, which is not found in the container" >&2
  exit 127
fi
IFS= read -r line <"$1"
case $line in
  '#!'*) ;;
  *) exit 0 ;;
esac
p=$1
set -f
set -- ${line#??}
case $1 in
  */env) case ${2--} in -* | *=*) ;; *) [ ! -x "$1" ] || shift ;; esac ;;
esac
if ! command -v "$1" >/dev/null; then
  echo "$p: its \"#!\" line names \"$1\", which is not found in the container" >&2
  exit 127
fi
"##;

/// The command that is run in a container in the place of an evaluator that runs as itself, to see whether that could be. A compiled
/// one needs its `loader`, if that is not empty.
pub fn try_executable(evaluator: &OsStr, results_dir: &OsStr, loader: &OsStr) -> Vec<OsString> {
    let words = ["sh", "-c", OWN, "sh"].map(OsStr::new);
    let words = words.into_iter().chain([evaluator, results_dir, loader]);
    words.map(OsStr::to_owned).collect()
}

impl Container<'_> {
    /// The command that is run in the evaluator's place, up to the results dir; empty for none.
    pub(crate) fn probe(&self) -> Vec<&OsStr> {
        let Some([program, _]) = self.probe else { return Vec::new() };
        vec![program, OsStr::new("-c"), OsStr::new(PROGRAM)]
    }

    /// The results dir for that.
    pub(crate) fn probed_dir(&self) -> &OsStr {
        self.probe.map_or(OsStr::new(""), |[_, results_dir]| results_dir)
    }

    /// A number for all that the containers of the same settings have in common.
    pub(crate) fn settings(&self) -> u64 {
        let spec = self.spec;
        let user = match &spec.user {
            ContainerUser::Submitter => "submitter",
            ContainerUser::Image => "image",
            ContainerUser::Named(name) => name,
        };
        let limits = format!("{:?} {:?} {:?}", spec.cpus, spec.memory_bytes, spec.pids_limit);
        let program = self.probe.map_or(OsStr::new(""), |[program, _]| program);
        let fixed = [&spec.image, user, gpus(self), spec.network.as_deref().unwrap_or(""), &limits];
        let words = fixed.into_iter().map(OsStr::new).chain([program]);
        let environment = self.environment.iter().flat_map(|(name, value)| [name, value]);
        let words = words.chain(environment.map(OsString::as_os_str));
        hash(words.chain(self.flags.words().iter().map(OsStr::new)))
    }

    /// The limits that it is to be held to, by the settings' names.
    pub(crate) fn limits(&self) -> Vec<&'static str> {
        let is_limit = |value: &str| !matches!(value, "0" | "-1" | "");
        let set = |flag: &str, setting: bool| self.flags.value(flag).map_or(setting, is_limit);
        let all = [
            ("mem", set("memory", self.spec.memory_bytes.is_some())),
            ("cpus", set("cpus", self.spec.cpus.is_some_and(|cpus| cpus > 0))),
            ("pids_limit", set("pids-limit", self.spec.pids_limit.is_some())),
        ];
        all.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect()
    }
}

/// A number for words.
pub(super) fn hash<'a>(words: impl Iterator<Item = &'a OsStr>) -> u64 {
    words.fold(FNV, |hash, word| {
        let bytes = word.as_encoded_bytes().iter().chain(b"\0");
        bytes.fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

/// Where the hash of Fowler, Noll and Vo starts: the same in every release, as notes on nodes outlive one.
const FNV: u64 = 0xcbf2_9ce4_8422_2325;
