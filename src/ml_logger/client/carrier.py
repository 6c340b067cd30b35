"""The carrier: one daemon thread that takes journals from the spool to where they belong, and never makes training wait.

Knows the spool, the journals and what the other end answers; not what is in a record, nor whether the road is a wire. The journal is
the queue and the committed offset of the other end the truth, so the thread may die at any point, here or there: the next one goes
on, in this process or in another.
"""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from pathlib import Path

from ml_logger.client import spool
from ml_logger.client.base import Delivery
from ml_logger.client.daemons import begin_thread
from ml_logger.client.outage import MAX_BACKOFF_S, URGENT_S, Outage
from ml_logger.client.packing import Batch
from ml_logger.client.refusals import Refusals, let_go
from ml_logger.client.roads import Answer, Road
from ml_logger.client.spool import About, Slot
from ml_logger.client.tails import Tail
from ml_logger.console import say
from ml_logger.errors import AuthenticationError, MlLoggerError, NotFoundError, RejectedError, ServerBusyError, TransportError

RECHECK_TOKEN_S = 60.0
ADOPT_S = 10.0
EMPTY_SLOT_S = 60.0
_POLL_S = 0.1
_SYNC_TRIES = 5
_FULL_BATCH = 256 << 10


class Carrier:
    """Delivers all journals of one root. `add` is called by writers, everything else by one thread of its own."""

    def __init__(self, road: Road, named: str | None) -> None:
        """Deliver by `road`; `named` is the spool that the user asked for."""
        self.road, self._named = road, named
        self._own: dict[Path, Slot] = {}
        self._reset()

    def _reset(self) -> None:
        self.tails: list[Tail] = []
        self._new: collections.deque[Tail] = collections.deque()
        self._event = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._urgent = 0
        self.outage = Outage()
        self._asked_at = 0.0
        self._adopt_at = 0.0
        self._token_at = 0.0
        self._interval = self.road.interval[0]
        self.state = "connecting"
        self._gone = Delivery()
        self.retries = self.rejected = 0
        self.refusals = Refusals()

    # ── called by writers ────────────────────────────────────────────────────────────────────────────────────────

    def new_slot(self, run: str) -> Path:
        """Return a new directory of the spool, locked by this process; one that cannot be written if there is none."""
        for slot in spool.slots_for(self.road.root, run, self._named):
            slot.lock()
            self._own[slot.path] = slot
            return slot.path
        return Path("/dev/null/spool")

    def slot_of(self, journal: Path, run: str) -> Slot | None:
        """Return a new slot for a journal that lies elsewhere; None if no spool can be written."""
        return next(spool.slots_for(self.road.root, run, self._named, journal=str(journal)), None)

    def add(self, journal: Path, run: str, slot: Slot | None = None) -> None:
        """Begin to deliver a journal of this process, whichever directory of the spool it is in, or which `slot` names it."""
        if any(tail.path == journal and tail.fd >= 0 for tail in (*self.tails, *self._new)) and journal.exists():
            return
        slot = slot or Slot(journal.parent, About(self.road.root, run, time.time()))
        slot = self._own.setdefault(slot.path, slot)
        self._closing, self.state = False, "connecting" if self.state == "closed" else self.state  # who logs after `close` begins anew
        with contextlib.suppress(OSError):
            slot.restore()
            self._new.append(Tail(slot, journal, own=True))
        self._start()

    def _start(self) -> None:
        """Start the thread; late in the life of an interpreter that is no longer possible, and the next process delivers."""
        if (self._thread is not None and self._thread.is_alive()) or not self._starting.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(RuntimeError):
                self._thread = begin_thread(self._run, "ml-logger-carrier")
        finally:
            self._starting.release()

    def drain(self, timeout: float | None) -> bool:
        """Wait until all that is in this process's journals now is acknowledged; False when it was not in time.

        With None, wait as long as the server answers.
        """
        goals = [(tail, tail.size) for tail in (*self.tails, *self._new) if tail.own and tail.fd >= 0]
        started, pause = time.monotonic(), 0.0005
        self._urgent += 1
        try:
            while any(tail.fd >= 0 and tail.at < size for tail, size in goals):
                waited = time.monotonic() - started
                if (timeout is not None and waited >= timeout) or (timeout is None and self._is_hopeless(waited)):
                    return False
                self._start()
                self._event.set()
                time.sleep(pause)
                pause = min(pause * 1.5, 0.02)
            return True
        finally:
            self._urgent -= 1

    def _is_hopeless(self, waited: float) -> bool:
        patience = 5.0 if self.outage.failures == 0 else 0.0
        return self._thread is None or not self._thread.is_alive() or (self.state != "ok" and waited > patience)

    def close(self, timeout: float, impatient: float) -> None:
        """Deliver for at most `timeout` s while the server answers, `impatient` s when it does not; what is left then waits.

        As long as nothing has been asked of the server, it is our own first imports that take the time, not the server.
        """
        self._closing = True
        started = time.monotonic()
        while self._thread is not None and self._thread.is_alive():
            now = time.monotonic()
            is_patient = self.state == "ok" or (self.state == "connecting" and not self._asked_at)
            if now - started >= timeout or not (is_patient or now - max(started, self._asked_at) < impatient):
                break
            self._event.set()
            self._thread.join(0.01)
        self._say_left()
        self.refusals.say_left()
        self.state = "closed"

    def after_fork(self) -> None:
        """Forget what belongs to the parent: thread, connections, locks."""
        for tail in (*self.tails, *self._new):
            tail.close()
        for slot in self._own.values():
            slot.unlock()
        self._own = {}
        self._reset()
        self.road.renew()

    def delivery(self) -> Delivery:
        """Return the counters of this process's journals."""
        own = [tail for tail in (*self.tails, *self._new) if tail.own and tail.fd >= 0]
        return Delivery(
            acked=self._gone.acked + sum(tail.acked for tail in own),
            duplicates=self._gone.duplicates + sum(tail.duplicates for tail in own),
            rejected=self.rejected,
            retries=self.retries,
            spool_bytes=sum(max(0, tail.size - tail.at) for tail in own),
            state="unauthorized" if self.state == "ok" and any(tail.forbidden for tail in own) else self.state,
        )

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            self._take_new()
            now = time.monotonic()
            worked = False
            if now >= self.outage.retry_at and self._may_send(now):
                self._adopt(now)
                worked = self._round(now)
            if self._closing and not worked and not any(tail.own and tail.at < tail.size for tail in self.tails):
                break
            if not worked:
                self._rest()
        for tail in self.tails:
            tail.close()

    def _rest(self) -> None:
        pause = _POLL_S if self.tails else 1.0
        if self.outage.retry_at > time.monotonic():
            pause = min(self.outage.retry_at - time.monotonic(), 1.0)
            self._event.clear()
        self._event.wait(pause)
        self._event.clear()
        if self._closing or self._urgent:
            if self.state == "unreachable" or (self._closing and self.state != "busy"):
                self.outage.hurry(time.monotonic(), 0.1 if self._closing else URGENT_S)
            time.sleep(0.001)

    def _take_new(self) -> None:
        while self._new:
            self.tails.append(self._new.popleft())

    def _may_send(self, now: float) -> bool:
        """Without a valid token wait a minute, or until there is another one."""
        if self.state != "unauthorized" or now >= self._token_at or self._closing:
            return True
        if now >= self._token_at - RECHECK_TOKEN_S + 1.0 and self._has_another_token():
            return True
        self.outage.retry_at = now + 1.0
        return False

    def _has_another_token(self) -> bool:
        """Look for a token again; a server that does not answer meanwhile has none for us."""
        try:
            return self.road.refresh_token()
        except TransportError:
            return False

    def _round(self, now: float) -> bool:
        """Send one batch of each journal that has one; tell whether anything was sent."""
        worked = False
        for tail in list(self.tails):
            if tail.blocked_until > now or (tail.own and not self._is_due(tail, now)) or self._waits_for_older(tail):
                continue
            try:
                worked |= self._deliver(tail)
                self._finish_if_done(tail)
            except OSError as error:
                if isinstance(error, TransportError):
                    self._failed(tail, error)
                    if time.monotonic() < self.outage.retry_at:
                        break
                else:  # the journal itself cannot be read: leave it to `ml-logger sync`
                    self._drop(tail)
        return worked

    def _is_due(self, tail: Tail, now: float) -> bool:
        waiting = tail.size - tail.at
        hurry = self._urgent or self._closing or waiting >= _FULL_BATCH
        if waiting <= 0:
            return tail.ended or self._closing
        return bool(hurry) or now - tail.sent_at >= self._interval

    def _waits_for_older(self, tail: Tail) -> bool:
        """Tell whether an earlier part of the same writer's journal, in another directory, is not delivered yet."""
        others = (other for other in self.tails if other.writer == tail.writer and other is not tail)
        return any(other.first < tail.first and other.at < other.size for other in others)

    def _deliver(self, tail: Tail) -> bool:
        if tail.header is None:
            return False
        batch = tail.next()
        if batch is None:
            return False
        started = time.monotonic()
        self._asked_at = self._asked_at or started
        try:
            for sequence, file in batch.files:
                self.road.upload(tail.writer, sequence, file, spool.find_blob(self.road.root, file.sha256, self._named))
            answer = self.road.deliver(tail, batch)
        except (RejectedError, NotFoundError) as error:
            self._rejected(tail, batch, error)
            return True
        tail.sent_at = time.monotonic()
        self._interval = min(max(self.road.interval[0], 20 * (tail.sent_at - started)), self.road.interval[1])
        self._answered(tail, batch, answer)
        return True

    def _answered(self, tail: Tail, batch: Batch, answer: Answer) -> None:
        self._recovered()
        if answer.taken:
            self._let_go(tail, batch, answer)
            tail.acknowledged(batch, duplicate=answer.duplicate)
            return
        self.retries += 1
        if not tail.refused(answer.offset, answer.sequence):
            tail.blocked_until = time.monotonic() + MAX_BACKOFF_S

    def _let_go(self, tail: Tail, batch: Batch, answer: Answer) -> None:
        """Delete the blobs of a delivered batch; those that the server could not put in place are kept, and told of."""
        blobs = [(sequence, file, spool.find_blob(self.road.root, file.sha256, self._named)) for sequence, file in batch.files]
        kept = let_go(blobs, {refusal.sequence for refusal in answer.refused})
        self.rejected += len(answer.refused)
        for refusal in answer.refused:
            self.refusals.add(self.road.url, refusal, own=tail.own, kept=kept.get(refusal.sequence))

    def _finish_if_done(self, tail: Tail) -> None:
        """Remove a slot when its writer is gone and everything in it is delivered."""
        if tail.at < tail.size or (tail.own and not (tail.ended or self._closing)) or not tail.is_dead:
            return
        if tail.at < tail.size:  # written between the two looks
            return
        self.road.finish(tail)
        if tail.own:
            self._gone = Delivery(self._gone.acked + tail.acked, self._gone.duplicates + tail.duplicates)
        self._own.pop(tail.slot.path, None)
        self.tails.remove(tail)
        tail.slot.remove()
        tail.close()

    def _drop(self, tail: Tail) -> None:
        self.tails.remove(tail)
        tail.close()

    def deliver_all(self, deadline: float) -> int:
        """Deliver what was adopted, in the caller's thread, without waiting for back-off; returns how many journals are left."""
        self._closing = True
        while self.tails and time.monotonic() < deadline:
            blocked = all(tail.blocked_until > time.monotonic() for tail in self.tails)
            if blocked or self.outage.failures > _SYNC_TRIES or self.state == "unauthorized":
                break
            if not self._round(time.monotonic()):
                time.sleep(min(0.5, max(0.0, self.outage.retry_at - time.monotonic())))
        for tail in self.tails:
            tail.close()
        return len(self.tails)

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────

    def _failed(self, tail: Tail, error: TransportError) -> None:
        now = time.monotonic()
        self.retries += 1
        if isinstance(error, AuthenticationError):
            self._unauthorized(tail, error, now)
            return
        if isinstance(error, ServerBusyError):
            self.state = "busy"
            self.outage.put_off(now, error.retry_after_s)
            return
        self.state = "unreachable"
        self.outage.failed(now)
        self._say_down(str(error), now)

    def _say_down(self, reason: str, now: float) -> None:
        is_new = not self.outage.since
        if not self.outage.is_to_be_said(now):
            return
        if is_new:
            say(f"{reason}; training goes on, records wait in {self.tails[0].slot.path.parent if self.tails else 'the spool'}")
        else:
            waiting = self.delivery().spool_bytes
            near = "; the spool is nearly full" if self.tails and spool.is_nearly_full(self.tails[0].slot.path, waiting) else ""
            say(f"{reason}, for {(now - self.outage.since) / 60:.0f} min now; {waiting / (1 << 20):.1f} MiB wait{near}")

    def _say_left(self) -> None:
        """At the end, tell of records that wait, unless it was told already why."""
        left = [tail for tail in self.tails if tail.own and tail.fd >= 0 and tail.at < tail.size and not tail.forbidden]
        if left and not self.outage.since and self.state != "unauthorized":
            waiting, place = sum(tail.size - tail.at for tail in left), left[0].slot.path.parent
            say(f"{self.road.url} did not take the last {waiting / 1024:.1f} KiB in time; they wait in {place} for `ml-logger sync`")

    def _recovered(self) -> None:
        self.outage.over(self.road.url)
        self.state = "ok"

    def _unauthorized(self, tail: Tail, error: AuthenticationError, now: float) -> None:
        if error.status == 403:
            if not tail.forbidden:
                say(f"{self.road.url}: {error}; the records of {tail.slot.about.run} wait in {tail.slot.path}")
            tail.blocked_until, tail.forbidden = now + RECHECK_TOKEN_S, True
            return
        if self._has_another_token():
            return  # the server came up, and made its token, after we had looked
        if self.state != "unauthorized":
            say(f"{self.road.url}: {error}; run `ml-logger login {self.road.url}`; data is safe in {tail.slot.path.parent}")
        self.state = "unauthorized"
        self._token_at = now + RECHECK_TOKEN_S
        self.outage.retry_at = now + 1.0

    def _rejected(self, tail: Tail, batch: Batch, error: MlLoggerError) -> None:
        """After a refusal for good, halve the batch until one frame is to blame, and put that aside."""
        self._recovered()
        if batch.frames_taken == 1:
            self.rejected += 1
            say(f"{self.road.url}: {error}; what it refused is kept in {tail.slot.path.parent / 'rejected'}")
        if not tail.reject(batch, str(error)):
            tail.slot.quarantine(str(error))
            self._drop(tail)

    # ── what others left ─────────────────────────────────────────────────────────────────────────────────────────

    def _adopt(self, now: float) -> None:
        """Take up journals of this user whose processes are gone."""
        if now < self._adopt_at or self._closing:
            return
        self._adopt_at = now + self.outage.spread(ADOPT_S)
        known = {tail.slot.path for tail in (*self.tails, *self._new)} | set(self._own)
        for slot in spool.leftovers(self.road.root, self._named):
            if slot.path not in known:
                self.adopt(slot)

    def adopt(self, slot: Slot) -> bool:
        """Deliver what a process left in `slot`; False if it is somebody else's, or empty."""
        if not slot.lock():
            return False
        journal = slot.journal()
        try:
            if journal is not None:
                self.tails.append(Tail(slot, journal, own=False))
                return True
        except OSError:
            pass
        if time.time() - slot.about.created > EMPTY_SLOT_S:
            slot.remove()
        slot.unlock()
        return False
