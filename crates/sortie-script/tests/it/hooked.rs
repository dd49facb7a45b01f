//! Conda's hooks, run.

use std::{
    ffi::{OsStr, OsString},
    time::Instant,
};

use sortie_script::Step;

use crate::bash::{Home, print, program, sh};

fn hooked(home: &Home, steps: &[Step<'_>], command: &[OsString]) -> Vec<OsString> {
    sortie_script::hooked(home.path(), steps, command)
}

#[test]
fn a_hook_that_goes_elsewhere_takes_no_path_along() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("elsewhere")).unwrap();
    home.write("file", "right");
    home.write("elsewhere/file", "wrong");
    let hook = home.write("hook.sh", "cd elsewhere; export PWD; set -e; trap '' TERM");
    let argv = hooked(&home, &[Step::Source(&hook)], &sh("cat file; kill -TERM $$; echo ignored"));
    let ended = home.run(&argv);
    assert_eq!(
        (ended.output.stdout.as_slice(), ended.ready.as_slice()),
        (&b"right"[..], &b"."[..])
    );
}

#[test]
fn steps_are_taken_in_order() {
    let home = Home::new();
    let leave = home.write("leave.sh", r#"export SAW="$A"; unset B"#);
    let enter = home.write("enter.sh", r#"export SAW="$SAW,$A,${B-unset},${C-unset}""#);
    let steps = [
        Step::Set(OsStr::new("A"), OsStr::new("old")),
        Step::Set(OsStr::new("C"), OsStr::new("old")),
        Step::Source(&leave),
        Step::Set(OsStr::new("A"), OsStr::new("new")),
        Step::Set(OsStr::new("B"), OsStr::new("$(touch pwned)=\n'\" ")),
        Step::Unset(OsStr::new("C")),
        Step::Source(&enter),
    ];
    let printed = home.run(&hooked(&home, &steps, &sh(r#"printf %s "$SAW""#))).ready();
    assert_eq!(printed, b"old,new,$(touch pwned)=\n'\" ,unset");
}

#[test]
fn hooks_get_no_arguments_and_the_command_gets_its_own() {
    let home = Home::new();
    let hook = home.write("a.sh", r#"test "$#" = 0 || exit 3"#);
    let words = ["--", "source", "$(touch pwned)", ""].map(OsStr::new);
    let printed = home.run(&hooked(&home, &[Step::Source(&hook)], &print(&words))).ready();
    assert_eq!(printed, b"--\0source\0$(touch pwned)\0\0");
}

#[test]
fn a_hook_that_fails_is_reported_and_ignored() {
    let home = Home::new();
    let hooks = ["false", "set -eu; return 4", "if", "echo $NOT_SET; false; export LAST=1"];
    let hooks = [0, 1, 2, 3].map(|i| home.write(&format!("{i}.sh"), hooks[i]));
    let steps = hooks.each_ref().map(|hook| Step::Source(hook));
    let ended = home.run(&hooked(&home, &steps, &sh("echo LAST=$LAST >&2")));
    let said = ended.stderr();
    for line in ["0.sh: status 1, ignored", "1.sh: status 4, ignored", "LAST=1\n"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    ended.ready();
}

#[test]
fn no_login_files_are_read() {
    let home = Home::new();
    home.write(".bash_profile", "export PROFILE=read");
    home.write(".bashrc", "export PROFILE=read");
    assert_eq!(home.run(&hooked(&home, &[], &sh("echo $PROFILE"))).ready(), b"\n");
}

#[test]
fn a_hook_that_exits_ends_it() {
    for status in [0, 5] {
        let home = Home::new();
        let hook = home.write("a.sh", &format!("exit {status}"));
        let (code, said) =
            home.run(&hooked(&home, &[Step::Source(&hook)], &sh("echo ran"))).failed();
        assert_eq!(code, status);
        assert!(said.contains("a.sh: ended with status"), "{said}");
    }
}

#[test]
fn a_variable_that_cannot_change_ends_it() {
    let home = Home::new();
    for step in [
        Step::Set(OsStr::new("UID"), OsStr::new("0")),
        Step::Set(OsStr::new("a[$(touch pwned)]"), OsStr::new("1")),
        Step::Unset(OsStr::new("__sortie_steps[$(touch pwned)]")),
        Step::Unset(OsStr::new("UID")),
    ] {
        let (status, said) = home.run(&hooked(&home, &[step], &sh("echo ran"))).failed();
        assert_eq!(status, 1, "{step:?} {said}");
        assert!(said.contains("the command was not started"), "{said}");
    }
}

#[test]
fn a_program_that_is_not_there_ends_it() {
    let steps = [Step::Set(OsStr::new("PATH"), OsStr::new("/only/here"))];
    let home = Home::new();
    let (status, said) = home.run(&hooked(&home, &steps, &["python".into()])).failed();
    assert_eq!(status, 127);
    assert!(said.contains("sortie: python: not found"), "{said}");
}

/// What two hooks cost, over the command alone: for the reader of `--nocapture`; no bound is
/// checked, since the machine may be busy.
#[test]
fn two_hooks_cost_milliseconds() {
    let home = Home::new();
    let hooks = ["a.sh", "b.sh"].map(|name| home.write(name, "export X=1; unset Y"));
    let mut argv =
        hooked(&home, &hooks.each_ref().map(|hook| Step::Source(hook)), &["true".into()]);
    // Without a runner, announcements go to standard output.
    argv[4] = argv[4].to_str().unwrap().replace(">&3", ">&1").into();
    let median = |argv: &[std::ffi::OsString]| {
        let mut times = [(); 21].map(|()| {
            let start = Instant::now();
            let ended = program(argv[0].to_str().unwrap()).args(&argv[1..]).output().unwrap();
            assert!(ended.status.success());
            start.elapsed()
        });
        times.sort();
        times[times.len() / 2]
    };
    let (hooked, bare) = (median(&argv), median(&["true".into()]));
    println!("two hooks and the command {hooked:?}, the command alone {bare:?}");
}
