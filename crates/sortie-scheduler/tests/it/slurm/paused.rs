//! What takes minutes, with the shims of Slurm's commands and with a clock that is put forward.

use std::fs;
use std::time::Duration;

use sortie_results::{Fault, Outcome, Record, Submitted};
use sortie_scheduler::{JobId, JobScheduler, Status};
use tokio::time::Instant;

use super::clock::Clock;
use super::shims::{AN_ARRAY_FAILS, RUNS, Shims};
use crate::GOOD;

/// Notes of each script that is taken which array it asks for, and runs all of that. The script is that which the
/// launcher keeps, as another sbatch may have come and written its own over `sbatch.stdin`.
const RUNS_ARRAYS: &str = r#"
exec 9>"$SHIM_DIR/lock"; flock 9
script=$(grep -l -- "--job-name=$name\$" "$SHIM_DIR"/../results/.sortie/*/job_script.sh)
array=$(sed -n 's/^#SBATCH --array=//p' "$script")
echo "${array:-one}" >>"$SHIM_DIR/taken"
admit
for task in $(seq ${array%-*} ${array#*-}); do
    SLURM_JOB_ID=$id SLURM_ARRAY_JOB_ID=$id SLURM_ARRAY_TASK_ID=$task \
        bash "$script" >/dev/null 2>&1
done
echo $id
exit 0
"#;

fn submit(shims: &Shims, scheduler: &JobScheduler, which: std::ops::Range<usize>) -> Vec<JobId> {
    let candidate = shims.0.path("candidate");
    let pairs = which.map(|job| (candidate.clone(), shims.0.path(&format!("results/{job}"))));
    scheduler.submit_many(pairs).into_iter().map(Result::unwrap).collect()
}

fn are_over(scheduler: &JobScheduler, jobs: &[JobId]) -> bool {
    let statuses = scheduler.status_many(jobs);
    statuses.iter().all(|status| matches!(status, Some(Status::Finished(_))))
}

fn taken(shims: &Shims) -> Vec<String> {
    let taken = fs::read_to_string(shims.path("taken")).unwrap_or_default();
    taken.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn what_was_preempted_runs_again() {
    let shims = Shims::new(GOOD);
    let preempted = "admit; sed -i s/PENDING/PREEMPTED/ \"$SHIM_DIR/jobs\"";
    let once = format!("if [ $(calls) -eq 1 ]; then {preempted}; echo $id; exit 0; fi");
    shims.hook("sbatch", &format!("{once}\n{RUNS}\necho $id; exit 0"));
    let mut config = shims.config();
    config.infrastructure_retries = 1;
    let scheduler = shims.scheduler(config);
    let clock = Clock::stop(shims.path(""));
    let jobs = submit(&shims, &scheduler, 0..1);
    clock.until("it to be over", || are_over(&scheduler, &jobs)).await;
    let results = scheduler.results(jobs[0]).unwrap();
    assert!(results.correct, "{results:?}");
    assert!(results.usage.cpu_user_seconds + results.usage.cpu_system_seconds > 0.0, "{results:?}");
    assert_eq!(shims.calls("sbatch").len(), 2);
    let previous = fs::read_dir(shims.0.path("results/0/previous")).unwrap();
    let records = previous.map(|dir| Record::read(&dir.unwrap().path()).unwrap());
    let ends: Vec<_> = records.map(|record| (record.outcome, record.fault)).collect();
    assert_eq!(ends, [(Outcome::Preempted, Some(Fault::Infrastructure))]);
}

/// Refuses arrays of more jobs than the file `room` says, as a limit on submitted jobs does, also when it is only asked.
const WITHIN_ROOM: &str = r#"
array=$(option --array "$@")
if [ -n "$name" ]; then
    script=$(grep -l -- "--job-name=$name\$" "$SHIM_DIR"/../results/.sortie/*/job_script.sh)
    array=$(sed -n 's/^#SBATCH --array=//p' "$script")
fi
array=${array:-0-0}
[ "${array#*-}" -lt "$(cat "$SHIM_DIR/room")" ] || fail AssocMaxSubmitJobLimit
[ "${*#*--test-only}" = "$*" ] || exit 0
"#;

/// How often sbatch was to take jobs.
fn tries(shims: &Shims) -> usize {
    shims.calls("sbatch").iter().filter(|call| !call.contains("--test-only")).count()
}

#[tokio::test]
async fn an_array_above_a_limit_is_split_at_once() {
    let shims = Shims::new(GOOD);
    crate::write(&shims.path("room"), "2\n");
    shims.hook("sbatch", &format!("{WITHIN_ROOM}\n{RUNS_ARRAYS}"));
    // No attempt is taken from those it may have after a failure of the infrastructure.
    let scheduler = shims.scheduler(shims.config());
    let clock = Clock::stop(shims.path(""));
    let jobs = submit(&shims, &scheduler, 0..6);
    clock.until("all to be over", || are_over(&scheduler, &jobs)).await;
    for job in jobs {
        let results = scheduler.results(job).unwrap();
        assert!(results.correct, "{results:?}");
    }
    assert_eq!(taken(&shims), ["0-1", "0-1", "0-1"]);
    assert_eq!(tries(&shims), 4, "one that is refused, and three");
}

#[tokio::test]
async fn a_full_queue_is_waited_for_and_then_what_room_there_is_is_taken() {
    let shims = Shims::new(GOOD);
    crate::write(&shims.path("room"), "0\n");
    shims.hook("sbatch", &format!("{WITHIN_ROOM}\n{RUNS_ARRAYS}"));
    let scheduler = shims.scheduler(shims.config());
    let clock = Clock::stop(shims.path(""));
    let jobs = submit(&shims, &scheduler, 0..6);
    let full = |job: &JobId| match scheduler.status(*job).unwrap() {
        Status::Queued { reason: Some(reason) } => reason.contains("takes no more jobs"),
        _ => false,
    };
    clock.until("them to wait", || jobs.iter().all(full)).await;
    // For some minutes, there may come to be room for all.
    crate::write(&shims.path("room"), "3\n");
    let later = Instant::now() + Duration::from_secs(120);
    clock.until("two minutes to pass", || Instant::now() >= later).await;
    assert_eq!((taken(&shims), tries(&shims)), (Vec::new(), 1));
    clock.until("all to be over", || are_over(&scheduler, &jobs)).await;
    for job in jobs {
        let results = scheduler.results(job).unwrap();
        assert!(results.correct, "{results:?}");
    }
    assert_eq!(taken(&shims), ["0-2", "0-2"]);
}

/// It leaves no record, and the queue of a job that has long been running is listed rarely.
#[tokio::test]
async fn what_slurm_kills_for_its_memory_is_told_soon() {
    let shims = Shims::new(GOOD);
    let killed = "echo JobId=41 JobState=FAILED Reason=NonZeroExitCode ExitCode=0:9 BatchHost=n1";
    shims.hook("scontrol", &format!("[ \"$1 $2\" = 'show config' ] || {{ {killed}; exit 0; }}"));
    shims.hook("sbatch", "admit; sed -i s/PENDING/RUNNING/ \"$SHIM_DIR/jobs\"; echo $id; exit 0");
    let scheduler = shims.scheduler(shims.config());
    let clock = Clock::stop(shims.path(""));
    let jobs = submit(&shims, &scheduler, 0..1);
    let later = Instant::now() + Duration::from_secs(600);
    clock.until("it to run for long", || Instant::now() >= later).await;
    let start = r#"{"version":1,"attempt":"ID","job_id":"41","host":"n1","started_at":1.0}"#;
    let note = Submitted::read(&shims.0.path("results/0")).unwrap();
    let start = start.replace("ID", &note.attempt.to_string()) + "\n";
    crate::write(&shims.0.path("results/.sortie/0/job_start.json"), &start);
    let listings = shims.calls("squeue").len();
    clock.until("the next listing", || shims.calls("squeue").len() > listings).await;
    let killed = Instant::now();
    let failed = fs::read_to_string(shims.path("jobs")).unwrap().replace("RUNNING", "FAILED");
    crate::write(&shims.path("failed"), &failed);
    fs::rename(shims.path("failed"), shims.path("jobs")).unwrap();
    let words =
        "slurmstepd-n1: error: StepId=41.batch exceeded memory limit (2 > 1), being killed\n";
    crate::write(&shims.0.path("results/0/job_log.err"), words);
    let step = Duration::from_millis(200);
    clock.until_in(step, "it to be over", || are_over(&scheduler, &jobs)).await;
    assert_eq!(scheduler.results(jobs[0]).unwrap().outcome, Outcome::OutOfMemory);
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
}

#[tokio::test]
async fn after_a_pause_one_job_is_tried_before_the_others() {
    let shims = Shims::new(GOOD);
    shims.hook("squeue", AN_ARRAY_FAILS);
    let scheduler = shims.scheduler(shims.config());
    let clock = Clock::stop(shims.path(""));
    let failing = submit(&shims, &scheduler, 0..12);
    clock.until("many to fail", || are_over(&scheduler, &failing)).await;

    // The one that is tried does not end before the others have had time to go along with it.
    fs::remove_file(shims.path("squeue.hook")).unwrap();
    shims.hook("sbatch", "echo tried >>\"$SHIM_DIR/taken\"");
    let jobs = submit(&shims, &scheduler, 12..15);
    clock.until("one to be tried", || !taken(&shims).is_empty()).await;
    let later = Instant::now() + Duration::from_secs(30);
    clock.until("half a pause to pass", || Instant::now() >= later).await;
    assert_eq!(taken(&shims), ["tried"]);
    let script = shims.path("sbatch.stdin");
    crate::run_program("env", &["SLURM_JOB_ID=42", "bash", script.to_str().unwrap()]);
    shims.hook("sbatch", RUNS_ARRAYS);
    clock.until("all to be over", || are_over(&scheduler, &jobs)).await;
    for job in jobs {
        let results = scheduler.results(job).unwrap();
        assert!(results.correct, "{results:?}");
    }
    assert_eq!(taken(&shims), ["tried", "0-1"]);
}
