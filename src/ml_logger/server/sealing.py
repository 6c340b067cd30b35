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
from ml_logger.errors import MlLoggerError, NotFoundError
from ml_logger.formats import frames
from ml_logger.formats.messages import Mark
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.server.places import decoded
from ml_logger.store.seal import ALIVE, GOES_ON, Sealed, seal
from ml_logger.store.seal_packing import UnfitError

QUIET_S = 600.0
"""A run is left alone until it has been quiet for so long."""
EVERY_S = 60.0
AGAIN_S = 3600.0
"""A run whose writer may go on, or whose files could not be read or written, is looked at again after so long."""
_REST = 4.0
"""Seconds of rest for each second of work."""
_TAILS = 1 << 10, 1 << 16
"""Bytes at a journal's end that are looked at for its last record: few, and more if that is larger."""


class Sealer:
    """Looks after the journals of one served root."""

    def __init__(self, root: SafeRoot, store: Any, between: Callable[[Callable[[], None]], None], quiet_s: float = QUIET_S) -> None:
        """Find runs in `store`; `between` calls what it is given while nobody else writes journals."""
        self._root, self._store, self._between, self._quiet_s = root, store, between, quiet_s
        self._due: dict[str, float] = {}
        self._version: int | None = None
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
            with contextlib.suppress(MlLoggerError):  # the index is out of order: it mends itself, and is asked again
                self.look()

    def look(self) -> list[Sealed]:
        """Seal what can be by now, and return what was tried. Cost: what changed since the last look; at first, every run."""
        self._note_changes()
        found: list[Sealed] = []
        for run in [run for run, at in self._due.items() if at <= time.time()]:
            if self._stop.is_set():
                break
            self._since = time.monotonic()
            tried, is_over = self._look_at(run)
            found += tried
            if is_over:
                del self._due[run]
            else:
                self._due[run] = time.time() + AGAIN_S
            self._stop.wait(_REST * (time.monotonic() - self._since))
        return found

    def _note_changes(self) -> None:
        """Note of each run that changed when it will have been quiet for long enough."""
        with self._store.reading():
            snapshot = self._store.snapshot()
            version, before = snapshot.version, self._version
            if before is None:
                updated = snapshot.field("updated").numbers
                self._due = {key: float(at) + self._quiet_s for key, at in zip(snapshot.keys, updated, strict=True)}
        if before is not None:
            self._due.update((change.run, time.time() + self._quiet_s) for change in self._store.changes(before))
        self._version = version

    def _look_at(self, run: str) -> tuple[list[Sealed], bool]:
        """Seal the journals of a run; return what was tried, and whether that was all for as long as the run does not change."""
        found: list[Sealed] = []
        try:
            journals = [entry for entry in self._root.scan(run) if entry.name.endswith(keys.JOURNAL_SUFFIX) and not entry.is_dir]
            found.extend(self._seal(entry) for entry in journals if self._has_batches(entry))
        except NotFoundError:
            return found, True
        except (OSError, MlLoggerError):
            return found, False
        return found, not any(item.reason in (GOES_ON, ALIVE) for item in found)

    def _seal(self, entry: Entry) -> Sealed:
        return seal(self._root, entry.key, pause=self._pause, swap=self._between)

    def _pause(self) -> None:
        if self._stop.wait(_REST * (time.monotonic() - self._since)):
            raise UnfitError("the server stops")
        self._since = time.monotonic()

    def _has_batches(self, entry: Entry) -> bool:
        """Tell whether the journal ends with a mark that is not its first: sealing leaves one mark, from 0 on."""
        with self._root.open_read(entry.key) as file:
            for tail in _TAILS:
                file.seek(max(len(frames.MAGIC), entry.size - tail))
                found = [item for item in frames.Scanner(file.read()) if isinstance(item, frames.Frame)]
                if found:
                    last = decoded(found[-1])
                    return isinstance(last, Mark) and last.lo > 0
        return False
