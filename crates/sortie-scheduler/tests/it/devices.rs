//! GPUs and CPUs that jobs have to themselves. The GPUs are made up: each test has others, as all schedulers of this process
//! deal from one hand.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use sortie_config::{JobConfig, LocalDockerJobConfig, LocalJobConfig, TimeLimit, Warm};
use sortie_results::{Outcome, Start};
use sortie_scheduler::{JobScheduler, Preview, SchedulerOptions, Status, check, preview};

use crate::{GOOD, Stage, eventually};

/// Takes each GPU by a directory, which must not be there, and lets go of it at last.
const USES_GPUS: &str = r#"here=$(dirname "$4"); echo "$CUDA_VISIBLE_DEVICES" > "$4/gpus"; IFS=,
for gpu in $CUDA_VISIBLE_DEVICES; do mkdir "$here/gpu-${gpu%%/*}" || exit 9; done
ls -d "$here"/gpu-* | wc -l > "$4/count"; sleep 0.05
for gpu in $CUDA_VISIBLE_DEVICES; do rmdir "$here/gpu-${gpu%%/*}"; done
"#;

/// Tells what it was dealt.
const TELLS: &str = r#"sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
for name in CUDA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES OMP_NUM_THREADS MKL_NUM_THREADS; do
  eval "echo $name=\${$name-unset}"
done
"#;

/// The launcher's variables, with these and without others of theirs.
fn env(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let ours = ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"];
    let threads = |name: &OsString| name.to_string_lossy().ends_with("_NUM_THREADS");
    let others = std::env::vars_os()
        .filter(|(name, _)| !ours.iter().any(|ours| name == *ours) && !threads(name));
    others.chain(variables.iter().map(|(name, value)| (name.into(), value.into()))).collect()
}

fn made(
    config: impl Into<JobConfig>,
    max_workers: usize,
    variables: &[(&str, &str)],
) -> Result<JobScheduler, String> {
    let config = config.into();
    let env = Some(env(variables));
    let options = SchedulerOptions { max_workers, env, ..SchedulerOptions::default() };
    JobScheduler::new(config.job_type(), config, options).map_err(|error| error.to_string())
}

fn with_gpus(config: LocalJobConfig, gpus: u32, list: &str) -> JobScheduler {
    let config = LocalJobConfig { gpus: Some(gpus), ..config };
    made(config, 8, &[("CUDA_VISIBLE_DEVICES", list)]).unwrap()
}

fn read(stage: &Stage, name: &str) -> String {
    fs::read_to_string(stage.path(name)).unwrap().trim_end().to_owned()
}

/// The numbers in a list as `0,2-4`.
fn numbers(list: &str) -> Vec<u32> {
    let range = |range: &str| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        from.parse().unwrap()..=to.parse().unwrap()
    };
    list.trim().split(',').flat_map(range).collect()
}

fn allowed() -> Vec<u32> {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    numbers(status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap())
}

#[tokio::test]
async fn no_gpu_is_with_two_jobs_and_each_is_named_as_the_launcher_names_it() {
    let stage = Stage::new(&format!("{USES_GPUS}{GOOD}"));
    let list = "GPU-a1,3001,MIG-GPU-b2/1/0,GPU-c3,3000";
    let scheduler = with_gpus(stage.config(), 2, list);
    let names: Vec<_> = (0..9).map(|n| format!("job{n}")).collect();
    let all = names.iter().map(|name| (stage.path("candidate"), stage.path(name)));
    for job in scheduler.submit_many(all) {
        let finished = scheduler.wait(job.unwrap()).await.unwrap();
        assert!(finished.correct, "{}", finished.outcome);
    }
    let hands: Vec<_> = names.iter().map(|name| read(&stage, &format!("{name}/gpus"))).collect();
    // The fifth is one too few for a third job.
    assert!(hands.iter().all(|hand| ["GPU-a1,3001", "MIG-GPU-b2/1/0,GPU-c3"].contains(&&**hand)));
    assert_ne!(hands[0], hands[1], "two run at once");
    // Of two that run at once, one may look while the other takes its own.
    let counts: Vec<_> = names.iter().map(|name| read(&stage, &format!("{name}/count"))).collect();
    assert!(counts.iter().all(|count| ["2", "3", "4"].contains(&&**count)), "{counts:?}");
}

#[tokio::test]
async fn a_gpu_is_given_back_however_the_attempt_ends() {
    let script = format!(
        r#"case $(basename "$4") in
             fails) exit 3 ;;
             leaves) setsid sleep 600 & ;;
             cancelled | killed | late | dropped) touch "$4/started"; sleep 600 ;;
           esac
           {GOOD}"#
    );
    let stage = Stage::new(&script);
    let scheduler = with_gpus(stage.config(), 1, "GPU-one");
    let submit = |name: &str| scheduler.submit(stage.path("candidate"), stage.path(name)).unwrap();
    let outcome = async |job| scheduler.wait(job).await.unwrap().outcome.clone();
    for (name, code) in [("fails", 3), ("leaves", 0)] {
        assert_eq!(outcome(submit(name)).await, Outcome::Exited { code });
    }
    for name in ["cancelled", "killed"] {
        let (job, queued) = (submit(name), submit(&format!("after-{name}")));
        stage.appears(&format!("{name}/started")).await;
        assert_eq!(scheduler.status(queued).unwrap(), Status::Queued { reason: None });
        if name == "killed" {
            scheduler.kill(&[job]);
        } else {
            scheduler.cancel(&[job]);
        }
        assert_eq!(outcome(job).await, Outcome::Cancelled);
        assert_eq!(outcome(queued).await, Outcome::Exited { code: 0 });
    }
    let missing = scheduler.submit(stage.path("no-candidate"), stage.path("missing")).unwrap();
    assert!(matches!(outcome(missing).await, Outcome::NotStarted { .. }));

    // Each of these has a scheduler of its own, and they all deal from one hand.
    fs::write(stage.path("not-a-program"), "").unwrap();
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(stage.path("not-a-program"), all).unwrap();
    let not_a_program = Some(stage.path("not-a-program"));
    let broken = LocalJobConfig { python_executable: not_a_program, ..stage.config() };
    let late = LocalJobConfig { time: TimeLimit::from_seconds(1).ok(), ..stage.config() };
    for (config, name) in [(broken, "broken"), (late, "late")] {
        let other = with_gpus(config, 1, "GPU-one");
        let results = other.run(stage.path("candidate"), stage.path(name)).await.unwrap().0;
        assert!(!results.correct, "{}", results.outcome);
    }
    let dropped = with_gpus(stage.config(), 1, "GPU-one");
    dropped.submit(stage.path("candidate"), stage.path("dropped")).unwrap();
    stage.appears("dropped/started").await;
    drop(dropped);
    assert_eq!(outcome(submit("last")).await, Outcome::Exited { code: 0 });
    assert_eq!(stage.processes(), [] as [String; 0]);
}

#[tokio::test]
async fn a_job_for_many_gpus_comes_before_those_for_one_that_came_later() {
    let script = format!(
        r#"echo "$(basename "$4") $CUDA_VISIBLE_DEVICES" >> "$(dirname "$4")/order"
        touch "$4/started"
        case $4 in *hold*) while [ ! -e "$4/go" ]; do sleep 0.01; done ;; esac
        {GOOD}"#
    );
    let stage = Stage::new(&script);
    let list = "GPU-m0,GPU-m1,GPU-m2,GPU-m3";
    let (ones, others, four) = (
        with_gpus(stage.config(), 1, list),
        with_gpus(stage.config(), 1, list),
        with_gpus(stage.config(), 4, list),
    );
    let submit = |scheduler: &JobScheduler, name: &str| {
        scheduler.submit(stage.path("candidate"), stage.path(name)).unwrap()
    };
    let held = ["hold0", "hold1"].map(|name| submit(&ones, name));
    stage.appears("hold0/started").await;
    stage.appears("hold1/started").await;
    let waits = async |scheduler: &JobScheduler, job| {
        let is_told = || match scheduler.status(job).unwrap() {
            Status::Queued { reason } => reason.is_some_and(|it| it.contains("another scheduler")),
            _ => false,
        };
        eventually("the job to wait for GPUs", is_told).await;
    };
    // One that gives up is not waited for.
    let given_up = submit(&four, "given-up");
    waits(&four, given_up).await;
    four.cancel(&[given_up]);
    assert_eq!(four.wait(given_up).await.unwrap().outcome, Outcome::Cancelled);
    let many = submit(&four, "many");
    waits(&four, many).await;
    // Two GPUs are free, and are kept for it.
    let later = submit(&others, "later");
    waits(&others, later).await;
    fs::write(stage.path("hold0/go"), "").unwrap();
    assert!(ones.wait(held[0]).await.unwrap().correct);
    assert!(matches!(four.status(many).unwrap(), Status::Queued { .. }));
    fs::write(stage.path("hold1/go"), "").unwrap();
    for (scheduler, job) in [(&ones, held[1]), (&four, many), (&others, later)] {
        assert!(scheduler.wait(job).await.unwrap().correct);
    }
    let order = read(&stage, "order");
    let at_last: Vec<_> = order.lines().skip(2).collect();
    assert_eq!(at_last, [format!("many {list}"), "later GPU-m0".to_owned()]);
}

#[tokio::test]
async fn jobs_are_bound_to_cpus_of_their_own_and_libraries_told_how_many() {
    // Waits until another runs beside it, if there is a CPU for one.
    let script = format!(
        r#"exec > "$4/told"; touch "$4/started"; {TELLS}
        while [ ! -e "$(dirname "$4")/go" ]; do sleep 0.01; done; {GOOD}"#
    );
    let stage = Stage::new(&script);
    let config = LocalJobConfig { cpus: Some(1), ..stage.config() };
    let scheduler = made(config.clone(), 64, &[("MKL_NUM_THREADS", "7")]).unwrap();
    let at_once = allowed().len().min(std::thread::available_parallelism().unwrap().get()).min(2);
    let names: Vec<_> = (0..at_once).map(|n| format!("job{n}")).collect();
    let all = names.iter().map(|name| (stage.path("candidate"), stage.path(name)));
    let jobs = scheduler.submit_many(all);
    for name in &names {
        stage.appears(&format!("{name}/started")).await;
    }
    fs::write(stage.path("go"), "").unwrap();
    let mut dealt = Vec::new();
    for (job, name) in jobs.into_iter().zip(&names) {
        assert!(scheduler.wait(job.unwrap()).await.unwrap().correct);
        let told = read(&stage, &format!("{name}/told"));
        let (cpus, variables) = told.split_once('\n').unwrap();
        assert_eq!(
            variables,
            "CUDA_VISIBLE_DEVICES=unset\nHIP_VISIBLE_DEVICES=unset\nROCR_VISIBLE_DEVICES=unset\n\
             OMP_NUM_THREADS=1\nMKL_NUM_THREADS=7"
        );
        dealt.extend(numbers(cpus));
    }
    let quota = std::thread::available_parallelism().unwrap().get() < allowed().len();
    if !quota {
        dealt.sort_unstable();
        dealt.dedup();
        assert!(
            dealt.len() == at_once && dealt.iter().all(|cpu| allowed().contains(cpu)),
            "{dealt:?}"
        );
    }

    let asked = LocalJobConfig { numeric_threads_per_job: Some(3), ..config };
    let scheduler = made(asked, 1, &[]).unwrap();
    scheduler.run(stage.path("candidate"), stage.path("asked")).await.unwrap();
    assert!(read(&stage, "asked/told").contains("OMP_NUM_THREADS=3\nMKL_NUM_THREADS=3"));
}

#[tokio::test]
async fn a_job_sees_what_the_launcher_sees_unless_it_has_a_share_and_none_where_that_is_none() {
    let stage = Stage::new(&format!("{TELLS}{GOOD}"));
    let variables = [("CUDA_VISIBLE_DEVICES", "4,5"), ("HIP_VISIBLE_DEVICES", "1,0")];
    let told = async |gpus, name: &str| {
        let scheduler = made(LocalJobConfig { gpus, ..stage.config() }, 1, &variables).unwrap();
        let run = scheduler.run(stage.path("candidate"), stage.path(name));
        let text = run.await.unwrap().0.stdout_log.text();
        let (cpus, rest) = text.split_once('\n').unwrap();
        assert_eq!(numbers(cpus), allowed());
        rest.replace("_VISIBLE_DEVICES", "").replace('\n', " ")
    };
    let threads = "OMP_NUM_THREADS=unset MKL_NUM_THREADS=unset ";
    assert_eq!(told(None, "shared").await, format!("CUDA=4,5 HIP=1,0 ROCR=unset {threads}"));
    assert_eq!(told(Some(0), "none").await, format!("CUDA=-1 HIP=-1 ROCR=-1 {threads}"));
    // This machine is told to have GPUs of both makers; NVIDIA's count, as it has none of AMD's.
    assert_eq!(told(Some(1), "one").await, format!("CUDA=4 HIP=1,0 ROCR=unset {threads}"));
}

#[tokio::test]
async fn amds_gpus_are_dealt_by_amds_variables() {
    let stage = Stage::new(&format!("{TELLS}{GOOD}"));
    let told = async |variables: &[_], name: &str| {
        let config = LocalJobConfig { gpus: Some(1), ..stage.config() };
        let scheduler = made(config, 1, variables).unwrap();
        let run = scheduler.run(stage.path("candidate"), stage.path(name));
        let text = run.await.unwrap().0.stdout_log.text();
        text.lines().filter(|line| line.contains("VISIBLE")).collect::<Vec<_>>().join(" ")
    };
    let rocr = ("ROCR_VISIBLE_DEVICES", "GPU-DEADBEEF,6");
    assert_eq!(
        told(&[rocr], "rocr").await,
        "CUDA_VISIBLE_DEVICES=unset HIP_VISIBLE_DEVICES=unset ROCR_VISIBLE_DEVICES=GPU-DEADBEEF"
    );
    assert_eq!(
        told(&[rocr, ("HIP_VISIBLE_DEVICES", "1")], "hip").await,
        "CUDA_VISIBLE_DEVICES=unset HIP_VISIBLE_DEVICES=1 ROCR_VISIBLE_DEVICES=GPU-DEADBEEF,6"
    );
    let config = LocalDockerJobConfig { gpus: Some(1), ..LocalDockerJobConfig::default() };
    let error = made(config, 1, &[rocr]).unwrap_err();
    assert!(error.contains("containers of docker, and those here are AMD's"), "{error}");
}

#[tokio::test]
async fn more_than_there_is_is_refused_at_once() {
    let stage = Stage::new(GOOD);
    let gpus = |count| LocalJobConfig { gpus: Some(count), ..stage.config() };
    let refused = |config, list| made(config, 1, &[("CUDA_VISIBLE_DEVICES", list)]).unwrap_err();
    assert_eq!(
        refused(gpus(3), "7,GPU-x,-1,2"),
        "`gpus` is 3, but the launcher may use 2 (CUDA_VISIBLE_DEVICES is `7,GPU-x,-1,2`): lower it, or start the launcher \
         where it may use more"
    );
    for none in ["", "-1", "NoDevFiles"] {
        assert!(refused(gpus(1), none).starts_with("`gpus` is 1, but the launcher may use 0 ("));
    }
    let config = LocalJobConfig { cpus: Some(100_000), ..stage.config() };
    let error = made(config.clone(), 1, &[]).unwrap_err();
    assert!(error.starts_with("`cpus` is 100000, but the launcher may use "), "{error}");
    // What else looks at the settings says the same.
    let config = JobConfig::from(config);
    let found = check(&config).await.into_iter().find_map(|finding| finding.result.err());
    assert_eq!(found.unwrap().what, error);
    assert_eq!(sortie_scheduler::preflight(&config).unwrap().what, error);
    let previewed = preview(&config, "c", "r").unwrap_err();
    assert_eq!(previewed.to_string(), error);

    let config = JobConfig::from(LocalJobConfig { cpus: Some(1), ..stage.config() });
    let findings = check(&config).await;
    let devices = findings.iter().find(|finding| finding.subject == "devices").unwrap();
    let said = devices.result.as_ref().unwrap();
    assert!(said.starts_with("each job has 1 of ") && said.ends_with(" at once"), "{said}");
    let Preview::Command { set, .. } = preview(&config, stage.path("candidate"), "r").unwrap()
    else {
        panic!("no command")
    };
    assert!(set.iter().any(|(name, value)| name == "PYTHON_CPU_COUNT" && value == "1"), "{set:?}");
}

/// A server is bound as its jobs are, and has their GPU: each has one of its own.
#[tokio::test]
async fn warm_evaluators_have_the_gpus_and_cpus_of_their_job() {
    let stage = Stage::new("");
    let evaluator = r#"
import json, os, sys
results = sys.argv[4]
told = [os.environ["CUDA_VISIBLE_DEVICES"], sorted(os.sched_getaffinity(0))]
with open(os.path.join(os.path.dirname(results), "log"), "a") as file: print(json.dumps(told), file=file)
with open(os.path.join(results, "metrics.json"), "w") as file: json.dump({"combined_score": 1.0}, file)
with open(os.path.join(results, "correct.json"), "w") as file: json.dump({"correct": True}, file)
"#;
    fs::write(stage.path("evaluate.py"), evaluator).unwrap();
    let config = LocalJobConfig {
        eval_program_path: stage.path("evaluate.py"),
        python_executable: Some("python3".into()),
        warm: Some(Warm::default()),
        gpus: Some(1),
        cpus: Some(1),
        ..stage.config()
    };
    let list = [("CUDA_VISIBLE_DEVICES", "GPU-w0,GPU-w1")];
    let scheduler = made(config, 2, &list).unwrap();
    let mut starts = Vec::new();
    for n in 0..3 {
        let run = scheduler.run(stage.path("candidate"), stage.path(&format!("r{n}")));
        let results = run.await.unwrap().0;
        assert!(results.correct, "{} {}", results.outcome, results.stderr_log.text());
        starts.push(results.start.unwrap());
    }
    let log = read(&stage, "log");
    let told: Vec<_> = log.lines().collect();
    let quota = std::thread::available_parallelism().unwrap().get() < allowed().len();
    for line in &told {
        let cpus = line.strip_prefix(r#"["GPU-w0", ["#).unwrap().trim_end_matches(']');
        assert!(quota || numbers(cpus).len() == 1, "{line}");
    }
    // A job that was dealt the same is had from the server of the one before.
    let alike = told.windows(2).map(|pair| pair[0] == pair[1]);
    for (alike, start) in alike.zip(&starts[1..]) {
        assert!(!alike || *start == Start::Warm, "{told:?} {starts:?}");
    }
    tokio::time::timeout(Duration::from_secs(60), scheduler.shutdown()).await.unwrap();
}

/// Of two jobs that run at once, each with a GPU of its own, one has the one server there may be.
#[tokio::test]
async fn there_are_no_more_servers_than_may_be_whatever_their_jobs_are_dealt() {
    let stage = Stage::new("");
    let evaluator = r#"
import os, sys, time
here = os.path.dirname(sys.argv[4])
open(os.path.join(sys.argv[4], "started"), "w").close()
while not os.path.exists(os.path.join(here, "go")): time.sleep(0.01)
print(os.environ["CUDA_VISIBLE_DEVICES"])
"#;
    fs::write(stage.path("evaluate.py"), evaluator).unwrap();
    let config = LocalJobConfig {
        eval_program_path: stage.path("evaluate.py"),
        python_executable: Some("python3".into()),
        warm: Some(Warm { servers: Some(1), ..Warm::default() }),
        ..stage.config()
    };
    let scheduler = with_gpus(config, 1, "GPU-s0,GPU-s1");
    let names = ["a", "b"];
    let all = names.map(|name| (stage.path("candidate"), stage.path(name)));
    let jobs = scheduler.submit_many(all);
    for name in names {
        stage.appears(&format!("{name}/started")).await;
    }
    fs::write(stage.path("go"), "").unwrap();
    let mut ran = Vec::new();
    for job in jobs {
        let results = scheduler.wait(job.unwrap()).await.unwrap();
        let log =
            fs::read_to_string(stage.path("").join(&*results.results_dir).join("job_log.out"));
        ran.push((log.unwrap(), results.start.clone().unwrap()));
    }
    ran.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [("GPU-s0\n", Start::Fresh), ("GPU-s1\n", Start::Cold)];
    assert_eq!(ran, expected.map(|(gpu, start)| (gpu.to_owned(), start)));
}
