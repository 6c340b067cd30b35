"""Runs and writers that are being followed: what was read of them so far, and is not yet (or not at all) in the index.

Knows no database: `sqlite.py` loads and saves these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ml_logger.answers import MetricSummary
from ml_logger.formats import messages, values
from ml_logger.formats.messages import Message
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.journals import JournalReader, Parts, Seen
from ml_logger.store.legacy import open_journal
from ml_logger.store.rundir import merge, metric_name
from ml_logger.store.tails import Tail, metric_columns, parts_from

SILENT_S = 600.0
"""A writer that is silent for so long, without an END, has been lost."""
READ_BYTES = 8 << 20
"""Of a long journal no more than so many bytes are in memory at a time, about."""


@dataclass
class LiveWriter:
    """A journal that is followed: where reading stopped, and the rows that are not in the index yet."""

    id: int
    journal: str
    reader: JournalReader
    tail: Tail = field(default_factory=Tail)
    size: int = -1
    records: int = 0
    updated: float = 0.0
    gaps: int = 0
    damaged_before: int = 0
    attempt: int = 0

    @property
    def damaged(self) -> int:
        """Count the stretches of damaged bytes, those of earlier readings included."""
        return self.damaged_before + len(self.reader.damages)

    @property
    def header(self) -> messages.Header:
        """The header, or a stand-in if it could not be read."""
        return self.reader.header or messages.Header(self.journal.rpartition("-")[2].removesuffix(".mlog"), "", 0, "", 0, 0, 0.0)

    def saved(self) -> dict[str, Any]:
        """Return what is needed to go on after a restart: where reading stopped, with the keys known by then and the row that is open."""
        header = self.reader.header
        return {
            "offset": self.reader.offset,
            "near": self.reader.near,
            "seq": self.reader.seen.highest,
            "keys": [[sid, table, list(names)] for sid, (table, names) in self.reader.keys.items()],
            "header": None if header is None else messages.encode(header),
            "records": self.records,
            "updated": self.updated,
            "gaps": self.gaps,
            "ended": self.reader.ended,
            "damages": self.damaged,
            "open": self.tail.saved(),
        }

    @classmethod
    def restored(cls, number: int, journal: str, saved: dict[str, Any]) -> LiveWriter:
        """Return the writer that `saved` describes."""
        reader = JournalReader(journal, saved["offset"])
        reader.keys = {sid: (table, tuple(names)) for sid, table, names in saved["keys"]}
        reader.seen = Seen(saved["seq"])
        reader.ended = saved["ended"]
        if saved["header"] is not None:
            header = messages.decode(saved["header"])
            reader.header = header if isinstance(header, messages.Header) else None
        reader.near = saved["near"]
        found = cls(number, journal, reader)
        found.records, found.updated, found.gaps = saved["records"], saved["updated"], saved["gaps"]
        found.damaged_before = saved["damages"]
        found.attempt = found.header.attempt or 0
        for parts in saved.get("open", ()):
            found.tail.add(parts_from(parts))
        return found


class LiveSummary:
    """Running statistics of one metric of one run: newest attempt, all writers."""

    FIELDS = ("n", "bad", "last", "first", "low", "high", "last_step", "argmin", "argmax", "numeric")
    __slots__ = (*FIELDS, "before", "open")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.n = self.bad = 0
        self.last: Any = None
        self.first: Any = None
        self.low: float | None = None
        self.high: float | None = None
        self.last_step: int | None = None
        self.argmin: int | None = None
        self.argmax: int | None = None
        self.numeric = True
        self.open: tuple[int, int] | None = None
        self.before: tuple[Any, ...] = ()

    def add_rows(self, writer: int, rows: np.ndarray, steps: np.ndarray, column: Any) -> None:
        """Take in one value for each of a writer's `rows`; if the newest row is logged again, its value is replaced, not added to."""
        if self.open == (writer, int(rows[0])):
            for name, value in zip(self.FIELDS, self.before, strict=True):
                setattr(self, name, value)
        self.add(steps[:-1], column[:-1])
        self.open = writer, int(rows[-1])
        self.before = tuple(getattr(self, name) for name in self.FIELDS)
        self._add_one(int(steps[-1]), column[-1].item() if isinstance(column, np.ndarray) else column[-1])

    def _add_one(self, step: int, value: Any) -> None:
        """Do what `add` does, for one value and without an array."""
        if not isinstance(value, (bool, int, float)):
            self._add_mixed(np.array([step]), [value])
            return
        self._begin_numbers(value)
        if self.last_step is None or step >= self.last_step:
            self.last, self.last_step = value, step
        self.n += 1
        if math.isfinite(value):
            self._extreme(float(value), step, float(value), step)
        else:
            self.bad += 1

    def _begin_numbers(self, first: Any) -> None:
        """Begin to count with the first number: values that are none count only as long as there is no number."""
        if not self.numeric or self.n == 0:
            self.numeric, self.n, self.first = True, 0, first

    def add(self, steps: np.ndarray, column: Any) -> None:
        """Take in values at steps, in the order of logging; arrays are numbers, lists may hold anything."""
        if len(steps) == 0:
            return
        if isinstance(column, list):
            self._add_mixed(steps, column)
            return
        numbers = column.astype("f8")
        self._note_last(int(steps[-1]), int(steps.max()), column, steps)
        self._begin_numbers(column[0].item())
        self.n += len(column)
        finite = np.isfinite(numbers)
        if finite.all():
            low, high = int(numbers.argmin()), int(numbers.argmax())
        else:
            self.bad += int(len(numbers) - finite.sum())
            if not finite.any():
                return
            low, high = int(np.where(finite, numbers, np.inf).argmin()), int(np.where(finite, numbers, -np.inf).argmax())
        self._extreme(float(numbers[low]), int(steps[low]), float(numbers[high]), int(steps[high]))

    def _note_last(self, newest: int, highest: int, column: np.ndarray, steps: np.ndarray) -> None:
        if self.last_step is None or highest >= self.last_step:
            at = len(steps) - 1 if newest == highest else int(len(steps) - 1 - np.argmax(steps[::-1]))
            self.last, self.last_step = column[at].item(), highest

    def _extreme(self, low: float, low_step: int, high: float, high_step: int) -> None:
        if self.low is None or low < self.low:
            self.low, self.argmin = low, low_step
        if self.high is None or high > self.high:
            self.high, self.argmax = high, high_step

    def _add_mixed(self, steps: np.ndarray, column: list[Any]) -> None:
        numbers = [at for at, value in enumerate(column) if isinstance(value, (bool, int, float))]
        if numbers:
            before = self.last, self.last_step
            self.add(steps[numbers], np.array([float(column[at]) for at in numbers], "f8"))
            self.last, self.last_step = before
        elif self.n == 0 or not self.numeric:
            self.n += len(column)
            self.numeric = False
        at = int(len(steps) - 1 - np.argmax(steps[::-1]))
        if self.last_step is None or int(steps[at]) >= self.last_step:
            self.last, self.last_step = values.revive(column[at]), int(steps[at])
        if self.first is None:
            self.first = values.revive(column[0])

    def answer(self) -> MetricSummary:
        """Return it as a table shows it."""
        return MetricSummary(self.last, self.low, self.high, self.first, self.n, self.bad, self.last_step, self.argmin, self.argmax)


class LiveRun:
    """A run that is followed: its writers, parameters, life cycle and summaries."""

    def __init__(self, number: int, key: str) -> None:
        """Follow the run `key`, number `number` in the index."""
        self.id, self.key = number, key
        self.writers: dict[str, LiveWriter] = {}
        self.params: dict[str, Any] = {}
        self._flat: dict[str, Any] | None = None
        self.summaries: dict[str, LiveSummary] = {}
        self.meta: dict[str, Any] = {}
        self.status = ""
        self.status_time = 0.0
        self.files = 0
        self.attempt = 0
        self.changed: set[str] = set()
        self.changed_metrics: set[str] = set()
        self.dirty_params = self.dirty_summaries = self.partial = False
        self.problems: list[str] = []

    def refresh(self, root: SafeRoot, journal: str, size: int, make_id: Any) -> bool:
        """Read what the journal gained, READ_BYTES of it at most; True if it gained anything. `more` tells whether that was not all."""
        writer = self.writers.get(journal)
        if writer is None:
            writer = self.writers[journal] = LiveWriter(make_id(), journal, JournalReader(journal))
        if size == writer.size:
            return False
        with open_journal(root, journal) as file:
            for found in writer.reader.poll(file, READ_BYTES):
                if isinstance(found, Parts):
                    self._take_parts(writer, found)
                else:
                    self._take_message(writer, found[1])
        if not writer.reader.more:
            writer.size = size
        return True

    @property
    def more(self) -> bool:
        """Tell whether a journal was read in part only: call `refresh` again."""
        return any(writer.reader.more for writer in self.writers.values())

    @property
    def rows(self) -> int:
        """Count the rows that are not in the index."""
        return sum(writer.tail.count for writer in self.writers.values())

    @property
    def values(self) -> int:
        """Count the values that are not in the index."""
        return sum(writer.tail.values for writer in self.writers.values())

    def _take_parts(self, writer: LiveWriter, parts: Parts) -> None:
        writer.tail.add(parts)
        writer.records += len(parts)
        writer.updated = max(writer.updated, float(parts.times[-1]))
        self.changed.add("rows")
        if writer.attempt < self.attempt:
            return
        steps, last = writer.tail.steps_of(parts), _last_of_each_row(parts.rows)
        for name, at in metric_columns(parts).items():
            metric = metric_name(parts.table, name)
            column = parts.values[at]
            if last is not None:
                column = column[last] if isinstance(column, np.ndarray) else [column[i] for i in last.tolist()]
            rows = parts.rows if last is None else parts.rows[last]
            self.summaries.setdefault(metric, LiveSummary()).add_rows(writer.id, rows, steps if last is None else steps[last], column)
            self.changed_metrics.add(metric)
        self.dirty_summaries = True

    def _take_message(self, writer: LiveWriter, message: Message) -> None:
        writer.records += 1
        writer.updated = max(writer.updated, getattr(message, "time", 0.0), getattr(message, "created", 0.0))
        if isinstance(message, messages.Header):
            self._take_header(writer, message)
        elif isinstance(message, messages.Params):
            merge(self.params, values.revive(message.values))
            self._flat = None
            self.dirty_params = True
            self.changed.add("params")
        elif isinstance(message, messages.Status):
            if message.time >= self.status_time:
                self.status, self.status_time = message.status, message.time
            self.changed.add("status")
        elif isinstance(message, messages.Gap):
            writer.gaps += message.last - message.first + 1
        else:
            self.changed.add(
                {messages.Text: "text", messages.File: "files", messages.Clear: "files", messages.Op: "files"}.get(type(message), "status")
            )

    def _take_header(self, writer: LiveWriter, header: messages.Header) -> None:
        writer.attempt = header.attempt or 0
        self.changed.add("status")
        if writer.attempt > self.attempt:
            self.attempt = writer.attempt
            self.summaries = {}
            self.dirty_summaries = True

    def flat_params(self) -> dict[str, Any]:
        """Return the parameters with dotted names; not to be changed."""
        if self._flat is None:
            self._flat = dict(flatten(self.params))
        return self._flat

    def head(self, now: float) -> dict[str, Any]:
        """Return the fields of the run that a table shows."""
        newest = [w.header.host for w in self.writers.values() if w.attempt == self.attempt and w.header.host]
        return {
            "uuid": str(self.meta.get("uuid", "")),
            "status": self.state(now),
            "created": self.created,
            "updated": self.updated,
            "host": newest[0] if newest else str(self.meta.get("host", "")),
            "points": sum(summary.n for summary in self.summaries.values()),
            "writers": max(len(self.writers), 1),
            "attempts": len({w.attempt for w in self.writers.values()}) or 1,
        }

    @property
    def updated(self) -> float:
        """Time of the newest record."""
        return max((writer.updated for writer in self.writers.values()), default=0.0)

    @property
    def created(self) -> float:
        """Time of the first writer's header, or what run.json says."""
        times = [w.header.created for w in self.writers.values() if w.header.created]
        return float(self.meta.get("created") or min(times, default=0.0))

    def state(self, now: float) -> str:
        """Return running, completed, errored, … or lost, as the newest attempt says or its writers look."""
        newest = [w for w in self.writers.values() if w.attempt == self.attempt]
        if self.status and self.status not in ("running", "started", "created", "requested"):
            return self.status
        if newest and all(writer.reader.ended for writer in newest):
            return "completed"
        return "running" if now - self.updated < SILENT_S else "lost"

    def is_quiet(self, now: float) -> bool:
        """Tell whether nothing more is to be expected soon: all ended, or silent, and none is read in part only."""
        return not self.partial and all(writer.reader.ended or now - writer.updated > SILENT_S for writer in self.writers.values())


def flatten(nested: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of all leaves; an empty dict is a leaf."""
    for key, value in nested.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _last_of_each_row(rows: np.ndarray) -> np.ndarray | None:
    """Return where the last value of each row is, or None if every row has one: a value logged again replaces the first."""
    same = np.flatnonzero(np.diff(rows) == 0)
    return np.delete(np.arange(len(rows)), same) if len(same) else None
