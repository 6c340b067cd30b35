"""The frames of a journal, repacked: rows gathered into large BLOCKs, all else as it was, in bounded memory. Knows no place.

Rows change their places only among rows: a header, a list of names, a removal, a message of a newer kind ends what is gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
from msgspec import structs

from ml_logger.formats import columns, frames, messages
from ml_logger.formats.messages import Block, Clear, Header, Keys, Mark, Message, RowPart
from ml_logger.store.journals import HEADS, Parts, Seen, chosen, from_block, join, to_parts

MAX_ROWS = 8192
"""Rows in a block."""
_MOST = 16 << 20
"""Bytes that are gathered at most, about."""
_CHUNK = 4 << 20
_OBJECT, _NUMBER = 32, 8
_WORD = (1 << 64) - 1


class UnfitError(Exception):
    """A journal that cannot be repacked without loss; the text says why."""


class Batch(NamedTuple):
    """What was gathered: columns of rows by `sid`, and (sequence, payload) of all else; no record comes twice."""

    rows: list[tuple[int, Parts]]
    others: list[tuple[int, bytes]]
    marks: list[tuple[int, Mark]]


def frames_in(file: BinaryIO, size: int) -> Iterator[frames.Frame]:
    """Yield all frames in the first `size` bytes of a journal; raises `UnfitError` if there is anything else in them."""
    file.seek(0)
    if file.read(len(frames.MAGIC)) != frames.MAGIC:
        raise UnfitError("not a journal of this version")
    at, rest = len(frames.MAGIC), b""
    while block := file.read(min(_CHUNK, size - file.tell())):
        data = rest + block
        scanner = frames.Scanner(data)
        for item in scanner:
            if isinstance(item, frames.Damage):
                raise UnfitError(f"damaged at byte {at + item.offset}; `ml-logger fsck --repair` mends it")
            yield item
        at, rest = at + scanner.end, data[scanner.end :]
    if rest:
        raise UnfitError(f"incomplete at byte {at}; `ml-logger fsck --repair` mends it")


def pack(source: BinaryIO, size: int, target: BinaryIO, pause: Callable[[], None]) -> None:
    """Write the records in the first `size` bytes of `source` into the empty file `target`; `pause` is called now and then.

    Raises `UnfitError`.
    """
    target.write(frames.MAGIC)
    for batch in batches(source, size):
        pause()
        found = list(batch.others)
        for sid, parts in batch.rows:
            for start in range(0, len(parts), MAX_ROWS):
                piece = chosen(parts, np.arange(start, min(start + MAX_ROWS, len(parts))))
                found.append((int(piece.sequences[0]), messages.encode(_block(sid, piece))))
        found.sort(key=lambda item: item[0])
        found += [(sequence, messages.encode(mark)) for sequence, mark in batch.marks]
        target.write(b"".join(frames.encode(sequence, payload) for sequence, payload in found))


def _block(sid: int, parts: Parts) -> Block:
    steps: Any = parts.steps
    if not parts.has_step.all():
        steps = [step if known else None for step, known in zip(parts.steps.tolist(), parts.has_step.tolist(), strict=True)]
    return columns.seal_block(columns.Columns(sid, parts.sequences, parts.rows, steps, parts.times, parts.values))


def batches(file: BinaryIO, size: int) -> Iterator[Batch]:
    """Yield the records of a journal, batch after batch; the marks, one for each writer and epoch, come with the last."""
    gathered = _Gathered()
    for frame in frames_in(file, size):
        try:
            message = messages.decode(frame.payload)
            if gathered.must_end_before(message):
                yield gathered.take()
            gathered.add(frame, message)
        except ValueError as error:
            raise UnfitError(f"record {frame.sequence} cannot be read: {error}") from error
        if gathered.is_full:
            yield gathered.take()
    yield gathered.take()._replace(marks=list(gathered.marks.values()))


class _Gathered:
    """Records on their way into a batch."""

    def __init__(self) -> None:
        self.marks: dict[tuple[str, int], tuple[int, Mark]] = {}
        self._seen = Seen(-1)
        self._keys: dict[int, tuple[str, list[str]]] = {}
        self._singles: dict[int, list[tuple[int, RowPart]]] = {}
        self._blocks: dict[int, list[Parts]] = {}
        self._others: list[tuple[int, bytes]] = []
        self._widths: dict[int, int] = {}
        self._size = 0
        self.is_full = False

    def must_end_before(self, message: Message | None) -> bool:
        """Tell whether what was gathered must not change places with `message`."""
        if isinstance(message, Keys):
            return self._keys.get(message.sid, (message.table, message.names)) != (message.table, message.names)
        if isinstance(message, RowPart):
            return self._widths.get(message.sid, len(message.values)) != len(message.values)
        return message is None or isinstance(message, (Header, Clear))

    def add(self, frame: frames.Frame, message: Message | None) -> None:
        """Take in one frame; a record whose sequence came before is a duplicate."""
        if isinstance(message, Mark):
            self._mark(frame.sequence, message)
        elif isinstance(message, Block):
            self._add_block(message)
        elif self._seen.is_new(frame.sequence):
            if isinstance(message, RowPart):
                self._add_row(frame.sequence, message)
            else:
                self._others.append((frame.sequence, bytes(frame.payload)))
                self._count(1, len(frame.payload))
            if isinstance(message, Keys):
                self._keys[message.sid] = (message.table, message.names)
        if self._seen.vague:
            raise UnfitError(f"too many records are missing before {frame.sequence}")

    def _add_row(self, sequence: int, part: RowPart) -> None:
        rows = self._singles.setdefault(part.sid, [])
        rows.append((sequence, part))
        self._widths[part.sid] = len(part.values)
        self._count(len(rows), (len(part.values) + HEADS) * _OBJECT)

    def _add_block(self, block: Block) -> None:
        found = columns.decode_block(block)
        if self._widths.setdefault(block.sid, len(found.values)) != len(found.values):
            raise UnfitError(f"a block of {len(found.values)} columns among rows of {self._widths[block.sid]} values")
        fresh = self._seen.take(found.sequences)
        if fresh.any():
            parts = chosen(from_block("", ("",) * len(found.values), found), fresh)
            self._blocks.setdefault(block.sid, []).append(parts)
            self._count(sum(map(len, self._blocks[block.sid])), len(parts) * (len(parts.values) + HEADS) * _NUMBER)

    def _mark(self, sequence: int, mark: Mark) -> None:
        known = self.marks.pop((mark.writer, mark.epoch), None)  # put in again: the newest stays last
        first = min(known[1].lo, mark.lo) if known else mark.lo
        self.marks[mark.writer, mark.epoch] = (sequence, structs.replace(mark, lo=first))

    def _count(self, rows: int, size: int) -> None:
        self._size += size
        self.is_full = self.is_full or rows >= MAX_ROWS or self._size > _MOST

    def take(self) -> Batch:
        """Return what was gathered, and begin anew."""
        rows = []
        for sid in {**self._singles, **self._blocks}:
            singles, pieces = self._singles.get(sid), self._blocks.get(sid, [])
            if singles:
                pieces.append(to_parts("", ("",) * len(singles[0][1].values), singles))
            rows.append((sid, join(pieces)))
        batch = Batch(rows, self._others, [])
        self._singles, self._blocks, self._widths, self._others, self._size, self.is_full = {}, {}, {}, [], 0, False
        return batch


def fingerprint(file: BinaryIO, size: int, pause: Callable[[], None]) -> tuple[int, int]:
    """Return (records, sum of a hash of each), however they are packed and ordered; marks aside. Raises `UnfitError`."""
    count = total = 0
    for batch in batches(file, size):
        pause()
        for sid, parts in batch.rows:
            count, total = count + len(parts), total + int(_hashes(sid, parts).sum(dtype="u8"))
        for sequence, payload in batch.others:
            count, total = count + 1, total + hash((sequence, payload))
    return count, total & _WORD


def _hashes(sid: int, parts: Parts) -> np.ndarray:
    """Return a 64-bit hash of each row."""
    found = np.full(len(parts), sid, "u8")
    for column in (parts.sequences, parts.rows, parts.steps * parts.has_step, parts.has_step.astype("i8"), parts.times, *parts.values):
        found = _mixed(found ^ _bits(column))
    return found


def _bits(column: np.ndarray | list[Any]) -> np.ndarray:
    """Return 64 bits of each value that tell it from others, its type included."""
    if isinstance(column, list):
        return np.array([_bits_of(value) for value in column], "u8")
    words = np.ascontiguousarray(column).view("u8")
    return words if column.dtype.kind == "f" else ~words


def _bits_of(value: Any) -> int:
    if type(value) is float:
        return int(np.float64(value).view("u8"))
    if type(value) is int and -(1 << 63) <= value < 1 << 63:
        return ~value & _WORD
    return hash(("value", msgspec.msgpack.encode(value))) & _WORD


def _mixed(words: np.ndarray) -> np.ndarray:
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
