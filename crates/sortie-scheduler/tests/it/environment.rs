//! What reaches the evaluator: arguments, variables, signals, files.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use sortie_config::glob::Pattern;
use sortie_scheduler::{Preview, preview};

use crate::{GOOD, Stage, scheduler_with};

/// Writes its arguments, each ended by a NUL, and its environment.
const TELL: &str = r#"printf '%s\0' "$@" > "$4/argv"; cat /proc/self/environ > "$4/environ""#;

fn entries(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()).collect()
}

#[tokio::test]
async fn paths_and_values_arrive_byte_for_byte() {
    let stage = Stage::new(&format!("{TELL}\n{GOOD}"));
    let hostile = OsStr::from_bytes(b"-$(touch pwned) `id` 'q\" \\ \n\xff*? {a,b};&|<>~");
    let candidate = stage.dir.path().join(hostile);
    let results_dir = stage.dir.path().join("results").join(hostile);
    fs::write(&candidate, "").unwrap();
    let mut config = stage.config();
    let text = "$(id)\n'\"`\u{e9} ".to_owned();
    config.extra_cmd_args.insert(text.clone(), text.clone().into());
    config.extra_cmd_args.insert("empty".into(), String::new().into());
    let scheduler = scheduler_with(config, 1);
    let (results, _) = scheduler.run(&candidate, &results_dir).await.unwrap();
    assert!(results.correct, "{:?}", results.detail);
    let argv = fs::read(results_dir.join("argv")).unwrap();
    let argv: Vec<_> = argv.split(|byte| *byte == 0).collect();
    let key = format!("--{text}");
    let expected = [
        b"--program_path",
        candidate.as_os_str().as_bytes(),
        b"--results_dir",
        results_dir.as_os_str().as_bytes(),
        key.as_bytes(),
        text.as_bytes(),
        b"--empty",
        b"",
        b"",
    ];
    assert_eq!(argv, expected);
    assert!(!stage.path("pwned").exists() && !std::path::Path::new("pwned").exists());
}

#[tokio::test]
async fn the_environment_is_the_launchers_as_the_settings_narrow_it() {
    let stage = Stage::new(&format!("{TELL}\n{GOOD}"));
    let mut config = stage.config();
    config.environment.deny = vec![Pattern::new("CARGO*").unwrap()];
    config.environment.set.insert("PYTHONUNBUFFERED".into(), "mine".into());
    config.numeric_threads_per_job = Some(0);
    let expected = preview(&config.clone().into(), stage.path("candidate"), "r").unwrap();
    assert!(stage.run(&scheduler_with(config, 1)).await.correct);
    let environ = fs::read(stage.path("results/environ")).unwrap();
    let environ = entries(&environ);
    let has = |entry: &str| environ.contains(&entry.as_bytes());
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    assert!(has(&path) && has("PYTHONUNBUFFERED=mine") && has("PYTHONIOENCODING=utf-8"));
    assert!(has("SHINKA_EVAL_VERBOSE=1") && has("OMP_NUM_THREADS=1"));
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "there is something to deny");
    assert!(!environ.iter().any(|entry| entry.starts_with(b"CARGO")));

    // The preview says the same.
    let Preview::Command { set, unset, argv, .. } = expected else { panic!("{expected:?}") };
    assert!(set.contains(&("PYTHONUNBUFFERED".into(), "mine".into())));
    assert!(unset.contains(&"CARGO_MANIFEST_DIR".into()));
    assert_eq!(argv[0], "sh");
    assert_eq!(argv[2..4], ["--program_path".into(), stage.path("candidate").into_os_string()]);
}

#[tokio::test]
async fn signals_and_open_files_of_the_launcher_do_not_leak() {
    let stage = Stage::new(&format!(
        r#"grep -E '^Sig(Blk|Ign)' /proc/self/status > "$4/signals"; ls /proc/self/fd > "$4/files"
        {GOOD}"#
    ));
    // Without O_CLOEXEC, as a careless library might have it.
    let file = fs::File::open("/dev/null").unwrap();
    let leaked = rustix::io::dup(&file).unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    assert!(stage.run(&stage.scheduler()).await.correct);
    let signals = fs::read_to_string(stage.path("results/signals")).unwrap();
    assert_eq!(signals, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    // The fourth is the one that `ls` lists with; and its own output.
    let files = fs::read_to_string(stage.path("results/files")).unwrap();
    assert_eq!(files, "0\n1\n2\n3\n");
}
