//! Containers under Slurm: a real one of each, from `cargo xtask test`.

use std::fs;

use sortie_config::{PyValue, SlurmDockerJobConfig, TimeLimit};
use sortie_results::Outcome;

use super::{GOOD, STUBBORN, Stage};
use crate::run_program;

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_time_limit_holds_for_the_container() {
    let stage = Stage::new(STUBBORN);
    // The least that Slurm knows.
    let time = TimeLimit::from_seconds(60).unwrap();
    let results = stage.run(SlurmDockerJobConfig { time, ..stage.config() }).await;
    assert!(matches!(results.outcome, Outcome::TimedOut { .. }), "{}", results.outcome);
}

/// Slurm here kills a script 10 s after it has told it to end.
#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_grace_period_that_slurm_would_cut_short_is_shortened() {
    let stage = Stage::new(STUBBORN);
    let mut config = stage.config();
    config.limits.grace = std::time::Duration::from_secs(20);
    let scheduler = stage.scheduler(config);
    let job = scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
    stage.appears("results/started").await;
    scheduler.cancel(&[job]);
    let results = scheduler.wait(job).await.unwrap();
    assert_eq!(results.outcome, Outcome::Cancelled);
    assert_eq!(stage.containers(results.attempt), "");
    let script = fs::read_to_string(stage.path(".sortie/results/job_script.sh")).unwrap();
    // The KillWait of the tests' Slurm is 10 s.
    assert!(script.contains("\nsortie_grace=80 "), "{script}");
}

/// Says to a child process, started from this program, where to submit a job.
const INSIDE: &str = "SORTIE_TEST_CONTAINER_SUBMITTER";

/// Submits a job and stays, in the child process; nothing in the test program itself.
#[tokio::test]
async fn the_one_that_is_killed() {
    let Some(dir) = std::env::var_os(INSIDE) else { return };
    let stage = Stage::at(dir);
    let scheduler = stage.scheduler(stage.config());
    scheduler.run(stage.path("candidate.py"), stage.path("results")).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn the_job_of_a_launcher_killed_with_sigkill_goes_on() {
    let wait = "open(f\"{args.results_dir}/started\", \"w\").close()\n\
                while not os.path.exists(f'{args.results_dir}/go'): time.sleep(0.05)\n";
    let stage = Stage::new(&format!("{wait}{GOOD}"));
    let mut launcher = stage.launcher("containers::slurm::the_one_that_is_killed", INSIDE);
    stage.appears("results/started").await;
    launcher.kill().unwrap();
    launcher.wait().unwrap();

    let scheduler = stage.scheduler(stage.config());
    let job = scheduler.attach(stage.path("results")).unwrap();
    assert_ne!(stage.containers_here(), "", "the job goes on");
    fs::write(stage.path("results/go"), "").unwrap();
    let results = scheduler.wait(job).await.unwrap();
    assert!(results.correct, "{}", results.outcome);
    assert_eq!(stage.containers_here(), "");
}

/// As when a node crashes: what would stop the container is gone. The next job finds it.
#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn a_script_that_is_killed_leaves_its_container_to_the_next_job() {
    let stage = Stage::new(STUBBORN);
    // A node removes what was left on itself.
    let config = SlurmDockerJobConfig { nodelist: Some("n1".into()), ..stage.config() };
    let scheduler = stage.scheduler(config.clone());
    scheduler.submit(stage.path("candidate.py"), stage.path("killed")).unwrap();
    stage.appears("killed/started").await;
    let left = stage.containers_here();
    run_program("kill", &["-KILL", &script_of(&stage)]);
    assert_eq!(stage.containers_here(), left);

    fs::write(stage.path("evaluate.py"), "").unwrap();
    let results = stage.run(config).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 });
    // By this job, or another test's that is at it.
    stage.has_no_containers().await;
}

/// The process of the script that runs in this stage, as its container's label tells.
fn script_of(stage: &Stage) -> String {
    let format = "{{.Label \"sortie.owner\"}}";
    let container = stage.containers_as(format);
    container.split_whitespace().nth(3).unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn hostile_values_arrive_as_they_are() {
    let print = "print(args.program_path, args.results_dir, *rest, os.environ['X'], os.environ['Y'], sep='\\0')";
    let stage = Stage::new(print);
    let (name, value) = ("a 'b\" $(touch pwned) `c` \u{e9};&*", "$HOME \"'\\ `id`\t#");
    fs::create_dir(stage.path(name)).unwrap();
    fs::write(stage.path(name).join("candidate.py"), "").unwrap();
    let mut config = stage.config();
    config.extra_cmd_args.insert("arg".into(), PyValue::Str(value.into()));
    config.environment.set.insert("X".into(), value.into());
    config.docker_flags = r#"-e 'Y=$(id) "`x`'"#.into();
    let scheduler = stage.scheduler(config);
    let candidate = stage.path(name).join("candidate.py");
    let results_dir = stage.path(name).join("results");
    let results = scheduler.run(&candidate, &results_dir).await.unwrap().0;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 }, "{}", results.stderr_log.text());
    let paths = [candidate, results_dir].map(|path| path.to_str().unwrap().to_owned());
    let expected = [&paths[0], &paths[1], "--arg", value, value, "$(id) \"`x`"].join("\0");
    assert_eq!(results.stdout_log.text(), expected + "\n");
    assert_eq!(stage.containers(results.attempt), "");

    let image = "x;$(touch${IFS}pwned)`id`".to_owned();
    let config = SlurmDockerJobConfig { image, ..stage.config() };
    let results = stage.run(config).await;
    assert!(matches!(results.outcome, Outcome::SetupFailed { .. }), "{}", results.outcome);
}

/// The script lies where containers see it.
#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn no_secret_of_the_launcher_is_in_the_script() {
    let mut stage = Stage::new("print(dict(os.environ))");
    stage.env.extend(
        [
            ("HTTP_PROXY", "http://127.0.0.1:9/plain"),
            ("HTTPS_PROXY", "http://me:secret@127.0.0.1:9"),
            ("https_proxy", "http://me:secret@127.0.0.1:9"),
            ("DOCKER_AUTH_CONFIG", "secret"),
            ("DOCKER_PASSWORD", "secret"),
            ("CONTAINER_PASSPHRASE", "secret"),
            ("API_KEY", "secret"),
        ]
        .map(|(name, value)| (name.into(), value.into())),
    );
    let results = stage.run(stage.config()).await;
    assert_eq!(results.outcome, Outcome::Exited { code: 0 }, "{}", results.stderr_log.text());
    let script = fs::read_to_string(stage.path(".sortie/results/job_script.sh")).unwrap();
    assert!(script.contains("HTTP_PROXY http://127.0.0.1:9/plain"), "{script}");
    assert!(!script.contains("secret"), "{script}");
    let log = results.stdout_log.text();
    assert!(!log.contains("secret") && !log.contains("PROXY"), "{log}");

    let config = SlurmDockerJobConfig { docker_flags: "-e API_KEY".into(), ..stage.config() };
    let options =
        sortie_scheduler::SchedulerOptions { env: Some(stage.env.clone()), ..Default::default() };
    let refused =
        sortie_scheduler::JobScheduler::new(sortie_config::JobType::SlurmDocker, config, options);
    let error = refused.err().unwrap().to_string();
    assert!(error.contains("API_KEY") && error.contains("environment"), "{error}");
}

#[tokio::test]
#[ignore = "needs Docker: cargo xtask test"]
async fn gpus_are_those_that_slurm_assigned() {
    let stage = Stage::new(GOOD);
    let seen = stage.path("seen").display().to_string();
    let note = format!(r#"[ $1 != run ] || printf '%s\n' "$SLURM_JOB_GPUS" "$@" >{seen}"#);
    let config =
        SlurmDockerJobConfig { engine: stage.engine(&note), gpus: 2.into(), ..stage.config() };
    let results = stage.run(config).await;
    // There are none that the engine could pass on, which no other attempt would mend.
    assert!(results.outcome.to_string().contains("container: "), "{}", results.outcome);
    assert_eq!(results.fault, Some(sortie_results::Fault::Setup));
    let seen = fs::read_to_string(stage.path("seen")).unwrap();
    let (assigned, words) = seen.split_once('\n').unwrap();
    assert_eq!(assigned.split(',').count(), 2, "{assigned}");
    assert!(words.contains(&format!("\n--gpus=\"device={assigned}\"\n")), "{words}");
}
