//! GPUs: those that Slurm gave, and a machine without any. The devices are files of the test's.

use std::fs;

use super::{Here, set_up_failed};
use crate::container::case::Case;

/// Runs a job on a machine with these files in `/dev`.
fn run(here: &Here, case: &Case, devices: &[&str], variables: &[(&str, &str)]) -> String {
    let dev = here.path("dev");
    fs::create_dir_all(&dev).unwrap();
    for device in devices {
        fs::write(dev.join(device), "").unwrap();
    }
    let script = case.render().unwrap();
    let here_dev = |name: &str| format!("{}/{name}", dev.display());
    let script =
        script.replace("/dev/nvidia", &here_dev("nvidia")).replace("/dev/kfd", &here_dev("kfd"));
    here.end(case, here.start_text(&script, case, variables))
}

const NVIDIA: &[&str] = &["nvidiactl", "nvidia0", "nvidia1"];
const GIVEN: &[(&str, &str)] = &[("CUDA_VISIBLE_DEVICES", "0,1")];

#[test]
fn they_are_those_that_were_assigned() {
    let here = Here::standing_in("");
    let case = Case { gpus: true, ..here.case("echo $CUDA_VISIBLE_DEVICES") };
    assert_eq!(run(&here, &case, NVIDIA, GIVEN), r#"{"kind":"exited","code":0}"#);
    assert_eq!(here.log("out"), "0,1\n");
    assert!(here.read("flags").contains("--nv\0"));
    // None are asked for.
    let none = here.case("echo none: $CUDA_VISIBLE_DEVICES");
    assert_eq!(run(&here, &none, NVIDIA, GIVEN), r#"{"kind":"exited","code":0}"#);
    assert!(here.log("out").ends_with("none:\n") && !here.read("flags").contains("--nv"));
}

#[test]
fn those_of_amd() {
    let here = Here::standing_in("");
    let case = Case { gpus: true, ..here.case("echo $ROCR_VISIBLE_DEVICES") };
    let end = run(&here, &case, &["kfd"], &[("ROCR_VISIBLE_DEVICES", "3")]);
    assert_eq!(end, r#"{"kind":"exited","code":0}"#);
    assert!(here.log("out") == "3\n" && here.read("flags").contains("--rocm\0"));
}

#[test]
fn one_that_is_missing_is_told() {
    let flags = |flags: &str| (flags.to_owned(), false);
    let (none, given): (&[(&str, &str)], _) = (&[], GIVEN);
    let three = &[("CUDA_VISIBLE_DEVICES", "0,1,2")];
    let no_file = &[("CUDA_VISIBLE_DEVICES", "NoDevFiles")];
    let driver = "no GPU, or its driver is not loaded";
    for ((apptainer_flags, gpus), devices, variables, expected_step, expected) in [
        ((String::new(), true), NVIDIA, none, "gpus", "Slurm gave the job none"),
        ((String::new(), true), NVIDIA, no_file, "gpus", "Slurm gave the job none"),
        // Which is for another node.
        ((String::new(), true), &[], given, "gpu", driver),
        ((String::new(), true), NVIDIA, three, "gpu", "the job is to have the GPUs 0,1,2"),
        (flags("--nv"), &[], none, "gpus", driver),
        (flags("--rocm"), NVIDIA, none, "gpus", driver),
    ] {
        let here = Here::standing_in("");
        let case = Case { gpus, apptainer_flags, ..here.case("") };
        let end = run(&here, &case, devices, variables);
        let (step, reason) = set_up_failed(&end);
        assert!(step == expected_step && reason.contains(expected), "{expected}: {end}");
    }
}

/// As where the engine was told not to mount devices.
#[test]
fn one_that_does_not_get_in_is_told() {
    let here = Here::standing_in("[[ $what != exec ]] || rm $here/dev/nvidiactl");
    let case = Case { gpus: true, ..here.case("") };
    let end = run(&here, &case, NVIDIA, GIVEN);
    let (step, reason) = set_up_failed(&end);
    assert!(step == "gpus" && reason.contains("is not there in a container"), "{end}");
}
