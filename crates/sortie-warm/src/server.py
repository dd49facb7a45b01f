"""Keeps an interpreter that has imported what an evaluator imports, and forks it for each job.

Run as `python -c THIS EVALUATOR [MODULE ...]`, with a socket at file descriptor 4 (or, to see only
how far it comes, as `python -c THIS --check EVALUATOR [MODULE ...]`, without). It reads the
evaluator without running it, imports what that imports at its top level and the modules named, and
says `ready`; or `refuse REASON`, where a fork of it could not do what a fresh interpreter does. For
each request (a command line and three files) it makes a process that goes on as
`python EVALUATOR ...` would: `serve` returns in that process, and the last lines of this file run
the evaluator in it. When it has ended, the server tells how.

Standard library only, and no more of it than is loaded anyway, for Python 3.8 and later on Linux.
"""

import _ctypes
import _io
import _signal
import _socket
import atexit
import gc
import os
import sys
import time

SOCKET = 4
REQUEST_FILES = 3
# prctl(2)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
SIGINT, SIGKILL = 2, 9
# How often files of installed packages are looked at, in seconds.
INSTALLED_EVERY = 5.0
# A file that was changed so shortly before it was read may be changed again without its times
# telling, in nanoseconds: some file systems count in seconds.
UNCERTAIN = 2_000_000_000
# In place of the times of a file that was changed while the interpreter started.
NEVER_SEEN = (-1, -1)
# As many new objects as never make Python look for garbage. Where a module switches that off, it
# stays off.
NEVER = (1 << 31) - 1


class Refused(Exception):
    """Why this process must not be forked."""


class Function(_ctypes.CFuncPtr):
    """A function of the C library that keeps the interpreter to itself, as it has to where it does
    not return. `ctypes`, of which this is the part in C, takes long to import."""

    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_PYTHONAPI


class Library:
    def __init__(self, *names):
        handle = _ctypes.dlopen(None, 0)
        for name in names:
            setattr(self, name, Function(_ctypes.dlsym(handle, name)))


c = Library("exit", "fflush", "prctl", "signal", "wait4")


class Integer(_ctypes._SimpleCData):
    _type_ = "i"


class Long(_ctypes._SimpleCData):
    _type_ = "l"


class ResourceUsage(_ctypes.Array):
    """`struct rusage`: the times in user mode and in the kernel, each in seconds and microseconds,
    the peak memory in KiB, and more. `os.wait4`, which tells it, loads a module that jobs would
    see."""

    _type_, _length_ = Long, 18


# What a module imports when it is used, as it is wherever it is imported: to leave that to each job
# would be a third of a short one. Only modules of the standard library that do no more than that.
USED_BY = {"argparse": ("gettext", "locale", "shutil")}


# Whether a fork will do ---------------------------------------------------------------------------

def load(module, names):
    """Imports a module as `from MODULE import NAMES` does; looks what that has done."""
    try:
        __import__(module, {}, {}, list(names) or ["__name__"])
    except Exception:  # it is for the evaluator to fail, or to do without
        pass
    except BaseException as error:
        raise Refused(f"module `{module}` raises {type(error).__name__} when it is imported")
    problem = unforkable()
    if problem:
        raise Refused(f"module `{module}` {problem}")


def unforkable():
    """What of this process a fork would lose or share, if anything."""
    if threads() > 1:
        # Threads that know of forks, such as those of OpenBLAS, are ended for one and made again.
        wait(fork_and_leave())
        patience = time.monotonic() + 0.1
        while threads() > 1 and time.monotonic() < patience:
            time.sleep(0.001)
        if threads() > 1:
            return "starts threads that a fork does not have"
    if _signal.getsignal(_signal.SIGCHLD) != _signal.SIG_DFL:
        return "handles SIGCHLD, which comes for each job"
    if children():
        return "starts processes"
    timers = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)
    if any(map(any, map(_signal.getitimer, timers))):
        return "sets a timer, which a fork does not have"
    return next(map("opens {}".format, shared_files()), None)


def shared_files():
    """The open files that several processes cannot have each for itself: sockets, devices such as a
    GPU, files that are written to."""
    for file in os.listdir("/proc/self/fd"):
        if int(file) in (0, 1, 2, SOCKET):
            continue
        try:
            target = os.readlink("/proc/self/fd/" + file)
            with open("/proc/self/fdinfo/" + file) as info:
                flags = int(info.read().split("flags:")[1].split()[0], 8)
        except OSError:  # that of the list itself
            continue
        read_only = flags & os.O_ACCMODE == os.O_RDONLY and os.path.isfile(target)
        harmless = read_only or target in (os.devnull, "/dev/urandom", "/dev/random")
        if not harmless:
            yield target


def threads():
    return len(os.listdir("/proc/self/task"))


def children():
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return file.read().split()
    except OSError:  # not every kernel tells
        return []


def fork_and_leave():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid


def wait(pid):
    return os.waitpid(pid, 0)[1]


# Whether it is up to date -------------------------------------------------------------------------

class Sources:
    """The files that this interpreter was made from, as they were when it started, at `since`."""

    def __init__(self, evaluator, since):
        # Where packages are installed: one that comes or goes changes the directory.
        roots = [os.path.join(root, "") for root in (sys.prefix, sys.base_prefix)]
        places = [place for place in sys.path if place.startswith(tuple(roots))]
        inside = tuple(os.path.join(place, "") for place in places)
        files = {file for file in map(source_of, list(sys.modules.values())) if file}
        installed = {file for file in files if file.startswith(inside)}
        self.places = {place: stamp(place) for place in places}
        self.installed = {file: unchanged(file, since) for file in installed}
        self.own = {file: self.state(file, since) for file in files - installed | {evaluator}}
        self.looked = time.monotonic()

    @staticmethod
    def state(file, since):
        """A file's times and, where they may not tell of a change, its content."""
        times = unchanged(file, since)
        newest = max(times[:2]) if times else 0
        return times, content(file) if times != NEVER_SEEN and since - newest < UNCERTAIN else None

    def changed(self):
        """A file that is not what it was, if there is one."""
        for file, (times, text) in self.own.items():
            if stamp(file) != times or (text is not None and content(file) != text):
                return file
        groups = [self.places]
        if time.monotonic() - self.looked > INSTALLED_EVERY:
            self.looked = time.monotonic()
            groups.append(self.installed)
        changed = (f for group in groups for f, times in group.items() if stamp(f) != times)
        return next(changed, None)


def source_of(module):
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None


def stamp(file):
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def unchanged(file, since):
    """What `stamp` tells of a file that was not changed since then; else what it never tells."""
    times = stamp(file)
    return NEVER_SEEN if times and max(times[:2]) > since else times


def content(file):
    try:
        with open(file, "rb") as opened:
            return hash(opened.read())
    except OSError:
        return None


# The evaluator's interpreter, as it would be ------------------------------------------------------

def forget_directories():
    """Has directories read again when something is imported: there may be new files by then."""
    for finder in list(sys.path_importer_cache.values()):
        if hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()
    for place in [place for place, finder in sys.path_importer_cache.items() if finder is None]:
        del sys.path_importer_cache[place]


def new_seeds():
    """Takes from this process all randomness that others made from the same server would share.
    Python itself sees to `random`, and `tempfile` to its names."""
    loaded = sys.modules.get
    numpy = loaded("numpy.random")
    if numpy:
        numpy.seed()
    torch = loaded("torch")
    if torch and hasattr(torch, "seed"):
        torch.seed()
    uuid = loaded("uuid")
    if uuid and getattr(uuid, "_node", None) and uuid._node >> 40 & 1:
        uuid._node = None  # made up for want of a network card
    multiprocessing = loaded("multiprocessing.process")
    if multiprocessing:
        multiprocessing.current_process().authkey = os.urandom(32)
    logging = loaded("logging")
    if logging and hasattr(logging, "_startTime"):
        is_whole = isinstance(logging._startTime, int)
        logging._startTime = time.time_ns() if is_whole else time.time()


# The end, as `Py_FinalizeEx` makes it -------------------------------------------------------------
#
# All that can be seen of it is done, but modules that were there before the fork are not taken
# apart: for NumPy alone that takes ten times as long as all the rest.

def report(error):
    """Tells of an exception that nobody caught: the exit code, or None where SIGINT is the end."""
    if error is None:
        return 0
    flush("stderr", "stdout")
    if isinstance(error, SystemExit):
        return exit_code(error.code)
    # The first frame is that of this file.
    trace = error.__traceback__ = error.__traceback__.tb_next
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    try:
        sys.excepthook(type(error), error, trace)
    except SystemExit as end:
        return exit_code(end.code)
    except BaseException as other:
        print("Error in sys.excepthook:", file=sys.stderr)
        other.__traceback__ = other.__traceback__.tb_next
        sys.__excepthook__(type(other), other, other.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, trace)
    return None if isinstance(error, KeyboardInterrupt) else 1


def exit_code(code):
    """The exit code of a SystemExit; a text is printed."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    try:
        print(code, file=sys.stderr or sys.__stderr__)
    except Exception:
        pass
    return 1


def leave(code, before):
    """Ends this process as the interpreter would; `before` are the modules that were there before
    the fork."""
    if "threading" in sys.modules:
        quietly(sys.modules["threading"]._shutdown)
    quietly(atexit._run_exitfuncs)
    failed = flush("stdout", "stderr", tell=True)
    if threads() == 1:
        sys.last_type = sys.last_value = sys.last_traceback = sys.last_exc = None
        clear(sys.modules.pop("__main__", None))
        for name in imported_since(before):
            clear(sys.modules[name])
        gc.collect()
    for kept in gc.get_objects():
        if issubclass(type(kept), (_io.TextIOWrapper, _io.BufferedWriter, _io.BufferedRandom)):
            quietly(kept.flush)
    failed |= flush("stdout", "stderr")
    if code is None:
        c.signal(SIGINT, None)
        os.kill(os.getpid(), SIGINT)
    # What libraries in C have to do at the end. It does not return: no more of Python runs.
    c.exit(120 if failed else code)


def imported_since(before):
    """The names of modules that are not among those `before`, the last one first. To look at all
    of them, which may be thousands, would cost more than the rest of a short job."""
    last = next(reversed(before))
    names = []
    for name in reversed(sys.modules):
        if name == last:
            break
        names.append(name)
    if len(sys.modules) - len(names) >= len(before):  # the last one was removed and put back
        names = list(reversed(sys.modules))
    return [name for name in names if name not in before]


def quietly(function):
    """Calls what tells of its own errors, or has nobody to tell."""
    try:
        function()
    except BaseException:
        pass


def flush(*names, tell=False):
    """Empties the standard files; whether that failed."""
    failed = False
    for name in names:
        file = getattr(sys, name, None)
        try:
            if file is not None and not file.closed:
                file.flush()
        except Exception as error:
            failed = True
            if tell and name == "stdout":
                what = f"in: {file!r}"
                if sys.version_info >= (3, 13):
                    what = "on flushing sys.stdout:"
                if sys.version_info >= (3, 14):
                    what = "while flushing sys.stdout:"
                kind = type(error).__name__
                print(f"Exception ignored {what}\n{kind}: {error}", file=sys.stderr)
    return failed


def clear(module):
    """Lets go of what a module holds, in the interpreter's order: names such as `_x` first."""
    names = getattr(module, "__dict__", None)
    if type(names) is not dict or names is globals():
        return
    for first in (True, False):
        for name in list(names):
            is_first = isinstance(name, str) and name[:1] == "_" and name[1:2] != "_"
            if is_first == first and name != "__builtins__":
                names[name] = None


# Requests -----------------------------------------------------------------------------------------

class Server:
    def __init__(self, evaluator, preload):
        os.set_inheritable(SOCKET, False)
        self.channel = None
        self.pid = os.getpid()
        self.evaluator = evaluator
        self.preload = preload
        self.printed = [b"", b""]
        self.since = time.time_ns()
        self.sources = None

    def say(self, *words):
        line = " ".join(" ".join(words).split()) + "\n"
        os.write(SOCKET, line.encode("utf-8", "replace"))

    def prepare(self):
        """Makes this process what all jobs start from: the evaluator's module and code."""
        thresholds = gc.get_threshold()
        gc.set_threshold(NEVER)  # of what is imported hardly anything goes again
        if sys.flags.inspect or sys.flags.interactive or os.environ.get("PYTHONINSPECT"):
            raise Refused("PYTHONINSPECT is set")
        if sys.path[:1] == [""]:
            sys.path[0] = os.path.dirname(os.path.realpath(self.evaluator))
        sys.argv = [self.evaluator]
        module = evaluator_module(self.evaluator)
        sys.modules["__main__"] = module
        try:
            with open(self.evaluator, "rb") as file:
                flags = _ast.PyCF_ONLY_AST
                tree = compile(file.read(), module.__file__, "exec", flags, dont_inherit=True)
            code = compile(tree, module.__file__, "exec", dont_inherit=True)
        except Exception as error:
            raise Refused(f"{self.evaluator} cannot be read: {error}")
        problem = unforkable()
        if problem:
            raise Refused("the interpreter, before it imports anything, " + problem)
        for found in imports(tree.body):
            if found is not None:
                load(*found)
        for name in self.preload:
            load(name, ())
        for user, used in USED_BY.items():
            for name in used if user in sys.modules else ():
                load(name, ())
        self.settle()
        self.before = dict(sys.modules)
        gc.freeze()
        if gc.get_threshold()[0] == NEVER:  # and no module has set another
            gc.set_threshold(*thresholds)
        return code, module.__dict__

    def settle(self):
        """Takes note of what was printed, and makes the process private."""
        flush("stdout", "stderr")
        c.fflush(None)
        forget_directories()
        self.printed = [everything(1), everything(2)]
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.close(null)
        c.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)

    def serve(self):
        """Makes a process for each request, and returns in that process; tells of its end."""
        self.channel = _socket.socket(fileno=SOCKET)
        while True:
            args, files = self.request()
            changed = self.sources and self.sources.changed()
            if changed:
                self.say("changed", changed, "has changed")
                continue  # and is replaced
            try:
                job = os.fork()
            except OSError as error:
                self.say("refuse", f"it cannot fork: {error}")
                continue  # and is replaced
            if job == 0:
                self.become_job(args, files)
                return
            for file in files:
                os.close(file)
            if not self.sources:  # the first job need not wait for them to be looked at
                self.sources = Sources(self.evaluator, self.since)
            self.tell_end(job)

    def request(self):
        space = _socket.CMSG_SPACE(4 * REQUEST_FILES)
        header, rights, _, _ = self.channel.recvmsg(4, space, _socket.MSG_CMSG_CLOEXEC)
        files = [
            int.from_bytes(data[at:at + 4], sys.byteorder)
            for _, _, data in rights
            for at in range(0, len(data), 4)
        ]
        header += self.receive(4 - len(header))
        args = self.receive(int.from_bytes(header, "little")).split(b"\0")[:-1]
        return [os.fsdecode(arg) for arg in args], files

    def receive(self, length):
        data = b""
        while len(data) < length:
            more = self.channel.recv(length - len(data))
            if not more:
                os._exit(0)  # the reaper is gone
            data += more
        return data

    def tell_end(self, job):
        """Waits for a job's first process; others that it leaves are the reaper's."""
        os.waitid(os.P_PID, job, os.WEXITED | os.WNOWAIT)  # goes on after a signal
        status, usage = Integer(), ResourceUsage()
        at = time.monotonic_ns() // 1000
        if c.wait4(job, _ctypes.byref(status), 0, _ctypes.byref(usage)) != job:
            os._exit(1)  # its end is not known
        user, system = (usage[at] * 1_000_000 + usage[at + 1] for at in (0, 2))
        self.say("ended", f"{status.value} {user} {system} {usage[4]} {at}")

    def become_job(self, args, files):
        """Goes on as the first process of a job, once the word to go has come."""
        c.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        # It leads a session, and does not outlive the server, nor that the reaper.
        os.setsid()
        c.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        if os.getppid() != self.pid:
            os._exit(0)
        stdout, stderr, gate = files
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        sys.argv = args
        if hasattr(sys, "orig_argv"):
            sys.orig_argv = sys.orig_argv[:1] + args
        new_seeds()
        self.say("pid", str(os.getpid()))
        self.channel.close()
        if not os.read(gate, 1):
            os._exit(0)
        for file in files:
            os.close(file)
        for file, printed in enumerate(self.printed, 1):
            while printed:
                printed = printed[os.write(file, printed):]


def everything(file):
    """What a regular file holds; nothing of one that is none."""
    data = b""
    try:
        while True:
            more = os.pread(file, 1 << 20, len(data))
            if not more:
                return data
            data += more
    except OSError:
        return data


if __name__ == "__main__":
    only_check = sys.argv[1] == "--check"
    if only_check:
        os.dup2(1, SOCKET)
        del sys.argv[1]
    os.closerange(3, SOCKET)
    server = Server(sys.argv[1], sys.argv[2:])
    try:
        code, names = server.prepare()
        server.say("ready")
    except Refused as refused:
        server.say("refuse", str(refused))
        only_check = True
    if only_check:
        os._exit(0)
    server.serve()
    raised = None
    try:
        exec(code, names)
    except BaseException as error:
        raised = error
    status = report(raised)
    del raised, names, code
    leave(status, server.before)
