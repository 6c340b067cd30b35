"""Indexing one root: what journals gained is read, noted, kept in RAM, and folded into the index when it is worth it.

Knows nothing of questions; `sqlite.py` answers them. All state is guarded by one lock.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from ml_logger import keys
from ml_logger.errors import IncompatibleFormatError, NotFoundError
from ml_logger.formats import values as plain_values
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.store import fold
from ml_logger.store.catalog import Catalog, search_text
from ml_logger.store.changes import Changes
from ml_logger.store.chunk_table import ChunkTable
from ml_logger.store.database import Database, decode, encode
from ml_logger.store.live import READ_BYTES, LiveRun, LiveSummary, LiveWriter
from ml_logger.store.state import State
from ml_logger.store.tails import Tail

FOLD_ROWS = 4096
"""Rows of a run's tail that are worth a chunk."""
TAIL_VALUES = 4 << 20
"""Values in all tails together (32 MiB, where they are numbers), above which a tail is folded however short it is."""


class Indexer:
    """The index of one root, kept current. Thread-safe."""

    def __init__(self, root: SafeRoot, index: Path, *, write: bool = True) -> None:
        """Open the index in `index`; nothing is read of the root before `refresh`."""
        self.root = root
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self.database = Database(index, write=write)
        self.chunks = ChunkTable(self.database)
        self.state = State(root)
        self.catalog = Catalog(self.database)
        self.live: dict[str, LiveRun] = {}
        self.catalog.live = {}
        self.version = int(time.time() * 1000)
        self._changes = Changes()
        self.problems: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {
            journal: int(decode(state).get("size", -1)) for journal, state in self.database.query("SELECT journal, state FROM writer")
        }
        for key, kept in self.state.scan("runs").items():
            if (at := self.catalog.position(key)) is not None:
                self.catalog.set_kept(at, kept)

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────

    def take_run(self, key: str, journals: list[Entry], now: float | None = None) -> bool:
        """Read what the journals of a run gained; True if anything changed. `journals` are the run's .mlog files.

        A long journal is read and folded piece by piece: the lock is free between two pieces, memory is bounded.
        """
        now = time.time() if now is None else now
        changed = more = self._take_piece(key, journals, now)
        while more and (run := self.live.get(key)) is not None and run.more:
            more = self._take_piece(key, journals, now)
        return changed

    def _take_piece(self, key: str, journals: list[Entry], now: float) -> bool:
        with self._lock:
            if key not in self.live and self.catalog.position(key) is not None and all(self._sizes.get(e.key) == e.size for e in journals):
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
            if self._is_due(run, now):
                self.fold_run(run, now)
            return True

    def _has_gone_quiet(self, run: LiveRun, now: float) -> bool:
        """Tell whether a run that stopped without a word looks otherwise by now than its row says."""
        at = self.catalog.position(run.key)
        if at is None or self.catalog.heads[at].get("status") == run.state(now):
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
        self._writer_ids = getattr(self, "_writer_ids", None) or int(
            self.database.query("SELECT coalesce(max(id), 0) FROM writer").fetchall()[0][0]
        )
        self._writer_ids += 1
        return self._writer_ids

    def _live(self, key: str) -> LiveRun:
        """Return the run that is followed, loading what the index knows of it, or making it new."""
        run = self.live.get(key)
        if run is not None:
            return run
        at = self.catalog.position(key)
        run = self._new_run(key) if at is None else self._loaded(int(self.catalog.ids[at]), key)
        run.meta = self._meta(key)
        self.live[key] = self.catalog.live[run.id] = run
        return run

    def _new_run(self, key: str) -> LiveRun:
        number = (max(self.catalog._ids, default=0)) + 1  # noqa: SLF001 - the catalog is the store's own
        run = LiveRun(number, key)
        run.changed.add("new")
        at = self.catalog.add(number, key, {})
        self.catalog.set_kept(at, self.state.get("runs", key) or {})
        return run

    def _loaded(self, number: int, key: str) -> LiveRun:
        run = LiveRun(number, key)
        for (blob,) in self.database.query("SELECT doc FROM run WHERE id=?", (number,)):
            document = plain_values.revive(decode(blob))
            run.params, run.attempt = document["nested"], document["attempt"]
            run.status, run.status_time, run.files = document["status"], document["status_time"], document["files"]
            for name, (last, low, high, first, n, bad, last_step, argmin, argmax) in document["summaries"].items():
                summary = run.summaries[name] = LiveSummary()
                summary.last, summary.low, summary.high, summary.first, summary.n = last, low, high, first, n
                summary.bad, summary.last_step, summary.argmin, summary.argmax = bad, last_step, argmin, argmax
                summary.numeric = low is not None or bad > 0 or n == 0
        for number_, journal, state in self.database.query("SELECT id, journal, state FROM writer WHERE run=?", (number,)).fetchall():
            run.writers[journal] = LiveWriter.restored(number_, journal, decode(state))
        return run

    def _meta(self, key: str) -> dict[str, Any]:
        try:
            found = json.loads(self.root.read_bytes(f"{key}/{keys.RUN_FILE}" if key else keys.RUN_FILE))
        except (NotFoundError, ValueError, OSError):
            return {}
        return found if isinstance(found, dict) else {}

    def _note(self, run: LiveRun, now: float) -> None:
        """Tell everybody who waits that a run changed."""
        at = self.catalog.add(run.id, run.key, run.head(now))
        names = sorted(run.changed_metrics)
        summaries = {name: run.summaries[name].answer() for name in names if name in run.summaries}
        self.catalog.changed(at, run.flat_params() if "params" in run.changed else None, summaries)
        last = max((s.last_step for s in run.summaries.values() if s.last_step is not None), default=None)
        self._announce(run.key, sorted(run.changed), last, names)
        run.changed, run.changed_metrics = set(), set()

    def _announce(self, key: str, what: list[str], last_step: int | None = None, metrics: list[str] | None = None) -> None:
        self.version += 1
        self.catalog.version = self.version
        self._changes.note(key, self.version, what, last_step, metrics)
        self._moved.notify_all()

    def forget(self, key: str) -> None:
        """Take a run whose directory is gone out of the index."""
        with self._lock:
            at = self.catalog.position(key)
            if at is None:
                return
            number = int(self.catalog.ids[at])
            run = self.live.pop(key, None)
            for journal in [name for name in self._sizes if name.rpartition("/")[0] == key]:
                del self._sizes[journal]
            del run
            with self.database.transaction():
                self.database.forget_run(number)
            rest = {k: v for k, v in list(self.live.items()) if k != key}
            heads = [(int(i), k, h) for i, k, h in zip(self.catalog.ids, self.catalog.keys, self.catalog.heads, strict=True) if k != key]
            self._rebuild(heads, rest)
            self._announce(key, ["gone"])

    def _rebuild(self, heads: list[tuple[int, str, dict[str, Any]]], live: dict[str, LiveRun]) -> None:
        """Make the catalog anew without what is gone."""
        self.catalog = Catalog(self.database)
        self.live, self.catalog.live = live, {run.id: run for run in live.values()}
        for number, key, head in heads:
            at = self.catalog.add(number, key, head)
            self.catalog.set_kept(at, head)

    # ── folding ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_due(self, run: LiveRun, now: float) -> bool:
        if not self.database.writable:
            return False
        return run.rows >= FOLD_ROWS or run.is_quiet(now) or sum(other.values for other in list(self.live.values())) > TAIL_VALUES

    def fold_run(self, run: LiveRun, now: float) -> None:
        """Put the tails of a run, but for rows that are open, and what is known of it into the index; a quiet run leaves the RAM."""
        if not self.database.writable:
            return
        with self._lock, self.database.transaction():
            for writer in run.writers.values():
                done = writer.tail if run.is_quiet(now) or writer.reader.ended else writer.tail.split()
                fold.fold(self.database, fold.Where(run.id, writer.id), done.groups())
                writer.tail = Tail() if done is writer.tail else writer.tail
                self._save_writer(run, writer)
            self._save_run(run, now)
        if run.is_quiet(now):
            self.live.pop(run.key, None)
            self.catalog.live.pop(run.id, None)

    def _save_writer(self, run: LiveRun, writer: LiveWriter) -> None:
        state = encode({**writer.saved(), "size": -1 if writer.tail.count else writer.size})  # -1: the open row is loaded at the next start
        self.database.query("INSERT OR REPLACE INTO writer VALUES (?,?,?,?)", (writer.id, run.id, writer.journal, state))

    def _save_run(self, run: LiveRun, now: float) -> None:
        head = run.head(now)
        summaries = {name: _summary_fields(summary) for name, summary in run.summaries.items()}
        document = {
            "params": run.flat_params(), "nested": run.params, "attempt": run.attempt, "status": run.status, "status_time": run.status_time,
            "files": run.files, "summaries": summaries,
        }  # fmt: skip
        blob = encode(plain_values.plain(document))
        self.database.query("INSERT OR REPLACE INTO run VALUES (?,?,?,?)", (run.id, run.key, encode(plain_values.plain(head)), blob))
        if run.dirty_params:
            self._save_params(run, head)
        if run.dirty_summaries:
            rows = [_summary_row(self.database.name_id(name, make=True), run.id, s) for name, s in run.summaries.items()]
            self.database.many("INSERT OR REPLACE INTO summary VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
        run.dirty_params = run.dirty_summaries = False

    def _save_params(self, run: LiveRun, head: dict[str, Any]) -> None:
        flat = run.flat_params()
        rows = [(self.database.name_id(name, make=True), run.id, *_param_fields(value)) for name, value in flat.items()]
        self.database.many("INSERT OR REPLACE INTO param VALUES (?,?,?,?,?)", rows)
        self.database.query("DELETE FROM words WHERE rowid=?", (run.id,))
        self.database.query("INSERT INTO words(rowid, text) VALUES (?,?)", (run.id, search_text(run.key, head, flat)))


def _summary_fields(s: LiveSummary) -> list[Any]:
    return [s.last, s.low, s.high, s.first, s.n, s.bad, s.last_step, s.argmin, s.argmax]


def _summary_row(metric: int | None, run: int, s: LiveSummary) -> tuple[Any, ...]:
    number = float(s.last) if isinstance(s.last, (bool, int, float)) and abs(s.last) < 1e308 else None
    text = None if isinstance(s.last, float) and number is not None else encode(plain_values.plain(s.last))
    first = float(s.first) if isinstance(s.first, (bool, int, float)) and abs(s.first) < 1e308 else None
    return (metric, run, s.n, s.bad, number, text, s.low, s.high, first, s.last_step, s.argmin, s.argmax)


def _param_fields(value: Any) -> tuple[float | None, str | None, bytes]:
    number = float(value) if isinstance(value, (bool, int, float)) and abs(value) < 1e308 else None
    return number, value if isinstance(value, str) else None, encode(plain_values.plain(value))
