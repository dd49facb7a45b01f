"""Changes all that it can, having shown that nothing is changed."""

import builtins
import json
import os
import random
import signal
import sys
import threading

import helper


def open_files():
    """All but the file that newer versions of libffi keep open, where there is `ctypes`."""
    names = sorted(os.listdir("/proc/self/fd"))
    return [n for n in names if "/libffi.so" not in os.path.realpath(f"/proc/self/fd/{n}")]


print(json.dumps([
    helper.VALUES, hasattr(builtins, "meddled"), os.environ.get("MEDDLED"), sys.path[1:2],
    os.getcwd(), oct(os.umask(0o22)), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    sys.getrecursionlimit(), json.dumps.__name__, threading.active_count(), len(sys.argv),
    "meddled" in vars(random), open_files(), sys.stdout.encoding,
    os.getpriority(os.PRIO_PROCESS, 0),
]))
helper.VALUES.append("meddled")
builtins.meddled = random.meddled = True
os.environ["MEDDLED"] = "1"
sys.path.insert(1, "/meddled")
os.chdir("/")
os.umask(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.setrecursionlimit(5000)
json.dumps = None
threading.Thread(target=threading.Event().wait, daemon=True).start()
random.seed(0)
sys.argv.append("meddled")
sys.stdout.reconfigure(encoding="latin-1")
os.nice(1)
for number in range(3, 64):
    try:
        os.close(number)
    except OSError:
        pass
os.write(1, b"")
