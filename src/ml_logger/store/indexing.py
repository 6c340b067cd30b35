"""Indexing one root: what journals gained is read, noted, kept in RAM, and folded into the index when it is worth it.

Knows nothing of questions; `sqlite.py` answers them. All state is guarded by one lock.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ml_logger import keys
from ml_logger.console import say
from ml_logger.errors import IncompatibleFormatError, NotFoundError
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.store import documents, fold
from ml_logger.store.bundles import BundleTable
from ml_logger.store.catalog import Catalog
from ml_logger.store.changes import Changes
from ml_logger.store.chunk_table import ChunkTable
from ml_logger.store.database import Database, decode
from ml_logger.store.live import READ_BYTES, LiveRun
from ml_logger.store.rundir import read_meta
from ml_logger.store.state import State
from ml_logger.store.tails import Tail
from ml_logger.store.tree import Tree

FOLD_ROWS = 4096
"""Rows of a writer's tail that are worth a chunk."""
TAIL_VALUES = 4 << 20
"""Values in all tails together (32 MiB, where they are numbers), above which the longest one is folded, however short it is."""


class Indexer:
    """The index of one root, kept current. Thread-safe."""

    def __init__(self, root: SafeRoot, index: Path, *, write: bool = True) -> None:
        """Open the index in `index`; nothing is read of the root before `refresh`."""
        self.root = root
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self.database = Database(index, write=write)
        self.chunks, self.bundles = ChunkTable(self.database), BundleTable(self.database)
        self.state = State(root)
        self.version = int(time.time() * 1000)
        self.is_caught_up = False  # what is read later was written just now, whatever its times say
        self._changes = Changes()
        self.tree = Tree(root)
        self.unread = 0
        self.problems: dict[str, list[str]] = {}
        self._begin()

    def _begin(self) -> None:
        self.catalog = Catalog(self.database)
        self.catalog.version = self.version
        self.live: dict[str, LiveRun] = {}
        self._weights: dict[str, int] = {}
        self._held = 0
        self._named: dict[int, tuple[int, int, int]] = {}
        self._writer_ids = int(self.database.query("SELECT coalesce(max(id), 0) FROM writer")[0][0])
        self._sizes: dict[str, int] = {
            journal: int(decode(state).get("size", -1)) for journal, state in self.database.query("SELECT journal, state FROM writer")
        }
        self.database.map_file()
        for key, kept in self.state.scan("runs").items():
            if (at := self.catalog.position(key)) is not None:
                self.catalog.set_kept(at, kept)

    def recover(self) -> None:
        """Go on after the index could not be read or written: with what it holds; everything else is read again."""
        with self._lock:
            self.database.reopen()
            self._begin()
            self.tree.forget()

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────

    def take_run(self, key: str, journals: list[Entry], now: float | None = None) -> bool:
        """Read what the journals of a run gained; True if anything changed. `journals` are the run's .mlog files.

        Any exception but `OSError`, `NotFoundError` and `IndexFaultError` is a fault that nobody thought of: see `set_aside`.

        A long journal is read and folded piece by piece: the lock is free between two pieces, memory is bounded.
        """
        now = time.time() if now is None else now
        changed = more = self._take_piece(key, journals, now)
        while more and (run := self.live.get(key)) is not None and run.more:
            more = self._take_piece(key, journals, now)
        return changed

    def set_aside(self, key: str, error: Exception) -> None:
        """Leave a run alone, as far as it was read, until the store is opened again, and go on with what the index holds."""
        self.problems[key] = [f"it cannot be read: {type(error).__name__}: {error}"[:300]]
        say(f"{key or 'the run in the root'}: {self.problems[key][0]}; the other runs are not concerned")
        self.recover()

    def _take_piece(self, key: str, journals: list[Entry], now: float) -> bool:
        with self._lock:
            if key not in self.live and self._is_known(key) and all(self._sizes.get(e.key) == e.size for e in journals):
                return False
            run = self._live(key)
            run.partial, grown = True, False
            for entry in journals:
                grown |= self._read(run, entry)
                if run.values * 8 > READ_BYTES:
                    self.fold_run(run, now)
            run.partial = run.more
            if not grown and not run.changed and not self._has_gone_quiet(run, now):
                return False
            self._note(run, now)
            self._weigh(run)
            if run.is_quiet(now) or run.rows >= FOLD_ROWS * run.growing:
                self.fold_run(run, now)
            elif self._held > TAIL_VALUES:
                self._relieve(now)
            return True

    def _is_known(self, key: str) -> bool:
        """Tell whether the index has a run, and does not think that it is running."""
        at = self.catalog.position(key)
        return at is not None and self.catalog.heads[at].status != "running"

    def watched(self, key: str, journals: list[Entry]) -> list[tuple[str, int]]:
        """Return those of a run's journals that may still grow, as name and bytes read: none once all is said."""
        with self._lock:
            at = self.catalog.position(key)
            is_over = key not in self.live and at is not None and self.catalog.heads[at].status not in ("running", "lost")
            is_plain = all(entry.name.endswith(keys.JOURNAL_SUFFIX) for entry in journals)
            if is_over and is_plain:
                return []
            return [(entry.name, self._sizes.get(entry.key, -1)) for entry in journals]

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """Return a context in which what several runs gained is written at once."""
        with self._lock, self.database.transaction():
            yield

    def _has_gone_quiet(self, run: LiveRun, now: float) -> bool:
        """Tell whether a run that stopped without a word looks otherwise by now than its row says."""
        at = self.catalog.position(run.key)
        if at is None or self.catalog.heads[at].status == run.state(now):
            return False
        run.changed.add("status")
        return True

    def _read(self, run: LiveRun, entry: Entry) -> bool:
        try:
            grown = run.refresh(self.root, entry.key, entry.size, self._next_writer)
        except (OSError, NotFoundError, IncompatibleFormatError) as error:
            run.problems = [str(error)]
            return False
        self._sizes[entry.key] = entry.size  # read whole when this run is let go of: until then it is live
        return grown

    def _next_writer(self) -> int:
        self._writer_ids += 1
        return self._writer_ids

    def _live(self, key: str) -> LiveRun:
        """Return the run that is followed, loading what the index knows of it, or making it new."""
        run = self.live.get(key)
        if run is not None:
            return run
        at = self.catalog.position(key)
        run = self._new_run(key) if at is None else documents.load_run(self.database, int(self.catalog.ids[at]), key)
        run.is_followed = at is not None and self.is_caught_up
        run.meta = read_meta(self.root, key)
        self.live[key] = self.catalog.live[run.id] = run
        return run

    def _new_run(self, key: str) -> LiveRun:
        number = self.catalog.next_id()
        run = LiveRun(number, key)
        run.changed.add("new")
        at = self.catalog.add(number, key, {})
        self.catalog.set_kept(at, self.state.get("runs", key) or {})
        return run

    def _note(self, run: LiveRun, now: float) -> None:
        """Tell everybody who waits that a run changed."""
        at = self.catalog.add(run.id, run.key, run.head(now))
        names = sorted(run.changed_metrics)
        summaries = {name: run.summaries[name].answer() for name in names if name in run.summaries}
        if "params" in run.changed or self._has_other_names(run):
            self.catalog.set_names(at, documents.names_of(run))
        self.catalog.changed(at, run.flat_params() if "params" in run.changed else None, summaries)
        last = max((s.last_step for s in run.summaries.values() if s.last_step is not None), default=None)
        self._announce(run.key, sorted(run.changed), last, names)
        run.changed, run.changed_metrics = set(), set()

    def _has_other_names(self, run: LiveRun) -> bool:
        """Tell whether a run has other metrics, or of another kind, than at the last call."""
        before = self._named.get(run.id)
        self._named[run.id] = (len(run.summaries), sum(summary.numeric for summary in run.summaries.values()), run.attempt)
        return before != self._named[run.id]

    def _announce(self, key: str, what: list[str], last_step: int | None = None, metrics: list[str] | None = None) -> None:
        self.version += 1
        self.catalog.version = self.version
        self._changes.note(key, self.version, what, last_step, metrics)
        self._moved.notify_all()

    def forget(self, is_gone: Callable[[str], bool]) -> None:
        """Take the runs whose keys `is_gone` tells of out of the index, all at once."""
        with self._lock:
            gone = {key for key in self.catalog.keys if is_gone(key)}
            if not gone:
                return
            with self.database.transaction():
                self.database.forget_runs([int(self.catalog.ids[at]) for at in map(self.catalog.position, gone) if at is not None])
            self._sizes = {journal: size for journal, size in self._sizes.items() if journal.rpartition("/")[0] not in gone}
            left = [self.live.pop(key) for key in gone & self.live.keys()]
            for run in left:
                self._weigh(run)
            self.catalog = self.catalog.without(gone)
            for key in sorted(gone):
                self._announce(key, ["gone"])

    # ── folding ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _relieve(self, now: float) -> None:
        """Fold the run that holds the most values in RAM, if they are more than the rows that have to stay open."""
        longest = self.live[max(self._weights, key=self._weights.__getitem__)]
        if longest.rows > 2 * longest.growing:
            self.fold_run(longest, now)

    def _weigh(self, run: LiveRun) -> None:
        """Note how many values of a run are held in RAM."""
        values = run.values if run.key in self.live else 0
        self._held += values - self._weights.pop(run.key, 0)
        if values:
            self._weights[run.key] = values

    def fold_run(self, run: LiveRun, now: float) -> None:
        """Put the tails of a run, but for rows that are open, and what is known of it into the index; a quiet run leaves the RAM."""
        if not self.database.writable:
            return
        with self._lock, self.database.transaction():
            for writer in run.writers.values():
                done = writer.tail if run.is_quiet(now) or writer.reader.ended else writer.tail.split()
                fold.fold(self.database, fold.Where(run.id, writer.id), done.groups())
                writer.tail = Tail() if done is writer.tail else writer.tail
                documents.save_writer(self.database, run, writer)
            run.settle()
            documents.save_run(self.database, run, now)
        if run.is_quiet(now):
            self.live.pop(run.key, None)
            self._named.pop(run.id, None)
            self.catalog.live.pop(run.id, None)
        self._weigh(run)
