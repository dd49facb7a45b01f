//! A sourced activation script, run.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use crate::bash::{Home, print, sh};

fn argv(home: &Home, script: &Path, command: &[OsString]) -> Vec<OsString> {
    sortie_script::sourced(home.path(), script, command)
}

/// What the command prints after this script, and after the login files.
fn output_of(script: &str, command: &str) -> String {
    let home = Home::new();
    let script = home.write("activate", script);
    String::from_utf8(home.run(&argv(&home, &script, &sh(command))).ready()).unwrap()
}

fn failure_of(script: &str) -> (i32, String) {
    let home = Home::new();
    let script = home.write("activate", script);
    home.run(&argv(&home, &script, &sh("echo ran"))).failed()
}

#[test]
fn the_command_sees_what_the_script_set() {
    assert_eq!(output_of("export A='b c'\nB=local", r#"echo "$A,$B""#), "b c,\n");
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let home = Home::new();
    let script = home.write("activate", ":");
    let words =
        [&b"$(touch pwned)"[..], b"", b"a b", b"'\"\\", b"*", b"\xff\n", b"--", b"-e", b"~"];
    let words = words.map(OsStr::from_bytes);
    let printed = home.run(&argv(&home, &script, &print(&words))).ready();
    assert_eq!(printed, words.map(|word| [word.as_bytes(), b"\0"].concat()).concat());
}

#[test]
fn the_script_gets_no_arguments() {
    assert_eq!(output_of(r#"export GOT="$#:$*""#, r#"echo "$GOT""#), "0:\n");
}

#[test]
fn the_shell_is_a_login_shell_that_becomes_the_command() {
    let home = Home::new();
    home.write(".bash_profile", "export PROFILE=read");
    let script = home.write("activate", "export SHELL_PID=$$");
    let command = sh(r#"test "$SHELL_PID" = $$ && echo "$PROFILE""#);
    assert_eq!(home.run(&argv(&home, &script, &command)).ready(), b"read\n");
}

#[test]
fn neither_script_nor_command_has_our_file_descriptor() {
    let ours = "readlink /proc/self/fd/* | grep '/ready$' || true";
    let script = format!("export SEEN=$({ours})");
    assert_eq!(output_of(&script, &format!(r#"{ours}; echo "$SEEN""#)), "\n");
}

#[test]
fn a_script_may_use_our_file_descriptor_for_itself() {
    let script = "exec 3>stolen; echo theirs >&3; (sleep 0 3>&1 &) ";
    assert_eq!(output_of(script, "cat stolen"), "theirs\n");
}

#[test]
fn what_a_script_leaves_behind_is_no_obstacle() {
    for script in [
        "set -u; unset PATH_NOT_SET",
        "set +e; false",
        "set -euo pipefail",
        "set -f; IFS=abc",
        "set -C; set -o posix",
        "shopt -s expand_aliases; alias builtin=false exec=false",
        "exec() { false; }; printf() { false; }; set() { false; }; type() { false; }; trap() { false; }",
        "trap 'echo exit' EXIT; trap 'echo debug >&2' DEBUG; trap 'echo err' ERR; trap 'echo r >&2' RETURN",
        "return 0; false",
        "cd /",
    ] {
        assert_eq!(output_of(script, "echo ran"), "ran\n", "{script}");
    }
}

#[test]
fn a_script_that_fails_ends_it() {
    for (script, status) in [
        ("false\nexport GOES_ON=1", 1),
        ("return 7", 7),
        ("exit 8", 8),
        ("exit 0", 0),
        ("set -u; echo $NOT_SET", 1),
        ("no-such-command-at-all", 127),
        ("if", 2),
        ("trap - EXIT; return 9", 9),
    ] {
        assert_eq!(failure_of(script).0, status, "{script}");
    }
}

#[test]
fn the_command_that_failed_is_told_with_its_line() {
    let at = |line: &str| format!("/activate: line {line}; the command was not started\n");
    for (script, said) in [
        ("\nfalse", at("2: `false` ended with status 1")),
        ("f() {\n  no-such-command -x\n}\nf", at("2: `no-such-command -x` ended with status 127")),
        ("set +e; false\nset -e; (exit 5)", at("2: `( exit 5 )` ended with status 5")),
        // Bash tells nothing of these.
        ("exit 8", "/activate: ended with status 8; the command was not started\n".into()),
        (
            "set +e; false\nexit 1",
            "/activate: ended with status 1; the command was not started\n".into(),
        ),
        ("return 7", "/activate: ended with status 7; the command was not started\n".into()),
    ] {
        let (_, told) = failure_of(script);
        assert!(told.contains("sortie: /") && told.ends_with(&said), "{script}: {told}");
    }
}

/// Login files as people have them, and `cd PROJECT; source venv/bin/activate`.
#[test]
fn paths_mean_what_they_meant_before() {
    let home = Home::new();
    fs::create_dir(home.path().join("elsewhere")).unwrap();
    for (name, text) in [("file", "right"), ("elsewhere/file", "wrong")] {
        home.write(name, text);
    }
    for (login, script) in [("", "cd elsewhere"), ("cd elsewhere", "cd /"), ("cd elsewhere", "")] {
        home.write(".bash_profile", login);
        home.write("elsewhere/activate", "exit 1");
        home.write("activate", script);
        let command = sh("cat file; echo \" $PWD,${OLDPWD-none}\"");
        let printed = home.run(&argv(&home, Path::new("activate"), &command)).ready();
        let expected = format!("right {},", home.path().display());
        let printed = String::from_utf8_lossy(&printed).into_owned();
        assert!(printed.starts_with(&expected), "{login}, {script}: {printed}");
        assert!(!printed.contains("elsewhere"), "{login}, {script}: {printed}");
    }
}

#[test]
fn signals_that_a_script_ignores_are_not_ignored_by_the_command() {
    let home = Home::new();
    let script = home.write("activate", "trap '' TERM");
    let ended = home.run(&argv(&home, &script, &sh("kill -TERM $$; echo ignored")));
    assert_eq!((ended.output.stdout.as_slice(), ended.ready.as_slice()), (&b""[..], &b"."[..]));
}

#[test]
fn a_script_that_is_not_there_ends_it() {
    let home = Home::new();
    let (status, said) = home.run(&argv(&home, Path::new("no such"), &sh("echo ran"))).failed();
    assert_eq!(status, 1);
    assert!(said.contains("./no such: No such file or directory"), "{said}");
}

#[test]
fn a_name_without_slash_is_not_looked_up() {
    let home = Home::new();
    home.write("ls", "export SOURCED=here");
    let argv = argv(&home, Path::new("ls"), &sh("echo $SOURCED"));
    assert_eq!(home.run(&argv).ready(), b"here\n");
}

#[test]
fn a_program_that_is_not_there_ends_it() {
    let home = Home::new();
    let script = home.write("activate", "PATH=/only/here; set -u");
    fs::create_dir(home.path().join("folder")).unwrap();
    home.write("not-executable", "");
    for program in ["no-such-program", "cd", "./folder", "./not-executable", "-x", ""] {
        let (status, said) = home.run(&argv(&home, &script, &[program.into()])).failed();
        let expected = format!(
            "sortie: {program}: not found once its environment was active; PATH is /only/here\n"
        );
        assert_eq!((status, said), (127, expected));
    }
}
