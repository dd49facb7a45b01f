"""Runs jobs with the reference's JobScheduler, as told on standard input.

A line in is `JOBS WIDTH DIR`: so many jobs, so many of them at once, with results dirs in DIR.
A line out is `WALL CPU`, both in seconds; CPU is that of this process without its children.

Arguments: the interpreter, the evaluator and the candidate.
"""

import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from shinka.launch import JobScheduler, LocalJobConfig


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    python, evaluator, candidate = sys.argv[1:]
    config = LocalJobConfig(eval_program_path=evaluator, python_executable=python)

    for order in sys.stdin:
        jobs, width, parent = order.rstrip("\n").split(" ", 2)
        scheduler = JobScheduler("local", config, max_workers=int(width))

        def run(number):
            results, _ = scheduler.run(candidate, os.path.join(parent, str(number)))
            assert results["correct"]["correct"], results

        wall, cpu = time.perf_counter(), cpu_seconds()
        if int(width) == 1:
            for number in range(int(jobs)):
                run(number)
        else:
            # `run` blocks: as many threads as jobs at once.
            with ThreadPoolExecutor(int(width)) as threads:
                list(threads.map(run, range(int(jobs))))
        print(time.perf_counter() - wall, cpu_seconds() - cpu, flush=True)


main()
