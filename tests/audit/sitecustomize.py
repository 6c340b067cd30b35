"""On the path of every server that a test starts: the process ends with status 86 if it unpickles or runs another program.

Python imports this by itself at its start. Other programs of the tests (training scripts, the command line) are left alone.
"""

import os
import sys

FORBIDDEN = {
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "subprocess.Popen",
    "pty.spawn",
    "socket.connect",
}


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in FORBIDDEN:
        os.write(2, f"FORBIDDEN {event} {str(arguments)[:200]}\n".encode("utf-8", "replace"))
        os._exit(86)


if "ml_logger.server" in sys.orig_argv:
    sys.addaudithook(_watch)
    os.write(2, b"watched\n")
