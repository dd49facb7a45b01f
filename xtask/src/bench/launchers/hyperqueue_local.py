"""Runs jobs with HyperQueue, see driving.py: server and worker are threads of this process."""

import os
import tempfile
from contextlib import ExitStack

os.environ["TQDM_DISABLE"] = "1"

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

import driving


def run_all(jobs, width, parent):
    dirs = driving.results_dirs(jobs, parent)
    client = client_of(width)
    # All that may run at once are the tasks of one job, as HyperQueue wants it.
    for tasks in [dirs] if width > 1 else [[results_dir] for results_dir in dirs]:
        job = Job()
        for results_dir in tasks:
            os.mkdir(results_dir)
            stdout, stderr = driving.logs(results_dir)
            job.program(driving.command(results_dir), cwd=parent, stdout=stdout, stderr=stderr)
        client.wait_for_jobs([client.submit(job)])


def client_of(width):
    """The client of a cluster with so many cores."""
    if width not in clients:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory())
        cluster = cleanup.enter_context(LocalCluster(folder, WorkerConfig(cores=width)))
        clients[width] = cluster.client()
    return clients[width]


clients = {}
with ExitStack() as cleanup:
    driving.serve(run_all)
