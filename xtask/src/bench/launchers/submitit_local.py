"""Runs jobs with submitit's local executor, see driving.py."""

import os
import tempfile

from submitit import LocalExecutor
from submitit.helpers import CommandFunction

import driving


def run(results_dir):
    os.mkdir(results_dir)
    # The logs go where submitit puts them.
    executor.submit(CommandFunction(driving.command(results_dir), verbose=False)).result()


with tempfile.TemporaryDirectory() as folder:
    executor = LocalExecutor(folder)
    driving.serve_one_by_one(run)
