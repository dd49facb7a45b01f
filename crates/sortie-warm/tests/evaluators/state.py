"""All that an evaluator can see of its surroundings."""

import gc
import inspect
import json
import logging
import multiprocessing
import os
import pickle
import resource
import signal
import stat
import sys
import tempfile
import threading
import warnings


class Mine:
    pass


def file(number):
    found = os.fstat(number)
    return number, stat.S_IFMT(found.st_mode), os.get_inheritable(number)


def is_open(number):
    """Whether there is a file, other than the one that newer versions of libffi keep open: that is no
    handle on anything, and there in every process that has `ctypes`."""
    path = f"/proc/self/fd/{number}"
    return os.path.exists(path) and "/libffi.so" not in os.readlink(path)


def open_files():
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    return [file(number) for number in numbers if is_open(number)]


def status(*wanted):
    with open("/proc/self/status") as lines:
        return [line for line in lines if line.split(":")[0] in wanted]


def standard(name):
    stream = getattr(sys, name)
    attributes = ["name", "mode", "encoding", "errors", "line_buffering", "write_through"]
    shown = [getattr(stream, attribute) for attribute in attributes]
    return shown + [stream.isatty(), stream.fileno(), stream is getattr(sys, f"__{name}__"),
                    type(stream.buffer).__name__]


STATE = {
    "argv": sys.argv,
    "orig_argv": getattr(sys, "orig_argv", None),
    "executable": sys.executable,
    "names": sorted(vars()),
    "file": __file__,
    "main": [repr(item) for item in (__name__, __package__, __spec__, __doc__, __builtins__)],
    "loader": [type(__loader__).__name__, __loader__.name, __loader__.path],
    "is_main": sys.modules["__main__"].__dict__ is globals(),
    "path": sys.path,
    "flags": str(sys.flags),
    "warnoptions": sys.warnoptions,
    "xoptions": sys._xoptions,
    "prefix": [sys.prefix, sys.base_prefix],
    "cwd": os.getcwd(),
    "environment": dict(os.environ),
    "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
    "status": status("SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "Threads", "Uid", "Umask"),
    "files": open_files(),
    "standard": [standard(name) for name in ("stdin", "stdout", "stderr")],
    "stdin": sys.stdin.read(),
    "session": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
    "owner": os.stat("/proc/self/environ").st_uid,
    "name": status("Name"),
    "limits": [resource.getrlimit(number) for number in range(16)],
    "priority": os.getpriority(os.PRIO_PROCESS, 0),
    "recursion": sys.getrecursionlimit(),
    "switch": sys.getswitchinterval(),
    "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__,
              sys.unraisablehook is sys.__unraisablehook__, str(sys.gettrace()),
              str(sys.getprofile()), len(sys.meta_path), len(sys.path_hooks)],
    "exception": [str(part) for part in sys.exc_info()],
    "threads": [thread.name for thread in threading.enumerate()],
    "main_thread": [threading.main_thread() is threading.current_thread(),
                    threading.main_thread().ident == threading.get_ident(),
                    threading.get_native_id() == os.getpid()],
    "process": [multiprocessing.current_process().name, str(multiprocessing.parent_process()),
                multiprocessing.current_process().pid == os.getpid(),
                multiprocessing.get_start_method(), str(multiprocessing.active_children())],
    "children": os.path.exists("/proc/self/task") and resource.getrusage(
        resource.RUSAGE_CHILDREN).ru_utime,
    "logging": [logging.root.level, len(logging.root.handlers)],
    "relative": logging.makeLogRecord({}).relativeCreated < 5000,
    "warnings": [str(entry) for entry in warnings.filters],
    "gc": [gc.isenabled(), gc.get_threshold(), gc.garbage, gc.get_debug()],
    "temp": tempfile.gettempdir(),
    "pickle": type(pickle.loads(pickle.dumps(Mine()))) is Mine,
    "source": inspect.getsource(Mine),
    "module": inspect.getmodule(Mine) is sys.modules["__main__"],
    "last": [hasattr(sys, name) for name in ("last_value", "last_exc", "ps1")],
}
print(json.dumps(STATE, indent=1, sort_keys=True))
