"""The journal of a run as entries, one for each record: what `ml-logger export` prints. Knows no file and no index."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from ml_logger.answers import RecordEntry
from ml_logger.formats import messages, values
from ml_logger.store.journals import Parts
from ml_logger.store.rundir import RunDir, WriterLog

_KINDS = {
    messages.Params: "params", messages.Text: "text", messages.File: "file", messages.Status: "status",
    messages.Signal: "signal", messages.Clear: "clear", messages.Op: "op",
}  # fmt: skip
"""Messages that are records of a user; headers, ends, marks and gaps are the journal's own."""


def entries_of(run: RunDir, since: int, limit: int) -> tuple[list[RecordEntry], bool]:
    """Return the entries with sequences from `since` on, by sequence, and whether there are more.

    At most `limit`, and then as many more as share the last sequence: `since` = that + 1 goes on without a gap.
    """
    found = [entry for log in run.writers for entry in _entries(log, since)]
    found.sort(key=attrgetter("seq", "writer"))
    stop = max(limit, 1)
    while stop < len(found) and found[stop].seq == found[stop - 1].seq:
        stop += 1
    return found[:stop], stop < len(found)


def _entries(log: WriterLog, since: int) -> Iterator[RecordEntry]:
    header = log.header
    for parts in log.parts:
        yield from _row_entries(parts, header, since)
    for sequence, message in log.messages:
        kind = _KINDS.get(type(message))
        if kind is not None and sequence >= since:
            data = {name: values.revive(value) for name, value in msgspec.structs.asdict(message).items() if name != "time"}
            yield RecordEntry(header.writer, header.epoch, sequence, getattr(message, "time", 0.0), kind, data)


def _row_entries(parts: Parts, header: messages.Header, since: int) -> Iterator[RecordEntry]:
    for i in np.flatnonzero(parts.sequences >= since).tolist():
        data = {name: _value(column, i) for name, column in zip(parts.names, parts.values, strict=True)}
        step = int(parts.steps[i]) if parts.has_step[i] else None
        yield RecordEntry(
            header.writer, header.epoch, int(parts.sequences[i]), float(parts.times[i]), "row", data, int(parts.rows[i]), parts.table, step
        )


def _value(column: Any, i: int) -> Any:
    return column[i].item() if isinstance(column, np.ndarray) else values.revive(column[i])
