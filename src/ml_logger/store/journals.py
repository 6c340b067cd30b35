"""Reading one journal, from any offset on: frames become columns of rows and other messages. Knows no run and no index.

A reader remembers where it stopped, which keys it knows and which sequences it saw, so that it can go on where another
process left off (`state`, `resume`). Damaged bytes are named and counted, duplicates are dropped, nothing is raised
for what is in a file but a format of the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ml_logger.errors import IncompatibleFormatError
from ml_logger.formats import columns, frames, messages
from ml_logger.formats.frames import Damage, Frame
from ml_logger.formats.messages import Block, Header, Keys, Mark, Message, RowPart

CHUNK = 8 << 20
"""Bytes that are read and scanned at once."""
_MANY = 1 << 20


class Parts(NamedTuple):
    """Row parts of one list of names, as columns of equal length n.

    `sequences` and `rows` are integer arrays, `times` float64, `steps` int64 with `has_step` telling which are real;
    `values[j]` is a float64 or int64 array, or a list of plain values (`formats.values.revive` makes objects of them).
    """

    table: str
    names: tuple[str, ...]
    sequences: np.ndarray
    rows: np.ndarray
    steps: np.ndarray
    has_step: np.ndarray
    times: np.ndarray
    values: list[Any]

    def __len__(self) -> int:
        """Count the parts."""
        return len(self.rows)


class Seen:
    """The sequences that a reader met: the highest, and the missing ones below it."""

    def __init__(self, highest: int = 0, missing: set[int] | None = None) -> None:
        """Start with what was seen before."""
        self.highest, self.missing = highest, missing or set()

    def is_new(self, sequence: int) -> bool:
        """Take note of `sequence`; False if it was met before."""
        if sequence > self.highest:
            if sequence - self.highest > 1:
                self._skip(sequence)
            self.highest = sequence
            return True
        if sequence in self.missing:
            self.missing.discard(sequence)
            return True
        return False

    def _skip(self, sequence: int) -> None:
        if sequence - self.highest < _MANY and len(self.missing) < _MANY:
            self.missing.update(range(self.highest + 1, sequence))


class JournalReader:
    """Reads what a journal gained since the last time."""

    def __init__(self, name: str, offset: int = 0) -> None:
        """Read the journal called `name` (for messages about it) from `offset` on."""
        self.name, self.offset = name, offset
        self.header: Header | None = None
        self.keys: dict[int, tuple[str, tuple[str, ...]]] = {}
        self.seen = Seen()
        self.damages: list[Damage] = []
        self.duplicates = 0
        self.ended = False
        self.marks: list[Mark] = []
        self._pending: dict[int, list[tuple[int, RowPart]]] = {}

    def poll(self, file: BinaryIO) -> Iterator[Parts | tuple[int, Message]]:
        """Yield what is new: columns of rows, and (sequence, message) of everything else, in the order of the file.

        Row parts are gathered within 8 MiB, so a message may come before rows that were written shortly before it.
        """
        if self.offset == 0 and not self._check_magic(file):
            return
        file.seek(self.offset)
        rest = b""
        while block := file.read(CHUNK):
            data = rest + block
            scanner = frames.Scanner(data)
            for found in scanner:
                if isinstance(found, Damage):
                    self.damages.append(Damage(found.offset + self.offset, found.end + self.offset, found.reason))
                else:
                    yield from self._take(found)
            yield from self._gather()
            self.offset += scanner.end
            rest = data[scanner.end :]

    def _check_magic(self, file: BinaryIO) -> bool:
        file.seek(0)
        magic = file.read(len(frames.MAGIC))
        if len(magic) < len(frames.MAGIC):
            return False
        if magic[:-1] == frames.MAGIC[:-1] and magic[-1] > frames.VERSION:
            raise IncompatibleFormatError(self.name, magic[-1], frames.VERSION)
        if magic == frames.MAGIC:
            self.offset = len(frames.MAGIC)
        return True

    def _take(self, frame: Frame) -> Iterator[tuple[int, Message]]:
        """Sort one frame: rows are gathered, keys learned, the rest yielded."""
        try:
            message = messages.decode(frame.payload)
        except ValueError as error:
            self.damages.append(Damage(frame.offset + self.offset, frame.offset + self.offset + len(frame.payload), f"no message: {error}"))
            return
        kind = type(message)
        if kind is RowPart:
            if self.seen.is_new(frame.sequence):
                self._pending.setdefault(message.sid, []).append((frame.sequence, message))  # type: ignore[union-attr]
            else:
                self.duplicates += 1
        elif kind is Keys:
            self._learn(message, frame.sequence)  # type: ignore[arg-type]
        elif kind is Block:
            self._unpack(message, frame)  # type: ignore[arg-type]
        elif message is not None:
            yield from self._other(frame.sequence, message)

    def _learn(self, keys: Keys, sequence: int) -> None:
        self.seen.is_new(sequence)
        known = (keys.table, tuple(keys.names))
        if self.keys.get(keys.sid, known) != known:
            self._pending.setdefault(-keys.sid, []).extend(self._pending.pop(keys.sid, []))
        self.keys[keys.sid] = known

    def _unpack(self, block: Block, frame: Frame) -> None:
        try:
            parts = columns.parts_of(block)
        except ValueError as error:
            self.damages.append(Damage(frame.offset + self.offset, frame.offset + self.offset + len(frame.payload), str(error)))
            return
        fresh = [(sequence, part) for sequence, part in parts if self.seen.is_new(sequence)]
        self.duplicates += len(parts) - len(fresh)
        self._pending.setdefault(block.sid, []).extend(fresh)

    def _other(self, sequence: int, message: Message) -> Iterator[tuple[int, Message]]:
        if isinstance(message, Mark):
            self.marks = [message]
            return
        if isinstance(message, Header):
            self.header = self.header or message
        self.ended = isinstance(message, messages.End) or (self.ended and isinstance(message, Header))
        if self.seen.is_new(sequence):
            yield sequence, message
        else:
            self.duplicates += 1

    def _gather(self) -> Iterator[Parts]:
        """Turn the rows gathered so far into columns, one set for each list of names."""
        pending, self._pending = self._pending, {}
        for sid, found in pending.items():
            known = self.keys.get(abs(sid))
            if known is None or not found:
                continue  # rows whose KEYS frame was damaged: the next repetition makes later ones readable
            width = len(known[1])
            whole = [item for item in found if len(item[1].values) == width]
            if whole:
                yield to_parts(known[0], known[1], whole)


def to_parts(table: str, names: tuple[str, ...], found: list[tuple[int, RowPart]]) -> Parts:
    """Return (sequence, part) pairs of one list of names as columns."""
    steps = [part.step for _, part in found]
    has_step = np.array([step is not None for step in steps])
    return Parts(
        table,
        names,
        np.array([sequence for sequence, _ in found], np.int64),
        np.array([part.row for _, part in found], np.int64),
        np.array([step or 0 for step in steps], np.int64),
        has_step,
        np.array([part.time for _, part in found], np.float64),
        [_column(column) for column in zip(*(part.values for _, part in found), strict=True)] if names else [],
    )


def _column(column: tuple[Any, ...]) -> Any:
    kinds = set(map(type, column))
    if kinds == {float}:
        return np.array(column, np.float64)
    if kinds == {int} and -(1 << 63) <= min(column) and max(column) < 1 << 63:
        return np.array(column, np.int64)
    return list(column)
