"""Real `metrics.pkl` files for people who asked for them (`configure(metrics_pkl=True)`). Knows no session.

They are made from the journals, whole and at once, when rows were ended: at `flush()`, but no more often than keeps its cost
below a twentieth of the time, and at the end. What is read through ml-logger always comes from the journals.
"""

from __future__ import annotations

import time

from ml_logger.errors import StoreError
from ml_logger.safe_fs import SafeRoot

_SHARE = 20
_LEAST_S = 1.0


class PlainRows:
    """Keeps the tables of one run of a directory as pickles beside their journals."""

    def __init__(self, files: SafeRoot, run: str) -> None:
        """Write below the run `run` of `files`."""
        self._files, self._run, self._next = files, run, 0.0

    def __call__(self, *, last: bool) -> None:
        """Write them if it is time, or if it is the last time."""
        from ml_logger.query import direct
        from ml_logger.store.rundir import RunDir

        started = time.monotonic()
        if started < self._next and not last:
            return
        try:
            for table in RunDir(self._files, self._run).refresh().tables():
                key = f"{self._run}/{table}" if self._run else table
                if table.endswith(".pkl"):
                    self._files.write_bytes(key, b"".join(direct.view(self._files, key)))
        except (OSError, StoreError, LookupError):
            pass  # the journals hold everything; the next time may do better
        self._next = time.monotonic() + max(_LEAST_S, _SHARE * (time.monotonic() - started))
