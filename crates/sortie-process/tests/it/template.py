"""The smallest template there is; what it does wrong is said by its argument."""
import array, os, socket, sys, time

wrong = sys.argv[1] if len(sys.argv) > 1 else ""
channel = socket.socket(fileno=4)
channel.set_inheritable(False)


def say(line):
    channel.sendall(line.encode() + b"\n")


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
    if wrong == "pid":
        say("pid 1")
    if wrong == "own child":
        say(f"pid {os.fork() or time.sleep(600)}")
    if wrong == "second" and os.path.exists("once"):
        say("refuse the second time")
    open("once", "w").close()
    if os.fork() == 0:
        parent = os.getpid()
        if os.fork() != 0:
            os._exit(0)
        os.setsid()
        while os.getppid() == parent:
            pass
        os.dup2(files[0], 1)
        say(f"pid {os.getpid()}")
        if wrong == "impatient":
            os.kill(os.getpid(), 9)
        if not os.read(files[2], 1):
            os._exit(0)
        program, *rest = args.decode().split("\0")[:-1]
        os.execvp(program, [program] + rest)
    os.wait()
    for file in files:
        os.close(file)
