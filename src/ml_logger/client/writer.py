"""One writer of one run: which row a call belongs to, what its journal's header says, which attempt it is.

Knows no prefix and no destination; the session makes one for each run key it writes to.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any

from ml_logger import settings as environment
from ml_logger.client.journal import Journal, Shape
from ml_logger.client.journal_file import is_alive
from ml_logger.console import plain, say
from ml_logger.formats import frames, messages, values
from ml_logger.records import STEP_KEYS

_EXACT = frozenset({float, int, bool, type(None)})
_INT64 = range(-(1 << 63), 1 << 63)
_MAX_SHAPES = 4096
_LONGEST_ARGUMENT = 400
_HEAD_BYTES = 1 << 16


class OpenTable:
    """A table of a writer: the row that values are added to, what of it is to be printed, and the lists of names seen so far."""

    __slots__ = ("mark", "number", "shapes", "shown", "step")

    def __init__(self) -> None:
        """Begin without a row."""
        self.number: int | None = None
        self.step: int | None = None
        self.mark: Any = None
        """What was given as the step, whatever it is: when it changes, the row ends."""
        self.shown: dict[str, Any] = {}
        self.shapes: dict[tuple[Any, ...], Shape] = {}


class RunWriter:
    """Rows and messages of this process in one run. Thread-safe and re-entrant; `after_fork` makes it a new writer."""

    def __init__(
        self,
        run: str,
        places: Callable[[], Iterator[Path]],
        on_trouble: Callable[[Path, OSError], None],
        on_open: Callable[[Path], None],
        on_row: Callable[[dict[str, Any]], None],
        rank: int,
        describe: Callable[[], dict[str, Any]],
        is_capped: Callable[[Path], bool] = lambda path: False,
    ) -> None:
        """Prepare a writer of `run`; nothing is touched before the first record.

        `places` gives the directories for the journal, `on_open` gets its path, `on_row` gets each ended row that is to be printed,
        `describe` is asked once, when the first file is opened, for further fields of `messages.Header` (attempt, launch, run_uuid …),
        `is_capped` tells of a directory whether it is a spool.
        """
        self.run = run
        self._places, self._on_trouble, self._on_open = places, on_trouble, on_open
        self._on_row, self._rank, self._describe, self._is_capped = on_row, rank, describe, is_capped
        self._fields: dict[str, Any] | None = None
        self._lock = RLock()
        self._tables: dict[str, OpenTable] = {}
        self._next_row = 0
        self._warned: set[tuple[str, str]] = set()
        self._said = ""
        self.epoch = 0
        self.journal = self._new_journal()

    def _new_journal(self) -> Journal:
        name, host, epoch, created = uuid.uuid4().hex, socket.gethostname(), self.epoch, time.time()
        safe_host = re.sub(r"[^A-Za-z0-9_]+", "_", host)[:40] or "host"

        def header() -> messages.Header:
            if self._fields is None:
                self._fields = self._describe()
            fields = {"writer": name, "run": self.run, "epoch": epoch, "host": host, "rank": self._rank, "pid": os.getpid()}
            return messages.Header(created=created, **{**self._fields, **fields})

        file = f"metrics.{safe_host}-{self._rank}-{name}.mlog"
        return Journal(file, header, self._places, self._on_trouble, self._on_open, self._is_capped)

    def log(self, table: str, logged: dict[str, Any], shown: dict[str, Any] | None) -> None:
        """Add `logged` to the open row of `table`, which ends first if the step changed. Never raises for a value."""
        kept: list[Any] = [*logged.values()]
        if not _EXACT.issuperset(map(type, kept)):
            kept = [self._plain(key, value) for key, value in logged.items()]
        names = tuple(logged)
        with self._lock:
            opened = self._tables.get(table) or self._tables.setdefault(table, OpenTable())
            shape = opened.shapes.get(names) or self._shape(table, names, opened)
            step, mark = _step_of(kept, shape.steps) if shape.steps else (None, None)
            if opened.number is None or (mark is not None and mark != opened.mark and opened.mark is not None):
                self._begin_row(opened)
            if mark is not None:
                opened.step, opened.mark = opened.step if step is None else step, mark
            now = time.time()
            try:
                self.journal.append_row(shape, opened.number, opened.step, now, kept)  # type: ignore[arg-type]
            except (OverflowError, ValueError, TypeError, RecursionError):  # a value that is not plain after all: an int beyond 64 bits
                kept = [self._plain(key, value) for key, value in logged.items()]
                self.journal.append_row(shape, opened.number, opened.step, now, kept)  # type: ignore[arg-type]
            if shown:
                opened.shown.update(shown)

    def _shape(self, table: str, names: tuple[Any, ...], opened: OpenTable) -> Shape:
        """Return a list of names that was not logged before; more than a few thousand are forgotten, and announced again."""
        if len(opened.shapes) >= _MAX_SHAPES:
            opened.shapes.clear()
            self.journal.forget_shapes()
        texts = tuple(_name(name) for name in names)
        steps = tuple(texts.index(key) for key in STEP_KEYS if key in texts)
        shape = opened.shapes[names] = self.journal.shape(table, texts, steps)
        return shape

    def _begin_row(self, opened: OpenTable) -> None:
        self._print(opened)
        opened.number, opened.step, opened.mark = self._next_row, None, None
        self._next_row += 1

    def _plain(self, key: str, value: Any) -> Any:
        kept = values.plain(plain(value))
        if values.is_unsupported(kept):
            self._warn_once(key, kept.data.decode("utf-8", "replace"))
        return kept

    def _warn_once(self, key: str, type_name: str) -> None:
        if (key, type_name) not in self._warned:
            self._warned.add((key, type_name))
            say(f"{key!r}: values of type {type_name} cannot be logged; a placeholder is kept (this is said once)")

    def end_row(self, table: str | None = None) -> None:
        """End the open row of `table` (of all tables), and print it; without one nothing happens."""
        with self._lock:
            for name in [table] if table else list(self._tables):
                if opened := self._tables.get(name):
                    self._print(opened)
                    opened.number = opened.step = opened.mark = None

    def _print(self, opened: OpenTable) -> None:
        if opened.shown:
            shown, opened.shown = opened.shown, {}
            self._on_row(shown)

    def open_step(self, table: str) -> int | None:
        """Return the step of the open row of `table`, if there is one."""
        opened = self._tables.get(table)
        return opened.step if opened else None

    @property
    def last_row(self) -> int:
        """The number of the newest row, −1 if there is none."""
        return self._next_row - 1

    def append(self, message: messages.Message) -> None:
        """Write one message that is no row."""
        if isinstance(message, messages.Status):
            self._said = message.status
        with self._lock:
            self.journal.append(message)

    def settle(self, timeout: float | None, *, durable: bool) -> bool:
        """Wait until nothing waits in memory, and with `durable` until all is on the disk; False if `timeout` s were not enough."""
        settled = self.journal.settle(timeout)
        if durable and settled:
            self.journal.sync()
        return settled

    def close(self, error: BaseException | None = None, timeout: float | None = None) -> None:
        """End all rows and the journal; a stalled disk is waited for, at most `timeout` s.

        A run whose program ends by `error`, and that did not say how it ended, is errored.
        """
        self.end_row()
        with self._lock:
            if error is not None and self.journal.accepted and self._said not in ("completed", "errored"):
                self.journal.append(messages.Status("errored", time.time(), {"error": _said_by(error)}))
            self.journal.close("", timeout)

    def after_fork(self) -> None:
        """Become a new writer in the child: own file, own lock, next epoch; the parent's open rows stay its own."""
        self._lock = RLock()
        self.journal.abandon()
        self._tables, self._next_row = {}, 0
        self.epoch += 1
        self.journal = self._new_journal()


def uncaught() -> BaseException | None:
    """Return the exception that ends this program, if one does: the interpreter notes it before functions of `atexit` run."""
    if hasattr(sys, "ps1") or sys.flags.interactive:  # at a prompt life goes on after an error
        return None
    found = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return found if isinstance(found, BaseException) else None


def _said_by(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:1000]
    except Exception:  # noqa: BLE001 - a stranger's exception may raise anything when it is asked what it says
        return type(error).__name__


def _name(key: Any) -> str:
    """Return the name of a metric as text that UTF-8 can carry; a key of another type by its `str` if that is harmless."""
    if not isinstance(key, str):
        key = str(key) if isinstance(key, (int, float, type(None))) else type(key).__name__
    return key if key.isascii() else key.encode("utf-8", "replace").decode()


def _step_of(kept: list[Any], places: tuple[int, ...]) -> tuple[int | None, Any]:
    """Return the first of the values at `places` that is an integer of 64 bits, or None, and the first that is anything."""
    mark = None
    for place in places:
        value = kept[place]
        if type(value) is int and value in _INT64:
            return value, value if mark is None else mark
        mark = value if mark is None else mark
    return None, mark


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
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    for frame in frames.Scanner(head, len(frames.MAGIC)):
        if isinstance(frame, frames.Frame):
            with contextlib.suppress(ValueError):  # it is no message at all
                message = messages.decode(frame.payload)
                return message if isinstance(message, messages.Header) else None
            return None
    return None


def origin() -> dict[str, Any]:
    """Return what `run.json` says of the program and of its place; costs a few file reads, no process. A long command is cut off."""
    system = os.uname()
    return {
        "user": environment.read().user,
        "python": sys.version.split()[0],
        "platform": f"{system.sysname}-{system.release}-{system.machine}",  # `platform` would start a process to find out
        "command": [_name(part[:_LONGEST_ARGUMENT]) for part in sys.argv[:64]],
    }


def provenance(version: str) -> dict[str, Any]:
    """Return what `run.json` says of a run that begins now, besides its names."""
    return {"created": time.time(), "host": socket.gethostname(), "pid": os.getpid(), "version": version, **origin()}
