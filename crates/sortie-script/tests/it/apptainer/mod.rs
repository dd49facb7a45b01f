//! Containers of Apptainer: of a stand-in, or of the real one that `SORTIE_TEST_APPTAINER` names.

mod ends;
mod gpus;
mod images;
mod limits;
mod stops;
mod values;

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{bash::program, container::case::Case};

/// What a SIF file begins with.
const SIF: &[u8] = b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0";

/// A directory to work in, with a results dir, an image and the engine.
struct Here {
    home: TempDir,
    /// The real engine, and an archive with a small image for it.
    real: Option<(String, String)>,
}

impl Here {
    fn new() -> Self {
        let real = env::var("SORTIE_TEST_APPTAINER").ok();
        let archive = || env::var("SORTIE_TEST_APPTAINER_ARCHIVE").expect("an archive for it");
        let here = Self { home: TempDir::new().unwrap(), real: real.map(|it| (it, archive())) };
        fs::create_dir(here.path("results")).unwrap();
        fs::write(here.path("image.sif"), SIF).unwrap();
        let engine = here.path("apptainer");
        fs::write(&engine, include_str!("apptainer.sh")).unwrap();
        fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).unwrap();
        here
    }

    /// With the stand-in in any case, which does this first.
    fn standing_in(first: &str) -> Self {
        let mut here = Self::new();
        here.real = None;
        fs::write(here.path("first"), first).unwrap();
        here
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A job whose evaluator is this text for a shell.
    fn case(&self, evaluator: &str) -> Case {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let inherited = ["PATH", "HOME"].map(|name| (name.into(), env::var_os(name).unwrap()));
        let stand_in = || (self.path("apptainer"), self.path("image.sif"));
        let (engine, image) = match &self.real {
            None => stand_in(),
            Some((engine, archive)) => (engine.into(), format!("docker-archive:{archive}").into()),
        };
        Case {
            id: (u128::from(std::process::id()) << 32) + u128::from(number),
            inherited: inherited.to_vec(),
            engine: engine.to_str().unwrap().to_owned(),
            image: image.to_str().unwrap().to_owned(),
            cache: Some(self.images()),
            directory: self.home.path().into(),
            results_dir: self.path("results"),
            network: Some("none".into()),
            command: ["/bin/sh", "-c", evaluator].map(OsString::from).to_vec(),
            ..Case::default()
        }
    }

    /// Where the images are; for the real engine in one place for all tests, as each takes seconds to make.
    fn images(&self) -> PathBuf {
        match &self.real {
            None => self.path("images"),
            Some(_) => env::temp_dir().join("sortie-test-images"),
        }
    }

    fn run(&self, case: &Case) -> String {
        self.end(case, self.start(case, &[]))
    }

    /// The end of a job with this evaluator.
    fn end_of(&self, evaluator: &str) -> String {
        self.run(&self.case(evaluator))
    }

    fn start(&self, case: &Case, variables: &[(&str, &str)]) -> Child {
        self.start_text(&case.render().unwrap(), case, variables)
    }

    /// Starts a script as slurmd does.
    fn start_text(&self, text: &str, case: &Case, variables: &[(&str, &str)]) -> Child {
        let script = self.path(&format!("script-{}", case.attempt()));
        fs::write(&script, text).unwrap();
        let mut command = program("/bin/bash");
        command.arg(script).current_dir("/").env_clear().stdin(Stdio::null());
        command.envs([("SLURM_JOB_ID", "7"), ("SLURMD_NODENAME", "node1")]);
        command.envs(variables.iter().copied()).spawn().unwrap()
    }

    /// Waits for the end of a script, and tells the member `end` of the record. Nothing may be left.
    fn end(&self, case: &Case, mut script: Child) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        while script.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                script.kill().unwrap();
                panic!("the script hangs; job_log.err: {}", self.log("err"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(left_of(self.home.path()), [""; 0], "left by the job");
        let parts = fs::read_dir(self.images()).into_iter().flatten();
        let names = parts.map(|part| part.unwrap().file_name().into_string().unwrap());
        let attempt = case.attempt();
        assert_eq!(names.filter(|name| name.contains(&attempt)).collect::<Vec<_>>(), [""; 0]);
        let record = fs::read_to_string(case.results_dir.join("job_end.json")).unwrap();
        let (_, end) = record.split_once(r#""end":"#).unwrap();
        end.trim_end().strip_suffix('}').unwrap().to_owned()
    }

    fn log(&self, which: &str) -> String {
        let log = self.path("results").join(format!("job_log.{which}"));
        String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
    }

    /// What a file beside the stand-in holds.
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits until the log has this in it.
    fn wait_for(&self, text: &str) {
        eventually(text, || self.log("out").contains(text));
    }
}

impl Drop for Here {
    /// Images forbid even their owner to remove what is in them.
    fn drop(&mut self) {
        open_all(self.home.path());
    }
}

fn open_all(dir: &Path) {
    let _ = program("chmod").args(["-R", "u+rwX"]).arg(dir).status();
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The command lines of processes that this directory is in.
fn left_of(dir: &Path) -> Vec<String> {
    let name = dir.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap();
    let lines = processes.filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(name)).collect()
}

fn signal(signal: &str, pid: u32) {
    assert!(program("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// What was set up in vain: the step, and why.
fn set_up_failed(end: &str) -> (&str, &str) {
    let (_, rest) = end.split_once(r#"{"kind":"setup_failed","step":""#).expect(end);
    let (step, rest) = rest.split_once('"').unwrap();
    (step, rest.split_once(r#""reason":""#).map_or("", |(_, reason)| reason))
}
