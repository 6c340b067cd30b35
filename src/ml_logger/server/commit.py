"""The thread that commits: groups of batches into the log, from there into the journals of runs, then the acknowledgements.

Knows no requests and no tokens. A part has exactly one effect however often it comes: its `lo` has to be the writer's committed
offset (compare-and-set), and that offset is in the files themselves (`places.py`).
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import errno
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from msgspec import Struct

from ml_logger import keys
from ml_logger.errors import ServerBusyError
from ml_logger.formats import frames, messages
from ml_logger.safe_fs import SafeRoot
from ml_logger.server import batches, effects, recovery
from ml_logger.server.batches import Limits, Part
from ml_logger.server.health import Health
from ml_logger.server.places import Place, Places, create_run, decide_attempt
from ml_logger.server.wal import Entry, Wal

_GROUP_BYTES = 16 << 20

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
    replayed: int = 0
    damaged: int = 0
    gaps: int = 0
    full: int = 0
    sync_errors: int = 0
    effects_failed: int = 0


class Job:
    """A request that waits for its parts to be committed; `acks` or `error` is there when `future` is done."""

    __slots__ = ("acks", "error", "future", "loop", "parts", "size")

    def __init__(self, parts: list[Part], size: int) -> None:
        """Make a job of the running event loop."""
        self.parts, self.size, self.loop = parts, size, asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.acks: list[Ack] = []
        self.error: Exception | None = None

    def wake(self) -> None:
        """Let the request go on; called on its event loop."""
        if not self.future.done():
            self.future.set_result(None)


class _Planned:
    """A part on its way into the log and its journal."""

    __slots__ = ("ack", "done", "entry", "job", "part", "place")

    def __init__(self, job: Job, part: Part, place: Place, entry: Entry, ack: Ack) -> None:
        self.job, self.part, self.place, self.entry, self.ack = job, part, place, entry, ack
        self.done = False


class Committer:
    """The one writer of a root's log and of the journals that came over the network."""

    def __init__(self, root: SafeRoot, poke: Callable[[str], None], limits: Limits) -> None:
        """Prepare; nothing is written before `start`."""
        self.root, self._poke, self.limits = root, poke, limits
        self.counters = Counters()
        root.make_dirs(f"{keys.HOME}/wal/files")
        self.wal = Wal(root.path(f"{keys.HOME}/wal"))
        self.health = Health(root.path_, limits)
        self.places = Places(root)
        self.effects = effects.Effects(root, self.places.drop_below)
        self._jobs: collections.deque[Job] = collections.deque()
        self._chores: collections.deque[tuple[Callable[[], None], Future[None]]] = collections.deque()
        self._wake = threading.Condition()
        self.stopping = False
        self._thread: threading.Thread | None = None
        self._checkpoint: threading.Thread | None = None
        self._touched: set[str] = set()
        self._unsynced: collections.deque[set[str]] = collections.deque()
        self._suspect: set[Path] = set()
        self._applied = 0

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Replay the log, then commit from a thread of its own."""
        self.counters.replayed = recovery.replay(self.wal, self.places, self.effects, self._poke)
        self.counters.damaged = self.wal.damaged
        self._applied = self.wal.number
        self._thread = threading.Thread(target=self._run, name="ml-logger-commit", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Commit what is queued, make journals durable, empty the log."""
        with self._wake:
            self.stopping = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
        self.places.close()

    @property
    def is_alive(self) -> bool:
        """Tell whether batches are committed."""
        return self._thread is not None and self._thread.is_alive() and not self.stopping

    def put(self, job: Job) -> None:
        """Queue a job; raises `ServerBusyError` when stopping."""
        with self._wake:
            if self.stopping:
                raise ServerBusyError("the server is stopping", self.limits.busy_retry_s)
            self._jobs.append(job)
            self._wake.notify()

    def between(self, call: Callable[[], None]) -> None:
        """Have `call` called by the committing thread between two groups; returns, or raises what it raises, when that is done."""
        done: Future[None] = Future()
        with self._wake:
            if self.stopping:
                raise ServerBusyError("the server is stopping", self.limits.busy_retry_s)
            self._chores.append((call, done))
            self._wake.notify()
        done.result()

    def _do_chores(self) -> None:
        while self._chores:
            call, done = self._chores.popleft()
            try:
                done.set_result(call())
            except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
                done.set_exception(error)

    def _run(self) -> None:
        while True:
            with self._wake:
                if not self._jobs and not self._chores and not self.stopping:
                    self._wake.wait(1.0)
                group = self._take()
                done = self.stopping and not group
            self._do_chores()
            if group:
                self._commit(group)
            if done or self.wal.is_due(self.limits.checkpoint_s):
                self._start_checkpoint(wait=done)
            if done:
                return

    def _take(self) -> list[Job]:
        """Return the next group; a job that moves or replaces files is one of its own."""
        group: list[Job] = []
        size = 0
        while self._jobs and size < _GROUP_BYTES:
            barrier = any(effects.is_barrier(part.effects) for part in self._jobs[0].parts)
            if barrier and group:
                break
            group.append(self._jobs.popleft())
            size += group[-1].size
            if barrier:
                break
        return group

    # ── a group ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _commit(self, group: list[Job]) -> None:
        """Commit a group: one write and one sync of the log, one write for each journal, then the acknowledgements."""
        plan: list[_Planned] = []
        numbers: list[int] = []
        sizes: dict[str, int] = {}
        try:
            for job in group:
                job.acks = [self._plan(job, part, sizes, plan) for part in job.parts]
            if plan:
                numbers = self.wal.append([planned.entry for planned in plan])
                self.health.note_success()
                self._write(plan, numbers)
        except OSError as error:
            self._give_up(plan, group, self.health.note(error))
        except Exception as error:  # noqa: BLE001 - the thread that commits must not die of one batch
            self.wal.void([number for planned, number in zip(plan, numbers, strict=False) if not planned.done])
            self._give_up(plan, group, ServerBusyError(f"{type(error).__name__}: {error}", self.limits.full_retry_s))
        for run in {planned.place.run for planned in plan if planned.done}:
            self._poke(run)  # before the acknowledgement: a question that follows it sees what was acknowledged
        for job in group:
            with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits any more
                job.loop.call_soon_threadsafe(job.wake)

    def _give_up(self, plan: list[_Planned], group: list[Job], error: Exception) -> None:
        """Forget where the writers of a failed group stand, so that it is read from the files again, and tell their requests."""
        for planned in plan:
            if not planned.done:
                self.places.drop(planned.place.writer)
        for job in group:
            job.error = job.error or error

    def _plan(self, job: Job, part: Part, sizes: dict[str, int], plan: list[_Planned]) -> Ack:
        """Compare and set: return the acknowledgement, and plan the entry if the part is the writer's next one."""
        mark = part.mark
        place = self.places.find(mark.run, mark.writer)
        if place is not None and place.next_end == place.end and not self.places.is_linked(place):
            place = self.places.reload(mark.run, mark.writer)
        ack: Ack = {"writer": mark.writer, "offset": mark.hi, "duplicate": False, "sequence": part.last}
        if not _is_next(part, place):
            return self._refuse(part, place, ack)
        data = self._bytes(part, new=place is None)
        if place is None:
            place = self.places.add(mark.run, mark.writer, batches.file_name(part.header[1]) if part.header else "")
        entry = Entry(mark.run, place.key, place.next_end, self.effects.sizes(part.effects, sizes), self._applied, data)
        place.next_offset, place.next_end = mark.hi, place.next_end + len(data)
        plan.append(_Planned(job, part, place, entry, ack))
        return ack

    def _refuse(self, part: Part, place: Place | None, ack: Ack) -> Ack:
        """Say where the writer stands: what is there already is a duplicate, anything else a conflict."""
        mark = part.mark
        offset, last, epoch = (place.next_offset, place.last, place.epoch) if place else (0, 0, 0)
        known = mark.hi <= offset and part.last <= last and mark.epoch >= epoch
        self.counters.duplicates += known
        self.counters.conflicts += not known
        told = {"refused": place.refused} if place and known and mark.hi == offset and place.refused else {}
        return {**ack, "offset": offset, "duplicate": known, "sequence": last, "conflict": not known, **told}

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
            place = planned.place
            try:
                self._put(planned, blocked=place.writer in failed)
            except OSError as error:
                failed.add(place.writer)
                self.wal.void([number])
                self.places.cut(place)
                self.effects.cut_back(planned.entry.sizes)
                self._give_up([planned], [planned.job], self.health.note(error))
        self._applied = self.wal.number

    def _put(self, planned: _Planned, *, blocked: bool) -> None:
        if blocked:
            raise OSError(errno.ENOSPC, "an earlier batch of this writer could not be written")
        place, part, entry = planned.place, planned.part, planned.entry
        self.places.write(place, entry.data, entry.at)
        self._touched.update((place.key, f"{place.run}/{keys.RUN_FILE}"))
        written = self.effects.apply(part.mark, part.effects)
        self._touched.update(written)
        place.refused = self.effects.refused
        if place.refused:
            planned.ack["refused"] = place.refused
        if effects.is_barrier(part.effects):  # these are not repeated after a crash
            recovery.sync_files(self.root, written)
        place.commit(part.mark, part.last, entry.at + len(entry.data), ended=part.ended)
        planned.done = True
        self.counters.batches += 1
        self.counters.records += part.records
        self.counters.gaps += part.gaps

    # ── checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────

    def _start_checkpoint(self, *, wait: bool) -> None:
        """Close the log's segment; sync the files that its entries went to, and drop it, on another thread."""
        if self._checkpoint is not None and self._checkpoint.is_alive():
            if not wait:
                return
            self._checkpoint.join()
        segments = [segment for segment in self.wal.seal() if segment not in self._suspect]
        touched, self._touched = self._touched, set()
        consumed, self.effects.consumed = self.effects.consumed, []
        while self._unsynced:
            touched |= self._unsynced.popleft()
        self._checkpoint = threading.Thread(
            target=self._sync_and_drop, args=(segments, touched, consumed), name="ml-logger-sync", daemon=True
        )
        self._checkpoint.start()
        if wait:
            self._checkpoint.join()

    def _sync_and_drop(self, segments: list[Path], touched: set[str], consumed: list[str]) -> None:
        try:
            recovery.sync_files(self.root, touched)
        except OSError as error:
            # What a failed sync lost, a second one would not report. The log keeps these entries: a restart writes them again.
            self.health.note(error)
            self._suspect.update(segments)
            self._unsynced.append(touched)
            return
        self.wal.drop(segments)
        for key in consumed:
            self.root.delete(key)


def _is_next(part: Part, place: Place | None) -> bool:
    if place is None:
        return part.mark.lo == 0 and part.header is not None
    return part.mark.lo == place.next_offset and part.mark.epoch >= place.epoch
