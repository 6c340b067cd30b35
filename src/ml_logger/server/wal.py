"""The log of batches on their way into run directories: what is in it after `append` is durable. Knows no run and no wire.

Segments `<number>.wal` are MAGIC, then frames (`formats/frames.py`) numbered without gaps; a payload is an `Entry` or a
`Void` that takes back entries which were written but never acknowledged. See docs/formats/wire.md.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Union

import msgspec
from msgspec import Struct

from ml_logger.formats import frames

MAGIC = b"\x89MWAL\r\n\x01"
SEGMENT_BYTES = 64 << 20
"""A segment of this size is closed and waits for its checkpoint."""


class Entry(Struct, array_like=True, tag=0):
    """Bytes that belong at offset `at` of the file `path`; `sizes` are those of the plain files it changes, before it.

    `applied` says that every entry below this number had changed the plain files when this one was written.
    """

    run: str
    path: str
    at: int
    sizes: dict[str, int]
    applied: int
    data: bytes


class Void(Struct, array_like=True, tag=1):
    """Entries that count as never written."""

    numbers: list[int]


_Payload = Union[Entry, Void]  # noqa: UP007 - msgspec reads it at run time
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Payload)


class Wal:
    """The segments of one directory; used by one thread, but for `drop`."""

    def __init__(self, directory: Path) -> None:
        """Open `directory`, which exists; nothing is written before the first `append`."""
        self.directory = directory
        self.damaged = 0
        self.number = 0
        self._fd = -1
        self._segment: Path | None = None
        self._end = 0
        self._born = 0.0
        self._void: list[int] = []

    def segments(self) -> list[Path]:
        """Return the segments on the disk, oldest first."""
        return sorted(self.directory.glob("*.wal"))

    def recover(self) -> list[tuple[int, Entry]]:
        """Return all entries that hold, in order, with their numbers; call it before the first `append`."""
        entries: dict[int, Entry] = {}
        for segment in self.segments():
            for number, payload in self._read(segment):
                self.number = max(self.number, number + 1)
                if isinstance(payload, Entry):
                    entries[number] = payload
                else:
                    for void in payload.numbers:
                        entries.pop(void, None)
        return sorted(entries.items())

    def _read(self, segment: Path) -> Iterator[tuple[int, Entry | Void]]:
        for item in frames.Scanner(segment.read_bytes(), len(MAGIC)):
            if isinstance(item, frames.Damage):
                self.damaged += 1
                continue
            try:
                yield item.sequence, _decoder.decode(item.payload)
            except ValueError:
                self.damaged += 1

    def append(self, entries: list[Entry]) -> list[int]:
        """Write `entries` and make them durable; returns their numbers.

        Raises `OSError` when they are not: after a failed write the segment is cut back; after a failed sync it is left
        alone for good, its unsure entries are taken back, and the next call starts a new segment.
        """
        first = self.number
        numbers = list(range(first, first + len(entries)))
        pieces = [frames.encode(number, _encode(entry)) for number, entry in zip(numbers, entries, strict=True)]
        self._open()
        if self._void:
            pieces.insert(0, frames.encode(first + len(entries), _encode(Void(self._void))))
        self._write(b"".join(pieces) if len(pieces) > 1 else pieces[0])
        self.number = first + len(entries) + bool(self._void)
        try:
            os.fdatasync(self._fd)
        except OSError:
            self.void(numbers)
            self._abandon()
            raise
        self._void = []
        return numbers

    def void(self, numbers: list[int]) -> None:
        """Take entries back; durable together with the next `append`, before anything else of their writers is."""
        self._void = [*self._void, *numbers]

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        done = 0
        try:
            while done < len(view):
                done += os.pwrite(self._fd, view[done:], self._end + done)
        except OSError:
            self._cut_back()
            raise
        self._end += len(view)

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._fd, self._end)
        except OSError:
            self._abandon()

    def _open(self) -> None:
        if self._fd >= 0:
            return
        serial = max((int(path.stem) for path in self.segments() if path.stem.isdigit()), default=0) + 1
        path = self.directory / f"{serial:012d}.wal"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, MAGIC)
            sync_directory(self.directory)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        self._fd, self._segment, self._end, self._born = fd, path, len(MAGIC), time.monotonic()

    def _abandon(self) -> None:
        """Never touch this segment's descriptor again: a second sync could succeed without having written anything."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
        self._fd, self._segment = -1, None

    def is_due(self, idle_s: float) -> bool:
        """Tell whether the open segment should be closed: it is large, or older than `idle_s`."""
        return self._fd >= 0 and (self._end >= SEGMENT_BYTES or time.monotonic() - self._born > idle_s)

    def seal(self) -> list[Path]:
        """Close the open segment; return all segments, whose entries may be dropped once their files are synced."""
        if self._fd >= 0:
            self._abandon()
        return self.segments()

    @staticmethod
    def drop(segments: list[Path]) -> None:
        """Remove segments after their entries are durable elsewhere."""
        for segment in segments:
            segment.unlink(missing_ok=True)


def sync_directory(path: str | Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
