"""What is at the bucket, as far as it was seen, and which local files are equal to it: one SQLite file beside the mirror.

Knows no network and no file of the mirror. Safe among the processes of a machine; a connection is not taken through a fork.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_logger.bucket.objects import Thing

Mark = tuple[int, int, int]
"""What tells one local file from another, and from itself after a change: inode, bytes, time of the last change (ns)."""

NO_MARK: Mark = (0, -1, 0)
_TABLES = """
CREATE TABLE IF NOT EXISTS object(key TEXT PRIMARY KEY, size INT, etag TEXT, version TEXT, modified REAL, ino INT, bytes INT, mtime INT)
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_of ON object(ino);
CREATE TABLE IF NOT EXISTS hollow(ino INT PRIMARY KEY, bytes INT, mtime INT, key TEXT);
CREATE TABLE IF NOT EXISTS dirty(key TEXT PRIMARY KEY, stamp REAL, kind TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own(key TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Row(NamedTuple):
    """One object at the bucket, and the local file that was equal to it (`NO_MARK`: none, as for the pieces of a journal)."""

    thing: Thing
    mark: Mark


class Dirty(NamedTuple):
    """A file or a folder that is to be carried: since when (s since the epoch), and how it is merged."""

    key: str
    stamp: float
    kind: str


class Ledger:
    """The ledger in the file `path`."""

    def __init__(self, path: Path) -> None:
        """Open it with the first question."""
        self._path = path
        self._lock = threading.RLock()
        self._pid = 0
        self._kept: list[sqlite3.Connection] = []

    def _do(self, text: str, args: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection().execute(text, args).fetchall()

    def _connection(self) -> sqlite3.Connection:
        if self._pid != os.getpid():  # a parent's connection is kept as it is: closing it here would drop its locks
            fresh = sqlite3.connect(self._path, timeout=20.0, isolation_level=None, check_same_thread=False)
            fresh.execute("PRAGMA journal_mode=WAL")
            fresh.execute("PRAGMA synchronous=NORMAL")
            fresh.executescript(_TABLES)
            self._kept.append(fresh)
            self._pid = os.getpid()
        return self._kept[-1]

    def __del__(self) -> None:
        """Close it; a parent's connection in a child stays as it is."""
        if self._pid == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self._kept[-1].close()

    def after_fork(self) -> None:
        """Take a new lock; the connection is new anyway."""
        self._lock = threading.RLock()

    # ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, key: str) -> Row | None:
        """Return what is known of the object `key`."""
        found = self._do("SELECT * FROM object WHERE key=?", (key,))
        return _row(found[0]) if found else None

    def rows(self, folder: str = "") -> dict[str, Row]:
        """Return what is known of `folder`, of a file of that name, and of all below."""
        if not folder:
            return {item[0]: _row(item) for item in self._do("SELECT * FROM object")}
        args = (folder, f"{folder}/", f"{folder}0")  # "0" comes after "/"
        return {item[0]: _row(item) for item in self._do("SELECT * FROM object WHERE key=? OR (key>? AND key<?)", args)}

    def put(self, thing: Thing, mark: Mark = NO_MARK) -> None:
        """Note an object, and the local file that is equal to it."""
        self._do("INSERT OR REPLACE INTO object VALUES (?,?,?,?,?,?,?,?)", (*thing, *mark))

    def forget(self, keys: Iterable[str]) -> None:
        """Note that objects are gone."""
        for key in keys:
            self._do("DELETE FROM object WHERE key=?", (key,))

    # ── hollow files ─────────────────────────────────────────────────────────────────────────────────────────────

    def hollow(self, mark: Mark) -> str | None:
        """Return the key of the object whose bytes the local file `mark` stands for, or None if it has its own."""
        found = self._do("SELECT key FROM hollow WHERE ino=? AND bytes=? AND mtime=?", mark)
        return found[0][0] if found else None

    def set_hollow(self, mark: Mark, key: str) -> None:
        """Note that the local file `mark` stands for the object `key`. To be called before the file gets its name."""
        self._do("INSERT OR REPLACE INTO hollow VALUES (?,?,?,?)", (*mark, key))

    def equal_to(self, mark: Mark) -> str | None:
        """Return the key of an object that the local file `mark` is equal to, wherever it lies now, or None."""
        found = self._do("SELECT key FROM object WHERE ino=? AND bytes=? AND mtime=?", mark)
        return found[0][0] if found else self.hollow(mark)

    # ── what is to be carried ────────────────────────────────────────────────────────────────────────────────────

    def touch(self, keys: Iterable[str], kind: str = "") -> None:
        """Note that `keys` change, or are about to; `kind` says how they are merged with what others put there: `text`, `params`."""
        now = time.time()
        for key in keys:
            self._do("INSERT OR REPLACE INTO dirty VALUES (?,?,?)", (key, now, kind))

    def dirty(self) -> list[Dirty]:
        """Return what is to be carried, oldest first."""
        return [Dirty(*item) for item in self._do("SELECT key, stamp, kind FROM dirty ORDER BY stamp")]

    def clean(self, done: Dirty) -> None:
        """Note that a key was carried as it was at that time."""
        self._do("DELETE FROM dirty WHERE key=? AND stamp=?", (done.key, done.stamp))

    def own(self, key: str) -> None:
        """Note that the journal `key` is written on this machine, so that the bucket has nothing new of it."""
        self._do("INSERT OR IGNORE INTO own VALUES (?)", (key,))

    def is_own(self, key: str) -> bool:
        """Tell whether the journal `key` is written on this machine."""
        return bool(self._do("SELECT 1 FROM own WHERE key=?", (key,)))


def _row(item: Any) -> Row:
    return Row(Thing(*item[:5]), (item[5], item[6], item[7]))
