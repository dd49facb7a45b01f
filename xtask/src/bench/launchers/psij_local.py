"""Runs jobs with PSI/J's local executor, see driving.py."""

import os
from pathlib import Path

from psij import Job, JobExecutor, JobSpec, JobState

import driving

executor = JobExecutor.get_instance("local")


def run(results_dir):
    os.mkdir(results_dir)
    program, *arguments = driving.command(results_dir)
    stdout, stderr = map(Path, driving.logs(results_dir))
    spec = JobSpec(program, arguments, stdout_path=stdout, stderr_path=stderr)
    job = Job(spec)
    executor.submit(job)
    status = job.wait()
    assert status.state == JobState.COMPLETED, status


driving.serve_one_by_one(run)
