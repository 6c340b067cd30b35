"""Runs and writers that are being followed: what was read of them so far, and is not yet (or not at all) in the index.

Knows no database: `sqlite.py` loads and saves these.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ml_logger.beneath import is_locked
from ml_logger.formats import messages, values
from ml_logger.formats.messages import Message
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.journals import JournalReader, Parts, Seen
from ml_logger.store.legacy import open_journal
from ml_logger.store.rundir import merge
from ml_logger.store.summaries import LiveSummary
from ml_logger.store.tails import Tail, columns_of, parts_from

SILENT_S = 600.0
"""A writer that is silent for so long, without an END, has been lost."""
ASK_S = 5.0
"""So often it is asked whether the program behind a silent journal is still there."""
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
    held: bool | None = None
    """Whether a program holds the journal's lock; None: nobody was ever seen to. A server, and a network directory's carrier, hold none."""
    asked: float = -ASK_S
    heard: float = -SILENT_S
    """When it was last seen to grow, by a clock that nobody sets: its own times may be of a machine whose clock is hours off."""

    def has_let_go(self, root: SafeRoot) -> bool:
        """Ask, now and then, whether the program that writes is still there; True if it has gone since, without an END."""
        now = time.monotonic()
        if self.reader.ended or now - self.asked < ASK_S:
            return False
        self.asked = now
        with root.open_read(self.journal) as file:
            is_held = is_locked(file.fileno())
        has_gone = self.held is True and is_held is False
        if is_held or has_gone:
            self.held = is_held
        return has_gone

    def is_silent(self, now: float) -> bool:
        """Tell whether no more is to be expected: the program ended, or is gone, or was not heard of for SILENT_S."""
        return self.reader.ended or self.held is False or (self.held is None and now - self.updated > SILENT_S and not self.is_heard)

    @property
    def is_heard(self) -> bool:
        """Tell whether it grew in the last SILENT_S."""
        return time.monotonic() - self.heard < SILENT_S

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
        self.dirty_params = self.dirty_summaries = self.partial = self.is_followed = False
        self.problems: list[str] = []

    def refresh(self, root: SafeRoot, journal: str, size: int, make_id: Any) -> bool:
        """Read what the journal gained, READ_BYTES of it at most; True if it gained anything. `more` tells whether that was not all."""
        writer = self.writers.get(journal)
        if writer is None:
            writer = self.writers[journal] = LiveWriter(make_id(), journal, JournalReader(journal))
        if writer.has_let_go(root):
            self.changed.add("status")
        if size == writer.size:
            return "status" in self.changed
        with open_journal(root, journal) as file:
            gathered: list[Parts] = []
            for found in writer.reader.poll(file, READ_BYTES):
                if isinstance(found, Parts):
                    gathered.append(found)
                    continue
                self._take_parts(writer, gathered)
                self._take_message(writer, found[1])
                gathered = []
            self._take_parts(writer, gathered)
        if self.is_followed or writer.size >= 0:  # or it may have grown long ago
            writer.heard = time.monotonic()
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
    def growing(self) -> int:
        """Count the writers that have not ended, at least 1."""
        return max(sum(not writer.reader.ended for writer in self.writers.values()), 1)

    @property
    def values(self) -> int:
        """Count the values that are not in the index."""
        return sum(writer.tail.values for writer in self.writers.values())

    def _take_parts(self, writer: LiveWriter, found: list[Parts]) -> None:
        """Take in what was read of rows between two other messages."""
        if not found:
            return
        for parts in found:
            writer.tail.add(parts)
            writer.records += len(parts)
            writer.updated = max(writer.updated, float(parts.times[-1]))
        self.changed.add("rows")
        self.summarise(writer, found)

    def summarise(self, writer: LiveWriter, found: list[Parts]) -> None:
        """Take rows of a writer into the summaries: those of metrics that no later attempt has logged."""
        for metric, column in columns_of(found, [writer.tail.steps_of(parts) for parts in found]):
            summary = self.summaries.get(metric)
            if summary is None or summary.attempt < writer.attempt:
                summary = self.summaries[metric] = LiveSummary(writer.attempt)
            if summary.attempt == writer.attempt:
                summary.add_rows(writer.id, column.rows, column.steps, column.values[0])
                self.changed_metrics.add(metric)
                self.dirty_summaries = True

    def settle(self) -> None:
        """Count values in the summaries for good, but for those of rows that are open: they stay in the tails."""
        open_rows = {writer.id: writer.tail.newest_row for writer in self.writers.values() if writer.tail.count}
        for summary in self.summaries.values():
            summary.settle(open_rows)

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
        self.attempt = max(self.attempt, writer.attempt)

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
        if any(writer.held and not writer.reader.ended for writer in newest):
            return "running"
        is_gone = any(writer.held is False for writer in newest)
        if not is_gone and any(writer.is_heard and not writer.reader.ended for writer in newest):
            return "running"
        return "lost" if is_gone or now - self.updated >= SILENT_S else "running"

    def is_quiet(self, now: float) -> bool:
        """Tell whether nothing more is to be expected soon: all ended, or silent, and none is read in part only."""
        return not self.partial and all(writer.is_silent(now) for writer in self.writers.values())


def flatten(nested: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of all leaves; an empty dict is a leaf."""
    for key, value in nested.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
