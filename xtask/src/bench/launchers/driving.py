"""What the drivers of launchers share: a driver runs jobs as it is told on standard input.

A line in is `JOBS WIDTH DIR`: so many jobs, so many of them at once, with the results dirs `0`, `1`, ...
in DIR, which the driver makes. A line out is `WALL OWN CHILDREN`, in seconds: how long that took, and
the CPU time of the driver itself and of its children, evaluators included.

Arguments: the interpreter, the evaluator and the candidate.
"""

import ctypes
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

PYTHON, EVALUATOR, CANDIDATE = sys.argv[1:]
# What launchers print is none of the answers.
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
# prctl(2)
PR_SET_CHILD_SUBREAPER = 36


def command(results_dir):
    """The command line of a job."""
    return [PYTHON, EVALUATOR, "--program_path", CANDIDATE, "--results_dir", results_dir]


def logs(results_dir):
    """The paths of a job's logs."""
    return [os.path.join(results_dir, "job_log." + end) for end in ("out", "err")]


def results_dirs(jobs, parent):
    """The results dirs of so many jobs, which are not there yet."""
    return [os.path.join(parent, str(number)) for number in range(jobs)]


def serve(run_all):
    """Calls `run_all(jobs, width, parent)` for each line in."""
    # So that processes which a launcher leaves to themselves are counted too.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for order in sys.stdin:
        jobs, width, parent = order.rstrip("\n").split(" ", 2)
        own, children = cpu_seconds()
        start = time.perf_counter()
        run_all(int(jobs), int(width), parent)
        wall = time.perf_counter() - start
        reap()
        own_after, children_after = cpu_seconds()
        print(wall, own_after - own, children_after - children, file=ANSWERS)


def serve_one_by_one(run):
    """Has each job run by `run(results_dir)`, which blocks, so many at once by as many threads."""

    def run_all(jobs, width, parent):
        with ThreadPoolExecutor(width) as threads:
            list(threads.map(run, results_dirs(jobs, parent)))

    serve(run_all)


def cpu_seconds():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return [usage.ru_utime + usage.ru_stime for usage in usages]


def reap():
    """Waits for all children that are left."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
