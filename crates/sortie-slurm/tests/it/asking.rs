//! squeue, sacct, scontrol and scancel.

use std::time::{Duration, SystemTime};

use sortie_slurm::{Advice, Cluster, Error, JobId, JobName, JobState};

use crate::stage::{Stage, quick, submission};

fn ids(numbers: std::ops::Range<u32>) -> Vec<JobId> {
    numbers.map(JobId::new).collect()
}

fn an_hour_ago() -> SystemTime {
    SystemTime::now() - Duration::from_secs(3600)
}

#[tokio::test]
async fn the_queue_is_listed_for_all_jobs_at_once() {
    let stage = Stage::new();
    let client = stage.client();
    for name in ["sortie-1", "sortie-2", "sortie-3"] {
        client.submit(&submission(name), &quick()).await.unwrap();
    }
    let jobs = client.queue().await.unwrap();
    assert_eq!(jobs.len(), 3);
    assert_eq!(jobs.get(&JobId::new(42)).unwrap().state, JobState::Pending);
    assert_eq!(stage.calls("squeue"), ["-h -r --me -t all -o %i|%T|%B|%S|%e|%r"]);
}

#[tokio::test]
async fn a_failing_or_hanging_squeue_is_an_error_and_never_an_empty_queue() {
    let stage = Stage::new();
    let client = stage.client_with(&[], Duration::from_millis(300));
    for hook in ["fail 'Unable to contact slurm controller (connect failure)'", "sleep 600"] {
        stage.write("squeue.hook", hook);
        let error = client.queue().await.unwrap_err();
        assert_eq!(error.advice(), Advice::Retry, "{error}");
    }
}

#[tokio::test]
async fn accounts_are_asked_for_in_chunks_and_from_a_start_time() {
    let stage = Stage::new();
    stage.write("accounts", "7|COMPLETED|0:0|1|2|n1|\n7.batch|COMPLETED|0:0|1|2|n1|5M\n");
    let mut asked = ids(0..250);
    asked.extend((0..1000).map(|index| JobId::new(7).element(index)));
    let jobs = stage.client().accounting(&asked, an_hour_ago()).await.unwrap();
    assert_eq!(jobs.get(&JobId::new(7)).unwrap().peak_memory, Some(5 << 20));
    let calls = stage.calls("sacct");
    assert_eq!(calls.len(), 3, "arrays as a whole: {calls:?}");
    for call in calls {
        assert!(call.starts_with("-n -P -S now-120minutes -j "), "{call}");
        assert!(call.split(',').count() <= 110, "{call}");
    }
}

#[tokio::test]
async fn no_accounting_is_noticed_in_the_configuration_and_in_sacct() {
    let stage = Stage::without_accounting();
    let error = stage.client().accounting(&ids(1..2), an_hour_ago()).await.unwrap_err();
    assert!(matches!(error, Error::NoAccounting), "{error}");
    assert!(stage.calls("sacct").is_empty());

    let stage = Stage::new();
    std::fs::remove_file(stage.path("accounts")).unwrap();
    let error = stage.client().accounting(&ids(1..2), an_hour_ago()).await.unwrap_err();
    assert!(matches!(error, Error::NoAccounting), "{error}");
}

#[tokio::test]
async fn a_database_that_is_down_is_no_answer() {
    let stage = Stage::new();
    stage.write("sacct.hook", "fail 'Problem talking to the database: Connection refused'");
    let error = stage.client().accounting(&ids(1..2), an_hour_ago()).await.unwrap_err();
    assert_eq!(error.advice(), Advice::Retry, "{error}");
}

#[tokio::test]
async fn the_controller_shows_a_job_or_does_not_know_it_or_does_not_answer() {
    let stage = Stage::without_accounting();
    stage.write("jobs", "41 x FAILED\n");
    let client = stage.client();
    let info = client.show(&JobId::new(41)).await.unwrap().unwrap();
    assert_eq!((info.state, info.exit.unwrap().code), (JobState::Failed, 3));
    assert_eq!(client.show(&JobId::new(99)).await.unwrap(), None);
    assert_eq!(stage.calls("scontrol"), ["-o show job 41", "-o show job 99"]);
    stage.write("scontrol.hook", "fail 'Unable to contact slurm controller (connect failure)'");
    assert_eq!(client.show(&JobId::new(41)).await.unwrap_err().advice(), Advice::Retry);
}

#[tokio::test]
async fn the_site_is_asked_for_once_unless_there_is_no_answer() {
    let stage = Stage::new();
    let client = stage.client();
    stage.write("scontrol.hook", "fail 'Socket timed out on send/recv operation'");
    assert!(client.site().await.is_err());
    std::fs::remove_file(stage.path("scontrol.hook")).unwrap();
    for _ in 0..3 {
        let site = client.site().await.unwrap();
        assert_eq!(
            (site.cluster.as_str(), site.max_array_size, site.accounting),
            ("shim", 1001, true)
        );
    }
    assert_eq!(stage.calls("scontrol").len(), 2);
    stage.write("config", "moo");
    let error = stage.client().site().await.unwrap_err();
    assert!(
        error.to_string().contains("ClusterName") && error.to_string().contains("moo"),
        "{error}"
    );
}

#[tokio::test]
async fn many_jobs_are_cancelled_a_hundred_at_a_time() {
    let stage = Stage::new();
    stage.write("jobs", "41 a RUNNING\n42 b RUNNING\n");
    stage.client().cancel(&ids(41..1042)).await.unwrap();
    let calls = stage.calls("scancel");
    assert_eq!(calls.len(), 11);
    assert!(calls.iter().all(|call| call.split(' ').count() <= 100));
    assert_eq!(calls.iter().map(|call| call.split(' ').count()).sum::<usize>(), 1001);
    assert_eq!(stage.jobs(), 0);
}

#[tokio::test]
async fn what_is_over_already_needs_no_cancelling_and_one_failure_stops_no_other() {
    let stage = Stage::new();
    let client = stage.client();
    for words in ["Invalid job id specified", "Job/step already completing or completed"] {
        stage.write("scancel.hook", &format!("fail 'Kill job error on job id 9: {words}'"));
        client.cancel(&ids(1..2)).await.unwrap();
    }
    stage.write("scancel.hook", "[ $(calls) -ne 3 ] || fail 'Unable to contact slurm controller'");
    assert_eq!(client.cancel(&ids(1..301)).await.unwrap_err().advice(), Advice::Retry);
    assert_eq!(stage.calls("scancel").len(), 5);
}

#[tokio::test]
async fn a_job_without_an_id_is_cancelled_by_its_name() {
    let stage = Stage::new();
    stage.client().cancel_named(&JobName::new("sortie-1").unwrap()).await.unwrap();
    assert_eq!(stage.calls("scancel"), ["--me --name=sortie-1"]);
}

#[tokio::test]
async fn a_job_is_found_by_name_in_the_accounts_after_the_queue_has_forgotten_it() {
    let name = JobName::new("sortie-1").unwrap();
    let stage = Stage::new();
    assert_eq!(stage.client().find(&name, an_hour_ago()).await.unwrap(), None);
    stage.write("accounts", "55\n");
    let found = stage.client().find(&name, an_hour_ago()).await.unwrap();
    assert_eq!(found, Some(JobId::new(55)));
    let expected = "-X -n -P -S now-120minutes --name=sortie-1 -o JobID";
    assert_eq!(stage.calls("sacct")[1], expected);
}

#[tokio::test]
async fn absence_is_certain_only_while_the_controller_remembers_or_the_accounts_answer() {
    let name = JobName::new("sortie-1").unwrap();
    let down = Stage::new();
    down.write("sacct.hook", "fail 'Problem talking to the database: Connection refused'");
    for stage in [down, Stage::without_accounting()] {
        let client = stage.client();
        assert_eq!(client.find(&name, SystemTime::now()).await.unwrap(), None);
        assert!(client.find(&name, an_hour_ago()).await.is_err());
    }
}

#[tokio::test]
async fn jobs_of_several_clusters_are_kept_apart() {
    let stage = Stage::new();
    stage.write("sbatch.hook", "admit; echo \"$id;north\"; exit 0");
    stage.write(
        "squeue.hook",
        "echo 'CLUSTER: north'; echo 'JOBID|STATE|A|B|C|D'; echo '41|RUNNING|n1|1|2|None'
         echo; echo 'CLUSTER: south'; echo '41|COMPLETED|s1|1|2|None'; exit 0",
    );
    let client = stage.client_with(&[("SLURM_CLUSTERS", "north,south")], Duration::from_secs(60));
    let id = client.submit(&submission("sortie-1"), &quick()).await.unwrap();
    assert_eq!(id.to_string(), "41;north");
    assert_eq!(client.queue().await.unwrap().get(&id).unwrap().state, JobState::Running);
    assert!(!stage.calls("squeue")[0].contains("-h"), "which would hide the clusters' names");
    client.cancel(&[id.clone(), JobId::new(5)]).await.unwrap();
    client.accounting(std::slice::from_ref(&id), an_hour_ago()).await.unwrap();
    let _ = client.show(&id).await;
    assert_eq!(stage.calls("scancel"), ["5", "-M north 41"]);
    assert!(stage.calls("sacct")[0].starts_with("-M north -n"));
    assert!(stage.calls("scontrol").contains(&"-M north -o show job 41".to_owned()));
}
