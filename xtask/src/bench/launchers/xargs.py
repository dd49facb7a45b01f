"""Runs jobs with `xargs -P`, see driving.py: the CPU time of this process itself is next to nothing."""

import subprocess

import driving

# $0 to $3: the interpreter, the evaluator, the candidate, the results dir.
JOB = """mkdir "$3" && exec "$0" "$1" --program_path "$2" --results_dir "$3" \\
    >"$3/job_log.out" 2>"$3/job_log.err" </dev/null"""


def run_all(jobs, width, parent):
    job = ["sh", "-c", JOB, driving.PYTHON, driving.EVALUATOR, driving.CANDIDATE]
    dirs = "".join(path + "\0" for path in driving.results_dirs(jobs, parent))
    xargs = ["xargs", "-0", "-n", "1", "-P", str(width)]
    subprocess.run(xargs + job, input=dirs.encode(), check=True)


driving.serve(run_all)
