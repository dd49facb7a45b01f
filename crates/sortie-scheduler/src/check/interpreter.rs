//! What runs the evaluator, asked which it is, and the evaluator's imports tried with it.

use sortie_config::EvaluatorKind;
use sortie_process::{Limits, Supervisor};
use sortie_script::expect_interpreter;

use super::{Finding, PATIENCE, advice, imports, output};
use crate::evaluator::is_named_python;
use crate::local::{Plan, Planned};

const BY_HAND: &str = "run it by hand in the same environment to see what is wrong with it";

/// Starts the interpreter in the job's environment, and, if it is Python, imports what the evaluator does. For an evaluator
/// that runs as itself, sees only that its environment is there.
pub(super) async fn find(
    plan: &Plan,
    supervisor: &Supervisor,
    subject: &'static str,
) -> Vec<Finding> {
    if plan.evaluator_kind() == EvaluatorKind::Executable {
        return activation(plan, supervisor).await.into_iter().collect();
    }
    let planned = match plan.python(sortie_warm::which_args()) {
        Ok(planned) => planned,
        Err(error) => return vec![Finding::new(subject, Err((error.to_string(), advice(&error))))],
    };
    match which(plan, &planned, supervisor).await {
        Ok(Some(python)) => {
            let found = Finding::new(subject, Ok(python.clone()));
            vec![found, imports::finding(plan, supervisor, &python).await]
        }
        Ok(None) => {
            let found = format!("{}, which is no Python", planned.program.display());
            vec![Finding::new(subject, Ok(found))]
        }
        Err(what) => vec![Finding::new(subject, Err((what, BY_HAND)))],
    }
}

/// The Python and its version; `None` for another program, which the user has said runs the evaluator. What is asked does
/// no harm to a shell.
async fn which(
    plan: &Plan,
    planned: &Planned,
    supervisor: &Supervisor,
) -> Result<Option<String>, String> {
    let limits = Limits { time: Some(PATIENCE), ..plan.limits() };
    let said = output(supervisor, &plan.command(planned, limits.clone())).await;
    let problem = match said {
        Ok(line) if line.starts_with("refuse ") => return Ok(None),
        Ok(line) => match line.strip_prefix("python ") {
            Some(which) => return Ok(Some(which.to_owned())),
            None => format!(
                "{} does not say which Python it is, but {line:?}",
                planned.program.display()
            ),
        },
        Err(problem) => problem,
    };
    // Another program that has its own way to be asked.
    let is_python = planned.activates.is_some() || is_named_python(planned.program.as_ref());
    let version = match plan.python(vec!["--version".into()]) {
        Ok(version) if !is_python => output(supervisor, &plan.command(&version, limits)).await.ok(),
        _ => None,
    };
    match version {
        Some(line) if !line.starts_with("Python ") => Ok(None),
        _ => Err(problem),
    }
}

/// Whether what is activated before the evaluator can be, and what its first line names is found then.
async fn activation(plan: &Plan, supervisor: &Supervisor) -> Option<Finding> {
    let look = expect_interpreter(&plan.evaluator_inside());
    let result = match plan.activated(look) {
        Ok(planned) => {
            let what = planned.activates.clone().or_else(|| plan.environment_name())?;
            let limits = Limits { time: Some(PATIENCE), ..plan.limits() };
            let ran = output(supervisor, &plan.command(&planned, limits)).await;
            ran.map(|_| what).map_err(|what| (what, BY_HAND))
        }
        Err(error) => Err((error.to_string(), advice(&error))),
    };
    Some(Finding::new("activation", result))
}
