//! `sortie check --submit`: what a node says.

use std::path::Path;
use std::pin::pin;

use sortie_config::{JobConfig, JobType};
use sortie_scheduler::{Event, Finding, NodeCheck, Problem, check};

use crate::failure::Failure;
use crate::progress::Progress;
use crate::runtime;
use crate::signals::Signals;

/// What is found from here and, by a job with its results dir in `dir`, on a node.
pub(super) fn find(config: &JobConfig, dir: &Path) -> Result<Vec<Finding>, Failure> {
    if let job_type @ (JobType::Local | JobType::LocalDocker) = config.job_type() {
        return Err(Failure::NoNodes(job_type));
    }
    let runtime = runtime::start()?;
    let found = runtime.block_on(async {
        let mut found = check(config).await;
        if !NodeCheck::is_worth_it(&found) {
            found.push(Finding {
                subject: "node",
                result: Err(Problem {
                    what: "not asked, as no job would come to one".to_owned(),
                    advice: "mend what is wrong above, and check again".to_owned(),
                }),
            });
            return Ok(found);
        }
        let mut signals = Signals::listen().map_err(Failure::Runtime)?;
        ask(config, dir, found, &mut signals).await
    });
    // Without waiting for a file system that does not answer.
    runtime.shutdown_background();
    found
}

/// The first signal cancels the job, and nothing is said of it then; the second does not wait for its end.
async fn ask(
    config: &JobConfig,
    dir: &Path,
    mut found: Vec<Finding>,
    signals: &mut Signals,
) -> Result<Vec<Finding>, Failure> {
    let progress = Progress::start(true, Path::new("asking a node"), None);
    let (node, mut events) = match NodeCheck::begin(config, dir) {
        Ok(begun) => begun,
        Err(refused) => {
            found.push(refused);
            return Ok(found);
        }
    };
    let mut asked = pin!(node.find(found));
    let mut stopped = None;
    loop {
        tokio::select! {
            found = &mut asked => {
                return stopped.map_or(Ok(found), |signal| Err(Failure::NotAsked { signal }));
            }
            Some(event) = events.next() => match event {
                Event::Pending { reason, .. } if stopped.is_none() => progress.pending(&reason),
                Event::Started { .. } if stopped.is_none() => progress.running(),
                _ => {}
            },
            signal = signals.next() => {
                if stopped.is_some() {
                    return Err(Failure::NotAsked { signal });
                }
                progress.say("cancelling (Ctrl-C again does not wait)");
                node.cancel();
                stopped = Some(signal);
            }
        }
    }
}
