//! Sweeps through Slurm, of which the launcher is killed by each of Slurm's commands in turn: before it has done
//! anything, or after. The commands are stand-ins, those of `sortie-slurm`'s tests; a thread is the cluster's node.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sortie::exit_status::CORRECT;
use sortie_results::Value;

use super::{SCORES, results, runs, stage};
use crate::stage::{Stage, ended};

const SHIMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sortie-slurm/tests/shims");
const SITE: &str = "AccountingStorageType = (null)\nClusterName = shim\nMaxArraySize = 1001\n";
/// Kills the launcher if this is the call at which that is wished for, and notes that it has.
const DIES: &str = r#"
dies() {
    [ "$(cat "$SHIM_DIR/$me.dies" 2>/dev/null)" = "$1 $(calls)" ] || return 0
    : >"$SHIM_DIR/died"
    kill -9 "$(sed 's/.*"pid":\([0-9]*\).*/\1/' out/lock)"
    sleep 60
}
dies before
"#;
/// Takes a job, or an array, and leaves its script for the node. A command of its own, as several may run at once.
const SBATCH: &str = r#"#!/bin/sh
. "$SHIM_DIR/common.sh"
cat >"$SHIM_DIR/stdin.$$"
name=$(option --job-name "$@")
hook
exec 9>"$SHIM_DIR/lock"
flock 9
id=$(($(cat "$SHIM_DIR/last" 2>/dev/null || echo 1000) + 1))
echo $id >"$SHIM_DIR/last"
mv "$SHIM_DIR/stdin.$$" "$SHIM_DIR/new.$id"
last=$(sed -n 's/^#SBATCH --array=0-\([0-9]*\).*/\1/p' "$SHIM_DIR/new.$id")
if [ -n "$last" ]; then
    for element in $(seq 0 "$last"); do echo "${id}_$element $name PENDING"; done >>"$SHIM_DIR/jobs"
else
    echo "$id $name PENDING" >>"$SHIM_DIR/jobs"
fi
mv "$SHIM_DIR/new.$id" "$SHIM_DIR/script.$id"
dies after
echo "$id"
exit 0
"#;
const SQUEUE: &str = r#"
[ -e "$SHIM_DIR/jobs" ] || exit 0
wanted_name=$(tail -n 1 "$SHIM_DIR/squeue.calls" | sed -n 's/.* -n \([^ ]*\).*/\1/p')
while read -r id name state; do
    [ ! -e "$SHIM_DIR/over.${id%_*}" ] || continue
    if [ -z "$wanted_name" ]; then
        echo "$id|$state|n1|1700000000|N/A|None"
    elif [ "$name" = "$wanted_name" ]; then
        echo "${id%_*}"
    fi
done <"$SHIM_DIR/jobs" | sort -u
exit 0
"#;

struct Cluster {
    stage: Arc<Stage>,
    over: Arc<AtomicBool>,
    node: Option<JoinHandle<()>>,
}

impl Cluster {
    /// Whose launcher dies at a call of a command, as in `before 2`.
    fn new(candidates: usize, command: &str, dies: &str) -> Self {
        // The queue is listed after three seconds.
        let slow = if command == "squeue" { "[ $(cat \"$2\") != 0 ] || sleep 4\n" } else { "" };
        let stage = stage(&format!("{slow}{SCORES}"), "", candidates);
        let settings = "job_type: slurm_conda\neval_program_path: evaluate.sh\nactivate_script: env.sh\n\
                        gpus: 0\ninfrastructure_retries: 0\n";
        stage.write("job.yaml", settings);
        stage.write("env.sh", format!("PATH={}:$PATH\n", stage.path("bin").display()));
        let python = "#!/bin/sh\n[ \"$1\" = --version ] || exec sh \"$@\"\n";
        let python = stage.write("bin/python", python);
        fs::set_permissions(python, fs::Permissions::from_mode(0o755)).unwrap();
        stage.write("shims/config", SITE);
        let shims = Path::new(SHIMS);
        fs::copy(shims.join("common.sh"), stage.path("shims/common.sh")).unwrap();
        let sbatch = stage.write("bin/sbatch", SBATCH);
        fs::set_permissions(sbatch, fs::Permissions::from_mode(0o755)).unwrap();
        for (name, does) in [("sbatch", ""), ("squeue", SQUEUE), ("scontrol", "")] {
            stage.write(format!("shims/{name}.hook"), format!("{DIES}{does}"));
        }
        stage.write(format!("shims/{command}.dies"), dies);
        let (stage, over) = (Arc::new(stage), Arc::new(AtomicBool::new(false)));
        let node = thread::spawn({
            let (stage, over) = (stage.clone(), over.clone());
            move || {
                while !over.load(Ordering::SeqCst) {
                    work(&stage);
                    thread::sleep(Duration::from_millis(10));
                }
            }
        });
        Self { stage, over, node: Some(node) }
    }

    fn launch(&self, args: &[&str]) -> Option<i32> {
        let bin = self.stage.path("bin");
        let path = format!("{}:{SHIMS}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = self.stage.sortie(args);
        command.env("PATH", path).env("SHIM_DIR", self.stage.path("shims"));
        let tool = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let ran = ended(tool);
        assert!(matches!(ran.status, None | Some(0)), "{ran:?}");
        ran.status
    }

    fn died(&self) -> bool {
        self.stage.path("shims/died").exists()
    }

    /// As though an hour had gone by: a job that has not come to Slurm by then never will.
    fn an_hour_goes_by(&self) {
        for entry in fs::read_dir(self.stage.path("out")).unwrap() {
            let note = entry.unwrap().path().join("job_submitted.json");
            let Ok(text) = fs::read_to_string(&note) else { continue };
            let (before, rest) = text.split_once("\"submitted_at\":\"").unwrap();
            let (_, after) = rest.split_once('"').unwrap();
            let text = format!("{before}\"submitted_at\":\"2026-01-02T03:04:05Z\"{after}");
            fs::write(note, text).unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = self.node.take().unwrap().join();
    }
}

/// Runs the scripts that are there, one after the other, and takes their jobs off the queue.
fn work(stage: &Stage) {
    let shims = stage.path("shims");
    let entries = fs::read_dir(&shims).unwrap().map(|entry| entry.unwrap().path());
    let scripts: BTreeSet<PathBuf> =
        entries.filter(|path| path.file_stem().is_some_and(|stem| stem == "script")).collect();
    for script in scripts {
        let id = script.extension().unwrap().to_str().unwrap().to_owned();
        let jobs = fs::read_to_string(shims.join("jobs")).unwrap();
        let ids = jobs.lines().filter_map(|line| line.split(' ').next());
        for element in ids.filter(|one| one.split('_').next() == Some(&id)) {
            let mut bash = stage.command("bash");
            bash.arg(&script).env("SLURM_JOB_ID", &id).current_dir("/");
            if let Some((array, index)) = element.split_once('_') {
                bash.env("SLURM_ARRAY_JOB_ID", array).env("SLURM_ARRAY_TASK_ID", index);
            }
            let _ = bash.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        }
        fs::write(shims.join(format!("over.{id}")), "").unwrap();
        fs::remove_file(script).unwrap();
    }
}

const CANDIDATES: usize = 3;

/// Has a launcher die there, and another one go on; whether it did die.
fn survives(command: &str, dies: &str, in_slurm: &str) -> bool {
    let cluster = Cluster::new(CANDIDATES, command, dies);
    let begin = ["sweep", "--config", "job.yaml", "--out", "out", "--in-slurm", in_slurm, "c"];
    let status = cluster.launch(&begin);
    assert_eq!(status.is_none(), cluster.died());
    if cluster.died() {
        if (command, dies.starts_with("before")) == ("sbatch", true) {
            cluster.an_hour_goes_by();
        }
        let status = cluster.launch(&["sweep", "--resume", "out"]);
        assert_eq!(status, Some(CORRECT.into()), "{command} {dies}");
    }
    let (results, runs) = (results(&cluster.stage), runs(&cluster.stage));
    let context = format!("{command} {dies}, {in_slurm} at once: {runs:?}");
    assert_eq!((results.len(), runs.len()), (CANDIDATES, CANDIDATES), "{context}");
    assert!(runs.values().all(|runs| *runs == 1), "{context}");
    for (number, (id, members)) in results.iter().enumerate() {
        assert_eq!(id, &format!("p{number}"));
        let score = members["metrics"].get("combined_score").and_then(Value::as_i64);
        assert_eq!(score, i64::try_from(number).ok(), "{context}: {members:?}");
    }
    cluster.died()
}

/// At each of the first so many calls of a command; how often it died.
fn at_each_call(command: &str, when: &str, most: usize, in_slurm: &str) -> usize {
    (1..=most).take_while(|call| survives(command, &format!("{when} {call}"), in_slurm)).count()
}

#[test]
fn killed_by_sbatch_as_it_submits_jobs_one_by_one() {
    assert_eq!(at_each_call("sbatch", "before", 9, "1"), CANDIDATES);
    assert_eq!(at_each_call("sbatch", "after", 9, "1"), CANDIDATES);
}

#[test]
fn killed_by_sbatch_as_it_submits_an_array() {
    assert_eq!(at_each_call("sbatch", "before", 9, "100"), 1);
    assert_eq!(at_each_call("sbatch", "after", 9, "100"), 1);
}

#[test]
fn killed_by_a_command_that_only_asks() {
    assert_eq!(at_each_call("scontrol", "before", 9, "100"), 1);
    // Which is asked nothing about jobs that end as soon as those here, but for the first, which has it asked once.
    assert_eq!(at_each_call("squeue", "before", 1, "1"), 1);
    assert_eq!(at_each_call("squeue", "before", 1, "100"), 1);
}
