"""Runs a command on a terminal of its own, prints what it shows there, and ends as it does.

With a file named first, types Ctrl-C once the file is there.
"""

import os
import pty
import select
import sys
import time

awaited, argv = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
shown = b""
while True:
    if awaited and os.path.exists(awaited):
        awaited = None
        time.sleep(0.3)  # for the spinner to turn
        os.write(terminal, b"\x03")
    if select.select([terminal], [], [], 0.05)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            break
        if not data:
            break
        shown += data
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
