"""One writer of one run: which row a call belongs to, what its journal's header says, which attempt it is.

Knows no prefix and no destination; the session makes one for each run key it writes to.
"""

from __future__ import annotations

import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any

from ml_logger import settings as environment
from ml_logger.client.journal import Journal, is_alive
from ml_logger.console import plain
from ml_logger.formats import frames, messages, values
from ml_logger.records import STEP_KEYS

_EXACT = frozenset({float, int, bool, type(None)})
_INT64 = range(-(1 << 63), 1 << 63)


class OpenRow:
    """The row of one table that values are added to: its number, its step, and what of it is to be printed."""

    __slots__ = ("number", "shown", "step")

    def __init__(self, number: int) -> None:
        """Open row `number`, empty."""
        self.number = number
        self.step: int | None = None
        self.shown: dict[str, Any] = {}


class RunWriter:
    """Rows and messages of this process in one run. Thread-safe and re-entrant; `after_fork` makes it a new writer."""

    def __init__(
        self,
        run: str,
        places: Callable[[], Iterator[Path]],
        on_trouble: Callable[[Path, OSError], None],
        on_open: Callable[[Path], None],
        on_row: Callable[[dict[str, Any]], None],
        header: dict[str, Any],
    ) -> None:
        """Prepare a writer of `run`; nothing is touched before the first record.

        `places` gives the directories for the journal, `on_open` gets its path, `on_row` gets each ended row that is to be printed,
        `header` holds fields of `messages.Header` (attempt, launch, rank, run_uuid …).
        """
        self.run = run
        self._places, self._on_trouble, self._on_open = places, on_trouble, on_open
        self._on_row, self._header = on_row, header
        self._lock = RLock()
        self._tables: dict[str, OpenRow] = {}
        self._next_row = 0
        self._warned: set[tuple[str, str]] = set()
        self.epoch = 0
        self.journal = self._new_journal()

    def _new_journal(self) -> Journal:
        name, host = uuid.uuid4().hex, socket.gethostname()
        rank = int(self._header.get("rank", 0))
        head = messages.Header(
            writer=name, run=self.run, epoch=self.epoch, host=host, pid=_pid(), created=time.time(), **{**self._header, "rank": rank}
        )
        safe_host = re.sub(r"[^A-Za-z0-9_]+", "_", host)[:40] or "host"
        return Journal(f"metrics.{safe_host}-{rank}-{name}.mlog", head, self._places(), self._on_trouble, self._on_open)

    def log(self, table: str, logged: dict[str, Any], shown: dict[str, Any] | None) -> None:
        """Add `logged` to the open row of `table`, which ends first if the step changed. Never raises for a value."""
        now = time.time()
        with self._lock:
            row = self._tables.get(table)
            step = _step_of(logged)
            if row is None:
                row = self._open_row(table)
            elif step is not None and step != row.step and row.step is not None:
                self._print(row)
                row = self._open_row(table)
            if step is not None:
                row.step = step
            kept = list(logged.values())
            if not _EXACT.issuperset(map(type, kept)):
                kept = [self._plain(key, value) for key, value in logged.items()]
            self.journal.append_row(table, tuple(logged), row.number, row.step, now, kept)
            if shown:
                row.shown.update(shown)

    def _open_row(self, table: str) -> OpenRow:
        row = self._tables[table] = OpenRow(self._next_row)
        self._next_row += 1
        return row

    def _plain(self, key: str, value: Any) -> Any:
        kept = values.plain(plain(value))
        if values.is_unsupported(kept):
            self._warn_once(key, kept.data.decode("utf-8", "replace"))
        return kept

    def _warn_once(self, key: str, type_name: str) -> None:
        if (key, type_name) not in self._warned:
            self._warned.add((key, type_name))
            from ml_logger.client.journal import say

            say(f"{key!r}: values of type {type_name} cannot be logged; a placeholder is kept (this is said once)")

    def end_row(self, table: str | None = None) -> None:
        """End the open row of `table` (of all tables), and print it; without one nothing happens."""
        with self._lock:
            for name in [table] if table else list(self._tables):
                if row := self._tables.pop(name, None):
                    self._print(row)

    def _print(self, row: OpenRow) -> None:
        if row.shown:
            shown, row.shown = row.shown, {}
            self._on_row(shown)

    def open_step(self, table: str) -> int | None:
        """Return the step of the open row of `table`, if there is one."""
        row = self._tables.get(table)
        return row.step if row else None

    @property
    def last_row(self) -> int:
        """The number of the newest row, −1 if there is none."""
        return self._next_row - 1

    def append(self, message: messages.Message) -> None:
        """Write one message that is no row."""
        with self._lock:
            self.journal.append(message)

    def close(self, reason: str = "") -> None:
        """End all rows and the journal."""
        self.end_row()
        with self._lock:
            self.journal.close(reason)

    def after_fork(self) -> None:
        """Become a new writer in the child: own file, own lock, next epoch; the parent's open rows stay its own."""
        self._lock = RLock()
        self.journal.abandon()
        self._tables, self._next_row = {}, 0
        self.epoch += 1
        self.journal = self._new_journal()


def _step_of(logged: dict[str, Any]) -> int | None:
    """Return the first of the step keys that is an integer of 64 bits, or None."""
    for key in STEP_KEYS:
        if key in logged:
            value = logged[key]
            if type(value) is not int:
                value = _integer(value)
            if value is not None and value in _INT64:
                return value
    return None


def _integer(value: Any) -> int | None:
    """Return an integer that is no Python int (NumPy's, a zero-dimensional array of integers) as one."""
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        return None
    try:
        return int(value.__index__())
    except Exception:  # noqa: BLE001 - a stranger's object may raise anything
        return None


def _pid() -> int:
    import os

    return os.getpid()


def attempt_of(run_dir: Path, launch: str) -> int:
    """Return the attempt of a process that starts to write into `run_dir`: see docs/architecture.md, Attempts.

    It joins the newest attempt if that has the same `launch` or a writer that is alive; else it is the next one.
    """
    found: dict[int, list[tuple[str, Path]]] = {}
    for path in run_dir.glob("*.mlog"):
        if (header := read_header(path)) is not None:
            found.setdefault(header.attempt or 0, []).append((header.launch, path))
    if not found:
        return 0
    newest = max(found)
    joined = any((launch and launch == other) or is_alive(path) for other, path in found[newest])
    return newest if joined else newest + 1


def read_header(path: Path) -> messages.Header | None:
    """Return the header of a journal, or None if it has none that can be read."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return None
    for frame in frames.Scanner(head, len(frames.MAGIC)):
        if isinstance(frame, frames.Frame):
            message = messages.decode(frame.payload)
            return message if isinstance(message, messages.Header) else None
    return None


def provenance(created: float) -> dict[str, Any]:
    """Return what `run.json` says of the place a run came from; costs a few file reads, no process."""
    import platform
    import sys

    return {
        "created": created,
        "host": socket.gethostname(),
        "user": environment.read().user,
        "pid": _pid(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "command": sys.argv[:64],
    }
