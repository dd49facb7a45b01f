//! Jobs of Slurm, on a real one: `cargo xtask test` starts it, and says where in a variable.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sortie::exit_status::{CORRECT, INTERRUPTED, NOT_CORRECT, SETUP};
use sortie_results::{AttemptId, Outcome, Record, ResultsDir, Submitted, Value};

use crate::stage::{self, Ran, Stage, ended, eventually, ran};

/// Says that jobs may go on, once this file is there.
pub(crate) const WAIT: &str = r#": > "$4/ready"; while [ ! -e "$4/go" ]; do sleep 0.05; done;"#;

/// A stage whose jobs go through Slurm.
pub(crate) struct Cluster {
    pub(crate) stage: Stage,
    conf: String,
}

impl Cluster {
    pub(crate) fn new(evaluator: &str, settings: &str) -> Self {
        Self::of("SORTIE_TEST_SLURM_CONF", evaluator, settings)
    }

    /// With accounts, whose limits are enforced.
    pub(crate) fn with_accounts(evaluator: &str, settings: &str) -> Self {
        Self::of("SORTIE_TEST_SLURM_ACCOUNTING_CONF", evaluator, settings)
    }

    fn of(variable: &str, evaluator: &str, settings: &str) -> Self {
        let conf = std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} has to name a slurm.conf: use `cargo xtask test`")
        });
        let stage = Stage::shell(evaluator, "");
        let settings = format!(
            "job_type: slurm_conda\neval_program_path: evaluate.sh\nactivate_script: env.sh\n\
             gpus: 0\nmem: 100M\ntime: 5\n{settings}"
        );
        stage.write("job.yaml", settings);
        // For want of a need for Python, which starts slowly.
        stage.write("env.sh", format!("PATH={}:$PATH\n", stage.path("bin").display()));
        let python = "#!/bin/sh\n[ \"$1\" = --version ] || exec sh \"$@\"\n";
        let python = stage.write("bin/python", python);
        fs::set_permissions(python, fs::Permissions::from_mode(0o755)).unwrap();
        Self { stage, conf }
    }

    pub(crate) fn sortie<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = self.stage.sortie(args);
        command.env("SLURM_CONF", &self.conf).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self) -> Command {
        self.sortie(["run", "--config", "job.yaml", "candidate.py", "results"])
    }

    fn attach(&self) -> Command {
        self.sortie(["attach", "--config", "job.yaml", "results"])
    }

    /// The job as Slurm sees it: its state, or nothing if it is not in the queue.
    pub(crate) fn state(&self) -> String {
        self.state_of(&Submitted::read(&self.stage.path("results")).unwrap().job_name)
    }

    /// The same of any job, by its name.
    pub(crate) fn state_of(&self, name: &str) -> String {
        let mut squeue = self.stage.command("squeue");
        squeue.args(["-h", "-n", name, "-o", "%T"]).env("SLURM_CONF", &self.conf);
        let listed: Ran = squeue.output().unwrap().into();
        assert_eq!(listed.status, Some(0), "{listed:?}");
        listed.stdout.trim().to_owned()
    }

    /// Waits until neither Slurm nor this machine has anything of the job.
    pub(crate) fn empties(&self) {
        eventually("the job to leave the queue", || self.state().is_empty());
        self.stage.empties();
    }
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn statuses_are_those_of_other_jobs() {
    let cases = [
        (stage::CORRECT, "", CORRECT, "exited", None),
        ("exit 7", "", NOT_CORRECT, "exited", Some("candidate")),
        ("kill -SEGV $$", "", NOT_CORRECT, "signaled", Some("candidate")),
        (stage::CORRECT, "partition: no-such\n", SETUP, "submit_failed", Some("setup")),
        (stage::CORRECT, "modules: [no-such]\n", SETUP, "setup_failed", Some("setup")),
    ];
    for (evaluator, settings, status, kind, fault) in cases {
        let cluster = Cluster::new(evaluator, settings);
        let ran = ran(&mut cluster.run());
        assert_eq!(ran.status, Some(status.into()), "{evaluator}: {ran:?}");
        let (found, whose, _) = ran.verdict();
        assert_eq!((found.as_str(), whose.as_deref()), (kind, fault), "{ran:?}");
        assert_eq!(ran.results()["correct"], Value::Bool(status == CORRECT));
        cluster.empties();
    }
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn ctrl_c_cancels() {
    let evaluator = r#"trap '' TERM; setsid sleep 600 & : > "$4/ready"; sleep 600; sleep 600"#;
    let cluster = Cluster::new(evaluator, "limits: {grace_seconds: 0.2}\n");
    let tool = cluster.run().spawn().unwrap();
    cluster.stage.appears("results/ready");
    kill_process(Pid::from_raw(tool.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    let ran = ended(tool);
    assert_eq!(ran.status, Some(INTERRUPTED.into()), "{ran:?}");
    assert_eq!(ran.verdict(), ("cancelled".into(), None, "cancelled".into()));
    cluster.empties();
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn a_killed_run_is_taken_up_again_and_not_run_twice() {
    let evaluator = format!("echo ran >> runs; {WAIT} {}", stage::CORRECT);
    let cluster = Cluster::new(&evaluator, "");
    let mut tool = cluster.run().spawn().unwrap();
    cluster.stage.appears("results/ready");
    tool.kill().unwrap();
    tool.wait().unwrap();
    assert_eq!(cluster.state(), "RUNNING");

    let second = ran(&mut cluster.run());
    assert_eq!(second.status, Some(SETUP.into()), "{second:?}");
    assert!(second.verdict().2.contains("attach to it"), "{second:?}");

    let tool = cluster.attach().spawn().unwrap();
    cluster.stage.write("results/go", "");
    let attached = ended(tool);
    assert_eq!(attached.status, Some(CORRECT.into()), "{attached:?}");
    assert_eq!(cluster.stage.read("runs"), "ran\n");
    ran(&mut cluster.attach()).is_error(SETUP, "has ended; its record is in job.json there");
    cluster.empties();
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn one_that_ended_while_nobody_looked_is_read() {
    let cluster = Cluster::new(&format!("{WAIT} {}", stage::CORRECT), "");
    let mut tool = cluster.run().spawn().unwrap();
    cluster.stage.appears("results/ready");
    tool.kill().unwrap();
    tool.wait().unwrap();
    cluster.stage.write("results/go", "");
    eventually("the end of the job", || cluster.state().is_empty());
    let attached = ran(&mut cluster.attach());
    assert_eq!(attached.status, Some(CORRECT.into()), "{attached:?}");
    assert!(attached.results()["seconds"].get("running").and_then(Value::as_f64).unwrap() > 0.0);
    // And the directory is free for the next.
    cluster.stage.write("results/go", "");
    assert_eq!(ran(&mut cluster.run()).status, Some(CORRECT.into()));
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn one_that_never_came_to_slurm_is_run_again() {
    let cluster = Cluster::new(stage::CORRECT, "");
    let attempt = AttemptId::generate();
    let claim = ResultsDir::claim(&cluster.stage.path("results"), attempt).unwrap();
    let note = Submitted {
        attempt,
        candidate: "candidate.py".into(),
        job_name: format!("sortie-{attempt}"),
        element: None,
        script: String::new(),
        // So long ago that it cannot appear any more.
        submitted_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        evaluator_sha256: None,
    };
    claim.submitted(&note).unwrap();
    drop(claim);
    let attached = ran(&mut cluster.attach());
    assert_eq!(attached.status, Some(CORRECT.into()), "{attached:?}");
    let first = cluster.stage.path("results/previous").join(attempt.to_string());
    assert!(matches!(Record::read(&first).unwrap().outcome, Outcome::Lost { .. }));
    let second = Record::read(&cluster.stage.path("results")).unwrap();
    assert!(second.correct && second.attempt != attempt);
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn attaching_needs_something_to_attach_to() {
    let cluster = Cluster::new(stage::CORRECT, "");
    ran(&mut cluster.attach()).is_error(SETUP, "cannot open the results dir");
    fs::create_dir(cluster.stage.path("results")).unwrap();
    ran(&mut cluster.attach()).is_error(SETUP, "job_submitted.json is missing");
    cluster.stage.write("job.yaml", "job_type: local\n");
    ran(&mut cluster.attach()).is_error(SETUP, "`local` jobs end with their launcher");
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn render_shows_the_script_and_submits_nothing() {
    let cluster = Cluster::new(stage::CORRECT, "account: lab\n");
    let before = cluster.stage.names();
    let args = ["render", "--config", "job.yaml", "candidate.py", "results"];
    let ran = ran(&mut cluster.sortie(args));
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(
        ran.stdout.starts_with("#!/bin/bash\n") && ran.stdout.contains("#SBATCH --account=lab")
    );
    assert_eq!(cluster.stage.names(), before);
}

#[test]
#[ignore = "needs Slurm: cargo xtask test"]
fn check_asks_slurm() {
    let cluster = Cluster::new(stage::CORRECT, "");
    let check = ["check", "--config", "job.yaml"];
    let good = ran(&mut cluster.sortie(check));
    assert_eq!(good.status, Some(0), "{good:?}");
    assert!(good.stdout.contains("Slurm would take the job"), "{good:?}");

    assert!(good.stdout.contains("partition    gpu takes jobs of any length"), "{good:?}");

    // What sbatch takes, and Slurm never starts.
    let settings = cluster.stage.read("job.yaml");
    for (partition, fits) in [("short", false), ("short,gpu", true)] {
        cluster.stage.write("job.yaml", format!("{settings}partition: \"{partition}\"\n"));
        let ran = ran(&mut cluster.sortie(check));
        assert!(ran.stdout.contains("Slurm would take the job"), "{ran:?}");
        let above = "`time` is 00:05:00, above the 00:01:00 of the partition short";
        assert_eq!(ran.stdout.contains(above), !fits, "{ran:?}");
        assert_eq!(ran.status, Some(if fits { 0 } else { SETUP.into() }), "{ran:?}");
    }

    cluster.stage.write("job.yaml", "job_type: slurm_conda\npartition: no-such\n");
    let bad = ran(&mut cluster.sortie(check));
    assert_eq!(bad.status, Some(SETUP.into()), "{bad:?}");
    assert!(bad.stdout.contains("invalid partition specified: no-such"), "{bad:?}");

    let mut elsewhere = cluster.sortie(check);
    let unreachable = ran(elsewhere.env("PATH", "/no/such/dir"));
    assert_eq!(unreachable.status, Some(SETUP.into()), "{unreachable:?}");
    assert!(unreachable.stdout.contains("cannot find `scontrol` on PATH"), "{unreachable:?}");
}
