"""One user's connection to one root: which run, which prefix, which destination. Two verbs carry all of the public methods.

`emit(record)` writes, `ask(query)` reads. Knows nothing of what a method is called, and nothing of terminals but when
an ended row is handed to the printer.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from ml_logger import elsewhere, keys, settings
from ml_logger.client import spool
from ml_logger.client.base import NamedRecord, Stored, blocks_of, writes
from ml_logger.client.destinations import make_destination
from ml_logger.client.directory import DirectoryDestination
from ml_logger.client.journal import Journal
from ml_logger.client.writer import RunWriter, attempt_of, origin, provenance, uncaught
from ml_logger.console import Printer, say
from ml_logger.errors import DeliveryError, InvalidKeyError
from ml_logger.formats import messages, values
from ml_logger.records import METRICS_TABLE, Archive, Copy, EndRow, File, Move, Params, Record, Remove, Row, Signal, Status, Text

EXIT_HEALTHY_S, EXIT_UNHEALTHY_S = 9.0, 0.5  # with what a busy machine adds, 10 s and 0.5 s are promised


class Place(NamedTuple):
    """Where a method's relative names start: a prefix, and what is put before the names of metrics."""

    prefix: str
    metrics: str = ""


class Session:
    """State behind a logger. Thread-safe; after a fork the child is a further writer of the same run."""

    def __init__(self, root: str, prefix: str, *, env: settings.Settings, printer: Printer | None = None) -> None:
        """Log to `root` (a path or an http address) into the run `prefix`; nothing is created before the first record."""
        self.root, self.env = root, env
        self.printer = printer or Printer(color=env.color)
        self.destination = make_destination(root, env)
        self._nudge = None if isinstance(self.destination, DirectoryDestination) else self.destination.nudge
        self.run = keys.run_key(prefix)
        self._place: ContextVar[Place | None] = ContextVar("place", default=None)
        self.inner_place = self._place.get
        """Return the place that a `placed` block of this thread or task set, or None."""
        self._writers: dict[str, RunWriter] = {}
        self._opening = RLock()
        self._main: RunWriter | None = None
        self._troubles: set[str] = set()
        self.state: dict[str, Any] = {}
        self.before_close: list[Callable[[], Any]] = []
        self.first_write: Callable[[], None] | None = None
        self.asynchronous = True
        self.attempt: int | None = None
        self.launch = env.launch or os.urandom(8).hex()
        """What makes writers one attempt: the launcher's, or our own, so that forked children are one attempt though each soon ends."""
        self._closed = False
        self.plain_rows: Callable[..., None] | None = None
        """Keeps real `metrics.pkl` files, if that was asked for."""
        _SESSIONS.add(self)

    # ── where ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def place(self) -> Place:
        """The current prefix, of this thread or task."""
        return self._place.get() or Place(self.run)

    @contextlib.contextmanager
    def placed(self, place: Place) -> Iterator[None]:
        """Let names start at `place` inside the block, in this thread or task only."""
        token = self._place.set(place)
        try:
            yield
        finally:
            self._place.reset(token)

    def key(self, *parts: str) -> str:
        """Return the key that `parts` name from the current prefix; `//x` (a local file system path) and `s3://…` stay as they are."""
        for at in reversed(range(len(parts))):
            if parts[at].startswith(("//", *elsewhere.SCHEMES)):
                return "/".join(parts[at:])
        key = keys.resolve(self.place.prefix, *parts)
        if any(part.casefold() == keys.HOME for part in key.split("/")):
            raise InvalidKeyError(key, "is kept by ml-logger itself")
        return key

    # ── the two verbs ────────────────────────────────────────────────────────────────────────────────────────────

    def emit(self, record: Record) -> Stored | None:
        """Write `record`: it is in the journal when this returns. File records return what was stored."""
        if type(record) is Row and self._main is not None and self.inner_place() is None:
            stored = self._main.log(record.table, record.values, record.shown)  # the short way of nearly all records
        else:
            stored = _EMIT[type(record)](self, record)
        if self._nudge is not None:
            self._nudge()
        if not self.asynchronous:
            self.destination.drain(None, durable=False)
        return stored

    def ask(self, query: Any) -> Any:
        """Answer `query`, with all that this session wrote before; raises what `errors.py` says."""
        return self.destination.ask(query)

    def read(self, path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Stream the bytes of a file; raises `NotFoundError` at the first."""
        return (elsewhere if elsewhere.is_elsewhere(path) else self.destination).read(path, start, stop)

    def command(self, command: Any) -> Any:
        """Carry out a command of `commands.py`."""
        return self.destination.command(command)

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _log(self, record: Row) -> None:
        place = self.inner_place()
        if place is None:
            writer, table = self._main or self._open(self.run), record.table
        else:
            run, table = self._run_of(place.prefix, record.table)
            writer = self._writers.get(run) or self._open(run)
        writer.log(table, record.values, record.shown)

    def _run_of(self, prefix: str, table: str) -> tuple[str, str]:
        """Return the run that a table seen from `prefix` belongs to, and its path in that run."""
        if prefix == self.run or (self.run and not prefix.startswith(self.run + "/")):
            return prefix, table
        return self.run, f"{prefix[len(self.run) :].lstrip('/')}/{table}".lstrip("/")

    def _writer(self) -> RunWriter:
        run, _ = self._run_of(self.place.prefix, METRICS_TABLE)
        return self._writers.get(run) or self._open(run)

    def _open(self, run: str) -> RunWriter:
        """Return the writer of `run`, a new one if need be; its files appear with the first record."""
        with self._opening:
            return self._writers.get(run) or self._new_writer(keys.run_key(run))

    def _new_writer(self, run: str) -> RunWriter:
        if self.first_write is not None:
            first, self.first_write = self.first_write, None
            first()
        opened, describe = partial(self._opened, run), partial(self._describe, run)
        places, show = partial(self._places, run), self.printer.row
        writer = RunWriter(run, places, self._trouble, opened, show, self.env.rank, describe, spool.is_slot)
        self._writers[run] = writer
        if run == self.run:
            self._main = writer
        return writer

    def _describe(self, run: str) -> dict[str, Any]:
        """Return fields for the header of a writer, when its first file is opened: at a directory this creates the run."""
        header: dict[str, Any] = {"launch": self.launch, "attempt": None, "version": version()}
        self._register(run, header)
        if run == self.run:
            settings.export_child_run(json.dumps({"root": self.root, "run": run, "attempt": header["attempt"]}))
        return header

    def _register(self, run: str, header: dict[str, Any]) -> None:
        """Create the run at a directory, and find out which attempt this is; a server does both by itself."""
        if not isinstance(self.destination, DirectoryDestination):
            header["origin"] = origin()
            return
        try:
            joined = self.attempt if run == self.run else None
            header["attempt"] = attempt_of(self.destination.journal_dir(run), self.launch) if joined is None else joined
            header["run_uuid"] = self.destination.create_run(run, provenance(version()))
        except OSError as error:
            self._trouble(None, error)

    def _opened(self, run: str, journal: Path) -> None:
        """Take notice of a journal's new file; if the whole run was deleted, it becomes a run again. After `close` one begins anew."""
        self._closed = False
        self.destination.opened(journal, run)
        if isinstance(self.destination, DirectoryDestination) and journal.parent == self.destination.files.path(run):
            with contextlib.suppress(OSError, ImportError):  # ImportError: the interpreter ends
                if not self.destination.files.exists(f"{run}/{keys.RUN_FILE}"):
                    self.destination.create_run(run, provenance(version()))

    def _places(self, run: str) -> Iterator[Path]:
        """Yield directories for a journal: the destination's, then the spools."""
        yield self.destination.journal_dir(run)
        yield from spool.fallbacks(self.root, run, self.env)

    def _trouble(self, path: Path | None, error: OSError) -> None:
        """Say once for each place (None: the root) that it can't be written; the journal says it when records are lost."""
        name = self.root if path is None or str(path).startswith(self.root) else str(path)
        if name not in self._troubles:
            self._troubles.add(name)
            say(f"cannot write {name} ({error.strerror or error}); records go to the spool, `ml-logger sync` brings them back")

    # ── other records ────────────────────────────────────────────────────────────────────────────────────────────

    def _end_row(self, record: EndRow) -> None:
        if record.table is not None:
            run, table = self._run_of(self.place.prefix, record.table)
            if writer := self._writers.get(run):
                writer.end_row(table)
            return
        for writer in list(self._writers.values()):
            writer.end_row()

    def _check(self, record: NamedRecord) -> None:
        """Raise `InvalidKeyError` for a record that names what cannot be written: before any journal tells of it."""
        if any(map(elsewhere.is_elsewhere, writes(record))):
            raise InvalidKeyError(writes(record)[-1], "lies outside of the root: only whole files are saved and loaded there")
        self.destination.check(record, ask=not self.asynchronous)
        named = isinstance(record, (File, Text, Params)) and not record.path.startswith("//")
        if named and keys.in_scope(self.run, f"{keys.clean(record.path)}/**"):
            raise InvalidKeyError(record.path, "is a directory; name a file in it")

    def _params(self, record: Params) -> None:
        self._check(record)
        plain = values.plain(record.values)
        self._writer().append(messages.Params(plain, record.path, time.time()))
        if isinstance(self.destination, DirectoryDestination):
            try:
                self.destination.merge_params(record.path, plain)
            except OSError as error:
                self._trouble(None, error)

    def _text(self, record: Text) -> None:
        self._check(record)
        text = record.text.encode("utf-8", "replace").decode()
        self._writer().append(messages.Text(text, record.path, record.overwrite, time.time()))
        try:
            self.destination.write_text(record.path, text, overwrite=record.overwrite)
        except OSError as error:
            self._trouble(None, error)

    def _file(self, record: File) -> Stored:
        if elsewhere.is_elsewhere(record.path) and not record.append:
            return Stored(record.path, size=elsewhere.write(record.path, blocks_of(record)))
        self._check(record)
        stored = self.destination.apply(record)
        step = record.step if record.step is not None else self._writer().open_step(METRICS_TABLE)
        self._writer().append(
            messages.File(stored.path, stored.sha256, stored.size, time.time(), step, record.kind, record.append, values.plain(record.meta))
        )
        return stored

    def _remove(self, record: Remove) -> Stored:
        self._check(record)
        self._writer().append(messages.Clear(record.path, self._writer().last_row, time.time()))
        return self.destination.apply(record)

    def _operate(self, record: Move | Copy | Archive) -> Stored:
        self._check(record)
        verb = type(record).__name__.lower()
        args = {name: getattr(record, name) for name in record.__struct_fields__}
        stored = self.destination.apply(record)
        self._writer().append(messages.Op(verb, args, time.time()))
        return stored

    def _status(self, record: Status) -> None:
        self._writer().append(messages.Status(record.status, time.time(), values.plain(record.details)))

    def _signal(self, record: Signal) -> None:
        self._writer().append(messages.Signal(record.name, values.plain(record.value), record.seen, time.time()))

    # ── ending ───────────────────────────────────────────────────────────────────────────────────────────────────

    def flush(self, timeout: float | None = None, *, durable: bool = False) -> None:
        """End open rows; with `timeout` (s) or `durable` wait for all acknowledgements. Raises `DeliveryError`, and what was refused."""
        self._end_row(EndRow())
        self.printer.flush()
        if self.plain_rows is not None:
            self.plain_rows(last=False)
        if timeout is None and not durable:
            return
        started = time.monotonic()
        settled = [writer.settle(timeout, durable=durable) for writer in list(self._writers.values())]
        left = None if timeout is None else max(0.0, timeout - (time.monotonic() - started))
        if not self.destination.drain(left, durable=durable) or not all(settled):
            counts = self.status()
            raise DeliveryError(counts["accepted"] - counts["acked"] - counts["dropped"], str(self.root), counts["state"])

    def status(self) -> dict[str, Any]:
        """Return counters of records: accepted, journaled, acked, dropped, duplicates, and spool_bytes and state."""
        journals = [writer.journal for writer in self._writers.values()]
        delivery = self.destination.delivery()
        local = type(self.destination) is DirectoryDestination  # a network directory delivers, as a server does
        away = [journal for journal in journals if journal.moved and local]
        return {
            "accepted": sum(journal.accepted for journal in journals),
            "journaled": sum(journal.journaled for journal in journals),
            "acked": sum(journal.at_home for journal in journals) if local else delivery.acked,
            "dropped": sum(journal.dropped for journal in journals) + delivery.dropped,
            "duplicates": delivery.duplicates,
            "rejected": delivery.rejected,
            "retries": delivery.retries,
            "spool_bytes": delivery.spool_bytes + sum(journal.waiting for journal in journals) + sum(journal.size for journal in away),
            "state": self._state(journals, delivery.state),
        }

    def _state(self, journals: list[Journal], delivered: str) -> str:
        if self._closed:
            return "closed"
        if any(journal.waiting for journal in journals):
            return "stalled"
        return "fallback" if any(journal.moved for journal in journals) else delivered

    def close(self, error: BaseException | None = None) -> None:
        """End all rows, say that `error` ended the program, write END, deliver within the exit timeout, let go; twice is fine."""
        if self._closed:
            return
        for act in self.before_close:
            act()
        self._closed = True
        healthy = self.destination.delivery().state in ("ok", "connecting")  # no answer yet: the destination gives it half a second
        limit = EXIT_HEALTHY_S if healthy else EXIT_UNHEALTHY_S
        limit = limit if self.env.exit_timeout is None else min(limit, self.env.exit_timeout)
        for writer in list(self._writers.values()):
            writer.close(error, self.env.exit_timeout)
        self.printer.flush()
        if self.plain_rows is not None:
            self.plain_rows(last=True)
        self.destination.close(limit)
        if any(writer.journal.moved for writer in self._writers.values()):
            self.destination.recover([*self._writers], self.env.spool)

    def __del__(self) -> None:
        """End the journals of a logger that nobody holds any more, without waiting; what is on its way is delivered at exit."""
        if getattr(self, "_closed", True) or not self._writers or sys.is_finalizing():
            return
        journals = [writer.journal for writer in self._writers.values()]
        for writer in self._writers.values():
            writer.close(timeout=0.0)
        is_done = type(self.destination) is DirectoryDestination and self.plain_rows is None
        if is_done and not any(journal.waiting or journal.moved for journal in journals):
            self.printer.flush()
            self._closed = True
        else:
            _DROPPED.append(self)

    def after_fork(self) -> None:
        """Become a further writer in a forked child."""
        self._opening = RLock()
        self.destination.after_fork()
        for writer in self._writers.values():
            writer.after_fork()


_EMIT: dict[type, Any] = {
    Row: Session._log,  # noqa: SLF001
    EndRow: Session._end_row,  # noqa: SLF001
    Params: Session._params,  # noqa: SLF001
    Text: Session._text,  # noqa: SLF001
    File: Session._file,  # noqa: SLF001
    Remove: Session._remove,  # noqa: SLF001
    Move: Session._operate,  # noqa: SLF001
    Copy: Session._operate,  # noqa: SLF001
    Archive: Session._operate,  # noqa: SLF001
    Status: Session._status,  # noqa: SLF001
    Signal: Session._signal,  # noqa: SLF001
}


def version() -> str:
    """Return the version of this package, for the headers of journals."""
    return getattr(sys.modules.get("ml_logger"), "__version__", "")


_SESSIONS: weakref.WeakSet[Session] = weakref.WeakSet()
_DROPPED: list[Session] = []
"""Of loggers that are gone; something is still to be delivered."""


def _after_fork() -> None:
    for session in {*_SESSIONS, *_DROPPED}:
        session.after_fork()


def _at_exit() -> None:
    for session in {*_SESSIONS, *_DROPPED}:
        session.close(uncaught())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
