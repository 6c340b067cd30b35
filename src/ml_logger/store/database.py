"""The index on the disk: runs, parameters, summaries and chunks in one SQLite file. Derived: may be deleted at any time.

Knows no run directory. One connection serves all threads: a statement, or a transaction, holds it from beginning to end.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec
import numpy as np
import zstandard

from ml_logger.errors import IndexFaultError

VERSION = 7
BUNDLE_BITS = 5
"""Metrics whose numbers differ in so many of the lowest bits only may share a row of `bundle`."""
_SCHEMA = """
CREATE TABLE run(id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, head BLOB NOT NULL, shape INTEGER NOT NULL);
CREATE TABLE document(run INTEGER PRIMARY KEY, front BLOB NOT NULL, rest BLOB NOT NULL);
CREATE TABLE shape(id INTEGER PRIMARY KEY, names BLOB UNIQUE NOT NULL);
CREATE TABLE writer(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, journal TEXT UNIQUE NOT NULL, state BLOB NOT NULL);
CREATE INDEX writer_run ON writer(run);
CREATE TABLE name(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
CREATE TABLE param(name INTEGER, run INTEGER, number REAL, text TEXT, value BLOB, PRIMARY KEY(name, run)) WITHOUT ROWID;
CREATE TABLE summary(metric INTEGER, run INTEGER, n INTEGER, bad INTEGER, last REAL, text BLOB, low REAL, high REAL, first REAL,
    last_step INTEGER, argmin INTEGER, argmax INTEGER, PRIMARY KEY(metric, run)) WITHOUT ROWID;
CREATE TABLE chunk(metric INTEGER, level INTEGER, run INTEGER, writer INTEGER, seq INTEGER, n INTEGER, bad INTEGER,
    s0 INTEGER, s1 INTEGER, ds INTEGER, r0 INTEGER, dr INTEGER, at INTEGER, blob BLOB,
    PRIMARY KEY(metric, level, run, writer, seq)) WITHOUT ROWID;
CREATE TABLE bundle(block INTEGER, run INTEGER, writer INTEGER, seq INTEGER, members INTEGER, n INTEGER,
    s0 INTEGER, s1 INTEGER, ds INTEGER, r0 INTEGER, dr INTEGER, bads BLOB, data BLOB,
    PRIMARY KEY(block, run, writer, seq, members)) WITHOUT ROWID;
CREATE TABLE blob(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, tokenize="unicode61 tokenchars '_'", prefix='1 2 3');
"""
_PRAGMAS = (
    "page_size=8192", "journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=8192", "cache_size=-65536", "temp_store=MEMORY",
)  # fmt: skip
"""Derived data: after a loss of power the last transactions may be missing, and are read again. Checkpoints sync, so they are rare."""
_MAPPED = 1 << 30
KINDS = ("param", "metric")
"""What a name in a shape can be: an item is the name's number × 4 + its kind × 2 + whether it is a number."""


class Rows(list[tuple[Any, ...]]):
    """All rows of an answer."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows."""
        return self


class _Faults:
    """A context that makes the engine's errors ours; a class, for it is entered at every statement."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, apsw.Error):
            self._database.note_fault(error)
            raise IndexFaultError(str(self._database.folder), str(error)) from error


class Database:
    """The index file, opened for writing by the holder of its lock, else read-only or in memory."""

    def __init__(self, folder: Path, *, write: bool) -> None:
        """Open the index in `folder`; without the lock (another process has it) or the right to write, it is only read."""
        self.folder = folder
        self._lock = _take_lock(folder / "lock") if write else None
        self.writable = self._lock is not None
        self._held = threading.RLock()
        self.words_version = 0
        """Is another after each change of the texts that words are searched in."""
        self._begin()

    def _begin(self) -> None:
        self._is_damaged = False
        with self._faults():
            self._connection = self._open()
        self._names: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._last_shape: tuple[tuple[tuple[str, str, bool], ...], int] = ((), 0)
        for number, name in self.query("SELECT id, name FROM name"):
            self._names[name], self._texts[number] = number, name

    def reopen(self) -> None:
        """Open the file again after a fault, as it was after the last whole transaction; a damaged one is made anew."""
        with self._held:
            with contextlib.suppress(apsw.Error):
                self._connection.close()
            if self._is_damaged and self.writable:
                self._remove()
            self._begin()

    def map_file(self) -> None:
        """Read by way of mapped memory from now on: quick, but all that is read through once counts as memory of this process."""
        for pragma in ("shrink_memory", f"mmap_size={_MAPPED}"):
            self.query(f"PRAGMA {pragma}")

    def _remove(self) -> None:
        for leftover in self.folder.glob("index.sqlite*"):
            leftover.unlink()

    def _open(self) -> apsw.Connection:
        path = self.folder / "index.sqlite"
        if not self.writable:
            with contextlib.suppress(apsw.Error):
                connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
                connection.set_busy_timeout(2000)
                if self._version(connection) == VERSION:
                    return connection
                connection.close()
            return self._created(apsw.Connection(":memory:"))
        try:
            connection = apsw.Connection(str(path))
            if self._version(connection) not in (0, VERSION):
                raise apsw.CorruptError("another version")
        except apsw.Error:  # unreadable, or of another version: derived, so made anew
            self._remove()
            connection = apsw.Connection(str(path))
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.set_busy_timeout(5000)
        return connection if self._version(connection) == VERSION else self._created(connection)

    @staticmethod
    def _version(connection: apsw.Connection) -> int:
        return int(str(connection.execute("PRAGMA user_version").fetchall()[0][0]))

    @staticmethod
    def _created(connection: apsw.Connection) -> apsw.Connection:
        with connection:
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version={VERSION}")
        return connection

    def query(self, sql: str, bindings: tuple[Any, ...] = ()) -> Rows:
        """Run a statement and return its rows; this and all else here raises `IndexFaultError`."""
        with self._held, self._faults():
            return Rows(self._connection.execute(sql, bindings).fetchall())

    def many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement once for each row."""
        with self._held, self._faults():
            self._connection.executemany(sql, rows)

    def last_id(self) -> int:
        """Return the number of the row that was inserted last; to be called in the same transaction."""
        return int(self._connection.last_insert_rowid())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Return a context in which all changes are made, or none; one within another belongs to it."""
        with self._held, self._faults():
            if self._connection.in_transaction:
                yield
                return
            with self._connection:
                yield

    def _faults(self) -> _Faults:
        return _Faults(self)

    def note_fault(self, error: apsw.Error) -> None:
        """Remember whether the file itself is to blame."""
        self._is_damaged |= isinstance(error, (apsw.CorruptError, apsw.NotADBError))

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def name_id(self, name: str, *, make: bool = False) -> int | None:
        """Return the number of a name; with `make`, give it one."""
        found = self._names.get(name)
        if found is None and make:
            self.query("INSERT INTO name(name) VALUES (?)", (name,))
            found = self._names[name] = self.last_id()
            self._texts[found] = name
        if found is None and not self.writable:  # the holder of the lock may have added it meanwhile
            for number, text in self.query("SELECT id, name FROM name WHERE name=?", (name,)):
                found = self._names[text] = number
                self._texts[number] = text
        return found

    def name_of(self, number: int) -> str:
        """Return the name that has a number."""
        if number not in self._texts:
            for found, text in self.query("SELECT id, name FROM name WHERE id=?", (number,)):
                self._names[text], self._texts[found] = found, text
        return self._texts.get(number, "?")

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def shapes(self) -> Rows:
        """Return (number, names as a blob) of all sets of names that runs have."""
        return self.query("SELECT id, names FROM shape")

    def shape_names(self, blob: bytes) -> list[tuple[str, str, bool]]:
        """Return the (kind, name, numeric) in a blob."""
        return [(KINDS[code >> 1 & 1], self.name_of(code >> 2), bool(code & 1)) for code in decode(blob)]

    def shape_id(self, names: Iterable[tuple[str, str, bool]]) -> int:
        """Return the number of a set of names, given one if it is new."""
        listed = tuple(names)
        if listed == self._last_shape[0]:  # runs of a sweep come one after the other
            return self._last_shape[1]
        codes = sorted((self.name_id(name, make=True) or 0) << 2 | KINDS.index(kind) << 1 | numeric for kind, name, numeric in listed)
        blob = encode(codes)
        self.query("INSERT OR IGNORE INTO shape(names) VALUES (?)", (blob,))
        self._last_shape = listed, int(self.query("SELECT id FROM shape WHERE names=?", (blob,))[0][0])
        return self._last_shape[1]

    def metrics_of(self, run: int) -> list[str]:
        """Return the metrics that a run has."""
        found = self.query("SELECT names FROM run JOIN shape ON shape.id=run.shape WHERE run.id=?", (run,))
        return [name for (blob,) in found for kind, name, _ in self.shape_names(blob) if kind == "metric"]

    def fronts(self, runs: list[int]) -> Rows:
        """Return (run, front of its document) for runs."""
        found = self.query("SELECT run, front FROM document WHERE run IN (SELECT value FROM json_each(?))", (json.dumps(runs),))
        return Rows((run, inflated(front)) for run, front in found)

    def writers(self, runs: Iterable[int] | None) -> Rows:
        """Return (number, run, journal, state) of the writers of runs, or of all."""
        sql = "SELECT id, run, journal, state FROM writer"
        if runs is None:
            return self.query(sql)
        return self.query(f"{sql} WHERE run IN (SELECT value FROM json_each(?))", (json.dumps(sorted(runs)),))  # noqa: S608 - no text of a user

    def params_of(self, name: str, runs: list[int]) -> Rows:
        """Return (run, number, value as a blob unless the number is all there is to say) of one parameter."""
        sql = "SELECT run, number, value FROM param WHERE name=? AND run IN (SELECT value FROM json_each(?))"
        return self.query(sql, (self.name_id(name), json.dumps(runs)))

    def summaries_of(self, name: str, runs: list[int]) -> Rows:
        """Return (run, last as a number, last as a blob, and the other fields of a `MetricSummary` in order) of one metric."""
        sql = """SELECT run, last, text, low, high, first, n, bad, last_step, argmin, argmax FROM summary
            WHERE metric=? AND run IN (SELECT value FROM json_each(?))"""
        return self.query(sql, (self.name_id(name), json.dumps(runs)))

    def with_words(self, words: Iterable[str]) -> np.ndarray:
        """Return the runs in whose text all `words` begin a word; numbers come as one text, which is quicker than as rows."""
        wanted = " ".join(f'"{word}"*' for word in words)
        text = self.query("SELECT group_concat(rowid) FROM words WHERE words MATCH ?", (wanted,))[0][0]
        return np.fromstring(text or "", np.int64, sep=",")

    def put_words(self, run: int, text: str) -> None:
        """Set the text of a run that words are searched in."""
        self.words_version += 1
        self.query("INSERT OR REPLACE INTO words(rowid, text) VALUES (?,?)", (run, text))

    def forget_runs(self, runs: list[int]) -> None:
        """Remove all that is indexed of runs."""
        self.words_version += 1
        for run in runs:
            for (names,) in self.query("SELECT names FROM run JOIN shape ON shape.id=run.shape WHERE run.id=?", (run,)):
                codes = decode(names)
                self._forget_values(run, {code >> 2 for code in codes if not code & 2}, {code >> 2 for code in codes if code & 2})
            for table, column in (("writer", "run"), ("words", "rowid"), ("document", "run"), ("run", "id")):
                self.query(f"DELETE FROM {table} WHERE {column}=?", (run,))  # noqa: S608 - from the list above

    def _forget_values(self, run: int, params: set[int], metrics: set[int]) -> None:
        """Remove the values of a run."""
        self.many("DELETE FROM param WHERE name=? AND run=?", ((name, run) for name in params))
        self.many("DELETE FROM summary WHERE metric=? AND run=?", ((metric, run) for metric in metrics))
        levels = [(metric, level, run) for metric in (0, *metrics) for level in (0, 1, 2)]
        chosen = "FROM chunk WHERE metric=? AND level=? AND run=?"
        self.many(f"DELETE FROM blob WHERE id IN (SELECT at {chosen})", levels)  # noqa: S608 - no text of a user
        self.many(f"DELETE {chosen}", levels)
        self.many("DELETE FROM bundle WHERE block=? AND run=?", {(metric >> BUNDLE_BITS, run) for metric in metrics})

    def close(self) -> None:
        """Close the file and release the lock."""
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _take_lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None if another process has it or the place cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def encode(value: Any) -> bytes:
    """Return a document as msgpack."""
    return msgspec.msgpack.encode(value)


def squeezed(blob: bytes) -> bytes:
    """Return a document that is read seldom, or with few others, in less room: 3 µs and 3 ns a byte."""
    return _tools.squeeze(blob)


def inflated(blob: bytes) -> bytes:
    """Return a blob of `squeezed` as it was; raises `ValueError` for one that is damaged."""
    try:
        return _tools.inflate(blob)
    except zstandard.ZstdError as error:
        raise ValueError(f"a document's bytes are damaged: {error}") from error


class _Tools(threading.local):
    """zstd's contexts, which belong to one thread each."""

    def __init__(self) -> None:
        self.squeeze = zstandard.ZstdCompressor(1).compress
        self.inflate = zstandard.ZstdDecompressor().decompress


_tools = _Tools()


def decode(blob: bytes) -> Any:
    """Return the document in a blob."""
    return msgspec.msgpack.decode(blob, ext_hook=lambda code, data: msgspec.msgpack.Ext(code, bytes(data)))
