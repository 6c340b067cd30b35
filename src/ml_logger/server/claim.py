"""One server for one root: its lock, and the check that no newer version wrote there. Knows no sockets."""

from __future__ import annotations

import fcntl
import json
import os
from typing import Any

from ml_logger import keys
from ml_logger.errors import IncompatibleFormatError, NotFoundError, SettingsError, StoreLockedError
from ml_logger.formats import frames
from ml_logger.safe_fs import SafeRoot

LOCK = f"{keys.HOME}/server.lock"
FORMAT = f"{keys.HOME}/format.json"


def check_format(root: SafeRoot) -> None:
    """Note the format of a new root; raises `IncompatibleFormatError` for a newer one, which is left untouched."""
    if not refuse_newer(root):
        root.link_once(FORMAT, json.dumps({"format": frames.VERSION}).encode())


def refuse_newer(root: SafeRoot) -> bool:
    """Tell whether the root's format is noted; raises `IncompatibleFormatError` for a newer one. Writes nothing."""
    try:
        found = int(json.loads(root.read_bytes(FORMAT))["format"])
    except NotFoundError:
        return False
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(str(root.path(FORMAT)), "damaged", "should hold the format of this directory") from error
    if found > frames.VERSION:
        raise IncompatibleFormatError(str(root.path()), found, frames.VERSION)
    return True


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
