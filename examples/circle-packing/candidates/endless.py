"""Never ends, ignores SIGTERM, and leaves processes about that are hard to find.

None of them may be left once the job is over. In case one is, it ends by itself in ten minutes.
"""

import signal
import subprocess
import time


def pack():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the children inherit this
    subprocess.Popen(["sleep", "600"])
    subprocess.Popen(["sleep", "600"], start_new_session=True)  # out of the process group
    subprocess.Popen(["sh", "-c", "sleep 600 &"], start_new_session=True).wait()  # an orphan too
    time.sleep(600)
