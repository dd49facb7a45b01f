//! `sortie run`: one job, to its results.

use crate::attend::see_to;
use crate::failure::Failure;
use crate::job::JobArgs;

const AFTER_HELP: &str = "\
Prints one JSON object: correct, metrics, correct_json, stdout_log, stderr_log,
outcome, fault, detail, seconds, attempt, usage, start. It is on one line, or indented
if standard output is a terminal. RESULTS_DIR has the logs as they grow, in
job_log.out and job_log.err, and the attempt's record, in job.json; what sortie
itself needs is beside it, in .sortie/.

Ctrl-C (or SIGTERM, SIGHUP) stops the job with all its processes, and its
results are still printed; a second one kills it at once.

Exit status:
  0    the candidate is correct
  1    it is not: judged so, crashed, ran into a limit, or left no usable result
  2    something to mend: command line, settings, evaluator, environment
  3    the machine failed, or the results could not be printed: try again
  130  interrupted by Ctrl-C (143 by SIGTERM, 129 by SIGHUP)

Example:
  sortie run --config job.yaml gen_0/main.py gen_0/results | jq .metrics";

/// Run the evaluator on a candidate, and print its results as JSON
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    job: JobArgs,
}

pub(crate) fn execute(args: &Args, verbose: bool) -> Result<u8, Failure> {
    let job = &args.job;
    see_to(job.errand("run", verbose, None)?, async |scheduler| {
        let (results, _wall_time) = scheduler.run(&job.candidate, &job.results_dir).await?;
        Ok(results)
    })
}
