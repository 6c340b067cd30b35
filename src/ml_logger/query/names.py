"""The names that runs have, counted no more often than it is worth: counting looks at every parameter of every run."""

from __future__ import annotations

import time
from threading import Lock

from ml_logger.store.base import ColumnInfo, Snapshot

_PATIENCE = 20
"""Names are counted again after so many times the duration that counting took."""


class Names:
    """The parameters and metrics of a snapshot; of a slightly older one where the runs are many. Thread-safe."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = Lock()
        self._found: list[ColumnInfo] = []
        self._version = -1
        self._runs = -1
        self._next = 0.0

    def of(self, snapshot: Snapshot) -> list[ColumnInfo]:
        """Return the names of `snapshot`; they may lag by twenty times the time it takes to count them."""
        with self._lock:
            now = time.monotonic()
            if snapshot.version == self._version and len(snapshot) == self._runs:
                return self._found
            if self._runs == len(snapshot) and now < self._next:
                return self._found
            self._version, self._runs = snapshot.version, len(snapshot)
            self._found = snapshot.names()
            took = time.monotonic() - now
            self._next = now + took * (1 + _PATIENCE)
            return self._found
