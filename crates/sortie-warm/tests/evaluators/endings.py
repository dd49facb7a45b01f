"""Ends in the way that its last argument names."""

import asyncio
import atexit
import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor


RESULTS = sys.argv[sys.argv.index("--results_dir") + 1]


def path(name):
    os.makedirs(RESULTS, exist_ok=True)
    return os.path.join(RESULTS, name)


def returns():
    print("done")


def exits_with_text():
    sys.exit("some text")


def exits_with_none():
    sys.exit()


def exits_with_code():
    sys.exit(3)


def exits_with_large_code():
    sys.exit(256 + 7)


def exits_with_negative_code():
    sys.exit(-1)


def exits_with_object():
    class Broken:
        def __str__(self):
            return "an object"
    sys.exit(Broken())


def exits_with_true():
    raise SystemExit(True)


def exits_at_once():
    print("lost or not", end="")
    os._exit(5)


def raises():
    print("before")
    raise ValueError("wrong")


def raises_from():
    try:
        {}["missing"]
    except KeyError as error:
        raise RuntimeError("with a cause") from error


def raises_in_context():
    try:
        raises()
    finally:
        nothing_of_that_name


def raises_deep():
    def deeper(n):
        return deeper(n - 1) if n else 1 / 0
    deeper(5)


def recurses_for_ever():
    recurses_for_ever()


def reads_broken_code():
    exec(compile("x = (1,\ny = 2", "broken.py", "exec"))


def imports_what_is_not_there():
    import no_such_module_for_sure


def has_a_hook():
    def hook(kind, error, trace):
        print("hook", kind.__name__, error, trace.tb_frame.f_code.co_name, sys.exc_info())
    sys.excepthook = hook
    raise ValueError("hooked")


def has_a_hook_that_raises():
    def hook(kind, error, trace):
        raise KeyError("in the hook")
    sys.excepthook = hook
    raise ValueError("hooked")


def has_a_hook_that_exits():
    sys.excepthook = lambda *_: sys.exit(9)
    raise ValueError("hooked")


def is_interrupted():
    raise KeyboardInterrupt


def interrupts_itself():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)


def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def terminates_itself():
    os.kill(os.getpid(), signal.SIGTERM)


def crashes():
    ctypes.string_at(0)


def aborts():
    os.abort()


def has_exit_handlers():
    atexit.register(print, "first")
    atexit.register(Handler(), 0)
    atexit.register(print, "last")
    weakref.finalize(has_exit_handlers, print, "finalized")
    sys.exit(4)


class Handler:
    def __repr__(self):
        return "a handler"

    def __call__(self, code):
        sys.exit(code) if code else 1 / code


def exits_in_an_exit_handler():
    atexit.register(Handler(), 8)


def hurries_to_the_end():
    thread = threading.Timer(0.2, print, ["the thread is done"])
    thread.start()
    atexit.register(print, "then the handlers")
    print("main is done")


def leaves_a_daemon_thread():
    def work():
        while True:
            time.sleep(0.001)
    threading.Thread(target=work, daemon=True).start()
    print("main is done")


def leaves_a_file_open():
    global kept
    kept = open(path("kept"), "w")
    kept.write("not flushed")


def leaves_a_file_in_a_cycle():
    cycle = [open(path("kept"), "w")]
    cycle.append(cycle)
    cycle[0].write("not flushed either")


def leaves_a_file_with_a_module():
    warnings.kept = open(path("kept"), "w")
    warnings.kept.write("with a module")


def leaves_objects():
    global one, _two

    class Loud:
        def __init__(self, name):
            self.name = name

        def __del__(self):
            print("gone:", self.name)
    _two = Loud("private")
    one = Loud("public")


def prints_in_c():
    ctypes.CDLL(None).puts(b"from a library in C")


def prints_to_a_full_disk():
    sys.stdout.write("text")
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def closes_its_output():
    sys.stdout.close()


def has_no_output():
    sys.stdout = None
    print("nothing")


def warns():
    warnings.warn("of something")
    warnings.warn("of something else", DeprecationWarning)
    sys.stderr.write("no line end")


def logs():
    logging.basicConfig(filename=path("log"), level="INFO")
    logging.info("logged")
    logging.getLogger("x").warning("warned")


def shows_where_it_is():
    print(sys._getframe().f_code.co_name, sys._getframe().f_back.f_code.co_name)


def double(number):
    return 2 * number


def has_a_pool():
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(double, range(5)))


def has_executors():
    with ProcessPoolExecutor(2) as executor:
        print(list(executor.map(double, range(3))))
    with ThreadPoolExecutor(2) as executor:
        print(list(executor.map(double, range(3))))


def has_a_process():
    process = multiprocessing.Process(target=raises, name="child")
    process.start()
    process.join()
    print(process.exitcode, process.name)


def has_a_manager():
    with multiprocessing.Manager() as manager:
        shared = manager.dict(a=1)
        shared["b"] = 2
        print(dict(shared))


def has_a_queue():
    queue = multiprocessing.Queue()
    queue.put("queued")
    print(queue.get())


def runs_programs():
    print(subprocess.run(["echo", "hello"], stdout=subprocess.PIPE).stdout)
    subprocess.run(["ls", "-l", "/proc/self/fd"], stdout=subprocess.DEVNULL)
    print(subprocess.call([sys.executable, "-c", "import sys; sys.exit(6)"]))
    os.system("echo from the shell")
    print(os.wait() if False else "no child is left")
    try:
        os.wait()
    except ChildProcessError as error:
        print(error)


def forks():
    pid = os.fork()
    atexit.register(print, "in both")
    if pid:
        os.waitpid(pid, 0)


def is_asynchronous():
    async def work():
        await asyncio.sleep(0.01)
        return await asyncio.get_running_loop().run_in_executor(None, double, 4)
    print(asyncio.run(work()))


def handles_signals():
    signal.signal(signal.SIGUSR1, lambda number, _: print("handled", number))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
    time.sleep(0.1)


def prints_much():
    for number in range(20000):
        print(number)
    print("é ü \u20ac", file=sys.stderr)


if __name__ == "__main__":
    globals()[sys.argv[-1]]()
