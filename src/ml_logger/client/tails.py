"""One journal on its way to the server: what of it is delivered, what comes next, what the server's answers mean. Knows no network.

A journal that went on in another directory (its disk was full) begins at byte 0 again; the sequences tell that it is a
continuation, and `start` is the writer's offset of the file's first byte.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from ml_logger.client.journal_file import is_alive
from ml_logger.client.packing import BATCH_BYTES, Batch, Packer, body_of
from ml_logger.client.spool import Slot, disk_bytes, is_nearly_full
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import Gap, Header

_HELD_BYTES = 16 << 20
_SCARCE_BYTES = 256 << 10
"""Delivered bytes that are held while there is room, in case the server loses them, and while there is hardly any."""
_HEAD_BYTES = 1 << 16
_MAX_CONFLICTS = 8
_SCAN_BYTES = 8 << 20


class Tail:
    """The journal at `path`, read from `at` on. `own`: a writer of this process wrote it, and its counters are `status()`'s."""

    def __init__(self, slot: Slot, path: Path, *, own: bool) -> None:
        """Go on where the slot's state says; raises `OSError` if the journal is gone."""
        self.slot, self.path, self.own = slot, path, own
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.writer = path.stem.rpartition("-")[2]
        self.packer = Packer()
        self.start, self.base, self.at = slot.state()
        self.pending: Batch | None = None
        self.max_frames = 0
        self.acked = self.duplicates = self.damaged = 0
        self.ended = False
        self.conflicts = 0
        self.sent_at = 0.0
        self.blocked_until = 0.0
        self.forbidden = False
        if self.at > self.size:
            self.start = self.base = self.at = 0
        self.first = self._read_head()

    def _read_head(self) -> int:
        """Learn header and first keys, which `pack` won't meet when it starts later; return the file's first sequence."""
        head = os.pread(self.fd, _HEAD_BYTES, 0)
        self.packer.pack(head, 0, final=False)
        found = next(iter(frames.Scanner(head, len(frames.MAGIC))), None)
        return found.sequence if isinstance(found, frames.Frame) else 0

    @property
    def size(self) -> int:
        """Bytes in the journal now."""
        try:
            return os.fstat(self.fd).st_size
        except OSError:  # closed meanwhile by the carrier's thread
            return self.at

    @property
    def header(self) -> Header | None:
        """The header, or None as long as (or because) it cannot be read."""
        if self.packer.header is None:
            self.first = self._read_head()
        return self.packer.header

    @property
    def is_dead(self) -> bool:
        """Tell whether nobody writes the journal any more."""
        return not is_alive(self.path)

    def next(self) -> Batch | None:
        """Return what is to be sent: the same as last time until it is acknowledged."""
        if self.pending is None:
            self.pending = self._pack(BATCH_BYTES)
        return self.pending

    def _pack(self, length: int) -> Batch | None:
        data = os.pread(self.fd, length, self.at)
        at_end = len(data) < length
        if not data:
            return None
        batch = self.packer.pack(data, self.at, final=at_end and self.is_dead and self.at + len(data) == self.size, most=self.max_frames)
        if batch is None and not at_end and length <= frames.MAX_PAYLOAD:
            return self._pack_long(data, length)
        return batch

    def _pack_long(self, data: bytes, length: int) -> Batch | None:
        """Return one frame that is longer than `data`, or if its length is not to be believed, what comes after it."""
        start = len(frames.MAGIC) if self.at == 0 else 0
        needed = frames.size_at(data, start)
        if needed is None or needed > frames.MAX_PAYLOAD:
            return self._pack(length * 8)
        return self.packer.pack(os.pread(self.fd, start + needed, self.at), self.at, final=False, most=1) or self._pack(length * 8)

    def body(self, batch: Batch) -> bytes:
        """Return the request body of `batch`."""
        header = self.packer.header
        assert header is not None, "a journal without header is not delivered"
        return body_of(batch, self.start, header)

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def acknowledged(self, batch: Batch, *, duplicate: bool) -> None:
        """Take note that the server has `batch`, for the first time or as a duplicate."""
        self.at, self.pending, self.conflicts, self.forbidden = max(self.at, batch.hi), None, 0, False
        self.max_frames *= 4
        self.acked += batch.records
        self.damaged += batch.damaged
        self.duplicates += duplicate
        self.ended = batch.ended
        self._release()
        self.slot.save_state(self.start, self.base, self.at)

    def refused(self, offset: int, sequence: int) -> bool:
        """Go on after the `sequence` that the server has, whose next byte of this writer it calls `offset`.

        The sequence says where that is in this file, also if what we knew of the writer's earlier files is lost. False after too
        many of these in a row.
        """
        self.pending = None
        self.conflicts += 1
        held = max(self.base, len(frames.MAGIC))
        oldest = frames.sequence_at(os.pread(self.fd, frames.HEAD_SIZE, held), 0)
        if self.base and oldest is not None and sequence + 1 < oldest:
            self._leave_gap(offset, sequence, oldest)
        else:
            here = self._position_after(sequence, held)
            self.acked += self._records(self.at, here)
            self.start, self.at = offset - here, here
        return self.conflicts <= _MAX_CONFLICTS

    def _position_after(self, sequence: int, held: int) -> int:
        """Return where the first frame with a higher sequence begins; 0 if that is the first frame of the file."""
        found = held if self.base else 0
        at, length = held, _SCAN_BYTES
        while data := os.pread(self.fd, length, at):
            scanner = frames.Scanner(data)
            for item in scanner:
                if isinstance(item, frames.Frame):
                    if item.sequence > sequence:
                        return found
                    found = at + item.offset + frames.HEAD_SIZE + len(item.payload)
            if scanner.end == 0 and len(data) < length:
                break
            length = _SCAN_BYTES if scanner.end else length * 8
            at += scanner.end
        return found

    def _records(self, lo: int, hi: int) -> int:
        if hi <= lo:
            return 0
        batch = Packer().pack(os.pread(self.fd, hi - lo, lo), lo, final=True)
        return batch.records if batch else 0

    def _leave_gap(self, offset: int, sequence: int, oldest: int) -> None:
        """Say that records are missing which the server has lost and which are not held here any more, and go on after them."""
        self.at = self.base
        self.pending = self.gap(offset - self.start, self.at, sequence + 1, oldest - 1, "lost by the server after they were delivered")

    def gap(self, lo: int, hi: int, first: int, last: int, reason: str) -> Batch:
        """Return a batch that takes the place of bytes [lo, hi): it says which records are missing and why."""
        frame = frames.encode(last, messages.encode(Gap(first, last, reason[:500], 0.0)))
        return Batch(lo, hi, self.packer.introduction(last) + frame, last, 0, 0, [], ended=False)

    def reject(self, batch: Batch, reason: str) -> bool:
        """After a refusal for good, send less of `batch`, at last leave one frame out; False if nothing can be sent at all."""
        if batch.frames_taken > 1:
            self.pending, self.max_frames = None, batch.frames_taken // 2
            return True
        if batch.lo == 0:
            return False
        content = os.pread(self.fd, batch.hi - batch.lo, batch.lo)
        self.slot.quarantine(reason, content)
        self.pending = self.gap(batch.lo, batch.hi, batch.last, batch.last, f"rejected: {reason}")
        return True

    # ── the disk ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _release(self) -> None:
        """Give delivered bytes back to the disk while the journal goes on; header and first keys stay. Not in a mirror, which is read."""
        held = self.at - self.base
        if self.slot.about.journal:
            return
        if held < _HELD_BYTES and not (held > _SCARCE_BYTES and is_nearly_full(self.path.parent, disk_bytes(self.path))):
            return
        start = max(self.base, _HEAD_BYTES)
        if punch(self.path, start, self.at - start):
            self.base = self.at

    def close(self) -> None:
        """Let go of the file and of the slot's lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        self.slot.unlock()


def punch(path: Path, offset: int, length: int) -> bool:
    """Give the disk back what lies at [offset, offset + length) of a file, which reads as zeros then; False where that can't be done."""
    if not sys.platform.startswith("linux") or length <= 0:
        return False
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        keep_size_and_punch = 0x01 | 0x02
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
        return fallocate(fd, keep_size_and_punch, ctypes.c_int64(offset), ctypes.c_int64(length)) == 0
    except (AttributeError, OSError):
        return False
    finally:
        os.close(fd)
