//! What Slurm does with a script: array elements, restarts, results dirs that cannot be used.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
};

use super::{case::Element, node::Node};
use crate::bash::program;

#[test]
fn an_element_of_an_array_has_its_own_dir_and_id() {
    let node = Node::new("echo \"$3\"");
    let mut case = node.case();
    case.attempts = (0..3)
        .map(|index| Element {
            candidate: format!("candidate {index}").into(),
            results_dir: node.path(&format!("results {index}")),
            command: Vec::new(),
        })
        .collect();
    for element in &case.attempts {
        fs::create_dir(&element.results_dir).unwrap();
    }
    let variables = [("SLURM_ARRAY_JOB_ID", "40"), ("SLURM_ARRAY_TASK_ID", "1")];
    let ended = node.run_with(&case, &variables);
    assert!(ended.status.success());
    assert_eq!(node.text("results 1/job_log.out"), "candidate 1\n");
    let record = node.text("results 1/job_end.json");
    let start = format!(r#"{{"version":1,"attempt":"{}","job_id":"40_1","#, case.ids()[1]);
    assert!(record.starts_with(&start), "{record}");
    for other in ["results 0", "results 2"] {
        assert_eq!(fs::read_dir(node.path(other)).unwrap().count(), 0);
    }
    for wrong in ["3", "", "01"] {
        let ended = node.run_with(&case, &[("SLURM_ARRAY_TASK_ID", wrong)]);
        assert_eq!(ended.status.code(), Some(125));
        let said = node.text("slurm.err");
        assert_eq!(said, format!("sortie: this job array has no element {wrong}\n"));
    }
}

#[test]
fn a_restart_does_not_run_again() {
    let node = Node::new("echo ran");
    let ended = node.run_with(&node.case(), &[("SLURM_RESTART_COUNT", "1")]);
    assert_eq!(ended.end, r#"{"kind":"restarted"}"#);
    assert_eq!((ended.stdout.as_str(), ended.status.code()), ("", Some(75)));
    assert!(ended.stderr.contains("started again by Slurm (restart 1)"));
}

#[test]
fn a_restart_leaves_the_first_record() {
    let node = Node::new("echo ran; exit 4");
    let case = node.case();
    node.run_with(&case, &[("SLURM_RESTART_COUNT", "0")]);
    let record = node.text("results/job_end.json");
    let ended = node.run_with(&case, &[("SLURM_RESTART_COUNT", "2")]);
    assert_eq!(ended.end, r#"{"kind":"exited","code":4}"#);
    assert_eq!(ended.stdout, "ran\n");
    assert_eq!(node.text("results/job_end.json"), record);
}

#[test]
fn logs_are_added_to() {
    let node = Node::new("echo more");
    node.home.write("results/job_log.out", "slurm's own\n");
    assert_eq!(node.run(&node.case()).stdout, "slurm's own\nmore\n");
}

#[test]
fn no_results_dir_is_told_to_slurm() {
    let node = Node::new("echo ran >ran");
    fs::remove_dir(node.path("results")).unwrap();
    let ended = node.run(&node.case());
    assert_eq!(ended.status.code(), Some(125));
    assert!(node.text("slurm.err").contains("No such file or directory"));
    assert!(!node.path("ran").exists());
}

#[test]
fn a_results_dir_that_goes_away_leaves_the_status() {
    let node = Node::new("rm -r results/job_start.json; mv results gone; exit 6");
    let ended = node.run(&node.case());
    assert_eq!((ended.end.as_str(), ended.status.code()), ("", Some(6)));
    assert!(node.text("gone/job_log.err").contains("No such file or directory"));
}

/// The launcher has made the logs, but the job may write no other file. Root may write everywhere, so
/// it becomes somebody else.
#[test]
fn a_read_only_results_dir_leaves_the_status_and_the_logs() {
    let node = Node::new("echo ran; exit 6");
    for name in ["job_log.out", "job_log.err"] {
        let path = node.home.write(&format!("results/{name}"), "");
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    }
    fs::set_permissions(node.home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(node.path("results"), fs::Permissions::from_mode(0o555)).unwrap();
    let bash = node.command(&node.case(), &[]);
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut script = if is_root {
        let mut somebody = program("setpriv");
        somebody.args(["--reuid=65534", "--regid=65534", "--clear-groups", "/bin/bash"]);
        somebody.args(bash.get_args()).current_dir("/").stdin(std::process::Stdio::null());
        somebody.spawn().unwrap()
    } else {
        let mut bash = bash;
        bash.spawn().unwrap()
    };
    let ended = node.end(&mut script);
    assert_eq!((ended.end.as_str(), ended.status.code()), ("", Some(6)), "{ended:?}");
    assert_eq!(ended.stdout, "ran\n");
    assert!(ended.stderr.contains("Permission denied"), "{ended:?}");
}

#[test]
fn what_a_candidate_puts_in_the_way_of_the_record_is_removed() {
    for put in [
        "mkdir -p \"$5/job_end.json/x\"; mkfifo \"$5/.job_end.json.$SORTIE_ATTEMPT\"",
        "ln -s /dev/full \"$5/.job_end.json.$SORTIE_ATTEMPT\"; mkfifo \"$5/job_end.json\"",
    ] {
        let node = Node::new(put);
        assert_eq!(node.run(&node.case()).end, r#"{"kind":"exited","code":0}"#, "{put}");
        let mode = fs::symlink_metadata(node.path("results/job_end.json")).unwrap();
        assert!(mode.is_file() && mode.permissions().mode() & 0o400 != 0);
    }
}
