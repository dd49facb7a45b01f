//! Modules, activation, the interpreter: what the evaluator sees of them, and what fails.

use std::fs;

use super::{
    case::{Activation, Case},
    node::{Ended, Node},
};

#[track_caller]
fn assert_setup_failed(ended: &Ended, step: &str, status: i32, said: &str) {
    let expected = format!(r#"{{"kind":"setup_failed","step":"{step}","status":{status}}}"#);
    assert_eq!(ended.end, expected, "{ended:?}");
    assert_eq!(ended.status.code(), Some(125));
    assert!(ended.stderr.contains(said), "{ended:?}");
    assert!(ended.stderr.contains(&format!("sortie: set-up failed at: {step} (status {status})")));
    assert_eq!(ended.stdout, "", "the evaluator ran");
}

fn with(node: &Node, change: impl FnOnce(&mut Case)) -> Ended {
    let mut case = node.case();
    change(&mut case);
    node.run(&case)
}

fn sourced(script: &str, evaluator: &str) -> Ended {
    let node = Node::new(evaluator);
    let file = node.home.write("activate", script);
    with(&node, |case| case.activation = Activation::Sourced(file))
}

#[test]
fn a_sourced_script_changes_the_environment() {
    let ended = sourced("export A='b c'; set -u; B=1", r#"echo "$A,$B,$#""#);
    assert_eq!(ended.stdout, "b c,,5\n", "{ended:?}");
}

/// What direnv and `export -p` print, and what people write.
#[test]
fn a_sourced_script_may_declare_variables() {
    let node = Node::new("export -p >exported; echo \"$A,$B,$C\"");
    for (script, expected) in [
        ("declare -x A=1; typeset -x B=2; declare C=3; export C", "1,2,3\n"),
        ("declare -x A='it'\\''s'\ndeclare -x B=\"two\nlines\"", "it's,two\nlines,\n"),
        ("f() { local A=9; declare -gx B=$A; }; f; declare -i C=1+1; export C", ",9,2\n"),
    ] {
        let file = node.home.write("activate", script);
        let ended = with(&node, |case| case.activation = Activation::Sourced(file));
        assert_eq!(ended.stdout, expected, "{script}: {ended:?}");
        fs::write(node.path("results/job_log.out"), "").unwrap();
    }
}

#[test]
fn a_name_is_a_file_of_the_working_directory() {
    let node = Node::new("echo $A");
    node.home.write("ls", "export A=here");
    let ended = with(&node, |case| case.activation = Activation::Sourced("ls".into()));
    assert_eq!(ended.stdout, "here\n");
}

#[test]
fn a_sourced_script_that_fails_stops_it() {
    for (script, status) in [
        ("false\necho on >&2", 1),
        ("return 7", 7),
        ("exit 8", 8),
        ("exit 0", 0),
        ("no-such-command-at-all", 127),
        ("set -u; echo $NOT_SET", 1),
        ("trap 'echo bye' EXIT; return 9", 9),
    ] {
        let ended = sourced(script, "echo ran");
        let ended = Ended { stdout: ended.stdout.replace("bye\n", ""), ..ended };
        assert_setup_failed(&ended, "activate script", status, "");
    }
    let node = Node::new("echo ran");
    let ended = with(&node, |case| case.activation = Activation::Sourced("/no/such file".into()));
    assert_setup_failed(&ended, "activate script", 1, "/no/such file: No such file");
}

#[test]
fn what_a_sourced_script_leaves_behind_is_no_obstacle() {
    for script in [
        "set +e; false; true",
        "set -euo pipefail",
        "set -f; IFS=abc",
        "set -C; set -o posix",
        "shopt -s expand_aliases; alias exec=false export=false cd=false",
        "trap 'echo debug >&2' DEBUG; trap 'echo err' ERR; trap 'echo exit' EXIT",
        "python() { echo function; }; exec() { false; }; printf() { false; }",
        "exec 3>stolen; sleep 0 3>&1 &",
        "cd /",
    ] {
        let ended = sourced(script, "echo ran");
        assert_eq!(ended.stdout, "ran\n", "{script}: {ended:?}");
        assert_eq!(ended.end, r#"{"kind":"exited","code":0}"#, "{script}");
    }
}

/// A Conda that knows one environment.
const CONDA: &str = r#"
conda() {
  [ "$1" = activate ] || return 2
  [ "$2" = 'my env' ] || { echo "EnvironmentNameNotFound: $2" >&2; return 1; }
  export CONDA_PREFIX=/envs/my PATH="$PWD/env:$PATH"
  unset NOT_SET; : "${PS1:-}"; false
  return 0
}
"#;

fn conda_node() -> Node {
    let node = Node::new("echo outside");
    for folder in ["root", "root/bin", "root/etc", "root/etc/profile.d", "env"] {
        fs::create_dir(node.path(folder)).unwrap();
    }
    node.home.write("root/etc/profile.d/conda.sh", CONDA);
    node.executable("env/python", "#!/bin/sh\necho \"$CONDA_PREFIX\"\n");
    node
}

fn conda(node: &Node, name: &str, variables: &[(&str, std::ffi::OsString)]) -> Ended {
    with(node, |case| {
        case.activation = Activation::Conda(name.into());
        case.inherited
            .extend(variables.iter().map(|(name, value)| ((*name).into(), value.clone())));
    })
}

#[test]
fn conda_is_found_and_activates() {
    let node = conda_node();
    let exe = node.path("root/bin/conda").into_os_string();
    // By the variable that conda sets.
    let ended = conda(&node, "my env", &[("CONDA_EXE", exe)]);
    assert_eq!(ended.stdout, "/envs/my\n", "{ended:?}");

    // By the program on PATH.
    let node = conda_node();
    node.executable("root/bin/conda", "#!/bin/sh\nexit 1\n");
    let mut path = node.path("root/bin").into_os_string();
    path.push(":/usr/bin:/bin");
    let ended = with(&node, |case| {
        case.activation = Activation::Conda("my env".into());
        case.inherited[0].1 = path;
    });
    assert_eq!(ended.stdout, "/envs/my\n", "{ended:?}");

    // Where installers put it.
    let node = conda_node();
    fs::rename(node.path("root"), node.path("miniconda3")).unwrap();
    assert_eq!(conda(&node, "my env", &[]).stdout, "/envs/my\n");

    // By asking it.
    let node = conda_node();
    node.executable("bin/conda", "#!/bin/sh\n[ \"$*\" = 'info --base' ] && echo \"$PWD/root\"\n");
    assert_eq!(conda(&node, "my env", &[]).stdout, "/envs/my\n");
}

#[test]
fn conda_that_fails_stops_it() {
    let node = conda_node();
    let exe = node.path("root/bin/conda").into_os_string();
    let ended = conda(&node, "other", &[("CONDA_EXE", exe)]);
    assert_setup_failed(&ended, "conda activate", 1, "EnvironmentNameNotFound: other\n");
    let ended = conda(&conda_node(), "my env", &[("CONDA_EXE", "/nowhere/bin/conda".into())]);
    assert_setup_failed(&ended, "conda", 1, "no etc/profile.d/conda.sh under any of: /nowhere");
}

/// A `module` command that knows one module, as Environment Modules defines it; Lmod's takes `--quiet`.
const MODULE: &str = r#"
module() {
  echo "module $*" >>module.log
  case $* in
    purge | "${LMOD_VERSION+--quiet} purge") return 0 ;;
    'load gcc 12') declare -gx GCC=12 ;;
    --*) echo "Invalid option '$1'" >&2; return 1 ;;
    *) echo "Unable to locate a modulefile for '$2'" >&2; return 1 ;;
  esac
}
"#;

fn modules(node: &Node, modules: &[&str], definition: &str) -> Ended {
    fs::create_dir_all(node.path("modules/init")).unwrap();
    node.home.write("modules/init/bash", definition);
    with(node, |case| {
        case.modules = modules.iter().map(|module| (*module).to_owned()).collect();
        let home = node.path("modules").into_os_string();
        case.inherited.push(("MODULESHOME".into(), home));
    })
}

#[test]
fn modules_are_loaded() {
    for (own, purge) in [("", "module purge"), ("LMOD_VERSION=8", "module --quiet purge")] {
        let node = Node::new("echo $GCC");
        let ended = modules(&node, &["gcc 12"], &format!("{own}\n{MODULE}"));
        assert_eq!(ended.stdout, "12\n", "{ended:?}");
        assert_eq!(node.text("module.log"), format!("{purge}\nmodule load gcc 12\n"));
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn no_module_asked_for_is_no_word_to_module() {
    let node = Node::new("echo ran");
    // As `export -f` has it.
    let module = "() { echo \"ERROR: $*\" >&2; return 1; }";
    let ended = node.run_with(&node.case(), &[("BASH_FUNC_module%%", module)]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("ran\n", ""));
}

#[test]
fn a_missing_module_stops_it() {
    let node = Node::new("echo ran");
    let ended = modules(&node, &["gcc 12", "$(touch pwned)"], MODULE);
    assert_setup_failed(&ended, "module load", 1, "a modulefile for '$(touch pwned)'");
}

#[test]
fn no_module_command_matters_only_if_modules_are_asked_for() {
    let node = Node::new("echo ran");
    let ended = with(&node, |case| case.modules = vec!["gcc".into()]);
    assert_setup_failed(&ended, "module", 127, "modules are asked for, but");
    let node = Node::new("echo ran");
    assert_eq!(modules(&node, &[], MODULE).stdout, "ran\n");
    assert_eq!(node.text("module.log"), "");
}

#[test]
fn no_python_stops_it() {
    let node = Node::new("");
    fs::remove_file(node.path("bin/python")).unwrap();
    let ended = with(&node, |case| case.inherited[0].1 = node.path("bin").into());
    assert_setup_failed(&ended, "python", 127, "sortie: python: not found once its environment");
    // One that is there but broken.
    node.executable(
        "bin/python",
        "#!/bin/sh\necho 'error while loading libpython.so' >&2; exit 127\n",
    );
    let ended = node.run(&node.case());
    assert_setup_failed(&ended, "python", 127, "error while loading libpython.so\n");
}

#[test]
fn no_working_directory_stops_it() {
    let node = Node::new("echo ran");
    let ended = with(&node, |case| case.directory = "/no/such folder".into());
    assert_setup_failed(&ended, "working directory", 1, "/no/such folder: No such file");
}

/// What people write is `cd PROJECT; source venv/bin/activate`.
#[test]
fn paths_mean_what_they_meant_before_the_activation() {
    let decoy = "cd elsewhere; export ACTIVATED=1";
    for how in ["sourced", "conda", "conda hook", "module"] {
        let node = conda_node();
        fs::create_dir(node.path("elsewhere")).unwrap();
        node.home.write("file", "right");
        node.home.write("elsewhere/file", "wrong");
        let report = "cat file; echo \" $PWD,${OLDPWD-none},$ACTIVATED\"";
        node.executable(
            "bin/python",
            &format!("#!/bin/sh\n[ $1 = --version ] || {{ {report}; }}\n"),
        );
        let ended = match how {
            "sourced" => {
                let file = node.home.write("activate", decoy);
                with(&node, |case| case.activation = Activation::Sourced(file))
            }
            "module" => {
                let module = format!("module() {{ [ \"$1\" = purge ] || {{ {decoy}; }}; }}");
                modules(&node, &["gcc"], &module)
            }
            _ => {
                let (sourced, activated) = if how == "conda" { (decoy, ":") } else { (":", decoy) };
                node.home.write(
                    "root/etc/profile.d/conda.sh",
                    &format!("{sourced}; conda() {{ {activated}; }}"),
                );
                let exe = node.path("root/bin/conda").into_os_string();
                conda(&node, "my env", &[("CONDA_EXE", exe)])
            }
        };
        let here = node.home.path().display();
        assert_eq!(ended.stdout, format!("right {here},/,1\n"), "{how}: {ended:?}");
    }
}

#[test]
fn signals_that_a_script_ignores_are_not_ignored_by_the_evaluator() {
    let ended = sourced("trap '' TERM INT", "kill -TERM $$; echo ignored");
    assert_eq!(ended.end, r#"{"kind":"signaled","signal":15}"#, "{ended:?}");
}

/// Bash 5.2 may become the last program of a script that is sourced in a subshell.
#[test]
fn a_sourced_script_may_end_in_any_command() {
    for script in ["/bin/true", "trap - EXIT; /bin/true", "(/bin/true)", "/bin/true && /bin/true"] {
        assert_eq!(sourced(script, "echo ran").stdout, "ran\n", "{script}");
    }
}

#[test]
fn a_directory_that_the_activation_removes_stops_it() {
    let node = Node::new("echo ran");
    let file = node.home.write("activate", "cd /; rmdir \"$OLDPWD\"");
    fs::create_dir(node.path("gone")).unwrap();
    let ended = with(&node, |case| {
        case.activation = Activation::Sourced(file);
        case.directory = node.path("gone");
    });
    assert_setup_failed(&ended, "working directory", 1, "No such file or directory");
}
