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

CHUNK = 4 << 20
"""Bytes that are read and scanned at once."""
_MANY = 1 << 20
HEADS = 4
"""Numbers of a row besides its values: sequence, row, step, time."""
_OBJECT, _NUMBER = 32, 8
"""Bytes that a value takes, about, as an object and in an array."""
_NEAR = frames.HEAD_SIZE
"""Bytes before the offset that are remembered, to see when the file is another one."""


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
    """The sequences that a reader met: the highest, and the missing ones below it; `vague` if those are too many to be known."""

    def __init__(self, highest: int = 0, missing: set[int] | None = None) -> None:
        """Start with what was seen before."""
        self.highest, self.missing = highest, missing or set()
        self.vague = False

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

    def take(self, sequences: np.ndarray) -> np.ndarray:
        """Take note of several, and tell of each whether it is new. Cost: next to nothing if they follow what was seen."""
        first, last, n = int(sequences[0]), int(sequences[-1]), len(sequences)
        if first == self.highest + 1 and last - first == n - 1 and bool((np.diff(sequences) == 1).all()):
            self.highest = last
            return np.ones(n, bool)
        return np.fromiter(map(self.is_new, sequences.tolist()), bool, n)

    def _skip(self, sequence: int) -> None:
        if sequence - self.highest < _MANY and len(self.missing) < _MANY:
            self.missing.update(range(self.highest + 1, sequence))
        else:
            self.vague = True


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
        self.more = False
        self.near = b""
        self._waiting = 0
        self._pending: dict[int, list[tuple[int, RowPart]]] = {}
        self._blocks: dict[int, list[Parts]] = {}
        self._ready: list[Parts] = []

    def poll(self, file: BinaryIO, most: int | None = None) -> Iterator[Parts | tuple[int, Message]]:
        """Yield what is new: columns of rows, and (sequence, message) of everything else, in the order of the file.

        Row parts are gathered within 4 MiB, so a message may come before rows that were written shortly before it.
        After about `most` bytes in memory it stops at the end of a frame; `more` then tells that the next call goes on.
        A file that was sealed since is read again from its start: what was read before is known by its sequences.
        """
        self.more = False
        if self.near and not self._is_where_it_was(file):
            self.offset = 0
        if self.offset == 0 and not self._check_magic(file):
            return
        file.seek(self.offset)
        rest = b""
        while not self.more and (block := file.read(CHUNK)):
            data = rest + block
            scanner = frames.Scanner(data)
            for found in scanner:
                if isinstance(found, Damage):
                    self.damages.append(Damage(found.offset + self.offset, found.end + self.offset, found.reason))
                else:
                    yield from self._take(found)
                    if most is not None and self._waiting >= most:
                        self.more, scanner.end = True, found.offset + frames.HEAD_SIZE + len(found.payload)
                        break
            yield from self._gather()
            self.near = data[max(scanner.end - _NEAR, 0) : scanner.end] or self.near
            self.offset += scanner.end
            rest = data[scanner.end :]

    def _is_where_it_was(self, file: BinaryIO) -> bool:
        file.seek(max(self.offset - len(self.near), 0))
        return file.read(len(self.near)) == self.near

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
                self._waiting += (len(message.values) + HEADS) * _OBJECT  # type: ignore[union-attr]
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
        if self.keys.get(keys.sid, known) != known:  # the number is given anew: what came before has the old names
            self._ready += self._gathered(keys.sid)
        self.keys[keys.sid] = known

    def _unpack(self, block: Block, frame: Frame) -> None:
        """Take in a block of rows as the columns it consists of; rows that were met before are left out."""
        try:
            found = columns.decode_block(block)
            known = self.keys.get(block.sid)
            if known is None:  # its KEYS frame may come later
                rows = columns.parts_of(block)
                self._pending.setdefault(block.sid, []).extend(item for item in rows if self.seen.is_new(item[0]))
                return
            parts = from_block(*known, found)
        except ValueError as error:
            self.damages.append(Damage(frame.offset + self.offset, frame.offset + self.offset + len(frame.payload), str(error)))
            return
        fresh = self.seen.take(found.sequences)
        self.duplicates += block.n - int(fresh.sum())
        if fresh.any():
            self._waiting += block.n * (len(parts.values) + HEADS) * _NUMBER
            self._blocks.setdefault(block.sid, []).append(chosen(parts, fresh))

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
        ready, self._ready, self._waiting = self._ready, [], 0
        yield from ready
        for sid in {**self._pending, **self._blocks}:
            yield from self._gathered(sid)

    def _gathered(self, sid: int) -> list[Parts]:
        """Take what was gathered under one number, as one set of columns at most."""
        rows, pieces = self._pending.pop(sid, []), self._blocks.pop(sid, [])
        known = self.keys.get(sid)
        if known is None:
            return []  # rows whose KEYS frame was damaged: the next repetition makes later ones readable
        whole = [item for item in rows if len(item[1].values) == len(known[1])]
        if whole:
            pieces.append(to_parts(known[0], known[1], whole))
        return [join(pieces)] if pieces else []


def from_block(table: str, names: tuple[str, ...], found: columns.Columns) -> Parts:
    """Return a decoded block as parts; raises `ValueError` if it has another number of columns."""
    if len(found.values) != len(names):
        raise ValueError(f"a block has {len(found.values)} columns for {len(names)} names")
    steps = found.steps
    has_step = np.ones(len(found.rows), bool)
    if isinstance(steps, list):
        has_step = np.array([step is not None for step in steps], bool)
        steps = np.array([step or 0 for step in steps], np.int64)
    return Parts(table, names, found.sequences.astype(np.int64), found.rows, steps, has_step, found.times, list(found.values))


def chosen(parts: Parts, where: np.ndarray) -> Parts:
    """Return the parts at the places (or in the mask) `where`."""
    if where.dtype == bool:
        if where.all():
            return parts
        where = np.flatnonzero(where)
    sequences, rows, steps, has_step, times = (column[where] for column in parts[2:7])
    return Parts(parts.table, parts.names, sequences, rows, steps, has_step, times, [_taken(column, where) for column in parts.values])


def _taken(column: Any, where: np.ndarray) -> Any:
    return column[where] if isinstance(column, np.ndarray) else [column[at] for at in where.tolist()]


def join(pieces: list[Parts]) -> Parts:
    """Return parts of one list of names as one, in the order of their sequences."""
    if len(pieces) == 1:
        return pieces[0]
    sequences, rows, steps, has_step, times = (np.concatenate([piece[at] for piece in pieces]) for at in range(2, 7))
    width = len(pieces[0].values)
    joined = [_joined([piece.values[at] for piece in pieces]) for at in range(width)]
    whole = Parts(pieces[0].table, pieces[0].names, sequences, rows, steps, has_step, times, joined)
    return whole if bool((np.diff(whole.sequences) > 0).all()) else chosen(whole, np.argsort(whole.sequences, kind="stable"))


def _joined(pieces: list[Any]) -> Any:
    if all(isinstance(piece, np.ndarray) and piece.dtype == pieces[0].dtype for piece in pieces):
        return np.concatenate(pieces)
    return [value for piece in pieces for value in (piece.tolist() if isinstance(piece, np.ndarray) else piece)]


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
    if kinds == {int} and min(column) >= -(1 << 63) and max(column) < 1 << 63:
        return np.array(column, np.int64)
    return list(column)
