//! A job by its results dir: of another process, of Slurm, of a launcher that was killed, of nobody.

use std::fs;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sortie_config::{JobType, LocalJobConfig};
use sortie_results::{Consent, JobState, Lease, Log, Outcome, Owner, Stage as At, Submitted};
use sortie_scheduler::{HandleError, JobHandle, JobLease, JobScheduler, SchedulerOptions};
use tokio::signal::unix::{SignalKind, signal};

use crate::slurm::shims::Shims;
use crate::{GOOD, Stage, eventually};

/// Says to a child process, started from this program, where its stage is.
const INSIDE: &str = "SORTIE_TEST_HANDLE";
/// Says to it that it is not to take the job's lease.
const WITHOUT_LEASE: &str = "SORTIE_TEST_WITHOUT_LEASE";

/// Waits for the test's word.
fn patient() -> Stage {
    Stage::new(&format!(
        "echo begun; touch \"$4/up\"; until [ -e \"$4/go\" ]; do sleep 0.02; done; {GOOD}"
    ))
}

/// Starts a program that sees to a job of the stage until it is over.
#[expect(clippy::disallowed_methods, reason = "a process of the test, not of the crate")]
fn launcher(stage: &Stage, variables: &[&str]) -> Child {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "handle::the_launcher", "--nocapture"]);
    command.env(INSIDE, stage.dir.path()).envs(variables.iter().map(|name| (name, "1")));
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// Runs the job, in the child process, and cancels it when it is asked to end; does nothing in the test program itself.
#[tokio::test]
async fn the_launcher() {
    let Some(dir) = std::env::var_os(INSIDE) else { return };
    let path = |name: &str| std::path::Path::new(&dir).join(name);
    let mut config = LocalJobConfig {
        eval_program_path: path("evaluate.sh"),
        python_executable: Some("sh".into()),
        ..LocalJobConfig::default()
    };
    let mark = dir.to_str().unwrap().to_owned();
    config.environment.set.insert("SORTIE_TEST_MARK".into(), mark);
    let (candidate, results) = (path("candidate"), path("results"));
    let take = || JobLease::take(&results, "test", Some(&candidate), Consent::No);
    let lease = std::env::var_os(WITHOUT_LEASE).is_none().then(|| take().unwrap().unwrap());
    let says = |stage| lease.as_ref().map(|lease| lease.says(stage, None));
    let mut asked = signal(SignalKind::terminate()).unwrap();
    let scheduler = JobScheduler::new(JobType::Local, config, SchedulerOptions::default()).unwrap();
    let job = scheduler.submit(&candidate, &results).unwrap();
    says(At::Running);
    tokio::select! {
        _ = scheduler.wait(job) => {}
        _ = asked.recv() => {
            says(At::Stopping);
            scheduler.cancel(&[job]);
            scheduler.wait(job).await.unwrap();
        }
    }
}

fn state(job: &JobHandle) -> JobState {
    job.status().unwrap().state()
}

/// The job, once it is under way.
async fn running(stage: &Stage) -> JobHandle {
    stage.appears("results/up").await;
    let job = JobHandle::open(stage.path("results")).unwrap();
    eventually("the job to be seen running", || state(&job) == JobState::Running).await;
    job
}

fn kill(process: &Child) {
    kill_process(Pid::from_child(process), Signal::KILL).unwrap();
}

fn read(job: &JobHandle, log: Log) -> String {
    let (mut reader, mut buffer) = (job.logs(log, None), [0; 100]);
    let read = reader.read(&mut buffer).unwrap();
    String::from_utf8(buffer[..read].to_vec()).unwrap()
}

#[tokio::test]
async fn a_job_of_another_process_is_seen_and_waited_for() {
    let stage = patient();
    let mut other = launcher(&stage, &[]);
    let job = running(&stage).await;
    let view = job.status().unwrap();
    let owner = view.launcher().unwrap();
    assert_eq!((owner.pid, owner.command.as_deref()), (other.id(), Some("test")));
    assert!(view.is_kept() && view.record().is_none() && !view.has_whole_logs());
    assert!(matches!(job.results(), Err(HandleError::NotOver { .. })));
    assert_eq!(read(&job, Log::Stdout), "begun\n");
    // No other process can see to it.
    let taken = JobLease::take(job.dir(), "test", None, Consent::No);
    let in_use = taken.unwrap_err().to_string();
    let expected = format!("results is in use by `sortie test`, process {} on ", other.id());
    assert!(in_use.contains(&expected), "{in_use}");

    crate::write(&stage.path("results/go"), "");
    let waiting = job.clone();
    let over = tokio::task::spawn_blocking(move || waiting.wait()).await.unwrap().unwrap();
    assert_eq!((over.state(), over.score()), (JobState::Finished, Some(1.5)));
    assert!(over.has_whole_logs() && over.owner().is_none());
    assert!(job.results().unwrap().correct);
    // What is over stays as it is.
    job.kill(Consent::No).unwrap();
    assert!(other.wait().unwrap().success());
}

#[tokio::test]
async fn the_launcher_is_asked_to_end_the_job() {
    let stage = patient();
    let mut other = launcher(&stage, &[]);
    let job = running(&stage).await;
    job.cancel(Consent::No).unwrap();
    assert_eq!(job.wait().unwrap().record().unwrap().outcome, Outcome::Cancelled);
    assert!(other.wait().unwrap().success());
    assert_eq!(stage.processes(), [] as [String; 0]);
}

#[tokio::test]
async fn a_job_is_lost_with_its_launcher() {
    for variables in [&[] as &[&str], &[WITHOUT_LEASE]] {
        let stage = patient();
        let mut other = launcher(&stage, variables);
        let job = running(&stage).await;
        kill(&other);
        other.wait().unwrap();
        assert_eq!(job.wait().unwrap().state(), JobState::Lost);
        assert!(matches!(job.results(), Err(HandleError::NoRecord { .. })));
        job.cancel(Consent::No).unwrap();
        assert_eq!(read(&job, Log::Stdout), "begun\n");
    }
}

#[tokio::test]
async fn a_program_that_sees_to_other_things_too_is_not_asked() {
    let stage = patient();
    let mut other = launcher(&stage, &[WITHOUT_LEASE]);
    let job = running(&stage).await;
    let owner = job.status().unwrap().owner().unwrap().pid;
    assert_eq!((owner, job.status().unwrap().is_kept()), (other.id(), false));
    let refused = job.cancel(Consent::No).unwrap_err();
    assert!(matches!(refused, HandleError::OtherProgram(_)), "{refused}");
    crate::write(&stage.path("results/go"), "");
    assert_eq!(job.wait().unwrap().state(), JobState::Finished);
    assert!(other.wait().unwrap().success());
}

/// Has a lease say that its owner is on a machine that cannot be seen from here.
fn move_elsewhere(lease: &std::path::Path) {
    let said = fs::read_to_string(lease).unwrap();
    let members = said.trim_matches(['{', '}']).split(',').map(|member| {
        match member.split_once(':').unwrap().0 {
            name @ ("\"host\"" | "\"machine\"" | "\"boot\"") => format!("{name}:\"far\""),
            _ => member.to_owned(),
        }
    });
    fs::write(lease, format!("{{{}}}", members.collect::<Vec<_>>().join(","))).unwrap();
}

#[tokio::test]
async fn a_launcher_that_cannot_be_seen_is_taken_from_by_consent_alone() {
    let stage = patient();
    let mut other = launcher(&stage, &[]);
    let job = running(&stage).await;
    kill(&other);
    other.wait().unwrap();
    job.wait().unwrap();
    for lease in ["keeper.lease", "lease"] {
        move_elsewhere(&stage.path(".sortie/results").join(lease));
    }
    assert_eq!(state(&job), JobState::Unknown);
    let unknown = job.cancel(Consent::No).unwrap_err();
    assert!(matches!(&unknown, HandleError::InUse(in_use) if !in_use.certain), "{unknown}");
    assert!(unknown.to_string().contains(" on far since "), "{unknown}");
    job.cancel(Consent::TakeOver).unwrap();
    assert_eq!(state(&job), JobState::Lost);
}

#[tokio::test]
async fn a_job_of_slurm_that_its_launcher_has_left_is_orphaned_and_taken_up() {
    let shims = Shims::new(GOOD);
    let stage = &shims.0;
    let first = shims.scheduler(shims.config());
    first.submit(stage.path("candidate"), stage.path("results")).unwrap();
    eventually("it to be submitted", || shims.path("jobs").exists()).await;
    first.leave();
    let job = JobHandle::open(stage.path("results")).unwrap();
    let view = job.status().unwrap();
    let name = Submitted::read(job.dir()).unwrap().job_name;
    assert_eq!((view.state(), &view.submitted().unwrap().job_name), (JobState::Orphaned, &name));
    assert!(view.start().unwrap().is_none() && !view.has_whole_logs());
    for refused in [job.wait().map(drop), job.cancel(Consent::No), job.kill(Consent::TakeOver)] {
        assert!(matches!(refused, Err(HandleError::Orphaned { .. })), "{refused:?}");
    }

    let lease = JobLease::take(job.dir(), "attach", None, Consent::No).unwrap().unwrap();
    assert_eq!(state(&job), JobState::Queued);
    run_as_slurm_does(&shims);
    let second = shims.scheduler(shims.config());
    let attached = second.attach(job.dir()).unwrap();
    assert!(second.wait(attached).await.unwrap().correct);
    drop(lease);
    assert!(job.wait().unwrap().record().unwrap().correct);
    assert_eq!(shims.calls("sbatch").len(), 1);
}

/// Runs the script that was submitted last.
fn run_as_slurm_does(shims: &Shims) {
    let path = format!("PATH={}:/usr/bin:/bin", shims.0.path("bin").display());
    let script = shims.path("sbatch.stdin");
    crate::run_program("env", &[&path, "SLURM_JOB_ID=41", "bash", script.to_str().unwrap()]);
}

#[tokio::test]
async fn a_job_of_a_sweep_is_the_sweeps() {
    let shims = Shims::new(GOOD);
    let stage = &shims.0;
    let scheduler = shims.scheduler(shims.config());
    scheduler.submit(stage.path("candidate"), stage.path("out/a")).unwrap();
    eventually("it to be submitted", || shims.path("jobs").exists()).await;
    crate::write(&stage.path("out/ledger.jsonl"), "");
    let lock = stage.path("out/lock");
    let lease = Lease::take(&lock, &Owner::this(None, Some("sweep")), Consent::No).unwrap();
    let job = JobHandle::open(stage.path("out/a")).unwrap();
    let view = job.status().unwrap();
    assert_eq!((view.state(), view.sweep()), (JobState::Queued, Some(stage.path("out").as_path())));
    let refused = job.cancel(Consent::No).unwrap_err();
    assert!(matches!(&refused, HandleError::OfSweep { sweep, .. } if *sweep == stage.path("out")));
    drop(lease);
    assert_eq!(state(&job), JobState::Orphaned);
    scheduler.leave();
}

#[test]
fn directories_that_hold_no_job() {
    let stage = patient();
    fs::create_dir(stage.path("empty")).unwrap();
    let open = |name| JobHandle::open(stage.path(name)).unwrap_err();
    assert!(matches!(open("empty"), HandleError::NoJob { .. }));
    assert!(open("none").to_string().starts_with("cannot open the results dir "));
    assert!(open("candidate").to_string().ends_with("candidate is a file, not a directory"));
    let claimed = JobLease::take(&stage.path("empty"), "test", None, Consent::No).unwrap();
    assert!(claimed.is_none(), "nothing is made where there is no job");
}
