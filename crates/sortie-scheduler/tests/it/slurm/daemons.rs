//! Slurm's daemons stopped while jobs run: one after the other, on a cluster that no other test has
//! meanwhile.

use std::fs;
use std::time::{Duration, Instant};

use sortie_config::SlurmDockerJobConfig;
use sortie_results::{Fault, Outcome, Record};
use sortie_scheduler::{JobId, JobScheduler, Status};

use super::{Cluster, Flavour, Site};
use crate::{GOOD, containers};

#[tokio::test]
#[ignore = "needs Slurm: cargo xtask test"]
async fn stopped_and_started_again() {
    let cluster = Flavour::Accounting.alone();
    the_controller(cluster.clone()).await;
    a_prolog_that_fails(cluster.clone()).await;
    the_node(cluster).await;
}

/// Slurm's settings with one more, until this is dropped.
struct Set<'a> {
    cluster: &'a Cluster,
    before: String,
}

impl<'a> Set<'a> {
    fn now(cluster: &'a Cluster, setting: &str) -> Self {
        let before = fs::read_to_string(&cluster.conf).unwrap();
        fs::write(&cluster.conf, format!("{before}{setting}\n")).unwrap();
        cluster.slurm("scontrol", &["reconfigure"]);
        Self { cluster, before }
    }
}

impl Drop for Set<'_> {
    fn drop(&mut self) {
        fs::write(&self.cluster.conf, &self.before).unwrap();
        self.cluster.slurm("scontrol", &["reconfigure"]);
    }
}

/// Slurm then cancels the job, which has never begun, and drains its node.
async fn a_prolog_that_fails(cluster: Cluster) {
    let site = Site::new(cluster.clone(), GOOD);
    let prolog = site.path("prolog");
    let broken = site.path("broken");
    super::program(&prolog, &format!("#!/bin/sh\n[ ! -e '{}' ]\n", broken.display()));
    let _set = Set::now(&cluster, &format!("Prolog={}", prolog.display()));
    crate::write(&broken, "");
    let mut config = site.config();
    config.infrastructure_retries = 1;
    let scheduler = site.scheduler(config);
    let all = (0..3).map(|number| (site.path("candidate"), site.path(&number.to_string())));
    let jobs: Vec<_> = scheduler.submit_many(all).into_iter().map(Result::unwrap).collect();
    for job in &jobs {
        let why = super::waits_for(&scheduler, *job, "another attempt in 5 s, after: ").await;
        assert!(why.contains("did not start it"), "{why}");
    }
    fs::remove_file(broken).unwrap();
    let drained = cluster.slurm("sinfo", &["-h", "-N", "-p", "gpu", "-t", "drain", "-o", "%N"]);
    for node in drained.split_whitespace() {
        cluster.slurm("scontrol", &["update", &format!("nodename={node}"), "state=resume"]);
    }
    for (number, job) in jobs.iter().enumerate() {
        let finished = scheduler.wait(*job).await.unwrap();
        assert!(finished.correct, "{finished:?}");
        let previous = fs::read_dir(site.path(&format!("{number}/previous"))).unwrap();
        let records: Vec<_> =
            previous.map(|first| Record::read(&first.unwrap().path()).unwrap()).collect();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].fault, Some(Fault::Infrastructure), "{records:?}");
    }
}

/// A daemon of the private cluster that is down until this is dropped.
struct Down<'a> {
    cluster: &'a Cluster,
    program: &'static str,
    /// What tells it which of several it is.
    args: &'static [&'static str],
}

/// The node that is lost, with all that must run there.
const NODE: &str = "n1";

impl<'a> Down<'a> {
    fn controller(cluster: &'a Cluster) -> Self {
        let pid_file = cluster.setting("SlurmctldPidFile");
        Self { cluster, program: "slurmctld", args: &[] }.end(&pid_file, "-TERM")
    }

    fn node(cluster: &'a Cluster) -> Self {
        let pid_file = cluster.setting("SlurmdPidFile").replace("%n", NODE);
        Self { cluster, program: "slurmd", args: &["-N", NODE] }.end(&pid_file, "-KILL")
    }

    fn end(self, pid_file: &str, signal: &str) -> Self {
        let pid = fs::read_to_string(pid_file).unwrap();
        let proc = std::path::Path::new("/proc").join(pid.trim());
        let name = fs::read_to_string(proc.join("comm")).unwrap();
        // As later releases of Debian call it.
        assert_eq!(name.trim().trim_end_matches("-wlm"), self.program);
        crate::run_program("kill", &[signal, pid.trim()]);
        while proc.exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }
}

impl Drop for Down<'_> {
    fn drop(&mut self) {
        self.cluster.start(self.program, self.args);
    }
}

/// Stopped in an orderly way, or it would forget what it did last. Jobs that end, are cancelled and are submitted while it is away, and one that outlasts it.
async fn the_controller(cluster: Cluster) {
    let site = Site::new(
        cluster.clone(),
        r#"touch "$4/up"; until [ -e "$2" ]; do sleep 0.1; done; cd "$4"
        echo '{"combined_score": 1}' >metrics.json; echo '{"correct": true}' >correct.json"#,
    );
    let scheduler = site.scheduler(site.config());
    let gate = |name: &str| {
        let path = site.path(&format!("gate {name}"));
        fs::create_dir_all(&path).unwrap();
        path.join("go")
    };
    // The candidate is what each waits for: it is taken away once the job was accepted.
    let mut jobs = Vec::new();
    for name in ["early", "late", "never"] {
        crate::write(&gate(name), "");
        jobs.push(scheduler.submit(gate(name), site.path(name)).unwrap());
        crate::eventually("the job to be handed in", || {
            site.path(".sortie").join(name).join("job_script.sh").exists()
        })
        .await;
        fs::remove_file(gate(name)).unwrap();
    }
    for name in ["early", "late", "never"] {
        site.appears(&format!("{name}/up")).await;
    }
    let down = Down::controller(&cluster);
    let since = Instant::now();
    crate::write(&gate("early"), "");
    let early = scheduler.wait(jobs[0]).await.unwrap();
    assert!(early.correct, "{early:?}");
    scheduler.cancel(&[jobs[2]]);
    crate::write(&gate("new"), "");
    let new = scheduler.submit(gate("new"), site.path("new")).unwrap();
    tokio::time::sleep(Duration::from_secs(25).saturating_sub(since.elapsed())).await;
    for job in [jobs[1], jobs[2], new] {
        let status = scheduler.status(job).unwrap();
        assert!(!matches!(status, Status::Finished(_)), "{status:?}");
    }
    drop(down);
    crate::write(&gate("late"), "");
    for job in [jobs[1], new] {
        let finished = scheduler.wait(job).await.unwrap();
        assert!(finished.correct, "{finished:?}");
    }
    assert_eq!(scheduler.wait(jobs[2]).await.unwrap().outcome, Outcome::Cancelled);
    assert!(!site.path("new/previous").exists());
    site.leaves_nothing().await;
}

/// The attempt is lost with its node, and another one succeeds.
async fn the_node(cluster: Cluster) {
    let site = Site::new(
        cluster.clone(),
        &format!("[ -e \"$4/previous\" ] || {{ touch \"$4/up\"; sleep 600; }}; {GOOD}"),
    );
    let mut config = site.config();
    config.infrastructure_retries = 1;
    config.nodelist = Some(NODE.into());
    let scheduler = site.scheduler(config);
    let job = scheduler.submit(site.path("candidate"), site.path("results")).unwrap();
    site.appears("results/up").await;
    let contained = in_container(&cluster).await;
    let down = Down::node(&cluster);
    // It takes Slurm about a minute to notice.
    let wanted = "another attempt in 5 s, after: node failed: ";
    let why = super::waits_for(&scheduler, job, wanted).await;
    assert!(why.ends_with(" failed"), "{why}");
    drop(down);
    if let Some((stage, contained, other)) = contained {
        let finished = contained.wait(other).await.unwrap();
        assert!(finished.correct, "{finished:?}");
        stage.has_no_containers().await;
    }
    let finished = scheduler.wait(job).await.unwrap();
    assert!(finished.correct, "{finished:?}");
    let previous: Vec<_> = fs::read_dir(site.path("results/previous")).unwrap().collect();
    let [Ok(first)] = previous.as_slice() else { panic!("{previous:?}") };
    let record = Record::read(&first.path()).unwrap();
    assert!(matches!(record.outcome, Outcome::NodeFailed { .. }), "{record:?}");
    assert_ne!(record.attempt, finished.attempt);
    assert_eq!(first.file_name().to_str().unwrap(), record.attempt.to_string());
}

/// A job in a container, which succeeds at the second attempt; `None` in a root that has no engine.
async fn in_container(cluster: &Cluster) -> Option<(containers::Stage, JobScheduler, JobId)> {
    if std::env::var_os("SORTIE_TEST_NO_CONTAINERS").is_some_and(|value| value == "1") {
        eprintln!("left out, as SORTIE_TEST_NO_CONTAINERS=1: a container on a node that is lost");
        return None;
    }
    let wait = "if not os.path.exists(f'{args.results_dir}/previous'):\n    \
                open(f'{args.results_dir}/started', 'w').close()\n    time.sleep(1000)\n";
    let mut stage = containers::Stage::new(&format!("{wait}{}", containers::GOOD));
    stage.env.push(("SLURM_CONF".into(), cluster.conf.clone().into()));
    let nodelist = Some(NODE.into());
    let config = SlurmDockerJobConfig { infrastructure_retries: 1, nodelist, ..stage.config() };
    let scheduler = stage.scheduler(config);
    let job = scheduler.submit(stage.path("candidate.py"), stage.path("results")).unwrap();
    stage.appears("results/started").await;
    Some((stage, scheduler, job))
}
