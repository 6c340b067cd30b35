"""The frame: how one message lies in a journal, a request body or a sealed file. Knows nothing of what is inside.

A journal is MAGIC, then frames::

    | 4 sync C1 4D 4C 46 | u32 length | u32 crc32 | u64 sequence | payload: length bytes |     little-endian

The checksum (zlib's) covers sequence and payload. The sync marker begins with C1, the one byte that msgpack never
uses, so that a reader that met damage finds the next frame by searching for it. See docs/formats/frames.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct as Layout
from typing import NamedTuple
from zlib import crc32

MAGIC = b"\x89MLOG\r\n\x01"
"""First eight bytes of a journal; the last one is the format's version."""

VERSION = MAGIC[-1]
SYNC = b"\xc1MLF"
MAX_PAYLOAD = 256 << 20
"""A longer payload is never written; a length above it is damage."""

_HEAD = Layout("<4sIIQ")
_PREFIX = Layout("<4sII")
_SEQUENCE = Layout("<Q")
HEAD_SIZE = _HEAD.size


class Frame(NamedTuple):
    """One undamaged frame: where it starts, its sequence number and its payload (a view, not a copy)."""

    offset: int
    sequence: int
    payload: memoryview


class Damage(NamedTuple):
    """Bytes [offset, end) that belong to no undamaged frame."""

    offset: int
    end: int
    reason: str


def encode(sequence: int, payload: bytes) -> bytes:
    """Return the frame of `payload` (at most MAX_PAYLOAD bytes) with its `sequence` number, 0 … 2**64 - 1."""
    body = _SEQUENCE.pack(sequence) + payload
    return _PREFIX.pack(SYNC, len(payload), crc32(body)) + body


def size_at(data: bytes, offset: int) -> int | None:
    """Return how many bytes the frame that begins at `offset` says it has, head included; None if none begins there."""
    if offset + HEAD_SIZE > len(data) or data[offset : offset + 4] != SYNC:
        return None
    return HEAD_SIZE + int.from_bytes(data[offset + 4 : offset + 8], "little")


def sequence_at(data: bytes, offset: int) -> int | None:
    """Return the sequence number in the head at `offset`, whatever its payload is; None if no frame begins there."""
    return _HEAD.unpack_from(data, offset)[3] if size_at(data, offset) is not None else None


class Scanner:
    """Walk over the frames in `data`; afterwards `end` is where the last complete frame ended.

    Yields `Frame`s, and a `Damage` for each stretch of bytes that is none. Bytes after the last frame that may
    still become one (a write that is under way, or a torn one) are not damage: `end` stays before them.
    """

    def __init__(self, data: bytes | bytearray | memoryview, start: int = 0) -> None:
        """Scan `data` from byte `start`, which should be a frame's first byte."""
        self.data = memoryview(data)
        self.raw = data if isinstance(data, (bytes, bytearray)) else bytes(data)
        self.end = start

    def __iter__(self) -> Iterator[Frame | Damage]:
        """Yield frames and damages in the order of their offsets."""
        while True:
            frame = self._frame_at(self.end)
            if isinstance(frame, Frame):
                yield frame
                self.end = frame.offset + HEAD_SIZE + len(frame.payload)
                continue
            found = self._next_frame(self.end + 1)
            if found is None:
                return
            yield Damage(self.end, found, frame)
            self.end = found

    def _frame_at(self, offset: int) -> Frame | str:
        """Return the frame at `offset`, or why there is none."""
        if offset + HEAD_SIZE > len(self.raw):
            return "incomplete"
        sync, length, checksum, sequence = _HEAD.unpack_from(self.raw, offset)
        if sync != SYNC:
            return "no sync marker"
        stop = offset + HEAD_SIZE + length
        if stop > len(self.raw) or length > MAX_PAYLOAD:
            return f"incomplete: {length} bytes announced"
        if crc32(self.data[offset + 12 : stop]) != checksum:
            return "checksum differs"
        if sequence >> 63:
            return f"sequence {sequence} is out of range"
        return Frame(offset, sequence, self.data[offset + HEAD_SIZE : stop])

    def _next_frame(self, start: int) -> int | None:
        """Return the offset of the first whole frame at or after `start`, or None."""
        while (start := self.raw.find(SYNC, start)) >= 0:
            if isinstance(self._frame_at(start), Frame):
                return start
            start += 1
        return None
