"""Runs jobs with the reference's JobScheduler, see driving.py."""

from shinka.launch import JobScheduler, LocalJobConfig

import driving

config = LocalJobConfig(eval_program_path=driving.EVALUATOR, python_executable=driving.PYTHON)
scheduler = JobScheduler("local", config)


def run(results_dir):
    results, _ = scheduler.run(driving.CANDIDATE, results_dir)
    assert results["correct"]["correct"], results


driving.serve_one_by_one(run)
