"""The open file of a journal, and its lock that says "my writer is alive". Knows no frames: bytes in, all of them or an error."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path

from ml_logger.beneath import is_locked


class JournalFile:
    """An open file of frames with its lock. `write` puts all of a frame at the end, or raises and leaves no torn one."""

    def __init__(self, path: Path) -> None:
        """Create (or go on with) the file `path`, and hold its lock while it is open."""
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._lock()
        self.size = os.fstat(self.fd).st_size

    def _lock(self) -> None:
        """Hold the lock; a file system without locks makes the writer look dead, and it is not joined."""
        for pause in (0.0005, 0.002, 0.0):  # somebody who looks whether we are alive holds it for a moment
            with contextlib.suppress(OSError):
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(pause)

    def write(self, frame: bytes) -> None:
        """Append `frame` with one write; on failure cut off what was written of it and raise `OSError`."""
        written = os.write(self.fd, frame)
        self.size += written
        if written != len(frame):
            self._cut(written)

    def _cut(self, written: int) -> None:
        self.size -= written
        os.ftruncate(self.fd, os.fstat(self.fd).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def is_linked(self) -> bool:
        """Tell whether the file still has a name."""
        return os.fstat(self.fd).st_nlink > 0

    def close(self) -> None:
        """Close it, which releases the lock; the second time does nothing."""
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)


def is_alive(path: Path) -> bool:
    """Tell whether a process holds the journal at `path` open for writing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return is_locked(fd) is not False
    finally:
        os.close(fd)
