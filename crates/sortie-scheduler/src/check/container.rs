//! What the first job in a container would find out, tried before there is one.

use sortie_config::EvaluatorKind;
use sortie_process::{Status, Supervisor};
use sortie_script::{Trial, try_executable};

use super::{Finding, PATIENCE, imports, last_line};
use crate::job::Paths;
use crate::local::Plan;

/// What to do about a trial in a container that fails.
pub(super) const ADVICE: &str =
    "fix the image or the settings: its jobs would fail in the same way";

/// Whether the evaluator can be started in a container and write its results, and, if it is in Python, import there what
/// it does. An image that would have to be pulled for it is not.
pub(super) async fn find(
    plan: &Plan,
    supervisor: &Supervisor,
    image_is_here: bool,
) -> Vec<Finding> {
    let image = plan.spec.container().map_or("", |container| &container.image);
    let told = |result: Result<String, String>| {
        Finding::new("container", result.map_err(|what| (what, ADVICE)))
    };
    let trial = if image_is_here { Trial::Container } else { Trial::Engine };
    let tried = plan.try_container(supervisor, trial).await;
    let is_python = plan.spec.evaluator_kind == EvaluatorKind::Python;
    match tried {
        Err(what) => vec![told(Err(what))],
        Ok(_) if !image_is_here => {
            vec![told(Ok("it can be tried once the image is here".to_owned()))]
        }
        Ok(said) if is_python => {
            let found = "an evaluator can be started in it, and write its results";
            let mut findings = vec![told(Ok(found.to_owned()))];
            findings.extend(limits(&said));
            if plan.usable().is_ok() {
                findings.push(imports::in_container(plan, supervisor, image).await);
            }
            findings
        }
        Ok(said) => {
            let started = told(executable(plan, supervisor).await);
            [Some(started), limits(&said)].into_iter().flatten().collect()
        }
    }
}

/// The limits that jobs run without here, as the script of a trial says.
fn limits(said: &[u8]) -> Option<Finding> {
    let said = String::from_utf8_lossy(said);
    let unheld = said.lines().find_map(|line| line.strip_prefix("sortie: not held: "))?;
    let unheld = unheld.replace(' ', ", ");
    Some(Finding::new(
        "limits",
        Ok(format!("the engine cannot hold {unheld} here: jobs run without")),
    ))
}

/// An evaluator that runs as itself is not run: the image's shell looks for what it needs, if there is one.
async fn executable(plan: &Plan, supervisor: &Supervisor) -> Result<String, String> {
    let loader = plan.loader().unwrap_or_default();
    let command = |paths: &Paths| {
        let results_dir = paths.results_dir.as_os_str();
        try_executable(&plan.evaluator_inside(), results_dir, loader.as_os_str())
    };
    match plan.try_inside(supervisor, PATIENCE, command).await {
        Ok(inside) => match inside.status {
            Some(Status::Exited(0)) => {
                Ok("the evaluator can be started in it, and write its results".to_owned())
            }
            Some(Status::Exited(126 | 127)) => Err(last_line(&inside.stderr)),
            Some(_) => {
                Err(format!("the results dir cannot be written: {}", last_line(&inside.stderr)))
            }
            None => Err(format!("it takes more than {} s", PATIENCE.as_secs())),
        },
        Err(what) if lacks_shell(&what) => {
            Ok("not tried: the image has no `sh` to look for what the evaluator needs".to_owned())
        }
        Err(what) => Err(what),
    }
}

/// As runc says it (`exec: "sh": executable file not found in $PATH`), and crun (``executable file `sh` not found``).
fn lacks_shell(what: &str) -> bool {
    what.contains("not found") && ["\"sh\"", "`sh`"].iter().any(|shell| what.contains(shell))
}
