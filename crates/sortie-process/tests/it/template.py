"""The smallest template there is; what it does wrong is said by its argument."""
import array, ctypes, os, signal, socket, sys, time

wrong = sys.argv[1] if len(sys.argv) > 1 else ""
channel = socket.socket(fileno=4)
channel.set_inheritable(False)


def say(line):
    channel.sendall(line.encode() + b"\n")


def wait_for(file):
    while not os.path.exists(file):
        time.sleep(0.01)


if wrong == "nonsense":
    say("good morning")
if wrong == "endless":
    channel.sendall(b"x" * 100_000)
if wrong == "hang up":
    channel.close()
    time.sleep(600)
say("ready")
while True:
    header, rights, _, _ = channel.recvmsg(4, 64, socket.MSG_CMSG_CLOEXEC)
    files = array.array("i", rights[0][2])
    length = int.from_bytes(header, "little")
    args = b""
    while len(args) < length:
        args += channel.recv(length - len(args))
    if wrong == "second" and os.path.exists("once"):
        say("refuse the second time")
    open("once", "w").close()
    server = os.getpid()
    job = os.fork()
    if job == 0:
        os.setsid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != server:
            os._exit(0)
        os.dup2(files[0], 1)
        say(f"pid {os.getpid()}")
        if wrong == "impatient":
            os.kill(os.getpid(), 9)
        if not os.read(files[2], 1):
            os._exit(0)
        program, *rest = args.decode().split("\0")[:-1]
        os.execvp(program, [program] + rest)
    for file in files:
        os.close(file)
    if wrong == "dies":
        wait_for("ready")
        os._exit(0)
    if wrong == "babbles":
        wait_for("ready")
        say("good morning")
    if wrong == "deaf":
        time.sleep(600)
    _, status, usage = os.wait4(job, 0)
    if wrong == "mute":
        os._exit(0)
    times = " ".join(str(int(time * 1_000_000)) for time in usage[:2])
    say(f"ended {status} {times} {usage.ru_maxrss}")
    if wrong == "brief":
        os._exit(0)
