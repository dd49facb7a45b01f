//! Where sweeps are run: a directory with an evaluator in shell, and candidates.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use sortie_config::LocalJobConfig;
use sortie_results::{Object, Value};
use sortie_scheduler::SchedulerOptions;
use sortie_sweep::{
    Candidate, Control, Disk, NewSweep, OpenSweep, Options, Progress, RealDisk, Stop, Sweep,
    SweepDir, SweepError,
};
use tempfile::TempDir;
use tokio::sync::watch;

/// Notes that it has run to its end; the score is what the candidate holds, and without one it is not correct.
pub(crate) const SCORES: &str = r#"
read -r score < "$2"
echo "said $score"
[ -n "$score" ] || exit 3
echo "{\"combined_score\": $score}" > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
echo "${4##*/}" >> runs
"#;

pub(crate) struct Stage(TempDir);

impl Stage {
    pub(crate) fn new(evaluator: &str) -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        let dir = stage.0.path().display();
        fs::write(stage.path("evaluate.sh"), format!("cd '{dir}'\n{evaluator}")).unwrap();
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn dir(&self) -> SweepDir {
        SweepDir::new(self.path("out"))
    }

    pub(crate) fn config(&self) -> LocalJobConfig {
        LocalJobConfig {
            eval_program_path: self.path("evaluate.sh"),
            python_executable: Some("sh".into()),
            ..LocalJobConfig::default()
        }
    }

    /// So many, called c0, c1 …, with these numbers for scores; the last holds none.
    pub(crate) fn candidates(&self, count: usize) -> Vec<Candidate> {
        let of = |number: usize| {
            let path = self.path(&format!("c{number}.py"));
            let text = if number + 1 < count { format!("{number}\n") } else { "\n".to_owned() };
            fs::write(&path, text).unwrap();
            Candidate { id: format!("c{number}"), path, args: Vec::new() }
        };
        (0..count).map(of).collect()
    }

    pub(crate) fn create(
        &self,
        count: usize,
        disk: Arc<dyn Disk>,
    ) -> Result<OpenSweep, SweepError> {
        let new = NewSweep {
            settings: "job_type: local\n",
            cwd: self.0.path().to_owned(),
            options: Options::default(),
            candidates: self.candidates(count),
        };
        OpenSweep::create(self.dir(), new, disk)
    }

    pub(crate) fn resume(&self) -> OpenSweep {
        OpenSweep::resume(self.dir(), Arc::new(RealDisk)).unwrap()
    }

    pub(crate) async fn run(&self, open: OpenSweep) -> Result<Sweep, SweepError> {
        let (_stop, control, _progress) = control();
        open.run(self.config().into(), SchedulerOptions::default(), control).await
    }

    /// How often the evaluator has come to its end, by candidate.
    pub(crate) fn runs(&self) -> BTreeMap<String, usize> {
        let text = fs::read_to_string(self.path("runs")).unwrap_or_default();
        let mut runs = BTreeMap::new();
        for id in text.lines() {
            *runs.entry(id.to_owned()).or_default() += 1;
        }
        runs
    }

    /// The results by candidate, without what differs between any two runs; each candidate has one line.
    pub(crate) fn results(&self) -> BTreeMap<String, Object> {
        let mut results = BTreeMap::new();
        for line in self.dir().results().unwrap() {
            let Value::Object(mut members) = Value::parse(&line.unwrap()).unwrap() else {
                panic!("no object")
            };
            for name in ["submitted_at", "started_at", "ended_at", "seconds", "attempt", "usage"] {
                members.shift_remove(name).unwrap();
            }
            // The evaluator names its directory.
            let sha256 = members.shift_remove("evaluator_sha256").unwrap();
            assert_eq!(sha256.as_str().map(str::len), Some(64));
            let id = members["id"].as_str().unwrap().to_owned();
            assert_eq!(results.insert(id.clone(), *members), None, "{id} has two lines");
        }
        results
    }
}

/// What watches and stops a sweep.
pub(crate) fn control() -> (watch::Sender<Stop>, Control, watch::Receiver<Progress>) {
    let (stop, stopped) = watch::channel(Stop::No);
    let (progress, seen) = watch::channel(Progress::default());
    (stop, Control { stop: stopped, progress }, seen)
}
