"""Following a root: finds run directories, whoever wrote them, and reads what their journals gained.

Knows no database. Live runs are looked at every 0.5 s; the whole root too, or as often as takes a twentieth of the time.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from ml_logger import keys
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.store.legacy import journals_in

LIVE_S = 0.5
SWEEP_S = 0.5
GATHER_S = 0.1
"""A burst of batches is read once it has paused for breath: reading each at once takes the processor from who acknowledges them."""


class Following(Protocol):
    """What a follower needs of a store."""

    root: SafeRoot

    def take_run(self, key: str, journals: list[Entry]) -> bool:
        """Read what the journals of a run gained."""
        ...

    def forget(self, key: str) -> None:
        """Take a run whose directory is gone out of the index."""
        ...


def find_runs(root: SafeRoot, key: str = "") -> Iterator[tuple[str, list[Entry]]]:
    """Yield (key, journals) of all run directories below `key`; those of earlier releases are opened as such (`legacy.py`)."""
    todo = [key]
    while todo:
        here = todo.pop()
        entries = root.scan(here)
        names = {entry.name for entry in entries}
        journals = journals_in(entries)
        if keys.RUN_FILE in names or journals:
            yield here, journals
        todo += [entry.key for entry in entries if entry.is_dir and entry.name != keys.HOME]


def sweep(store: Following, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Look at the whole root once: read what is new, forget what is gone."""
    found = list(find_runs(store.root)) if on_progress else find_runs(store.root)
    total = len(found) if isinstance(found, list) else 0
    seen: set[str] = set()
    for number, (key, journals) in enumerate(found):
        seen.add(key)
        store.take_run(key, journals)
        if on_progress:
            on_progress(number + 1, total)
    known = set(store.catalog.keys)  # type: ignore[attr-defined]
    for key in known - seen:
        if not store.root.is_dir(key):
            store.forget(key)


class Follower:
    """A daemon thread that keeps a store current until it is stopped."""

    def __init__(self, store: Following, live_s: float = LIVE_S, sweep_s: float = SWEEP_S) -> None:
        """Follow the root of `store`."""
        self._store, self._live_s, self._sweep_s = store, live_s, sweep_s
        self._wake = threading.Event()
        self._stopped = False
        self._pokes: set[str] = set()
        self._looking = threading.Lock()
        self.swept = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ml-logger-follow", daemon=True)

    def start(self) -> None:
        """Begin; the first sweep is under way when this returns, and `swept` is set when it is done."""
        self._thread.start()

    def poke(self, run: str) -> None:
        """Look at one run soon, within GATHER_S of the first call."""
        self._pokes.add(run)
        self._wake.set()

    def catch_up(self) -> None:
        """Look at the poked runs before this returns, on the caller's thread: what was acknowledged is then seen."""
        with self._looking:
            for _ in range(len(self._pokes)):
                self._look([self._pokes.pop()])

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread, and wait for that at most `timeout` seconds."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        next_sweep = 0.0
        while not self._stopped:
            if time.monotonic() >= next_sweep:
                start = time.monotonic()
                with contextlib.suppress(OSError):  # the root itself may be away for a while
                    sweep(self._store)
                self.swept.set()
                next_sweep = time.monotonic() + max(self._sweep_s, 20 * (time.monotonic() - start))
            self._look(self._live())
            if self._wake.wait(self._live_s):
                time.sleep(GATHER_S)
                self._wake.clear()
                self.catch_up()

    def _live(self) -> list[str]:
        return list(self._store.live)  # type: ignore[attr-defined]

    def _look(self, runs: list[str]) -> None:
        for key in runs:
            if self._stopped:
                return
            with contextlib.suppress(OSError):  # one run that cannot be read does not stop the others
                if journals := journals_in(self._store.root.scan(key)):
                    self._store.take_run(key, journals)
