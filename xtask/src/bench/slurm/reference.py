"""Asks for jobs as the reference's runner does, every ten seconds for a minute.

Arguments: the jobs' ids.
"""

import asyncio
import sys
import time
from types import SimpleNamespace

from shinka.launch import JobScheduler, SlurmCondaJobConfig

PAUSE = 10


async def main():
    scheduler = JobScheduler("slurm_conda", SlurmCondaJobConfig())
    jobs = [SimpleNamespace(job_id=job_id) for job_id in sys.argv[1:]]
    until = time.monotonic() + 60
    while time.monotonic() < until:
        running = await scheduler.batch_check_status_async(jobs)
        assert running == [True] * len(jobs), running
        await asyncio.sleep(PAUSE)


asyncio.run(main())
