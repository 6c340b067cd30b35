"""The thread that seals: journals of runs that have been quiet for a while are rewritten as large blocks. Knows no requests.

Only journals that came over the network, marks among their records: whatever else lies in the root belongs to others, and is
sealed on request (`ml-logger seal`). It works a fifth of the time, and swaps a file while the committing thread stands still.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from ml_logger import keys
from ml_logger.errors import MlLoggerError
from ml_logger.formats import frames
from ml_logger.formats.messages import Mark
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.server.places import decoded
from ml_logger.store.seal import Sealed, seal
from ml_logger.store.seal_packing import UnfitError

QUIET_S = 600.0
"""A run is left alone until it has been quiet for so long."""
EVERY_S = 60.0
_REST = 4.0
"""Seconds of rest for each second of work."""
_TAIL = 1 << 16


class Sealer:
    """Looks after the journals of one served root."""

    def __init__(self, root: SafeRoot, store: Any, between: Callable[[Callable[[], None]], None], quiet_s: float = QUIET_S) -> None:
        """Find runs in `store`; `between` calls what it is given while nobody else writes journals."""
        self._root, self._store, self._between, self._quiet_s = root, store, between, quiet_s
        self._known: dict[str, tuple[int, float]] = {}
        self._stop = threading.Event()
        self._since = 0.0
        self._thread = threading.Thread(target=self._run, name="ml-logger-seal", daemon=True)

    def start(self) -> None:
        """Begin, with the first look in a minute."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Leave the journal at hand as it is, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.look()

    def look(self) -> list[Sealed]:
        """Seal what can be by now, and return what was tried. A journal that cannot be read or written is tried again at the next look."""
        found: list[Sealed] = []
        for run in self._quiet_runs():
            for entry in self._fresh(run):
                if self._stop.is_set():
                    return found
                with contextlib.suppress(OSError, MlLoggerError):
                    found.append(self._seal(entry))
        return found

    def _quiet_runs(self) -> list[str]:
        with self._store.reading():
            snapshot = self._store.snapshot()
            updated = snapshot.field("updated").numbers
            return [key for key, at in zip(snapshot.keys, updated, strict=True) if at < time.time() - self._quiet_s]

    def _fresh(self, run: str) -> list[Entry]:
        """Return the journals of a run that were not considered as they are now."""
        with contextlib.suppress(OSError, MlLoggerError):
            listed = [entry for entry in self._root.scan(run) if entry.name.endswith(keys.JOURNAL_SUFFIX) and not entry.is_dir]
            return [entry for entry in listed if self._known.get(entry.key) != (entry.size, entry.modified)]
        return []

    def _seal(self, entry: Entry) -> Sealed:
        found = Sealed(entry.key, entry.size, entry.size, "it is one batch, or sealed")
        if self._has_batches(entry):
            self._since = time.monotonic()
            found = seal(self._root, entry.key, pause=self._pause, swap=self._between)
        self._known[entry.key] = (found.after, entry.modified)
        return found

    def _pause(self) -> None:
        if self._stop.wait(_REST * (time.monotonic() - self._since)):
            raise UnfitError("the server stops")
        self._since = time.monotonic()

    def _has_batches(self, entry: Entry) -> bool:
        """Tell whether the journal ends with a mark that is not its first: sealing leaves one mark, from 0 on."""
        with self._root.open_read(entry.key) as file:
            file.seek(max(len(frames.MAGIC), entry.size - _TAIL))
            found = [decoded(item) for item in frames.Scanner(file.read()) if isinstance(item, frames.Frame)]
        return bool(found) and isinstance(found[-1], Mark) and found[-1].lo > 0
