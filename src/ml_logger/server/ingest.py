"""Taking in what carriers bring: checked, grouped, made durable in the log, put into the runs' journals, acknowledged.

One thread commits; requests wait for it without blocking the event loop. Knows no routes and no tokens: the caller hands in the
body's stream and a function that refuses keys outside of a token's scope. A batch has exactly one effect however often it
is sent: its `lo` has to be the writer's committed offset (compare-and-set), and that offset is in the files themselves.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import errno
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from ml_logger import keys
from ml_logger.errors import RejectedError, ServerBusyError
from ml_logger.formats import frames, messages
from ml_logger.safe_fs import SafeRoot
from ml_logger.server import batches, effects, recovery
from ml_logger.server.batches import Limits, Part
from ml_logger.server.places import Place, Places, create_run, decide_attempt
from ml_logger.server.wal import Entry, Wal

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SYNC_FAILURES, _SYNC_WINDOW_S = 3, 60.0
_INLINE_BYTES = 256 << 10
_GROUP_BYTES = 16 << 20
_PROBE_S = 1.0
_READ_ONLY_S = 5.0
_ROOM_BYTES = 1 << 20

Ack = dict[str, Any]


class Counters(Struct):
    """What was taken in since the start."""

    batches: int = 0
    records: int = 0
    bytes: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    busy: int = 0
    full: int = 0
    sync_errors: int = 0
    replayed: int = 0
    damaged: int = 0
    gaps: int = 0


class _Job:
    """A request that waits for its parts to be committed."""

    __slots__ = ("acks", "error", "future", "loop", "parts", "size")

    def __init__(self, parts: list[Part], size: int, loop: asyncio.AbstractEventLoop) -> None:
        self.parts, self.size, self.loop = parts, size, loop
        self.future: asyncio.Future[None] = loop.create_future()
        self.acks: list[Ack] = []
        self.error: Exception | None = None

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Ingest:
    """The way of batches into a root. `start` replays what a crash left, `stop` commits what is queued."""

    def __init__(self, root: SafeRoot, poke: Callable[[str], None], limits: Limits | None = None) -> None:
        """Take batches into `root`; `poke(run)` is called, on the committing thread, for every run that grew."""
        self.root, self._poke, self.limits = root, poke, limits or Limits()
        self.counters = Counters()
        root.make_dirs(f"{keys.HOME}/wal")
        self.wal = Wal(root.path(f"{keys.HOME}/wal"))
        self.places = Places(root)
        self.effects = effects.Effects(root, self.places.drop_below)
        self._jobs: collections.deque[_Job] = collections.deque()
        self._wake = threading.Condition()
        self._held = 0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._touched: set[str] = set()
        self._unsynced: collections.deque[set[str]] = collections.deque()
        self._suspect: set[Path] = set()
        self._applied = 0
        self._full = False
        self._full_until = 0.0
        self._sync_failed_at: list[float] = []
        self._checkpoint: threading.Thread | None = None

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Replay the log, then commit from a thread of its own."""
        self.counters.replayed = recovery.replay(self.wal, self.places, self.effects, self._poke)
        self.counters.damaged = self.wal.damaged
        self._applied = self.wal.number
        self._thread = threading.Thread(target=self._run, name="ml-logger-commit", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Commit what is queued, make journals durable, empty the log."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
        if self._checkpoint is not None:
            self._checkpoint.join(timeout)
        self.places.close()

    @property
    def is_ready(self) -> bool:
        """Tell whether batches would be made durable now: the disk is not full, syncs do not fail, the thread lives."""
        alive = self._thread is not None and self._thread.is_alive()
        return alive and not self._stopping and not self._is_read_only() and not (self._full and self._free_bytes() < _ROOM_BYTES)

    @property
    def queued_bytes(self) -> int:
        """Bytes of batches that are being read or wait to be committed."""
        return self._held

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def ingest(
        self, body: AsyncIterator[bytes], check: Callable[[str], None], length: int | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Take one body and return (HTTP status, JSON) after it is durable: 200, or 409 where a `lo` is not the committed offset.

        `check(key)` raises for keys outside of the token's scope. Raises `RejectedError` (400, 413) for a bad body and
        `ServerBusyError` (503 when the queue is full, 507 when the disk is). Cost: one group commit, 5 to 50 ms.
        """
        self._admit(length or 0)
        held = [0]
        try:
            raw = await self._read(body, held)
            job = _Job(raw, held[0], asyncio.get_running_loop())
            for part in job.parts:
                check(part.mark.run)
                for key in effects.paths_of(part.effects):
                    check(key)
            with self._wake:
                if self._stopping:
                    raise ServerBusyError("the server is stopping", self.limits.busy_retry_s)
                self._jobs.append(job)
                self._wake.notify()
            await job.future
        except RejectedError:
            self.counters.rejected += 1
            raise
        finally:
            self._held -= held[0]
        if job.error is not None:
            raise job.error
        conflict = any(ack.pop("conflict", False) for ack in job.acks)
        return (409 if conflict else 200), {"acks": job.acks}

    def offsets(self, writers: Iterable[str]) -> dict[str, int]:
        """Return the committed offsets of writers, each given as `<run>/<uuid>` (or `<uuid>` if it has sent something lately)."""
        found: dict[str, int] = {}
        for name in writers:
            run, _, writer = name.rpartition("/")
            place = self.places.known(writer) or (self.places.peek(run, writer) if run else None)
            found[name] = place.offset if place else 0
        return found

    def _admit(self, length: int) -> None:
        if length > self.limits.wire:
            raise RejectedError(f"the batch has {length} bytes; {self.limits.wire} are allowed", 413)
        if self._is_read_only():
            raise ServerBusyError("the disk failed to sync; nothing is accepted until the server is restarted", self.limits.full_retry_s)
        if self._full_until > time.monotonic():
            self.counters.full += 1
            raise ServerBusyError("the disk is full", self.limits.full_retry_s, 507)
        if self._held + length > self.limits.queued:
            self.counters.busy += 1
            raise ServerBusyError("too many batches are waiting", self.limits.busy_retry_s)

    async def _read(self, body: AsyncIterator[bytes], held: list[int]) -> list[Part]:
        """Return the parts of the body, stopping at the first byte over the limit."""
        chunks: list[bytes] = []
        async for chunk in body:
            held[0] += len(chunk)
            self._held += len(chunk)
            if held[0] > self.limits.wire:
                raise RejectedError(f"the batch has more than {self.limits.wire} bytes", 413)
            chunks.append(chunk)
        sent = b"".join(chunks)
        take = asyncio.to_thread if len(sent) > _INLINE_BYTES else _now
        raw = await take(batches.inflate, sent, self.limits)
        self._held += len(raw) - held[0]
        held[0] = len(raw)
        self.counters.bytes += len(sent)
        return await take(batches.parse, raw, self.limits)

    # ── committing ───────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._stopping:
                    if not self._wake.wait(1.0):
                        break
                group = self._take()
                done = self._stopping and not group
            if group:
                self._commit(group)
            if done or self.wal.is_due(self.limits.checkpoint_s):
                self._start_checkpoint(wait=done)
            if done:
                return

    def _take(self) -> list[_Job]:
        group: list[_Job] = []
        size = 0
        while self._jobs and size < _GROUP_BYTES:
            job = self._jobs[0]
            barrier = any(effects.is_barrier(part.effects) for part in job.parts)
            if barrier and group:
                break
            group.append(self._jobs.popleft())
            size += job.size
            if barrier:
                break
        return group

    def _commit(self, group: list[_Job]) -> None:
        """Commit a group: one write and one sync of the log, one write for each journal, then the acknowledgements."""
        plan: list[_Planned] = []
        numbers: list[int] = []
        sizes: dict[str, int] = {}
        try:
            for job in group:
                job.acks = [self._plan(job, part, sizes, plan) for part in job.parts]
            if plan:
                numbers = self.wal.append([planned.entry for planned in plan])
                self._full = False
                self._write(plan, numbers)
        except OSError as error:
            self._give_up(plan, group, self._trouble(error))
        except Exception as error:  # noqa: BLE001 - the thread that commits must not die of one batch
            self.wal.void([number for planned, number in zip(plan, numbers, strict=False) if not planned.done])
            self._give_up(plan, group, ServerBusyError(f"{type(error).__name__}: {error}", self.limits.full_retry_s))
        for job in group:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits any more
                job.loop.call_soon_threadsafe(job.wake)
        for run in {planned.place.run for planned in plan if planned.done}:
            self._poke(run)

    def _give_up(self, plan: list[_Planned], group: list[_Job], error: Exception) -> None:
        """Forget where the writers of a failed group stand, so that it is read from the files again, and tell their requests."""
        for planned in plan:
            if not planned.done:
                self.places.drop(planned.place.writer)
        for job in group:
            job.error = job.error or error

    def _plan(self, job: _Job, part: Part, sizes: dict[str, int], plan: list[_Planned]) -> Ack:
        """Compare and set: return the acknowledgement, and plan the entry if the part is the writer's next one."""
        mark = part.mark
        place = self.places.find(mark.run, mark.writer)
        if place is not None and place.next_end == place.end and not self.places.is_linked(place):
            place = self.places.reload(mark.run, mark.writer)
        offset, last, epoch = (place.next_offset, place.last, place.epoch) if place else (0, 0, 0)
        ack: Ack = {"writer": mark.writer, "offset": mark.hi, "duplicate": False, "sequence": part.last}
        if mark.epoch < epoch or mark.lo != offset or (place is None and part.header is None):
            known = mark.hi <= offset and part.last <= last and mark.epoch >= epoch
            ack.update(offset=offset, duplicate=known, sequence=last, conflict=not known)
            self.counters.duplicates += known
            self.counters.conflicts += not known
            return ack
        data = self._bytes(part, new=place is None)
        if place is None:
            name = batches.file_name(part.header[1]) if part.header else ""
            place = self.places.add(mark.run, mark.writer, name)
        before = self.effects.sizes(part.effects, sizes)
        entry = Entry(mark.run, place.key, place.next_end, before, self._applied, data)
        place.next_offset, place.next_end = mark.hi, place.next_end + len(data)
        plan.append(_Planned(job, part, place, entry, ack))
        return ack

    def _bytes(self, part: Part, *, new: bool) -> bytes:
        """Return what is appended to the journal: the header with its attempt, the frames as they came, the mark."""
        mark = part.mark
        head = b""
        if part.header is not None:
            sequence, header = part.header
            if new and header.attempt is None:
                header.attempt = decide_attempt(self.root, header)
            if new:
                header.run_uuid = create_run(self.root, header)
            head = frames.encode(sequence, messages.encode(header))
        mark.time = time.time()
        return b"".join((head, part.data, frames.encode(part.last, messages.encode(mark))))

    def _write(self, plan: list[_Planned], numbers: list[int]) -> None:
        """Put durable entries where they belong; one that can't be is taken back, and its request told to come again."""
        failed: set[str] = set()
        for planned, number in zip(plan, numbers, strict=True):
            place, part = planned.place, planned.part
            try:
                if place.writer in failed:
                    raise OSError(errno.ENOSPC, "an earlier batch of this writer could not be written")  # noqa: TRY301
                self.places.write(place, planned.entry.data, planned.entry.at)
                self._touched.update((place.key, f"{place.run}/{keys.RUN_FILE}"))
                self._touched.update(self.effects.apply(place.run, part.effects))
            except OSError as error:
                failed.add(place.writer)
                self.wal.void([number])
                self.places.cut(place)
                self.effects.cut_back(planned.entry.sizes)
                self._give_up([planned], [planned.job], self._trouble(error))
                continue
            place.commit(part.mark, part.last, planned.entry.at + len(planned.entry.data), ended=part.ended)
            planned.done = True
            self.counters.batches += 1
            self.counters.records += part.records
        self._applied = self.wal.number

    def _trouble(self, error: OSError) -> Exception:
        """Note a failed write or sync, and return what the client is told."""
        if error.errno in _FULL:
            self.counters.full += 1
            self._full, self._full_until = True, time.monotonic() + _PROBE_S
            return ServerBusyError("the disk is full", self.limits.full_retry_s, 507)
        self.counters.sync_errors += 1
        now = time.monotonic()
        self._sync_failed_at = [at for at in self._sync_failed_at if now - at < _SYNC_WINDOW_S] + [now]
        return ServerBusyError(f"the disk failed: {error.strerror}", self.limits.busy_retry_s)

    def _is_read_only(self) -> bool:
        """Three failed syncs in a minute: nothing is taken for the next seconds, then it is tried again."""
        failed = self._sync_failed_at
        return len(failed) >= _SYNC_FAILURES and time.monotonic() - failed[-1] < _READ_ONLY_S

    def _free_bytes(self) -> int:
        try:
            found = os.statvfs(self.root.path_)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize

    # ── checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────

    def _start_checkpoint(self, *, wait: bool) -> None:
        """Close the log's segment; sync the files that its entries went to, and drop it, on another thread."""
        if self._checkpoint is not None and self._checkpoint.is_alive():
            if not wait:
                return
            self._checkpoint.join()
        segments, touched, self._touched = self.wal.seal(), self._touched, set()
        while self._unsynced:
            touched |= self._unsynced.popleft()
        segments = [segment for segment in segments if segment not in self._suspect]
        self._checkpoint = threading.Thread(target=self._sync_and_drop, args=(segments, touched), name="ml-logger-sync", daemon=True)
        self._checkpoint.start()
        if wait:
            self._checkpoint.join()

    def _sync_and_drop(self, segments: list[Path], touched: set[str]) -> None:
        try:
            recovery.sync_files(self.root, touched)
        except OSError as error:
            # What a failed sync lost, a second one would not report. The log keeps these entries: a restart writes them again.
            self._trouble(error)
            self._suspect.update(segments)
            self._unsynced.append(touched)
            return
        self.wal.drop(segments)


class _Planned:
    """A part on its way into the log and its journal."""

    __slots__ = ("ack", "done", "entry", "job", "part", "place")

    def __init__(self, job: _Job, part: Part, place: Place, entry: Entry, ack: Ack) -> None:
        self.job, self.part, self.place, self.entry, self.ack = job, part, place, entry, ack
        self.done = False


async def _now(call: Callable[..., Any], *args: Any) -> Any:
    return call(*args)
