"""One run directory, read without any index: its writers, rows, parameters, text, files and what happened to it.

Knows one directory and no other. Reading again after the files grew costs only what is new. What cannot be read is
named in `problems` and never stops the rest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ml_logger import keys
from ml_logger.errors import IncompatibleFormatError, NotFoundError
from ml_logger.formats import messages, values
from ml_logger.formats.messages import Message
from ml_logger.records import METRICS_TABLE, STEP_KEYS
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.store.journals import JournalReader, Parts

LATEST_S = 253_402_300_800.0
"""The year 10000: what calls itself a time beyond is none."""
STILL_WRITTEN_S = 10.0
"""A record that is incomplete may be being written; after so long it is not."""


def read_meta(root: SafeRoot, key: str) -> dict[str, Any]:
    """Return what a run's `run.json` says; {} if it is missing or damaged, and `created` only where it is a time."""
    try:
        found = json.loads(root.read_bytes(f"{key}/{keys.RUN_FILE}" if key else keys.RUN_FILE))
    except (NotFoundError, ValueError, OSError, RecursionError):
        return {}
    meta = found if isinstance(found, dict) else {}
    if not isinstance(meta.get("created", 0.0), (int, float)) or not 0 <= meta.get("created", 0.0) < LATEST_S:
        del meta["created"]
    return meta


class WriterLog:
    """All that one writer wrote: its header, columns of rows, and other messages with their sequences."""

    def __init__(self, key: str) -> None:
        """Prepare to read the journal at `key`."""
        self.key = key
        self.reader = JournalReader(key)
        self.parts: list[Parts] = []
        self.messages: list[tuple[int, Message]] = []
        self.size = -1

    def refresh(self, root: SafeRoot, size: int) -> None:
        """Read what the file gained; a file that shrank is read again from its start."""
        if size == self.size:
            return
        if size < self.size:
            self.__init__(self.key)  # type: ignore[misc]
        with root.open_read(self.key) as file:
            for found in self.reader.poll(file):
                if isinstance(found, Parts):
                    self.parts.append(found)
                else:
                    self.messages.append(found)
        self.size = size

    @property
    def header(self) -> messages.Header:
        """The header, or a stand-in made of the file's name if it is damaged."""
        return self.reader.header or messages.Header(self.key.rpartition("-")[2].removesuffix(".mlog"), "", 0, "", 0, 0, 0.0)

    @property
    def attempt(self) -> int:
        """The attempt this writer belongs to."""
        return self.header.attempt or 0

    @property
    def updated(self) -> float:
        """Time of the newest record (s since the epoch), or the header's."""
        times = [float(parts.times[-1]) for parts in self.parts] + [getattr(m, "time", 0.0) for _, m in self.messages]
        return max([self.header.created, *times])

    def steps(self) -> dict[int, int]:
        """Return row → step for the rows that have one; the last step given in a row counts."""
        found: dict[int, int] = {}
        for parts in sorted(self.parts, key=lambda p: int(p.sequences[0])):
            mask = parts.has_step
            found.update(zip(parts.rows[mask].tolist(), parts.steps[mask].tolist(), strict=True))
        return found


def _torn(log: WriterLog, entry: Entry) -> list[str]:
    """Say what is wrong with a journal that holds no record, or has ended in the middle of one for a while."""
    if entry.size and log.reader.header is None and not log.reader.seen.highest:
        return [f"{entry.key}: none of its {entry.size:,} bytes is a record of a journal"]
    left = entry.size - log.reader.offset
    is_old = time.time() - entry.modified > STILL_WRITTEN_S
    return [f"{entry.key}: incomplete from byte {log.reader.offset:,} on: its writer died in the middle"] if left > 0 and is_old else []


class RunDir:
    """A run directory under a root."""

    def __init__(self, root: SafeRoot, key: str) -> None:
        """Look at the run `key`; nothing is read before `refresh`."""
        self.root, self.key = root, key
        self.logs: dict[str, WriterLog] = {}
        self.problems: list[str] = []

    def refresh(self) -> RunDir:
        """Read what is new in all journals, and return self."""
        present = {entry.key: entry for entry in self.root.scan(self.key) if entry.name.endswith(keys.JOURNAL_SUFFIX)}
        self.logs = {key: log for key, log in self.logs.items() if key in present}
        self.problems = []
        for key, entry in sorted(present.items()):
            log = self.logs.setdefault(key, WriterLog(key))
            try:
                log.refresh(self.root, entry.size)
                self.problems += _torn(log, entry)
            except (OSError, NotFoundError, IncompatibleFormatError) as error:
                self.problems.append(str(error))
            self.problems += [f"{key}: damaged at byte {damage.offset}: {damage.reason}" for damage in log.reader.damages]
        return self

    @property
    def writers(self) -> list[WriterLog]:
        """All writers, oldest first."""
        return sorted(self.logs.values(), key=lambda log: (log.header.created, log.header.writer))

    def chosen(self, attempt: int | None = None, rank: int | None = None) -> list[WriterLog]:
        """Return the writers of one attempt (None: the newest, −1: all), and of one rank if it is given."""
        found = self.writers
        if attempt is None:
            attempt = max((log.attempt for log in found), default=0)
        return [log for log in found if attempt in (-1, log.attempt) and (rank is None or log.header.rank == rank)]

    def meta(self) -> dict[str, Any]:
        """Return what `run.json` says; {} if it is missing or damaged."""
        return read_meta(self.root, self.key)

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def tables(self) -> list[str]:
        """Return the paths of all tables that have rows, relative to the run."""
        return sorted({parts.table for log in self.writers for parts in log.parts})

    def rows(self, table: str = METRICS_TABLE, *, attempt: int | None = None, rank: int | None = None) -> list[dict[str, Any]]:
        """Return the merged rows of `table`, in the order of their numbers, writer by writer; values are revived."""
        found: list[dict[str, Any]] = []
        for log in self.chosen(attempt, rank):
            found += merge_rows(self._kept(log, table))
        return found

    def _kept(self, log: WriterLog, table: str) -> list[Parts]:
        """Return the parts of `table` of one writer without what was cleared."""
        parts = [p for p in log.parts if p.table == table]
        for owner, _, clear in self.messages(messages.Clear):
            if self.relative(clear.target, owner) == table:
                parts = [_masked(p, p.rows > clear.up_to if owner is log else p.times > clear.time) for p in parts]
        return [p for p in parts if len(p)]

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────

    def messages(self, kind: type[Any] | tuple[type[Any], ...]) -> list[tuple[WriterLog, int, Any]]:
        """Return (writer, sequence, message) of all messages of a kind, in the order of writers and their sequences."""
        return [(log, seq, m) for log in self.writers for seq, m in sorted(log.messages, key=lambda item: item[0]) if isinstance(m, kind)]

    def relative(self, path: str, log: WriterLog) -> str:
        """Return a path of a message relative to its run, also if the directory was copied under another name."""
        prefix = log.header.run
        return path[len(prefix) :].lstrip("/") if path == prefix or path.startswith(f"{prefix}/") or not prefix else f"/{path}"

    def params(self, path: str = "parameters.pkl") -> dict[str, Any]:
        """Return the nested parameters logged to `path` since it was last removed, merged deeply in the order they were logged."""
        merged: dict[str, Any] = {}
        for _, _, message in sorted(self._params(path), key=lambda item: item[:2]):
            merge(merged, values.revive(message.values))
        return merged

    def has_params(self, path: str = "parameters.pkl") -> bool:
        """Tell whether any parameters were logged to `path` since it was last removed."""
        return bool(self._params(path))

    def _params(self, path: str) -> list[tuple[float, int, messages.Params]]:
        found = [(m.time, seq, m) for log, seq, m in self.messages(messages.Params) if self.relative(m.path, log) == path]
        cleared = [clear for _, _, clear in self.messages(messages.Clear)] if found else []
        return [item for item in found if not any(c.time >= item[0] and _lies_in(item[2].path, c.target) for c in cleared)]

    def files(self) -> dict[str, messages.File]:
        """Return the newest FILE record of each path, relative to the run."""
        return {self.relative(m.path, log): m for log, _, m in sorted(self.messages(messages.File), key=lambda item: item[2].time)}

    def was_saved(self, path: str) -> bool:
        """Tell whether a user put a file at `path` (relative to the run), by saving, moving or copying, and did not remove it since."""
        found = [m.time for log, _, m in self.messages((messages.File, messages.Op)) if self.relative(_target(m), log) == path]
        cleared = [m.time for log, _, m in self.messages(messages.Clear) if _lies_in(path, self.relative(m.target, log))] if found else []
        return max(found, default=-1.0) > max(cleared, default=-1.0)

    def status(self) -> str:
        """Return the newest status, or "" if none was ever logged."""
        found = sorted(self.messages(messages.Status), key=lambda item: item[2].time)
        return found[-1][2].status if found else ""


def _target(message: messages.File | messages.Op) -> str:
    return message.path if isinstance(message, messages.File) else str(message.args.get("to", ""))


def _lies_in(path: str, target: str) -> bool:
    return path == target or path.startswith(f"{target}/")


def merge(into: dict[str, Any], nested: Mapping[str, Any]) -> None:
    """Merge `nested` into a dict of dicts, deeply; later values win."""
    for key, value in nested.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, dict) else value


def _masked(parts: Parts, mask: np.ndarray) -> Parts:
    if mask.all():
        return parts
    kept = [
        column[mask] if isinstance(column, np.ndarray) else [v for v, keep in zip(column, mask, strict=True) if keep]
        for column in parts.values
    ]
    return Parts(
        parts.table, parts.names, parts.sequences[mask], parts.rows[mask], parts.steps[mask], parts.has_step[mask], parts.times[mask], kept
    )


def merge_rows(parts: Iterable[Parts]) -> list[dict[str, Any]]:
    """Join parts by row number: keys in the order they were logged, later values win; each row once, sorted by number."""
    pieces: list[tuple[int, int, tuple[str, ...], tuple[Any, ...]]] = []
    for p in parts:
        columns = [column.tolist() if isinstance(column, np.ndarray) else values.revive(column) for column in p.values]
        rows = zip(*columns, strict=True) if columns else [()] * len(p)
        pieces += [
            (row, seq, p.names, row_values) for row, seq, row_values in zip(p.rows.tolist(), p.sequences.tolist(), rows, strict=True)
        ]
    pieces.sort(key=lambda piece: piece[:2])
    found: list[dict[str, Any]] = []
    last = None
    for row, _, names, row_values in pieces:
        if row == last:
            found[-1].update(zip(names, row_values, strict=True))
        else:
            found.append(dict(zip(names, row_values, strict=True)))
            last = row
    return found


def metric_name(table: str, name: str) -> str:
    """Return the name that a value `name` of `table` has as a metric: `eval/k` for `eval/metrics.pkl`, `dense/k` for `dense.pkl`."""
    if table == METRICS_TABLE:
        return name
    folder, _, file = table.rpartition("/")
    stem = file.rpartition(".")[0] or file
    place = "/".join(part for part in (folder, "" if file == METRICS_TABLE else stem) if part)
    return f"{place}/{name}" if place else name


def step_name(names: Iterable[str]) -> str | None:
    """Return the key that gives a row its step, if it is among `names`; it is no metric."""
    present = set(names)
    return next((key for key in STEP_KEYS if key in present), None)
