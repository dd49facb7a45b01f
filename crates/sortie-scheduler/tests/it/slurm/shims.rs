//! What no real cluster can be made to do, with the shims of `sortie-slurm` in place of its commands:
//! failures of the infrastructure, and what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_config::SlurmCondaJobConfig;
use sortie_results::{Fault, Outcome, Record, Results, Submitted};
use sortie_scheduler::{JobScheduler, Status};

use super::waits_for;
use crate::{GOOD, Stage};

/// A cluster without accounting.
const SITE: &str = "AccountingStorageType = (null)\nClusterName = shim\nMaxArraySize = 1001\n";
/// Has each job run at once: sbatch returns when it is over.
pub(crate) const RUNS: &str =
    "admit; SLURM_JOB_ID=$id bash \"$SHIM_DIR/sbatch.stdin\" >/dev/null 2>&1\n";
/// Lists each job as one whose node did not come up.
pub(crate) const FAILS: &str = "while read -r id name state; do echo \"$id|BOOT_FAIL|n/a|N/A|N/A|None\"; done \
                     <\"$SHIM_DIR/jobs\"; exit 0";

/// The same of an array of twelve, once it was submitted.
pub(super) const AN_ARRAY_FAILS: &str = "[ -e \"$SHIM_DIR/jobs\" ] || exit 0\n\
     seq 0 11 | sed \"s/.*/41_&|BOOT_FAIL|n\\/a|N\\/A|N\\/A|None/\"; exit 0";

pub(crate) struct Shims(pub(crate) Stage);

impl Shims {
    pub(crate) fn new(script: &str) -> Self {
        let shims = Self(Stage::new(script));
        super::program(&shims.0.path("bin/python"), super::PYTHON);
        crate::write(&shims.path("config"), SITE);
        shims
    }

    /// A file of theirs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path("shims").join(name)
    }

    pub(crate) fn hook(&self, command: &str, text: &str) {
        crate::write(&self.path(&format!("{command}.hook")), text);
    }

    /// The arguments of each call of a command.
    pub(crate) fn calls(&self, command: &str) -> Vec<String> {
        let calls = fs::read_to_string(self.path(&format!("{command}.calls")));
        calls.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    pub(crate) fn config(&self) -> SlurmCondaJobConfig {
        super::config(&self.0)
    }

    pub(crate) fn scheduler(&self, config: SlurmCondaJobConfig) -> JobScheduler {
        let shims = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sortie-slurm/tests/shims");
        let dir = self.path("").into_os_string();
        super::scheduler(config, super::env(&[shims, self.0.path("bin")], &[("SHIM_DIR", dir)]))
    }

    pub(crate) async fn run(&self, config: SlurmCondaJobConfig) -> Results {
        let scheduler = self.scheduler(config);
        scheduler.run(self.0.path("candidate"), self.0.path("results")).await.unwrap().0
    }
}

#[tokio::test]
async fn a_failure_of_the_infrastructure_is_followed_by_so_many_attempts() {
    let shims = Shims::new(GOOD);
    shims.hook("squeue", FAILS);
    let mut config = shims.config();
    config.infrastructure_retries = 2;
    let results = shims.run(config).await;
    assert!(matches!(results.outcome, Outcome::NodeFailed { .. }), "{results:?}");
    assert_eq!(results.fault, Some(Fault::Infrastructure));
    let names: BTreeSet<_> = shims.calls("sbatch").into_iter().collect();
    assert_eq!(names.len(), 3, "{names:?}");

    let last = Record::read(&shims.0.path("results")).unwrap().attempt;
    assert_eq!(last, results.attempt);
    let mut attempts = BTreeSet::from([last]);
    for previous in fs::read_dir(shims.0.path("results/previous")).unwrap() {
        let previous = previous.unwrap();
        let record = Record::read(&previous.path()).unwrap();
        assert_eq!(previous.file_name().to_str().unwrap(), record.attempt.to_string());
        for file in ["job_script.sh", "job_submitted.json", "job_log.out"] {
            assert!(previous.path().join(file).exists(), "{file}");
        }
        attempts.insert(record.attempt);
    }
    assert_eq!(attempts.len(), 3);
    let jobs = attempts
        .iter()
        .map(|attempt| format!("--parsable --export=NIL --job-name=sortie-{attempt}"));
    assert_eq!(names, jobs.collect());
}

#[tokio::test]
async fn a_fault_of_the_candidate_or_of_the_set_up_is_not() {
    let no_account =
        "fail 'Batch job submission failed: Invalid account or account/partition combination'";
    let cases = [
        (RUNS, "exit 3", "", Outcome::Exited { code: 3 }),
        (RUNS, "kill -SEGV $$", "", Outcome::signaled(11)),
        (RUNS, GOOD, "exit 4", {
            let reason = "activate script: status 4 on ".to_owned();
            Outcome::SetupFailed { reason, fault: Fault::Setup }
        }),
        (no_account, GOOD, "", {
            let reason = "`sbatch` failed (exit code 1): sbatch: error: ".to_owned();
            Outcome::SubmitFailed { reason, fault: Fault::Setup }
        }),
    ];
    for (sbatch, script, activation, expected) in cases {
        let shims = Shims::new(script);
        shims.hook("sbatch", &format!("{sbatch}\necho $id; exit 0"));
        crate::write(&shims.0.path("activate.sh"), activation);
        let mut config = shims.config();
        config.infrastructure_retries = 2;
        config.activate_script = Some(shims.0.path("activate.sh"));
        let outcome = shims.run(config).await.outcome;
        assert!(outcome.to_string().starts_with(&expected.to_string()), "{outcome:?}");
        assert_eq!(shims.calls("sbatch").len(), 1, "{outcome:?}");
    }
}

#[tokio::test]
async fn slurm_bounds_the_grace_period() {
    for (kill_wait, tenths) in [(30, 50), (5, 40), (0, 0)] {
        let shims = Shims::new(GOOD);
        crate::write(&shims.path("config"), &format!("{SITE}KillWait = {kill_wait} sec\n"));
        shims.hook("sbatch", &format!("{RUNS}\necho $id; exit 0"));
        let mut config = shims.config();
        config.limits.grace = Duration::from_secs(5);
        assert!(shims.run(config).await.correct);
        let script = fs::read_to_string(shims.0.path(".sortie/results/job_script.sh")).unwrap();
        assert!(script.contains(&format!("\nsortie_grace={tenths} #")), "{kill_wait}: {script}");
    }
}

#[tokio::test]
async fn cancelled_between_two_attempts() {
    let shims = Shims::new(GOOD);
    shims.hook("squeue", FAILS);
    let mut config = shims.config();
    config.infrastructure_retries = 1;
    let scheduler = shims.scheduler(config);
    let job = scheduler.submit(shims.0.path("candidate"), shims.0.path("results")).unwrap();
    let why = waits_for(&scheduler, job, "another attempt in 5 s").await;
    assert!(why.ends_with("after: node failed: its node did not boot"), "{why}");
    scheduler.cancel(&[job]);
    assert_eq!(scheduler.wait(job).await.unwrap().outcome, Outcome::Cancelled);
    assert_eq!(shims.calls("sbatch").len(), 1);
}

#[tokio::test]
async fn in_doubt_a_job_is_looked_for_and_adopted() {
    let shims = Shims::new(GOOD);
    shims.hook("sbatch", &format!("{RUNS}\nfail 'Socket timed out on send/recv operation'"));
    shims.hook("squeue", "[ $(calls) -gt 2 ] || fail 'no words that are known'");
    let mut config = shims.config();
    config.infrastructure_retries = 2;
    let results = shims.run(config).await;
    assert!(results.correct, "{results:?}");
    assert_eq!(shims.calls("sbatch").len(), 1);
}

#[tokio::test]
async fn in_doubt_another_attempt_waits_until_it_is_certain_that_there_is_no_job() {
    let shims = Shims::new(GOOD);
    let fails = "[ $(calls) -gt 1 ] || fail 'Socket timed out on send/recv operation'";
    shims.hook("sbatch", &format!("{fails}\n{RUNS}\necho $id; exit 0"));
    shims.hook("squeue", "[ $(calls) -gt 1 ] || fail 'no words that are known'");
    let mut config = shims.config();
    config.infrastructure_retries = 1;
    let results = shims.run(config).await;
    assert!(results.correct, "{results:?}");
    assert_eq!(shims.calls("sbatch").len(), 2);
    // The one look that failed, and some more, over time.
    let name = shims.calls("sbatch")[0].split_once("sortie-").unwrap().1.to_owned();
    let looks = shims.calls("squeue").iter().filter(|call| call.contains(&name)).count();
    assert!(looks >= 3, "{:?}", shims.calls("squeue"));
}

#[tokio::test]
async fn cancelled_while_the_queue_has_no_room() {
    let shims = Shims::new(GOOD);
    shims.hook("sbatch", "fail 'Unable to create job record, try again'");
    let scheduler = shims.scheduler(shims.config());
    let job = scheduler.submit(shims.0.path("candidate"), shims.0.path("results")).unwrap();
    crate::eventually("sbatch to be called", || !shims.calls("sbatch").is_empty()).await;
    scheduler.cancel(&[job]);
    let finished = scheduler.wait(job).await.unwrap();
    assert_eq!((&finished.outcome, finished.fault), (&Outcome::Cancelled, None));
    assert_eq!(Record::read(&shims.0.path("results")).unwrap().outcome, Outcome::Cancelled);
}

/// The poll between two calls of scancel sees as cancelled those alone that were named.
#[tokio::test]
async fn many_are_cancelled_by_one_scancel_for_a_hundred() {
    const COUNT: usize = 250;
    let shims = Shims::new(GOOD);
    let list = "[ -e \"$SHIM_DIR/jobs\" ] || exit 0\n\
                seq -f '41_%g' 0 249 >\"$SHIM_DIR/jobs.all\"\n\
                awk -v calls=\"$SHIM_DIR/scancel.calls\" '\
                BEGIN { while ((getline <calls) > 0) for (i = 1; i <= NF; i++) gone[$i] = 1 }\
                { print $0 (($0 in gone) ? \"|CANCELLED\" : \"|PENDING\") \"|n/a|N/A|N/A|Priority\" }' \
                \"$SHIM_DIR/jobs.all\"; exit 0";
    shims.hook("squeue", list);
    let scheduler = shims.scheduler(shims.config());
    let results = |number| shims.0.path(&format!("results/{number}"));
    let pairs = (0..COUNT).map(|number| (shims.0.path("candidate"), results(number)));
    let jobs: Vec<_> = scheduler.submit_many(pairs).into_iter().map(Result::unwrap).collect();
    waits_for(&scheduler, jobs[COUNT - 1], "Priority").await;
    scheduler.cancel(&jobs);
    for job in &jobs {
        assert_eq!(scheduler.wait(*job).await.unwrap().outcome, Outcome::Cancelled);
    }
    let calls = shims.calls("scancel");
    let ids: BTreeSet<_> = calls.iter().flat_map(|call| call.split_whitespace()).collect();
    assert_eq!((calls.len(), ids.len(), shims.calls("sbatch").len()), (3, COUNT, 1), "{calls:?}");
}

#[tokio::test]
async fn many_equal_failures_pause_submission() {
    let shims = Shims::new(GOOD);
    shims.hook("squeue", AN_ARRAY_FAILS);
    let scheduler = shims.scheduler(shims.config());
    let results = |number| shims.0.path(&format!("results/{number}"));
    let pairs = (0..12).map(|number| (shims.0.path("candidate"), results(number)));
    for job in scheduler.submit_many(pairs) {
        let finished = scheduler.wait(job.unwrap()).await.unwrap();
        assert_eq!(finished.fault, Some(Fault::Infrastructure));
    }
    let job = scheduler.submit(shims.0.path("candidate"), results(12)).unwrap();
    let why = waits_for(&scheduler, job, "submission is paused").await;
    let expected = "submission is paused: 12 times in a row: node failed: its node did not boot";
    assert_eq!(why, expected);
    assert_eq!(shims.calls("sbatch").len(), 1);
    scheduler.cancel(&[job]);
    assert_eq!(scheduler.wait(job).await.unwrap().outcome, Outcome::Cancelled);
    assert!(matches!(scheduler.status(job).unwrap(), Status::Finished(_)));
}

#[tokio::test]
async fn arrays_are_as_large_as_the_site_allows() {
    let shims = Shims::new(GOOD);
    crate::write(&shims.path("config"), &SITE.replace("1001", "4"));
    let scheduler = shims.scheduler(shims.config());
    let results = |number| shims.0.path(&format!("results/{number}"));
    let pairs = (0..10).map(|number| (shims.0.path("candidate"), results(number)));
    let jobs: Vec<_> = scheduler.submit_many(pairs).into_iter().map(Result::unwrap).collect();
    crate::eventually("all arrays to be submitted", || shims.calls("sbatch").len() == 3).await;
    let mut arrays = BTreeMap::<_, Vec<_>>::new();
    for number in 0..10 {
        let note = Submitted::read(&results(number)).unwrap();
        arrays.entry(note.job_name).or_default().push(note.element.unwrap());
    }
    let elements: Vec<_> = arrays.into_values().collect();
    assert_eq!(elements, [vec![0, 1, 2, 3], vec![0, 1, 2, 3], vec![0, 1]]);
    assert_eq!(scheduler.status_many(&jobs).len(), 10);
}

/// One of two goes without the other, which has its next attempt once there is room.
#[tokio::test]
#[ignore = "needs root: cargo xtask test"]
async fn a_results_dir_on_a_full_disk_holds_up_no_other() {
    let shims = Shims::new(GOOD);
    shims.hook("sbatch", &format!("{RUNS}\necho $id; exit 0"));
    let disk = shims.0.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = disk.to_str().unwrap();
    crate::run_program("mount", &["-t", "tmpfs", "-o", "size=256k", "sortie-test", mounted]);
    fs::write(disk.join("filler"), vec![0; 1 << 20]).unwrap_err();
    let mut config = shims.config();
    config.infrastructure_retries = 1;
    let scheduler = shims.scheduler(config);
    let candidate = shims.0.path("candidate");
    let pairs = [(&candidate, disk.join("results")), (&candidate, shims.0.path("results"))];
    let jobs: Vec<_> = scheduler.submit_many(pairs).into_iter().map(Result::unwrap).collect();
    let good = scheduler.wait(jobs[1]).await.unwrap();
    let why = waits_for(&scheduler, jobs[0], "another attempt in 5 s").await;
    fs::remove_file(disk.join("filler")).unwrap();
    let late = scheduler.wait(jobs[0]).await.unwrap();
    crate::run_program("umount", &["--lazy", mounted]);
    assert!(good.correct && late.correct, "{good:?} {late:?}");
    assert!(why.contains("/disk/.sortie/results/"), "{why}");
    assert_eq!(shims.calls("sbatch").len(), 2);
}

#[tokio::test]
async fn the_elements_of_an_array_are_looked_up_together_when_they_are_taken_up_again() {
    const COUNT: usize = 30;
    let shims = Shims::new(GOOD);
    let list = "case $(tail -n 1 \"$SHIM_DIR/squeue.calls\") in *'-n sortie'*) echo 41 ;; \
                *) seq 0 29 | sed \"s/.*/41_&|PENDING|n\\/a|N\\/A|N\\/A|Priority/\" ;; esac; exit 0";
    shims.hook("squeue", list);
    let results = |number| shims.0.path(&format!("results/{number}"));
    let requests = || {
        let pair = |number| (shims.0.path("candidate"), results(number)).into();
        (0..COUNT).map(pair).collect::<Vec<sortie_scheduler::Request>>()
    };
    let first = shims.scheduler(shims.config());
    let jobs: Vec<_> = first.submit_many(requests()).into_iter().map(Result::unwrap).collect();
    waits_for(&first, jobs[COUNT - 1], "Priority").await;
    first.leave();

    let second = shims.scheduler(shims.config());
    let attach = |request| second.attach_request(request).unwrap();
    let jobs: Vec<_> = requests().into_iter().map(attach).collect();
    for job in jobs {
        waits_for(&second, job, "Priority").await;
    }
    let by_name = shims.calls("squeue").iter().filter(|call| call.contains("-n sortie")).count();
    assert_eq!(by_name, 1, "{:?}", shims.calls("squeue"));
    assert_eq!((shims.calls("sbatch").len(), shims.calls("scancel").len()), (1, 0));
    second.leave();
}
