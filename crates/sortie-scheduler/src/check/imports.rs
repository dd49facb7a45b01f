//! The evaluator's imports, tried as a job would make them, and nothing else of it.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use sortie_config::{Activation, EvaluatorKind, JobInside, JobPlace, JobSpec, Share};
use sortie_process::{Captured, Limits, Status, Supervisor};

use super::{Finding, PATIENCE, interpreter, last_line};
use crate::here::Here;
use crate::local::{Inside, Plan};

const SUBJECT: &str = "imports";
const INSTALL_HERE: &str = "install it for this Python, or set `python_executable`, `conda_env` or `activate_script` to one that has it";
const ON_NODES: &str =
    "set `python_executable` to a Python that the nodes have, or `conda_env` or `activate_script`";
const INSTALL_IN_IMAGE: &str = "install it in the image, or set `image` to one that has it";

/// Imports what the evaluator imports, in its interpreter, environment and directory.
pub(super) async fn finding(plan: &Plan, supervisor: &Supervisor, python: &str) -> Finding {
    let planned = match plan.python(sortie_warm::imports_args(plan.evaluator())) {
        Ok(planned) => planned,
        Err(error) => {
            return Finding::new(SUBJECT, Err((error.to_string(), super::advice(&error))));
        }
    };
    let patience = patience(plan);
    let limits = Limits { time: Some(patience), ..plan.limits() };
    let captured = supervisor.capture(&plan.command(&planned, limits), &[]).await;
    let result = match captured {
        Ok(Captured { exit, stdout, stderr }) => {
            let status = exit.stopped.is_none().then_some(exit.status);
            in_words(&Inside { status, stdout, stderr }, python, INSTALL_HERE, patience)
        }
        Err(error) => Err((error.to_string(), "try again")),
    };
    Finding::new(SUBJECT, result)
}

/// The same in a container, by the very script that runs a job's evaluator there.
pub(super) async fn in_container(plan: &Plan, supervisor: &Supervisor, image: &str) -> Finding {
    let python = plan.python_inside();
    let command = |evaluator: OsString| {
        let args = sortie_warm::imports_args(Path::new(&evaluator));
        [vec![python.clone()], args].concat()
    };
    let patience = patience(plan);
    let tried = plan.try_inside(supervisor, patience, |_| command(plan.evaluator_inside())).await;
    let result = match tried {
        Ok(inside) => {
            let python = format!("the {} of {image}", plan.python_inside().display());
            in_words(&inside, &python, INSTALL_IN_IMAGE, patience)
        }
        Err(what) => Err((what, super::container::ADVICE)),
    };
    Finding::new(SUBJECT, result)
}

/// A job that has less time than this needs it for its imports, too.
fn patience(plan: &Plan) -> Duration {
    plan.limits().time.map_or(PATIENCE, |time| time.min(PATIENCE))
}

/// What came of it: a line beforehand for each import, a last one at the end.
fn in_words(
    inside: &Inside,
    python: &str,
    install: &'static str,
    patience: Duration,
) -> Result<String, (String, &'static str)> {
    let line = last_line(&inside.stdout);
    let (word, what) = line.split_once(' ').unwrap_or((&line, ""));
    match (word, inside.status) {
        ("fine", Some(Status::Exited(0))) => Ok(format!(
            "{what} import statements of the evaluator were tried, and nothing else of it"
        )),
        ("partly", Some(Status::Exited(0))) => Ok(format!("not all could be tried: {what}")),
        ("missing", Some(Status::Exited(0))) => Err((format!("{what}, with {python}"), install)),
        ("syntax", Some(Status::Exited(0))) => Err((
            format!("{what}, with {python}"),
            "correct the file, or use a Python that knows its syntax",
        )),
        ("raises", Some(Status::Exited(0))) => Err((
            format!("{what}, with {python}"),
            "run the import by hand with this Python to see what it lacks",
        )),
        (_, status) => {
            let place = if word == "at" { what } else { "before the first import" };
            let how = match status {
                None => format!("takes longer than {} s", patience.as_secs_f64()),
                Some(Status::Exited(code)) => format!("ends Python with exit code {code}"),
                Some(Status::Signaled(signal)) => format!("ends Python by signal {signal}"),
            };
            let said = last_line(&inside.stderr);
            Err((format!("{place} {how}: {said}"), "run the import by hand to see what it does"))
        }
    }
}

/// What came of it on a node, in a job of its own.
pub(super) fn on_node(
    inside: &Inside,
    python: &str,
    is_in_container: bool,
    patience: Duration,
) -> Finding {
    let install = if is_in_container { INSTALL_IN_IMAGE } else { INSTALL_HERE };
    Finding::new(SUBJECT, in_words(inside, python, install, patience))
}

/// The interpreter and the imports of a job of Slurm, as far as its environment is seen from here.
pub(super) async fn on_a_node(
    spec: &JobSpec,
    here: &Here,
    activation_is_seen: bool,
) -> Vec<Finding> {
    if spec.evaluator_kind == EvaluatorKind::Executable {
        return Vec::new();
    }
    let not_tried = |why: &str| vec![Finding::new(SUBJECT, Ok(format!("not tried: {why}")))];
    let JobInside::Host { modules, activation } = &spec.inside else {
        return not_tried("the image is used on the node");
    };
    if !modules.is_empty() {
        return not_tried("the environment modules are loaded on the node");
    }
    if !activation_is_seen {
        return not_tried("what is to be activated is not seen from here");
    }
    let names_python = *activation == Activation::None;
    let local = JobSpec {
        python_executable: names_python.then(|| spec.python().to_owned()),
        time_limit: None,
        place: JobPlace::Local { share: Share::default(), warm: None },
        ..spec.clone()
    };
    let Ok(plan) = Plan::new(local, here.clone()) else { return Vec::new() };
    if plan.usable().is_err() {
        return Vec::new();
    }
    let mut findings = interpreter::find(&plan, &Supervisor::new(), "interpreter").await;
    let is_set = spec.python() != Path::new("python");
    let Some(Finding { result: Err(problem), .. }) = findings.first_mut() else { return findings };
    if !names_python || is_set {
        return not_tried(&format!("{}, and is looked for on the node", problem.what));
    }
    // Jobs have the same `PATH`.
    ON_NODES.clone_into(&mut problem.advice);
    findings
}
