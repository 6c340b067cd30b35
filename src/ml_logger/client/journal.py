"""The journal: a writer's append-only file of frames. What `append` returned from survives the end of the process.

One `write` on an O_APPEND descriptor per record, in the caller's thread. Knows no run directory and no server: it gets
a list of directories, uses the first that can be written, and moves on to the next when the disk fails.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from ml_logger.formats import frames, messages, values

_KEYS_EVERY = 1 << 20
_LINK_CHECK_S = 1.0
_SEQUENCE = struct.Struct("<Q")
_HEAD = struct.Struct("<4sII")
_encode = msgspec.msgpack.Encoder().encode
_ROW, _KEYS = 2, 1


class JournalFile:
    """An open file of frames with its lock. `write` puts all of a frame at the end, or raises and leaves no torn one."""

    def __init__(self, path: Path) -> None:
        """Create (or go on with) the file `path`, and hold its lock while it is open."""
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with contextlib.suppress(OSError):  # a file system without locks: the writer then looks dead, and is not joined
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.size = os.fstat(self.fd).st_size

    def write(self, frame: bytes) -> None:
        """Append `frame` with one write; on failure cut off what was written of it and raise `OSError`."""
        written = os.write(self.fd, frame)
        if written != len(frame):
            os.ftruncate(self.fd, self.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.size += written

    def is_linked(self) -> bool:
        """Tell whether the file still has a name."""
        return os.fstat(self.fd).st_nlink > 0

    def close(self) -> None:
        """Close it, which releases the lock; the second time does nothing."""
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)


class Journal:
    """Frames of one writer: numbers them, announces key lists, survives failing disks. Re-entrant; needs no lock.

    `places` yields directories in order of preference; `header` is written at the start of every file.
    `on_trouble(path, error)` is told once for each place that failed. When all fail, records are counted as dropped.
    """

    def __init__(
        self,
        name: str,
        header: messages.Header,
        places: Iterator[Path],
        on_trouble: Callable[[Path, OSError], None],
        on_open: Callable[[Path], None],
    ) -> None:
        """Prepare a journal called `name`; the file is opened at the first record, and `on_open` told its path."""
        self.name, self.header = name, header
        self._places, self._on_trouble, self._on_open = places, on_trouble, on_open
        self._place: Path | None = None
        self._sequences = itertools.count(1)
        self._sids = itertools.count(1)
        self._announced: dict[tuple[str, tuple[str, ...]], int] = {}
        self._known: dict[tuple[str, tuple[str, ...]], int] = {}
        self._keys_again_at = _KEYS_EVERY
        self._check_at = 0.0
        self.file: JournalFile | None = None
        self.accepted = self.journaled = self.dropped = 0
        self.moved = False

    def open(self) -> bool:
        """Open the first place that works and write the header; False if none is left."""
        again = () if self._place is None else (self._place,)
        for place in itertools.chain(again, self._places):
            try:
                place.mkdir(parents=True, exist_ok=True)
                self._start(JournalFile(place / self.name))
            except OSError as error:
                self._on_trouble(place, error)
                self.moved = True
                continue
            self._place = place
            self._on_open(place / self.name)
            return True
        return False

    def _start(self, file: JournalFile) -> None:
        self._announced = {}
        self._keys_again_at = file.size + _KEYS_EVERY
        head = frames.encode(next(self._sequences), messages.encode(self.header))
        file.write(frames.MAGIC + head if file.size == 0 else head)
        self.file = file

    def append(self, message: messages.Message) -> None:
        """Write one message as a record of its own; never raises for a failing disk."""
        self.accepted += 1
        self._write(messages.encode(message))

    def append_row(self, table: str, names: tuple[str, ...], row: int, step: int | None, now: float, row_values: list[object]) -> None:
        """Write one call's values, in the order of `names`; the hot path of `log()`."""
        self.accepted += 1
        sid = self._announced.get((table, names)) or self._announce(table, names)
        try:
            payload = _encode((_ROW, sid, row, step, now, row_values))
        except (OverflowError, ValueError, TypeError, RecursionError):  # a value that is not plain after all
            payload = _encode((_ROW, sid, row, step, now, [values.plain(value) for value in row_values]))
        if self.file is not None and now > self._check_at:
            self._check_link(now)
        self._write(payload)
        if self.file is not None and self.file.size > self._keys_again_at:
            self._announced, self._keys_again_at = {}, self.file.size + _KEYS_EVERY

    def _announce(self, table: str, names: tuple[str, ...]) -> int:
        """Write the KEYS frame of a list of names and return its sid."""
        sid = self._known.setdefault((table, names), next(self._sids))
        if self.file is None and not self.open():
            return sid
        self._put(_encode((_KEYS, sid, names, table)))
        self._announced[table, names] = sid
        return sid

    def _write(self, payload: bytes) -> None:
        if (self.file is not None or self.open()) and self._put(payload):
            self.journaled += 1
        else:
            self.dropped += 1

    def _put(self, payload: bytes) -> bool:
        """Append a frame, in the next place if this one fails; False if nothing could take it."""
        body = _SEQUENCE.pack(next(self._sequences)) + payload
        frame = _HEAD.pack(frames.SYNC, len(payload), crc32(body)) + body
        while (file := self.file) is not None:
            try:
                file.write(frame)
            except OSError as error:
                self._leave(file, error)
                continue
            return True
        return False

    def _leave(self, file: JournalFile, error: OSError) -> None:
        """Go on in the next place, announcing all known keys there again."""
        self._on_trouble(file.path.parent, error)
        self.moved, self.file, self._place = True, None, None
        with contextlib.suppress(OSError):
            file.close()
        if self.open():
            for (table, names), sid in self._known.items():
                self._put(_encode((_KEYS, sid, names, table)))
                self._announced[table, names] = sid

    def _check_link(self, now: float) -> None:
        """Make the file anew if somebody deleted it: once a second, so that `rm -r` of a live run costs one second at most."""
        self._check_at = now + _LINK_CHECK_S
        file = self.file
        if file is None or file.is_linked():
            return
        with contextlib.suppress(OSError):
            file.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = JournalFile(file.path)
            file.close()
            self._start(fresh)
            for (table, names), sid in self._known.items():
                self._put(_encode((_KEYS, sid, names, table)))
                self._announced[table, names] = sid

    def sync(self) -> None:
        """Make all that was written survive a power cut too."""
        if self.file is not None:
            os.fdatasync(self.file.fd) if hasattr(os, "fdatasync") else os.fsync(self.file.fd)

    def close(self, reason: str = "") -> None:
        """Write END and close the file; later records open it again."""
        if self.file is not None:
            self._put(messages.encode(messages.End(time.time(), reason)))
            if self.file is not None:
                self.file.close()
                self.file = None

    def abandon(self) -> None:
        """Let go of the descriptor without a word: it belongs to the parent process."""
        if self.file is not None:
            with contextlib.suppress(OSError):
                self.file.close()
            self.file = None


def is_alive(path: Path) -> bool:
    """Tell whether a process holds the journal at `path` open for writing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def say(text: str) -> None:
    """Tell the user one line on stderr; a closed stderr is no reason to fail."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(f"ml-logger: {text}", file=sys.stderr, flush=True)
