"""From journal bytes to the body of a request: rows become columns, everything else goes as it is. Pure; knows no file and no server.

A body is a MARK, then frames in the order of their sequences; row parts of one key list between two barriers are one BLOCK.
"""

from __future__ import annotations

from typing import NamedTuple

import zstandard

from ml_logger.formats import frames, messages
from ml_logger.formats.blocks import encode_block
from ml_logger.formats.messages import Clear, End, File, Header, Keys, Mark, Message, RowPart

MIN_BLOCK = 4
"""Fewer parts than this travel as they are: a block of three is larger than three rows."""
MAX_BLOCK = 8192
BATCH_BYTES = 2 << 20
"""Journal bytes in a batch; a longer single frame travels alone."""
LARGE_FILE = 256 << 10
MAX_KEYS = 8192
"""Key lists that are remembered; a program that makes up new ones all the time is not followed for ever."""

_SILENT = (Header, Keys, End)


class Batch(NamedTuple):
    """Journal bytes [lo, hi) of a file as frames. `last` is the highest sequence, `records` counts what `status()` counts.

    `damaged` counts bytes that are no frame; `files` have to be uploaded before the batch (sequences and messages).
    """

    lo: int
    hi: int
    frames: bytes
    last: int
    records: int
    damaged: int
    files: list[tuple[int, File]]
    ended: bool
    frames_taken: int = 1


class Packer:
    """Turns bytes of one journal into batches. Remembers header and keys, which a server that lost them needs again."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.header: Header | None = None
        self._head: bytes = b""
        self._keys: dict[int, tuple[int, bytes]] = {}

    def pack(self, data: bytes, lo: int, *, final: bool, most: int = 0) -> Batch | None:
        """Return a batch of the whole frames at the start of `data`, which begins at byte `lo` of the file; None if there are none.

        It ends before a large file unless that comes first, and after `most` frames if that is not 0. With `final`, torn bytes
        at the end are passed over.
        """
        scanner = frames.Scanner(data, len(frames.MAGIC) if lo == 0 else 0)
        out = _Out()
        for item in scanner:
            if isinstance(item, frames.Damage):
                out.damaged += item.end - item.offset
                continue
            message = _decode(item)
            if isinstance(message, File) and message.size > LARGE_FILE and out.count:
                break
            if most and out.count >= most:
                break
            self._remember(item, message)
            out.add(item, message)
        else:
            torn = len(data) - scanner.end if final else 0
            out.damaged += torn
            scanner.end += torn
        hi = scanner.end
        if hi <= (len(frames.MAGIC) if lo == 0 else 0):
            return None
        out.flush()
        return Batch(lo, lo + hi, b"".join(out.pieces), out.last, out.records, out.damaged, out.files, out.ended, out.count)

    def introduction(self, last: int) -> bytes:
        """Return the header and the keys up to sequence `last`, for a server that has lost them."""
        return self._head + b"".join(frame for sequence, frame in self._keys.values() if sequence <= last)

    def _remember(self, frame: frames.Frame, message: Message | None) -> None:
        if isinstance(message, Header) and self.header is None:
            self.header, self._head = message, frames.encode(frame.sequence, bytes(frame.payload))
        elif isinstance(message, Keys):
            self._keys.setdefault(message.sid, (frame.sequence, frames.encode(frame.sequence, bytes(frame.payload))))
            if len(self._keys) > MAX_KEYS:
                del self._keys[next(iter(self._keys))]


class _Out:
    """Collects frames, and rows by key list until a barrier."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._waiting: list[tuple[int, bytes]] = []
        self._rows: dict[int, tuple[list[int], list[RowPart], list[memoryview]]] = {}
        self.files: list[tuple[int, File]] = []
        self.last = self.records = self.damaged = self.count = 0
        self.ended = False

    def add(self, frame: frames.Frame, message: Message | None) -> None:
        self.count += 1
        self.last = max(self.last, frame.sequence)
        self.records += not isinstance(message, _SILENT)
        self.ended = isinstance(message, End)
        if isinstance(message, RowPart):
            rows = self._rows.setdefault(message.sid, ([], [], []))
            rows[0].append(frame.sequence)
            rows[1].append(message)
            rows[2].append(frame.payload)
            if len(rows[0]) >= MAX_BLOCK:
                self.flush()
            return
        if isinstance(message, (Keys, Clear, Header)) or message is None:
            self.flush()
        self._waiting.append((frame.sequence, bytes(frame.payload)))
        if isinstance(message, File):
            self.files.append((frame.sequence, message))

    def flush(self) -> None:
        """Put out what waits, in the order of (first) sequences."""
        for sequences, parts, payloads in self._rows.values():
            if len(parts) < MIN_BLOCK or not parts[0].values:
                self._waiting += zip(sequences, map(bytes, payloads), strict=True)
            else:
                self._waiting.append((sequences[0], messages.encode(encode_block(sequences, parts))))
        self.pieces += [frames.encode(sequence, payload) for sequence, payload in sorted(self._waiting)]
        self._rows.clear()
        self._waiting.clear()


def body_of(batch: Batch, start: int, header: Header, introduction: bytes = b"", now: float = 0.0) -> bytes:
    """Return the request body of `batch`, whose file begins at byte `start` of the writer's journal."""
    mark = Mark(header.writer, header.epoch, start + batch.lo, start + batch.hi, header.run, now)
    return zstandard.compress(frames.encode(batch.last, messages.encode(mark)) + introduction + batch.frames, 1)


def _decode(frame: frames.Frame) -> Message | None:
    try:
        return messages.decode(frame.payload)
    except ValueError:
        return None  # the server says what it thinks of it
