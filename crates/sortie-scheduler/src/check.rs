//! Whether jobs with these settings could run here, asked before one has to.

use std::fs::File;
use std::time::Duration;

use sortie_config::JobConfig;
use sortie_process::{Captured, Command, Limits, Status, Supervisor};

use crate::here::Here;
use crate::local::{NotReady, Plan};

/// How long the interpreter may take to say which it is: a Conda environment on a network file
/// system can be slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// What it is asked.
const WHICH: &str = "import sys; print(sys.executable, sys.version.split()[0])";

/// One thing that jobs need, and whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked for, as in `evaluator`.
    pub subject: &'static str,
    /// What was found, or what is wrong.
    pub result: Result<String, Problem>,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Finding {
    fn new(subject: &'static str, result: Result<String, (String, &str)>) -> Self {
        let problem = |(what, advice): (String, &str)| Problem { what, advice: advice.to_owned() };
        Self { subject, result: result.map_err(problem) }
    }
}

/// Looks for all that jobs with these settings need, and starts the interpreter in its environment
/// to see that it runs. Nothing else is started and nothing is changed.
pub async fn check(config: &JobConfig) -> Vec<Finding> {
    let plan = Here::now().and_then(|here| {
        config.validate()?;
        Plan::new(config.clone(), here)
    });
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            let advice = "mend the settings";
            return vec![Finding::new("settings", Err((error.to_string(), advice)))];
        }
    };
    let supervisor = Supervisor::new();
    vec![
        Finding::new("settings", Ok(format!("valid, of job type `{}`", config.job_type()))),
        evaluator(&plan),
        interpreter(&plan, &supervisor).await,
        protection(&supervisor).await,
    ]
}

fn evaluator(plan: &Plan) -> Finding {
    let path = plan.here.cwd.join(plan.evaluator());
    let advice = "set `eval_program_path`, or start where the relative path leads to it";
    let result = match File::open(&path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Ok(path.display().to_string()),
        Ok(_) => Err((format!("{} is not a file", path.display()), advice)),
        Err(error) => Err((format!("{} cannot be read: {error}", path.display()), advice)),
    };
    Finding::new("evaluator", result)
}

async fn interpreter(plan: &Plan, supervisor: &Supervisor) -> Finding {
    let result = match plan.python(vec!["-c".into(), WHICH.into()]) {
        Ok(planned) => {
            let limits = Limits { time: Some(PATIENCE), ..plan.limits() };
            let advice = "run it by hand in the same environment to see what is wrong with it";
            output(supervisor, &plan.command(&planned, limits)).await.map_err(|what| (what, advice))
        }
        Err(error) => Err((error.to_string(), advice(&error))),
    };
    Finding::new("interpreter", result)
}

fn advice(error: &NotReady) -> &'static str {
    match error {
        NotReady::Missing { .. } => "mend the path in the settings",
        NotReady::NoPython { .. } => "install Python, or set `python_executable`",
        NotReady::Interpreter { .. } => "set `python_executable` to a Python that is there",
        NotReady::Conda(_) => "see `conda env list` for the environments there are",
        NotReady::CondaPython { .. } => "install Python into the environment",
    }
}

async fn protection(supervisor: &Supervisor) -> Finding {
    let advice = "let this program start itself again through /proc/self/exe";
    let result = match supervisor.protections().await {
        Ok(there) => Ok(there.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        Err(error) => Err((error.to_string(), advice)),
    };
    Finding::new("protection", result)
}

/// Runs a short command: the last line it prints, or what went wrong.
async fn output(supervisor: &Supervisor, command: &Command) -> Result<String, String> {
    let captured = supervisor.capture(command, &[]).await.map_err(|error| error.to_string())?;
    let Captured { exit, stdout, stderr } = captured;
    let how = match (exit.stopped, exit.status) {
        (None, Status::Exited(0)) if exit.ready => return Ok(last_line(&stdout)),
        (Some(_), _) => format!("says nothing for {} s", PATIENCE.as_secs()),
        (None, Status::Exited(code)) => format!("ends with exit code {code}"),
        (None, Status::Signaled(signal)) => format!("is ended by signal {signal}"),
    };
    Err(format!("{} {how}: {}", command.program.display(), last_line(&stderr)))
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it printed nothing").trim().to_owned()
}
