//! Where the tool is run: a directory with settings, an evaluator and a candidate.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use sortie_results::{Object, Value};
use tempfile::TempDir;

/// Marks the tool and its jobs, so that their processes are found wherever they have gone.
const MARK: &str = "SORTIE_TEST_MARK";

/// Settings for an evaluator in shell, which starts faster than Python.
pub(crate) const SHELL: &str =
    "job_type: local\neval_program_path: evaluate.sh\npython_executable: sh\n";

/// What an evaluator in shell does that finds its candidate correct.
pub(crate) const CORRECT: &str = r#"
echo '{"combined_score": 1.5}' > "$4/metrics.json"
echo '{"correct": true}' > "$4/correct.json"
"#;

pub(crate) struct Stage(TempDir);

/// What came of running the tool.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    /// An evaluator in shell with further settings, in YAML.
    pub(crate) fn shell(evaluator: &str, settings: &str) -> Self {
        let stage = Self::empty();
        stage.write("job.yaml", format!("{SHELL}{settings}"));
        stage.write("evaluate.sh", evaluator);
        stage.write("candidate.py", "");
        stage
    }

    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn dir(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The names in the directory, sorted.
    pub(crate) fn names(&self) -> Vec<OsString> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    /// The tool with these arguments, in the directory.
    pub(crate) fn sortie<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_sortie"));
        command.args(args);
        command
    }

    /// Any program in the directory; what it starts is marked.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the tool is what is tested")]
        let mut command = Command::new(program);
        // `CI` alone has colours where `TERM` says there are none.
        let tuned = ["RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"];
        for name in tuned {
            command.env_remove(name);
        }
        command.current_dir(self.0.path()).env(MARK, self.0.path()).stdin(Stdio::null());
        command
    }

    /// `sortie run` of the candidate, as a command.
    pub(crate) fn run_command(&self) -> Command {
        self.sortie(["run", "--config", "job.yaml", "candidate.py", "results"])
    }

    /// The same, run.
    pub(crate) fn run(&self) -> Ran {
        ran(&mut self.run_command())
    }

    /// The same in the background.
    pub(crate) fn start(&self) -> Child {
        self.run_command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Waits until the job has made the file.
    pub(crate) fn appears(&self, name: &str) {
        eventually(&format!("{name} to appear"), || self.path(name).exists());
    }

    /// The processes of the tool and its jobs.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let entry = [MARK.as_bytes(), b"=", self.0.path().as_os_str().as_encoded_bytes()].concat();
        let is_ours = |pid: &i32| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|variable| variable == entry)
        };
        let entries = fs::read_dir("/proc").unwrap();
        let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        pids.filter(is_ours).collect()
    }

    /// Fails if anything of the tool or its jobs still runs.
    pub(crate) fn is_empty(&self) {
        assert_eq!(self.processes(), [] as [i32; 0], "processes were left");
    }

    /// Waits until nothing of the tool or its jobs runs any more.
    pub(crate) fn empties(&self) {
        eventually("the processes to end", || self.processes().is_empty());
    }
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Waits for one that was started.
pub(crate) fn ended(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    /// What it printed, which has to be one JSON object on one line.
    pub(crate) fn results(&self) -> Object {
        let line = self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.contains('\n'), "several lines: {self:?}");
        match Value::parse(line.as_bytes()) {
            Ok(Value::Object(members)) => *members,
            other => panic!("{other:?}: {self:?}"),
        }
    }

    /// The kind of outcome, whose fault, and what went wrong.
    pub(crate) fn verdict(&self) -> (String, Option<String>, String) {
        let results = self.results();
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let kind = text(results["outcome"].get("kind")).unwrap();
        let detail = text(results.get("detail")).unwrap_or_default();
        (kind, text(results.get("fault")), detail)
    }

    /// Fails unless it ended with that status and printed nothing but one error with this in it.
    pub(crate) fn is_error(&self, status: u8, said: &str) {
        assert_eq!(self.status, Some(status.into()), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        self.says_error(said);
    }

    /// Fails unless it ended with that status and said one error with this in it, whatever it printed.
    pub(crate) fn is_error_with_output(&self, status: u8, said: &str) {
        assert_eq!(self.status, Some(status.into()), "{self:?}");
        self.says_error(said);
    }

    /// Fails unless one error was said, with this in it. What was traced before it may be there too.
    pub(crate) fn says_error(&self, said: &str) {
        let errors: Vec<_> =
            self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(errors.len() == 1 && errors[0].contains(said), "{self:?}");
        assert_eq!(self.stderr.matches("error: ").count(), 1, "{self:?}");
    }
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, stdout, stderr } = self;
        write!(f, "status {status:?}, printed:\n{stdout}\nsaid:\n{stderr}")
    }
}

/// Waits, two minutes at most, until something is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < give_up, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
