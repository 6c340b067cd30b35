"""One server for one root: its lock. Knows no sockets."""

from __future__ import annotations

import fcntl
import json
import os
from typing import Any

from ml_logger import keys
from ml_logger.errors import NotFoundError, StoreLockedError
from ml_logger.safe_fs import SafeRoot

LOCK = f"{keys.HOME}/server.lock"


class Claim:
    """Holds a root for one server process, until the process ends."""

    def __init__(self, root: SafeRoot) -> None:
        """Take the lock; raises `StoreLockedError` that names the address of the server that has it."""
        self._fd = root.open_update(LOCK)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _read(self._fd)
            os.close(self._fd)
            where = f"the server at {holder['url']} (process {holder.get('pid')})" if "url" in holder else "another server"
            raise StoreLockedError(str(root.path()), where) from error

    def tell(self, url: str) -> None:
        """Write the address into the lock, for who finds it taken."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps({"url": url, "pid": os.getpid()}).encode(), 0)


def holder_of(root: SafeRoot) -> str | None:
    """Return the address of the server that has `root` now, or None."""
    try:
        with root.open_read(LOCK) as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return _read(file.fileno()).get("url")
    except NotFoundError:
        pass
    return None


def _read(fd: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(fd, 4096, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
