"""The journal: a writer's append-only file of frames. What `append` returned from survives the end of the process.

One `write` on an O_APPEND descriptor per record, in the caller's thread. Knows no run directory and no server: it gets
a list of directories, uses the first that can be written, and moves on to the next when the disk fails.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Literal
from zlib import crc32

import msgspec

from ml_logger.client.backlog import STALL_S, Backlog
from ml_logger.client.cap import Cap
from ml_logger.client.journal_file import JournalFile
from ml_logger.console import say
from ml_logger.formats import frames, messages

_KEYS_EVERY = 1 << 20
_AGAIN_S = 1.0
"""How often a live writer looks whether its file is still linked, and a homeless one whether a place can be written again."""
_SAY_LOST_S, _NAME_LOST_S = 60.0, 0.5
_SEQUENCE = struct.Struct("<Q").pack
_HEAD = struct.Struct("<4sIIQ").pack
_encode = msgspec.msgpack.Encoder().encode
_ROW, _KEYS = 2, 1


class Shape:
    """A list of names in one table, announced by a KEYS frame as `sid`; `steps` are the places of names that may be the step."""

    __slots__ = ("era", "names", "sid", "steps", "table")

    def __init__(self, table: str, names: tuple[str, ...], sid: int, steps: tuple[int, ...]) -> None:
        """Describe it; not announced yet."""
        self.table, self.names, self.sid, self.steps = table, names, sid, steps
        self.era: object = None


class Journal:
    """Frames of one writer: numbers them, announces key lists, survives failing disks. Re-entrant; callers lock out other threads.

    `places()` yields directories in order of preference; the `header` (or what it returns when the first file is opened)
    is written at the start of every file.
    `on_trouble(path, error)` is told of each place that failed. While all fail, or the spool is full, records are counted as
    dropped, and a GAP names them when a place can be written again.
    """

    def __init__(
        self,
        name: str,
        header: messages.Header | Callable[[], messages.Header],
        places: Callable[[], Iterator[Path]],
        on_trouble: Callable[[Path, OSError], None],
        on_open: Callable[[Path], None],
        is_capped: Callable[[Path], bool] = lambda path: False,
    ) -> None:
        """Prepare a journal called `name`; the file is opened at the first record, and `on_open` told its path.

        `is_capped(directory)` tells of a spool: what is over its bounds (`client/cap.py`) is lost and counted.
        """
        self.name, self._header = name, header
        self._all_places, self._on_trouble, self._on_open = places, on_trouble, on_open
        self._places = places()
        self._place: Path | None = None
        self._sequences = itertools.count(1)
        self._sids = itertools.count(1)
        self._shapes: list[Shape] = []
        self._era: object = object()
        self._look_at = _KEYS_EVERY
        self._check_at = 0.0
        self._gap: tuple[int, int] | None = None
        self._backlog: Backlog | None = None
        self._ready: JournalFile | None = None
        self.file: JournalFile | None = None
        self.accepted = self.journaled = self.dropped = 0
        self.moved = self.stalled = False
        self._journaled_at_home = 0
        self._stalled_at = 0.0
        self._said_lost, self._say_lost_at, self._why_lost, self._name_lost_at, self._name_pause = 0, 0.0, "", 0.0, _NAME_LOST_S
        self._opening, self._late = False, list[bytes]()
        self._is_capped, self._cap = is_capped, Cap()

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────────────

    def shape(self, table: str, names: tuple[str, ...], steps: tuple[int, ...]) -> Shape:
        """Return a new list of names for `append_row`; its KEYS frame is written when it is first used."""
        shape = Shape(table, names, next(self._sids), steps)
        self._shapes.append(shape)
        return shape

    def forget_shapes(self) -> None:
        """Drop all lists of names; the caller makes new ones for what it logs next."""
        self._shapes.clear()

    def append(self, message: messages.Message) -> None:
        """Write one message as a record of its own; never raises for a failing disk."""
        self.accepted += 1
        self._tick()
        self._write(messages.encode(message), is_row=False)

    def append_row(self, shape: Shape, row: int, step: int | None, now: float, row_values: list[object]) -> None:
        """Write one call's values, in the order of the shape's names; the hot path of `log()`. Raises for values that are not plain."""
        if now > self._check_at or now < self._check_at - _AGAIN_S:
            self._tick(now)
        if shape.era is not self._era and not self._cap.is_full:
            self._announce(shape)
        payload = _encode((_ROW, shape.sid, row, step, now, row_values))
        self.accepted += 1
        self._write(payload)

    def _announce(self, shape: Shape) -> None:
        """Write the KEYS frame of a shape."""
        if self.file is None and not self.open():
            return
        if self._put(_encode((_KEYS, shape.sid, shape.names, shape.table)))[1] != "lost":
            shape.era = self._era

    def _write(self, payload: bytes, *, is_row: bool = True) -> None:
        """Write a frame and count it; the short way, while nothing is in the way."""
        file = self._ready
        if file is None:
            self._write_hard(payload, is_row=is_row)
            return
        sequence, start = next(self._sequences), monotonic()
        frame = _HEAD(frames.SYNC, len(payload), crc32(payload, crc32(_SEQUENCE(sequence))), sequence) + payload
        try:
            file.write(frame)
        except OSError as error:
            self._leave(file, error)
            self._count(sequence, taken=self._write_frame(frame))
        else:
            self.journaled += 1
        if monotonic() - start > STALL_S:
            self._stall()
        if file.size > self._look_at:
            self._era = object()
            self._look(file)

    def _write_hard(self, payload: bytes, *, is_row: bool) -> None:
        """Write a frame that needs a place first, or comes after a gap, or has to wait for a stalled disk, or finds the spool full."""
        if (self.file is None and not self.open()) or (self._cap.is_full and not self._fits(is_row=is_row)):
            self._count(next(self._sequences), taken=False)
            return
        if self._gap is not None:
            self._close_gap(*self._gap)
        sequence, fate = self._put(payload)
        if fate != "waits":
            self._count(sequence, taken=fate == "written")
        self._settle_state()

    def _look(self, file: JournalFile) -> None:
        """See whether the place has room for more; at the start, and about once a MiB."""
        self._look_at = file.size + _KEYS_EVERY
        if self._is_capped(file.path.parent):
            with contextlib.suppress(OSError):
                more, said = self._cap.look(file.path)
                self._look_at = file.size + min(more, _KEYS_EVERY)
                if said:
                    say(said)
        self._settle_state()

    def _fits(self, *, is_row: bool) -> bool:
        """Tell whether a record still finds room in a spool that is full: rows do not."""
        return not is_row and self.file is not None and self._cap.has_reserve(self.file.path)

    def _count(self, sequence: int, *, taken: bool) -> None:
        """Count a record; one that no place takes becomes part of a gap."""
        if taken:
            self.journaled += 1
        else:
            self._gap = (self._gap[0] if self._gap else sequence, sequence)
            self._lose()
            self._ready = None

    def _lose(self) -> None:
        """Count a record that no place takes, and say so: the first at once, then once a minute."""
        self.dropped += 1
        if monotonic() >= self._say_lost_at:
            self._say_lost_at = monotonic() + _SAY_LOST_S
            self._say_lost()
        if self._cap.is_full and monotonic() >= self._name_lost_at:
            self._name_lost()

    def _name_lost(self) -> None:
        """Write the gap so far into a spool's reserve, at first each second, later each minute: who is killed has named what it lost."""
        self._name_pause = min(2 * self._name_pause, _SAY_LOST_S)
        self._name_lost_at = monotonic() + self._name_pause
        if self._gap is not None and self.file is not None and self._cap.has_reserve(self.file.path):
            self._close_gap(*self._gap)

    def _say_lost(self) -> None:
        if self.dropped > self._said_lost:
            self._said_lost = self.dropped
            lost = f"{self.dropped} record{'s are' if self.dropped > 1 else ' is'} lost"
            self._why_lost = "the spool is full" if self._cap.is_full else "no place can be written"
            say(f"{self._why_lost}: {lost} so far; the run keeps a gap that names them")

    def _settle_state(self) -> None:
        self._ready = self.file if self._gap is None and self._backlog is None and not self._cap.is_full else None

    def _close_gap(self, first: int, last: int) -> None:
        _, fate = self._put(messages.encode(messages.Gap(first, last, self._why_lost, time.time())))
        self._gap = None if fate != "lost" else self._gap

    def _put(self, payload: bytes) -> tuple[int, Literal["written", "waits", "lost"]]:
        """Append a frame; returns its sequence, and what became of it: during a stall it waits, and is counted when it is written."""
        sequence = next(self._sequences)
        frame = frames.encode(sequence, payload)
        if self._opening:  # a signal handler that came in the middle of it
            self._late.append(frame)
            return sequence, "written"
        if self._backlog is not None:
            taken = self._backlog.put(frame)
            self._say_stalled()
            if taken is not None:
                return sequence, "waits" if taken else "lost"
            self._backlog = None
        start = monotonic()
        written = self._write_frame(frame)
        if monotonic() - start > STALL_S:
            self._stall()
        return sequence, "written" if written else "lost"

    def _write_frame(self, frame: bytes) -> bool:
        """Append a frame in this place, or in the next that works."""
        while (file := self.file) is not None:
            try:
                file.write(frame)
            except OSError as error:
                self._leave(file, error)
                continue
            return True
        return False

    # ── stalls ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _stall(self) -> None:
        """Let frames wait in memory until the disk is quick again."""
        self._stalled_at = monotonic()
        with contextlib.suppress(RuntimeError):  # the interpreter ends and starts no threads: go on writing
            self._backlog = Backlog(self._write_late)
            self._ready = None

    def _say_stalled(self) -> None:
        if not self.stalled and self.file is not None and monotonic() - self._stalled_at > _AGAIN_S:
            self.stalled = True
            say(f"{self.file.path.parent} answers slowly; records wait in memory until it is quick again (this is said once)")

    def _write_late(self, frame: bytes) -> None:
        """Write a frame that waited; in the thread of the backlog, while no one else writes."""
        if self._write_frame(frame):
            self.journaled += 1
        else:
            self._lose()

    @property
    def header(self) -> messages.Header:
        """What is written at the start of every file."""
        return self._header if isinstance(self._header, messages.Header) else self._header()

    @property
    def waiting(self) -> int:
        """Bytes that wait in memory because the disk stalls."""
        return self._backlog.waiting if self._backlog is not None else 0

    @property
    def at_home(self) -> int:
        """Records that are in the first place: all, unless the journal had to move."""
        return self._journaled_at_home if self.moved else self.journaled

    @property
    def size(self) -> int:
        """Bytes of the file that is written now."""
        return self.file.size if self.file is not None else 0

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until nothing waits in memory, for at most `timeout` s; False if that was not enough."""
        return self._backlog is None or self._backlog.wait(timeout)

    # ── places ───────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self) -> bool:
        """Open the first place that works and write the header; False if none is left."""
        if self._opening:
            return True
        self._opening = True
        try:
            opened = self._open()
        finally:
            self._opening = False
        while self._late and self.file is not None:
            self._write_frame(self._late.pop(0))
        return opened

    def _open(self) -> bool:
        if not isinstance(self._header, messages.Header):
            self._header = self._header()
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
        """Begin a file with the header; all lists of names are announced anew as they are used."""
        self._era = object()
        head = frames.encode(next(self._sequences), messages.encode(self.header))
        try:
            file.write(frames.MAGIC + head if file.size == 0 else head)
        except OSError:
            file.close()
            raise
        self.file = file
        self._look(file)

    def _leave(self, file: JournalFile, error: OSError) -> None:
        """Go on in the next place. The frame that failed may need its names, so all are announced there at once."""
        self._on_trouble(file.path.parent, error)
        self._journaled_at_home = self.at_home
        self.moved, self.file, self._place, self._ready = True, None, None, None
        with contextlib.suppress(OSError):
            file.close()
        if self.open():
            self._announce_all()

    def _announce_all(self) -> None:
        file, era = self.file, self._era
        for shape in self._shapes:
            payload = _encode((_KEYS, shape.sid, shape.names, shape.table))
            if file is not None and self._write_frame(frames.encode(next(self._sequences), payload)) and self._era is era:
                shape.era = era

    def _tick(self, now: float | None = None) -> None:
        """Once a second: make the file anew if somebody deleted it, or look for a place again if there was none."""
        now = time.time() if now is None else now
        if self._check_at - _AGAIN_S <= now <= self._check_at:
            return
        self._check_at = now + _AGAIN_S
        if self._backlog is not None:
            return
        if self._cap.is_full and self.file is not None and self._cap.is_free_again(self.file.path):
            self._look_at, self._name_pause = 0, _NAME_LOST_S
        if self.file is None and self.moved:
            self._places = self._all_places()
        elif self.file is not None and not self.file.is_linked():
            self._remake(self.file)

    def _remake(self, file: JournalFile) -> None:
        with contextlib.suppress(OSError):
            file.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = JournalFile(file.path)
            file.close()
            self._start(fresh)
            self._on_open(fresh.path)

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sync(self) -> None:
        """Make all that was written survive a power cut too."""
        if self.file is not None:
            os.fdatasync(self.file.fd) if hasattr(os, "fdatasync") else os.fsync(self.file.fd)

    def close(self, reason: str = "", timeout: float | None = None) -> None:
        """Write END and close the file; later records open it again. Waits (at most `timeout` s) for a stalled disk."""
        self._say_lost()
        if self.file is None or not self.settle(timeout):
            return
        self._backlog = None
        if self._gap is not None:
            self._close_gap(*self._gap)
        self._put(messages.encode(messages.End(time.time(), reason)))
        if self.file is not None and self._backlog is None:
            self.file.close()
            self.file = self._ready = None

    def abandon(self) -> None:
        """Let go of the descriptor without a word: it belongs to the parent process."""
        self._backlog = self._ready = None
        if self.file is not None:
            with contextlib.suppress(OSError):
                self.file.close()
            self.file = None
