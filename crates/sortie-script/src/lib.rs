#![doc = include_str!("../README.md")]
//!
//! # A batch script
//!
//! [`BatchScript`] is the script that Slurm runs: what it asks of Slurm, set-up, the evaluator, and a
//! record of the end.
//!
//! ```
//! use std::{path::Path, time::Duration};
//! use sortie_model::{Activation, AttemptId};
//! use sortie_script::{Attempt, BatchScript, Environment, Jobs};
//!
//! let attempt = Attempt {
//!     id: AttemptId::generate(),
//!     candidate: Path::new("candidate.py"),
//!     results_dir: Path::new("/results/it's 1"),
//!     state_dir: Path::new("/results/.sortie/it's 1"),
//!     command: &["python".into(), "evaluate.py".into()],
//!     container: None,
//! };
//! let script = BatchScript {
//!     version: "0.1.0",
//!     name: &attempt.id.name(),
//!     jobs: Jobs::One(&attempt),
//!     options: &[("partition".into(), Some("gpu".into())), ("exclusive".into(), None)],
//!     early_term_seconds: 30,
//!     directory: Path::new("/work"),
//!     environment: Environment::default(),
//!     modules: &[],
//!     activation: &Activation::Conda("eval".into()),
//!     by_python: true,
//!     grace: Duration::from_secs(5),
//!     max_log_bytes: 1 << 30,
//! };
//! let text = script.render()?;
//! assert!(text.contains("\n#SBATCH --partition=gpu\n#SBATCH --exclusive\n"));
//! assert!(text.contains(r"sortie_results='/results/it'\''s 1'"));
//! # Ok::<(), sortie_script::ScriptError>(())
//! ```
//!
//! # What a batch script does
//!
//! The shell that Slurm starts opens the logs, writes `job_start.json` (it and the other record go to the state dir), and starts a second shell, which starts a third, in a
//! process group of its own, that sets up and becomes the evaluator. The first waits; the second has stopped itself until the
//! evaluator has ended: bash waits for a child at once, and only until then does the kernel tell an exit with 137 from
//! SIGKILL, in `/proc/PID/stat`. So nothing that is set up (variables, modules, an activation script) reaches the first, whose
//! traps run at once, no end is read from what bash prints, which differs between its releases, and a stopped evaluator is not
//! taken for one that has ended. Where another user's process may not be looked at, the status that `wait` gives decides:
//! above 128 it counts as a signal's.
//!
//! When the evaluator has ended, a log has outgrown its limit, or a signal has come, everything that is
//! left of the evaluator is stopped: its process group, and whatever has `SORTIE_ATTEMPT`, which is
//! exported, in its environment; where there is any, the result files are kept first as they are. Logs that are not there
//! any more are put back. Then `job_end.json` is written, beside and renamed: one line of JSON,
//! with `version` 1, `attempt`, `job_id`, `host`, `started_at`, `ended_at` (seconds since 1970) and
//! `end`, which is one of these.
//!
//! | `end` | when | status of the script |
//! | --- | --- | --- |
//! | `{"kind":"exited","code":3}` | the evaluator exited | the code |
//! | `{"kind":"signaled","signal":9}` | a signal ended it | 128 and the signal |
//! | `{"kind":"setup_failed","step":"conda activate","status":1}` | it was not started | 125 |
//! | `{"kind":"output_limit","limit_bytes":1073741824}` | a log was too long | 122 |
//! | `{"kind":"terminated","signal":15}` | the script was asked to stop | 128 and the signal |
//! | `{"kind":"out_of_memory"}` | its container was, and was killed for it | 137 or its code |
//! | `{"kind":"engine_failed","status":1}` | its container's engine failed or was killed meanwhile | 125 |
//! | `{"kind":"restarted"}` | Slurm started it again, and no record was there | 75 |
//!
//! An evaluator that fails once the script was asked to stop counts as stopped by that; one that had exited with 0
//! by then does not.
//!
//! Status 125 without a record: the logs could not be opened, the array has no such element, or nobody saw how the evaluator
//! ended, as the second shell was killed. A script that Slurm kills leaves no record.
//!
//! The steps of set-up are `working directory`, `environment`, `module`, `module load`, `conda`,
//! `conda activate`, `activate script` and `python`.
//!
//! # What activation may change
//!
//! Modules, `conda.sh` and activation scripts are sourced in no function, so that `declare -x` and `typeset -x` work in them as
//! in a terminal. `module purge` is run if modules are asked for, and never else. What set-up leaves behind is the user's wish,
//! and reaches the evaluator, as far as the kernel passes it on: exported variables, the umask, limits, open files and
//! processes in the background. What is the shell's own does not: before the evaluator is started, options and traps are
//! reset, signals that a script ignores too, and the working directory is once more the one that it was, with `PWD` and
//! `OLDPWD`, so that a relative path means what it meant to the person who wrote it. Functions and aliases by the names of
//! commands are not called. A directory that cannot be returned to fails the set-up, as does a script that calls `exit`.
//!
//! # In a container
//!
//! With a [`Container`], the third shell sets none of this up. What it does instead is the engine's own, of which there are two
//! kinds ([`EngineKind`](sortie_model::EngineKind)), each with a file here (`container/docker.rs`) and a directory of the script's text (`batch/docker`).
//!
//! With Docker and Podman, it asks the engine what it is, brings the image and
//! runs the container (`docker run`); meanwhile it removes containers whose jobs are gone. The first shell stops the
//! container if need be, asks the engine how it ended unless all went well, and removes it. Another end than exit
//! code 0 is never told from the status of the engine's command alone, which may have been killed or lost its engine.
//! Nor is it told from standard error, where any call may warn of something else: answers are on standard output.
//!
//! Whether an evaluator was ever started is in no status either: the first process of a container and an image's
//! entrypoint have theirs. So the first job of the same settings on a node runs a short program in the evaluator's
//! place first, in a container that differs in nothing else, and looks for its effect: that it ran, and could write
//! into the results dir.
//!
//! Each start of that command costs as much as a tenth of a small container's life, so a job that goes well makes two:
//! `run` and `rm`. What would need more is noted in a directory of the user on the node, `/tmp/sortie-UID`: what the
//! engine is, images that were seen since it started, settings that were tried, and the jobs that have a container, so
//! that one that was killed is noticed by the next.
//!
//! The steps of set-up are those up to `module load`, then `engine command` (not on the node), `limits` (the engine
//! would ignore them), `image tar` (no archive that can be loaded), `image load`, `image pull`, `image` (there is none
//! of the name), `engine` (it does not answer), `container` (it is not made or not started: flags, mounts, devices),
//! `container start` (for want of something that may pass, as of space), `command` (not in the image), `entrypoint`
//! (it does not run what it is given) and `results dir` (not writable inside).
//! Those of [`INFRASTRUCTURE_STEPS`] are the machine's fault. The line of the engine that says why is the member
//! `reason` of the end.
//!
//! Containers are named `sortie-` and the attempt's id, with labels `sortie.attempt`, `sortie.launcher`,
//! `sortie.job` (Slurm's id), `sortie.uid` and `sortie.owner`: host, boot, PID namespace, process and
//! start time of the first shell. Once that process is gone, the next job of the user on that host, or
//! [`clean_up`], removes the container; what has left no note (`/tmp` was cleared, say) is found by the first job after a
//! start of the node, and once an hour.
//!
//! An engine takes text in UTF-8 only, its requests being JSON: other bytes are refused, not changed.
//!
//! # With Apptainer
//!
//! Apptainer has no daemon. The third shell becomes `apptainer exec`, and what that runs is below it: nothing is asked, stopped
//! by name, removed or swept up. The container has a PID namespace of its own, and with its first process all end.
//!
//! An image becomes a directory first, once a node, under a lock: in the cache, or else in `/tmp/sortie-UID/images`, there anew
//! each week, as what cleans up `/tmp` takes files away. A SIF file would be mounted by one more process for each job, which
//! outlives it when it is killed, and an archive be converted for each. Conversion is given SIF files, archives and a
//! registry's URIs only: a text it would take for a recipe and run. The steps are `image` (it is not there, or is none), `image tar`,
//! `image pull` and `image directory` (for want of space, say).
//!
//! Apptainer ends with 255 where it could not run a command, as the command may. So the container starts with the image's
//! `/bin/sh`, which sees that the evaluator is there and the results dir can be written, says on file descriptor 3 that it
//! got so far, and becomes the evaluator by way of the image's `env`, which sets the variables. No job is tried beforehand. What fails before that is of the step
//! `container`, with Apptainer's last word as the reason.
//!
//! At a stop Apptainer is sent SIGTERM, which it passes on. After the grace period what is below it is killed, not
//! itself, so that it takes away what it has mounted. If Apptainer itself is killed, the end is `engine_failed`.
//!
//! GPUs are those of the job's own variables, and it is seen that there are devices (step `gpu` where Slurm has assigned
//! them, which another node may have) and that they get in (`gpus`). Limits are
//! given where control groups of version 2 are delegated by systemd, which is tried once an hour on a node.
//!
//! # Architecture invariant
//!
//! This crate is a function from values to text. It touches no file, clock or environment, starts
//! nothing, and knows nothing async: whether a script exists is for its callers to find out.

mod batch;
mod container;
mod local;
mod quote;

pub use batch::{
    Attempt, BatchScript, Environment, Jobs, OWN_OPTIONS, ScriptError, is_of_the_launcher,
    slurms_words,
};
pub use container::{
    Container, ContainerError, Files, Flags, FlagsError, INFRASTRUCTURE_STEPS, Mount, Trial,
    Variable, WordsError, clean_up, try_executable,
};
pub use local::{READY_FD, Step, expect_interpreter, hooked, sourced};
pub use quote::{NulByte, quote};
