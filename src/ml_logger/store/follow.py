"""Following a root: finds run directories, whoever wrote them, and reads what their journals gained.

Knows no database. Live runs and the folders above runs are looked at every 0.5 s, all other runs every 10 s, or as often as
takes a hundredth of the time: a root at rest costs next to nothing, however many runs it has.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from ml_logger import keys
from ml_logger.console import say
from ml_logger.errors import IndexFaultError, MlLoggerError, NotFoundError
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.store.legacy import journals_in, tells_a_run
from ml_logger.store.tree import Tree


class Look(NamedTuple):
    """How often something is looked at: every so many seconds, or `times` the CPU time that it took, if that is longer."""

    at_least_s: float
    times: float


FOLDERS, RUNS, EVERYTHING = Look(0.5, 100), Look(10.0, 100), Look(3600.0, 1000)
"""Directories above runs; those of runs, too; each of them listed, whatever its time of change says."""
AFTER_FAULT_S = 5.0
"""What went wrong is tried again after so long."""
UNFORESEEN = (MlLoggerError, OSError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
LIVE_S = 0.5
TURN_S, LONG_TURN_S, YIELD_S = 0.05, 0.25, 0.001
"""Of new runs so many are read at once (of very many, MANY, more: each turn writes much the same pages), and a breath is taken between."""
MANY = 1000
LONG = 1 << 20
"""Bytes of journals above which a run is read by itself."""
GATHER_S = 0.1
"""A burst of batches is read once it has paused for breath: reading each at once takes the processor from who acknowledges them."""


class Following(Protocol):
    """What a follower needs of a store."""

    root: SafeRoot
    tree: Tree
    unread: int
    """Runs that were found and are still to be read; −1 during the first look for them."""
    is_caught_up: bool
    """Whether the first look over the whole root is done."""
    problems: dict[str, list[str]]
    """Why runs were set aside."""

    def take_run(self, key: str, journals: list[Entry]) -> bool:
        """Read what the journals of a run gained."""
        ...

    def gathering(self) -> AbstractContextManager[object]:
        """Return a context in which what several runs gained is written at once."""
        ...

    def watched(self, key: str, journals: list[Entry]) -> list[tuple[str, int]]:
        """Return those of a run's journals that may still grow, as name and bytes read: none once all is said."""
        ...

    def set_aside(self, key: str, error: Exception) -> None:
        """Leave a run alone, and go on with what the index holds."""
        ...

    def recover(self) -> None:
        """Go on after an `IndexFaultError`."""
        ...

    def forget(self, is_gone: Callable[[str], bool]) -> None:
        """Take the runs whose directories are gone out of the index."""
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


def sweep(store: Following, on_progress: Callable[[int, int], None] | None = None, *, deep: bool = True) -> float:
    """Look at the whole root once, or only at the folders above runs: read what is new, forget what is gone.

    Returns the seconds of CPU time that looking took, without reading. Raises `NotFoundError` if there is no root;
    nothing is forgotten then.
    """
    tree, start = store.tree, time.thread_time()
    found = list(tree.look(deep=deep))
    looked = time.thread_time() - start
    take_runs(store, found, on_progress)
    if tree.has_lost:
        tree.has_lost = False
        store.forget(lambda key: not tree.has_run(key) and _is_gone(store.root, key))
    return looked


def _is_gone(root: SafeRoot, key: str) -> bool:
    """Tell whether there is no run at `key`: one that was told of may lie where only a deep look goes."""
    try:
        return not root.scan(key, tells_a_run)
    except OSError:
        return False


def take_runs(store: Following, found: list[str], on_progress: Callable[[int, int], None] | None = None) -> None:
    """Read what these runs gained, several at a time: whoever asks meanwhile gets a turn in between."""
    done = 0
    turn = TURN_S if len(found) < MANY else LONG_TURN_S
    while done < len(found):
        until = time.monotonic() + turn
        try:
            done = _take_some(store, found, done, until)
        except OddRunError as odd:  # what was gathered with it is taken back, and read again without it
            store.set_aside(odd.key, odd.error)
        if on_progress:
            on_progress(done, len(found))
        if done < len(found):
            time.sleep(YIELD_S)


def _take_some(store: Following, found: list[str], done: int, until: float) -> int:
    """Read on from the run at `done`, until it is time for others to have a turn; returns how far it came."""
    with store.gathering():
        while done < len(found) and time.monotonic() < until and _take(store, found[done], LONG):
            done += 1
    if done < len(found) and time.monotonic() < until:  # it has very much to read, and takes turns itself
        _take(store, found[done])
        done += 1
    return done


def _take(store: Following, key: str, most: float = math.inf) -> bool:
    """Read what one run gained, and have it watched as it needs; False if that may be more than `most` bytes."""
    if key in store.problems:
        return True
    with _alone(key):
        journals = journals_in(store.root.scan(key, tells_a_run))
        if sum(entry.size for entry in journals) > most:
            return False
        store.take_run(key, journals)
        store.tree.watch(key, store.watched(key, journals))
    return True


class OddRunError(Exception):
    """Reading a run met a fault that nobody thought of."""

    def __init__(self, key: str, error: Exception) -> None:
        """Name the run and the fault."""
        super().__init__(key, error)
        self.key, self.error = key, error


@contextlib.contextmanager
def _alone(key: str) -> Iterator[None]:
    """Return a context in which a run that cannot be read does not stop the others; raises `OddRunError` if it is to be set aside."""
    try:
        yield
    except (OSError, NotFoundError):
        pass
    except IndexFaultError:
        raise
    except Exception as error:
        raise OddRunError(key, error) from error


@contextlib.contextmanager
def _mended(store: Following) -> Iterator[None]:
    """Return a context after which the store goes on, whatever happened to its index: a full disk, a damaged file."""
    try:
        yield
    except IndexFaultError:
        with contextlib.suppress(IndexFaultError):
            store.recover()


class Follower:
    """A daemon thread that keeps a store current until it is stopped."""

    def __init__(self, store: Following, live_s: float = LIVE_S, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Follow the root of `store`; `on_progress(done, runs)` is called now and then while MANY runs or more are read."""
        self._store, self._live_s, self._on_progress = store, live_s, on_progress
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._pokes: set[str] = set()
        self._looking = threading.Lock()
        self._due = {FOLDERS: 0.0, RUNS: 0.0, EVERYTHING: time.monotonic() + EVERYTHING.at_least_s}
        self.swept = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ml-logger-follow", daemon=True)

    def start(self) -> None:
        """Begin; the first sweep is under way when this returns, and `swept` is set when it is done."""
        self._store.unread = -1
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
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._step()

    def _step(self) -> None:
        try:
            self._sweep()
            self._look(self._live())
            if self._wake.wait(self._live_s):
                time.sleep(GATHER_S)
                self._wake.clear()
                self.catch_up()
        except UNFORESEEN as error:  # without this thread pages stand still, and say that they are live
            say(f"following the root failed: {type(error).__name__}: {error}; it goes on in {AFTER_FAULT_S:g} s")
            self._stopped.wait(AFTER_FAULT_S)

    def _sweep(self) -> None:
        """Make the most thorough look that is due."""
        now = time.monotonic()
        look = next((look for look in (EVERYTHING, RUNS, FOLDERS) if now >= self._due[look]), None)
        if look is None:
            return
        if look is EVERYTHING:
            self._store.tree.forget()
        start, looked = time.thread_time(), None
        with contextlib.suppress(OSError, NotFoundError), _mended(self._store):  # the root itself may be away for a while
            looked = sweep(self._store, self._say, deep=look is not FOLDERS)
        self._store.unread = 0
        self._store.is_caught_up = True
        self.swept.set()
        spent = time.thread_time() - start if looked is None else looked
        for done in (FOLDERS, RUNS, EVERYTHING)[: (FOLDERS, RUNS, EVERYTHING).index(look) + 1]:
            wait = max(done.at_least_s, done.times * spent)
            self._due[done] = time.monotonic() + (max(wait, AFTER_FAULT_S) if looked is None else wait)

    def _say(self, done: int, runs: int) -> None:
        self._store.unread = runs - done
        if self._on_progress and runs >= MANY:
            self._on_progress(done, runs)

    def _live(self) -> list[str]:
        return list(self._store.live)  # type: ignore[attr-defined]

    def _look(self, runs: list[str]) -> None:
        for key in runs:
            if self._stopped.is_set():
                return
            if key in self._store.problems:
                continue
            try:
                with _mended(self._store), _alone(key):
                    if journals := journals_in(self._store.root.scan(key, tells_a_run)):
                        self._store.take_run(key, journals)
            except OddRunError as odd:
                self._store.set_aside(odd.key, odd.error)
