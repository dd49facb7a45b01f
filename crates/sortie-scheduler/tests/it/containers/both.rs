//! What is true of containers under Slurm and on this machine alike, on a real engine.

use std::path::PathBuf;

use sortie_config::{JobConfig, LocalDockerJobConfig, PullPolicy, SlurmDockerJobConfig};
use sortie_results::{Fault, Outcome};

use super::{GOOD, STUBBORN, Stage, owner};

#[derive(Clone, Copy)]
enum Place {
    Here,
    Slurm,
}

/// What a test changes of a job's settings.
#[derive(Default)]
struct Change {
    image: Option<String>,
    pull: Option<PullPolicy>,
    archive: Option<PathBuf>,
    engine: Option<String>,
    docker_flags: &'static str,
    user: Option<&'static str>,
    max_log_bytes: Option<u64>,
}

impl Place {
    fn config(self, stage: &Stage, change: Change) -> JobConfig {
        let Change { image, pull, archive, engine, docker_flags, user, max_log_bytes } = change;
        macro_rules! changed {
            ($type:ident, $config:expr) => {{
                let config = $config;
                let mut limits = config.limits.clone();
                limits.max_log_bytes = max_log_bytes.unwrap_or(limits.max_log_bytes);
                JobConfig::from($type {
                    image: image.unwrap_or(config.image),
                    pull: pull.unwrap_or(config.pull),
                    image_tar_path: archive,
                    engine: engine.unwrap_or(config.engine),
                    docker_flags: docker_flags.to_owned(),
                    user: user.map_or(config.user, str::to_owned),
                    limits,
                    ..config
                })
            }};
        }
        match self {
            Self::Here => changed!(LocalDockerJobConfig, stage.local()),
            Self::Slurm => changed!(SlurmDockerJobConfig, stage.config()),
        }
    }

    /// How an evaluator ends.
    async fn end(self, evaluator: &str, change: Change) -> (Outcome, Option<Fault>) {
        let stage = Stage::new(evaluator);
        let results = stage.run(self.config(&stage, change)).await;
        (results.outcome, results.fault)
    }

    /// At which step set-up fails, and whose fault that is.
    async fn fails(self, evaluator: &str, change: Change, step: &str, fault: Fault) {
        let (outcome, whose) = self.end(evaluator, change).await;
        let Outcome::SetupFailed { reason, .. } = &outcome else { panic!("{step}: {outcome}") };
        assert!(reason.starts_with(&format!("{step}: ")), "{reason}");
        assert_eq!(whose, Some(fault), "{reason}");
    }
}

/// Makes two tests of each function.
macro_rules! in_both_places {
    ($($name:ident)*) => {$(
        mod $name {
            use super::Place::{Here, Slurm};

            #[tokio::test]
            #[ignore = "needs Docker: cargo xtask test"]
            async fn here() {
                super::$name(Here).await;
            }

            #[tokio::test]
            #[ignore = "needs Docker: cargo xtask test"]
            async fn slurm() {
                super::$name(Slurm).await;
            }
        }
    )*};
}

in_both_places! {
    a_good_candidate
    ends_of_the_evaluator
    failures_of_set_up
    files_belong_to_who_is_named
    what_the_evaluator_leaves_ends_with_it
    a_flood_of_output_is_stopped
    a_cancelled_job_leaves_no_container
    a_job_cancelled_before_its_container_runs
}

async fn a_good_candidate(place: Place) {
    let stage = Stage::new(GOOD);
    let results = stage.run(place.config(&stage, Change::default())).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 }, "{}", results.stderr_log.text());
    assert!(results.correct);
    assert_eq!(results.stderr_log.text(), "");
    assert_eq!(owner(&stage.path("results/metrics.json")), owner(&stage.path("candidate.py")));
}

async fn ends_of_the_evaluator(place: Place) {
    let out_of_memory = "x = bytearray(1 << 30); time.sleep(60)";
    for (evaluator, expected) in [
        ("sys.exit(3)", Outcome::Exited { code: 3 }),
        ("sys.exit(125)", Outcome::Exited { code: 125 }),
        ("os.kill(os.getpid(), 11)", Outcome::signaled(11)),
        (out_of_memory, Outcome::OutOfMemory),
    ] {
        let (outcome, fault) = place.end(evaluator, Change::default()).await;
        assert_eq!((outcome, fault), (expected, Some(Fault::Candidate)), "{evaluator}");
    }
}

async fn failures_of_set_up(place: Place) {
    let image = || Some("localhost/none:1".to_owned());
    let never = Some(PullPolicy::Never);
    let of = |change, step, fault| place.fails(GOOD, change, step, fault);
    of(Change { image: image(), pull: never, ..Change::default() }, "image", Fault::Setup).await;
    let archive = Some("/no such.tar".into());
    of(Change { archive, ..Change::default() }, "image tar", Fault::Setup).await;
    let docker_flags = "--memory=much";
    of(Change { docker_flags, ..Change::default() }, "container", Fault::Setup).await;
    let engine = Some("/nowhere/docker".into());
    of(Change { engine, ..Change::default() }, "engine command", Fault::Setup).await;

    for docker_flags in ["--gpus all", "--device /dev/none", "--entrypoint /bin/true"] {
        let step = if docker_flags.contains("entry") { "entrypoint" } else { "container" };
        of(Change { docker_flags, ..Change::default() }, step, Fault::Setup).await;
    }
    of(Change { user: Some("1234"), ..Change::default() }, "results dir", Fault::Setup).await;
    let archives = tempfile::tempdir().unwrap();
    let archive = archives.path().join("image.tar");
    std::fs::write(&archive, "no archive").unwrap();
    let change = Change { image: image(), archive: Some(archive), ..Change::default() };
    of(change, "image tar", Fault::Setup).await;

    let busybox = std::env::var("SORTIE_TEST_BUSYBOX_IMAGE").ok();
    of(Change { image: busybox, ..Change::default() }, "command", Fault::Setup).await;

    let mut stage = Stage::new(GOOD);
    stage.env.push(("DOCKER_HOST".into(), "unix:///nowhere.sock".into()));
    let scheduler = stage.scheduler(place.config(&stage, Change::default()));
    let run = scheduler.run(stage.path("candidate.py"), stage.path("results"));
    let results = run.await.unwrap().0;
    assert_eq!(results.fault, Some(Fault::Infrastructure), "{}", results.outcome);
    assert!(results.stderr_log.text().contains("/nowhere.sock"), "{}", results.stderr_log.text());
}

async fn files_belong_to_who_is_named(place: Place) {
    let stage = Stage::new(GOOD);
    stage.results_for_all();
    let change = Change { user: Some("1234:2345"), ..Change::default() };
    let results = stage.run(place.config(&stage, change)).await;
    assert!(results.correct, "{}", results.stderr_log.text());
    assert_eq!(owner(&stage.path("results/metrics.json")), (1234, 2345));
}

async fn what_the_evaluator_leaves_ends_with_it(place: Place) {
    let daemons = "for _ in range(2): subprocess.Popen(['sleep', '1000'], start_new_session=True)\n\
                   if os.fork() == 0:\n    os.setsid()\n    time.sleep(1000) if os.fork() == 0 else sys.exit()\n\
                   sys.exit(3)";
    let (outcome, _) = place.end(daemons, Change::default()).await;
    assert_eq!(outcome, Outcome::Exited { code: 3 });
}

async fn a_flood_of_output_is_stopped(place: Place) {
    let change = Change { max_log_bytes: Some(1 << 20), ..Change::default() };
    let flood = "while True: print('x' * 10000)";
    let (outcome, fault) = place.end(flood, change).await;
    let limit = Outcome::OutputLimit { limit_bytes: 1 << 20 };
    assert_eq!((outcome, fault), (limit, Some(Fault::Candidate)));
}

async fn a_cancelled_job_leaves_no_container(place: Place) {
    let stage = Stage::new(STUBBORN);
    cancel_at(&stage, place.config(&stage, Change::default()), "results/started").await;
}

/// The engine's command hangs at what it is asked to do.
async fn a_job_cancelled_before_its_container_runs(place: Place) {
    for step in ["pull", "load", "run"] {
        let stage = Stage::new(GOOD);
        let hung = stage.path("hung");
        let text = format!("[ $1 != {step} ] || {{ echo >{}; exec sleep 1000; }}", hung.display());
        let mut change = Change { engine: Some(stage.engine(&text)), ..Change::default() };
        if step != "run" {
            change.image = Some("localhost/none:1".into());
        }
        if step == "load" {
            std::fs::write(stage.path("image.tar"), "").unwrap();
            change.archive = Some(stage.path("image.tar"));
        }
        cancel_at(&stage, place.config(&stage, change), "hung").await;
    }
}

/// Cancels a job once this file is there.
async fn cancel_at(stage: &Stage, config: JobConfig, file: &str) {
    let scheduler = stage.scheduler(config);
    let job = scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
    stage.appears(file).await;
    scheduler.cancel(&[job]);
    let results = scheduler.wait(job).await.unwrap();
    assert_eq!(results.outcome, Outcome::Cancelled);
    assert_eq!(stage.containers(results.attempt), "");
}
