//! Random bytes in every value: what the evaluator receives, byte for byte.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::PathBuf,
};

use proptest::prelude::*;

use super::{case::Activation, node::Node};

/// Any bytes but NUL, those that mean something to bash or Slurm more often than chance has them.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let hostile = "[ '\"\\\\$`!*?~#&|;<>(){}\\[\\]=%@:,\\-\n\r\ta0jé\u{85}\u{2028}]";
    prop_oneof![
        prop::collection::vec(1..=u8::MAX, 0..most),
        prop::collection::vec(hostile, 0..most).prop_map(|all| all.concat().into_bytes()),
    ]
}

/// A name of a file or folder.
fn name() -> impl Strategy<Value = OsString> {
    bytes(20).prop_map(|mut name| {
        name.retain(|byte| *byte != b'/');
        name.insert(0, b'n');
        OsString::from_vec(name)
    })
}

/// A variable's name: one that bash can hold, or any.
fn variable() -> impl Strategy<Value = OsString> {
    let odd = bytes(8).prop_map(|mut name| {
        name.retain(|byte| *byte != b'=');
        name.insert(0, b'V');
        name
    });
    let of_bash = prop::sample::select(vec![
        "IFS",
        "UID",
        "BASH_ENV",
        "SHELLOPTS",
        "CDPATH",
        "sortie_results",
        "POSIXLY_CORRECT",
        "BASH_FUNC_exec%%",
        "LC_ALL",
        "HOME",
        "RANDOM",
        "PS4",
        "TMOUT",
        "GLOBIGNORE",
        "-x",
    ]);
    prop_oneof![
        "[A-Z_][A-Z0-9_]{0,8}".prop_map(String::into_bytes),
        odd,
        of_bash.prop_map(|name| name.as_bytes().to_vec())
    ]
    .prop_map(OsString::from_vec)
}

/// Writes down its arguments and environment as the kernel has them.
const EVALUATOR: &str =
    r#"cat /proc/$$/cmdline >"$DUMP.argv"; cat /proc/$$/environ >"$DUMP.env"; pwd -P >"$DUMP.pwd""#;

/// What bash, `sh` and Slurm put into the environment by themselves.
fn is_ours(name: &[u8]) -> bool {
    let theirs: [&[u8]; 5] = [b"_", b"PWD", b"OLDPWD", b"SHLVL", b"USER"];
    !theirs.contains(&name) && !name.starts_with(b"SLURM")
}

fn split(file: &PathBuf) -> Vec<Vec<u8>> {
    let content = fs::read(file).unwrap();
    let content = content.strip_suffix(b"\0").unwrap_or(&content);
    content.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn everything_arrives_byte_for_byte(
        arguments in prop::collection::vec(bytes(30), 0..12),
        variables in prop::collection::vec((variable(), bytes(30)), 0..12),
        [results, directory, script] in [name(), name(), name()],
        in_array: bool,
    ) {
        let node = Node::new(EVALUATOR);
        let mut case = node.case();
        let dump = node.path("dump");
        case.attempts[0].results_dir = node.home.path().join(&results);
        case.directory = node.home.path().join([directory.as_bytes(), b" dir"].concat().into_os());
        let script = node.home.path().join([script.as_bytes(), b" script"].concat().into_os());
        fs::write(&script, "export SOURCED=1").unwrap();
        case.activation = Activation::Sourced(script);
        for folder in [&case.attempts[0].results_dir, &case.directory] {
            fs::create_dir_all(folder).unwrap();
        }
        case.attempts[0].command.push("python".into());
        case.attempts[0].command.extend(arguments.iter().cloned().map(OsString::from_vec));
        case.inherited.push(("DUMP".into(), dump.clone().into()));
        let variables = variables.into_iter().map(|(name, value)| (name, OsString::from_vec(value)));
        case.set = variables.collect();
        let ended = if in_array {
            case.attempts.insert(0, super::case::Element {
                candidate: "other".into(), results_dir: "/nowhere".into(), command: Vec::new(),
            });
            node.run_with(&case, &[("SLURM_ARRAY_JOB_ID", "1"), ("SLURM_ARRAY_TASK_ID", "1")])
        } else {
            node.run(&case)
        };
        let log = fs::read(node.home.path().join(&results).join("job_log.err")).unwrap();
        prop_assert!(ended.status.success(), "{ended:?} {}", String::from_utf8_lossy(&log));

        let argv = split(&dump.with_extension("argv"));
        prop_assert_eq!(&argv[2..], &arguments, "arguments");
        let pwd = fs::read(dump.with_extension("pwd")).unwrap();
        prop_assert_eq!(pwd.strip_suffix(b"\n").unwrap(), case.directory.as_os_str().as_bytes());

        let mut expected = BTreeMap::new();
        for (name, value) in case.inherited.iter().chain(&case.set) {
            if is_ours(name.as_bytes()) {
                expected.insert(readable(name.as_bytes()), readable(value.as_bytes()));
            }
        }
        let id = case.ids().pop().unwrap().to_string();
        expected.insert(readable(b"SORTIE_ATTEMPT"), id);
        expected.insert(readable(b"SOURCED"), readable(b"1"));
        let mut got = BTreeMap::new();
        for pair in split(&dump.with_extension("env")) {
            let end = pair.iter().position(|byte| *byte == b'=').unwrap();
            if is_ours(&pair[..end]) {
                let again = got.insert(readable(&pair[..end]), readable(&pair[end + 1..]));
                prop_assert_eq!(again, None, "twice: {}", String::from_utf8_lossy(&pair));
            }
        }
        prop_assert_eq!(got, expected);
    }
}

fn readable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// Bytes as a name.
trait IntoOs {
    fn into_os(self) -> OsString;
}

impl IntoOs for Vec<u8> {
    fn into_os(self) -> OsString {
        OsString::from_vec(self)
    }
}
