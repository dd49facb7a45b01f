//! sbatch, and what can go wrong with it.

use std::time::Duration;

use sortie_slurm::{Error, Retry, SubmitError};

use crate::stage::{Stage, quick, submission};

async fn submitted(stage: &Stage) -> String {
    stage.client().submit(&submission("sortie-1"), &quick()).await.unwrap().to_string()
}

#[tokio::test]
async fn the_script_arrives_byte_for_byte_and_the_name_on_the_command_line() {
    let stage = Stage::new();
    let mut submission = submission("sortie-1");
    submission.script = b"#!/bin/sh\n\xff\x01 $(touch pwned) '\"\n".repeat(50_000);
    submission.args = vec!["--array=0-9".into(), "--comment=a b;$(c)".into()];
    let id = stage.client().submit(&submission, &quick()).await.unwrap();
    assert_eq!(id.to_string(), "41");
    assert_eq!(std::fs::read(stage.path("sbatch.stdin")).unwrap(), submission.script);
    let expected = "--parsable --export=NIL --job-name=sortie-1 --array=0-9 --comment=a b;$(c)";
    assert_eq!(stage.calls("sbatch"), [expected]);
    assert!(stage.calls("squeue").is_empty(), "nothing to look up");
}

#[tokio::test]
async fn the_environment_is_scrubbed_of_an_enclosing_job_and_of_overrides() {
    let stage = Stage::new();
    let env = [
        ("SLURM_CONF", "/etc/slurm/other.conf"),
        ("SLURM_JOB_ID", "7"),
        ("SLURM_CPU_BIND", "cores"),
        ("SBATCH_PARTITION", "gpu"),
        ("SQUEUE_FORMAT", "%i"),
        ("OTHER", "kept"),
    ];
    let client = stage.client_with(&env, Duration::from_secs(60));
    client.submit(&submission("sortie-1"), &quick()).await.unwrap();
    client.find(&submission("sortie-1").name, std::time::SystemTime::now()).await.unwrap();
    for (command, times) in [("sbatch", false), ("squeue", true)] {
        let env = stage.read(&format!("{command}.env"));
        let has = |line: &str| env.lines().any(|found| found.starts_with(line));
        assert!(has("SLURM_CONF=/etc/slurm/other.conf") && has("OTHER=kept"), "{env}");
        assert!(!has("SLURM_JOB_ID") && !has("SLURM_CPU_BIND") && !has("SBATCH_"), "{env}");
        assert!(!has("SQUEUE_"), "{env}");
        assert_eq!(has("SLURM_TIME_FORMAT=%s"), times, "the job is not to inherit it: {env}");
    }
}

/// Before 23.02 `NIL` names a variable, and costs each job a login.
#[tokio::test]
async fn an_old_release_exports_all_of_an_environment_that_is_bare() {
    let stage = Stage::new();
    let export =
        |calls: &[String]| calls.last().is_some_and(|call| call.contains(" --export=ALL "));
    for (version, old) in [("23.02.1", false), ("22.05.8", true)] {
        stage.write("config", &format!("ClusterName = shim\nSLURM_VERSION = {version}\n"));
        let env = [("SLURM_CONF", "/etc/slurm.conf"), ("BASH_ENV", "/no/such"), ("API_KEY", "x")];
        let client = stage.client_with(&env, Duration::from_secs(60));
        client.site().await.unwrap();
        client.submit(&submission("sortie-1"), &quick()).await.unwrap();
        assert_eq!(export(&stage.calls("sbatch")), old, "{version}");
        let env = stage.read("sbatch.env");
        let has = |line: &str| env.lines().any(|found| found.starts_with(line));
        assert!(has("PATH=") && has("SLURM_CONF=/etc/slurm.conf"), "{env}");
        assert_eq!((has("BASH_ENV="), has("API_KEY=")), (!old, !old), "{version}: {env}");
    }
}

#[tokio::test]
async fn an_sbatch_that_times_out_but_did_submit_is_adopted() {
    let stage = Stage::new();
    stage.write("sbatch.hook", "admit; fail 'Socket timed out on send/recv operation'");
    assert_eq!(submitted(&stage).await, "41");
    assert_eq!((stage.calls("sbatch").len(), stage.jobs()), (1, 1));
    let lookup = &stage.calls("squeue")[0];
    assert!(lookup.contains("-n sortie-1") && lookup.contains("-t all"), "{lookup}");
}

#[tokio::test]
async fn an_sbatch_that_hangs_or_is_killed_but_did_submit_is_adopted() {
    for hook in ["admit; sleep 600 & sleep 600", "admit; kill -KILL $$"] {
        let stage = Stage::new();
        stage.write("sbatch.hook", hook);
        let client = stage.client_with(&[], Duration::from_millis(500));
        let id = client.submit(&submission("sortie-1"), &quick()).await.unwrap();
        assert_eq!((id.to_string().as_str(), stage.jobs()), ("41", 1), "{hook}");
    }
}

#[tokio::test]
async fn a_job_that_shows_late_is_adopted() {
    let stage = Stage::new();
    stage.write("sbatch.hook", "admit; fail 'Socket timed out on send/recv operation'");
    stage.write("squeue.hook", "[ $(calls) -gt 3 ] || exit 0");
    let retry = Retry { settle: Duration::from_secs(30), ..quick() };
    let id = stage.client().submit(&submission("sortie-1"), &retry).await.unwrap();
    assert_eq!((id.to_string().as_str(), stage.calls("squeue").len()), ("41", 4));
    assert_eq!((stage.calls("sbatch").len(), stage.jobs()), (1, 1));
}

#[tokio::test]
async fn a_job_that_is_not_there_is_submitted_again_and_not_before_squeue_answers() {
    let stage = Stage::new();
    stage.write(
        "sbatch.hook",
        "[ $(calls) -gt 1 ] || fail 'Unable to contact slurm controller (connect failure)'",
    );
    stage.write(
        "squeue.hook",
        "[ $(calls) -gt 4 ] || fail 'Unable to contact slurm controller (connect failure)'",
    );
    assert_eq!(submitted(&stage).await, "41");
    assert_eq!((stage.calls("sbatch").len(), stage.jobs()), (2, 1));
    assert!(stage.calls("squeue").len() > 4);
}

#[tokio::test]
async fn when_slurm_never_tells_it_is_not_submitted_again() {
    let stage = Stage::new();
    stage.write("sbatch.hook", "admit; fail 'Zero Bytes were transmitted or received'");
    stage.write("squeue.hook", "fail 'Socket timed out on send/recv operation'");
    let mut retry = quick();
    retry.transient_for = Duration::from_millis(300);
    let error = stage.client().submit(&submission("sortie-1"), &retry).await.unwrap_err();
    assert!(matches!(error, SubmitError::InDoubt { .. }), "{error}");
    assert_eq!((stage.calls("sbatch").len(), stage.jobs()), (1, 1));
}

#[tokio::test]
async fn banners_and_older_words_are_understood() {
    for (hook, id) in [
        ("echo 'Welcome to the cluster! 3 nodes are down.'; echo", "41"),
        ("admit; echo \"Submitted batch job $id\"; exit 0", "41"),
        ("admit; echo \"$id;north\"; echo 'Have a nice day'; exit 0", "41;north"),
        ("echo 'sbatch: warning: old option' >&2", "41"),
    ] {
        let stage = Stage::new();
        stage.write("sbatch.hook", hook);
        assert_eq!(submitted(&stage).await, id, "{hook}");
        assert_eq!(stage.jobs(), 1);
    }
}

#[tokio::test]
async fn an_id_that_is_not_printed_is_looked_up() {
    let stage = Stage::new();
    stage.write("sbatch.hook", "admit; echo 'Done.'; exit 0");
    assert_eq!(submitted(&stage).await, "41");
    assert_eq!(stage.jobs(), 1);
}

#[tokio::test]
async fn what_the_user_has_to_mend_is_reported_at_once_in_sbatchs_words() {
    let stage = Stage::new();
    stage.write("sbatch.hook", "fail 'invalid partition specified: nope'");
    let error = stage.client().submit(&submission("sortie-1"), &quick()).await.unwrap_err();
    assert!(matches!(error, SubmitError::Refused(Error::Failed { .. })), "{error}");
    assert_eq!(
        error.to_string(),
        "`sbatch` failed (exit code 1): sbatch: error: invalid partition specified: nope"
    );
    assert_eq!((stage.calls("sbatch").len(), stage.calls("squeue").len()), (1, 0));
}

#[tokio::test]
async fn a_full_queue_is_waited_for_also_where_nothing_is_remembered() {
    for stage in [Stage::new(), Stage::without_accounting()] {
        stage.forget_soon();
        stage.write("sbatch.hook", "[ $(calls) -gt 3 ] || fail 'AssocMaxSubmitJobLimit'");
        assert_eq!(submitted(&stage).await, "41");
        assert_eq!((stage.calls("sbatch").len(), stage.jobs()), (4, 1));
    }
}

#[tokio::test]
async fn a_controller_that_was_down_longer_than_it_remembers_leaves_no_doubt() {
    let stage = Stage::without_accounting();
    stage.forget_soon();
    stage.write(
        "sbatch.hook",
        "[ $(calls) -gt 1 ] || { sleep 1.5; fail 'Unable to contact slurm controller (connect failure)'; }",
    );
    assert_eq!(submitted(&stage).await, "41");
    assert_eq!((stage.calls("sbatch").len(), stage.jobs()), (2, 1));
}

#[tokio::test]
async fn a_missing_command_says_where_it_was_looked_for() {
    let env = [("PATH".into(), "/no/such/dir".into())];
    let client = sortie_slurm::Client::new(
        sortie_process::Supervisor::new(),
        env,
        "/",
        Duration::from_secs(10),
    );
    let error = client.submit(&submission("sortie-1"), &quick()).await.unwrap_err();
    assert!(matches!(error, SubmitError::Refused(Error::Missing { .. })), "{error}");
    let message = error.to_string();
    assert!(message.contains("`sbatch`") && message.contains("/no/such/dir"), "{message}");
}

/// By `--test-only`, of the script as it is.
#[tokio::test]
async fn how_many_jobs_there_is_room_for_is_found_by_halves() {
    for (room, asked) in [(0, 1), (1, 8), (7, 8), (100, 8)] {
        let stage = Stage::new();
        let limit = format!("array=$(option --array \"$@\")\n[ ${{array#0-}} -lt {room} ]");
        stage.write("sbatch.hook", &format!("{limit} || fail AssocMaxSubmitJobLimit\nexit 0"));
        let found = stage.client().room_for(b"#!/bin/sh\n", 100).await.unwrap();
        assert_eq!(found, room);
        let calls = stage.calls("sbatch");
        assert!(calls.len() <= asked, "{calls:?}");
        assert!(calls.iter().all(|call| call.ends_with(" --test-only")), "{calls:?}");
        assert_eq!(stage.jobs(), 0);
    }
    let stage = Stage::new();
    stage.write("sbatch.hook", "fail 'invalid partition specified: nowhere'");
    let error = stage.client().room_for(b"#!/bin/sh\n", 100).await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}
