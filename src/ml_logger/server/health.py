"""Whether what is written becomes durable: a disk that is full, or that fails to sync. Knows no batches."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from ml_logger.errors import ServerBusyError
from ml_logger.server.batches import Limits

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SYNC_FAILURES, _SYNC_WINDOW_S, _READ_ONLY_S = 3, 60.0, 5.0
_PROBE_S = 1.0
_ROOM_BYTES = 1 << 20


class Health:
    """What the disk of a root did lately. `full` and `sync_errors` count."""

    def __init__(self, root: Path, limits: Limits) -> None:
        """Start in good health."""
        self.root, self.limits = root, limits
        self.full = self.sync_errors = 0
        self._is_full = False
        self._full_until = 0.0
        self._failed_at: list[float] = []

    def note(self, error: OSError) -> ServerBusyError:
        """Note a failed write or sync, and return what the client is told."""
        now = time.monotonic()
        if error.errno in _FULL:
            self.full += 1
            self._is_full, self._full_until = True, now + _PROBE_S
            return ServerBusyError("the disk is full", self.limits.full_retry_s, 507)
        self.sync_errors += 1
        self._failed_at = [at for at in self._failed_at if now - at < _SYNC_WINDOW_S] + [now]
        return ServerBusyError(f"the disk failed: {error.strerror}", self.limits.busy_retry_s)

    def note_success(self) -> None:
        """Something was written and synced."""
        self._is_full = False

    def check(self) -> None:
        """Raise `ServerBusyError` if trying now is no use; a full disk is tried again every second."""
        if self.is_read_only:
            raise ServerBusyError("the disk failed to sync", self.limits.full_retry_s)
        if self._full_until > time.monotonic():
            self.full += 1
            raise ServerBusyError("the disk is full", self.limits.full_retry_s, 507)

    @property
    def is_read_only(self) -> bool:
        """Three failed syncs in a minute: nothing is taken for the next seconds, then it is tried again."""
        failed = self._failed_at
        return len(failed) >= _SYNC_FAILURES and time.monotonic() - failed[-1] < _READ_ONLY_S

    @property
    def is_well(self) -> bool:
        """Tell whether a batch would be made durable now."""
        return not self.is_read_only and not (self._is_full and self._free_bytes() < _ROOM_BYTES)

    def _free_bytes(self) -> int:
        try:
            found = os.statvfs(self.root)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize
