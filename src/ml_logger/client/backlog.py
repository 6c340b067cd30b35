"""Frames that wait in memory while a disk stalls, and the thread that writes them in order. Knows no file and no record.

It exists only during a stall: the caller goes back to writing by itself as soon as `put` says that all is done.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from ml_logger.client.daemons import begin_thread

LIMIT = 48 << 20
"""Bytes of frames that may wait; what comes on top is dropped and counted."""
OVERHEAD = 64
"""Bytes that a waiting frame costs besides itself."""
STALL_S = 0.05
"""A write that takes longer is a stall."""
_SHORT = 64
"""With more frames waiting, nobody waits for his own."""


class Backlog:
    """A bounded queue in front of `write(frame)`, which is called in one daemon thread. Re-entrant; a fork discards it."""

    def __init__(self, write: Callable[[bytes], object], limit: int = LIMIT) -> None:
        """Start the thread; raises `RuntimeError` where none can be started (at the end of the interpreter)."""
        self._write, self._limit = write, limit
        self._frames: deque[bytes] = deque()
        self._lock = threading.RLock()
        self.waiting = self._count = self._written = 0
        self._started = float("inf")
        self.done = self._ending = False
        self._thread = begin_thread(self._run, "ml-logger-backlog")

    def put(self, frame: bytes) -> bool | None:
        """Let `frame` wait; False if there is no room, None if the stall is over and the caller may write it.

        Unless a write hangs right now, this waits a moment until the frame is written: a busy processor looks like a stall too,
        and then nothing should be in memory alone.
        """
        with self._lock:
            if self.done:
                return None
            if self.waiting + len(frame) + OVERHEAD > self._limit:
                return False
            self.waiting += len(frame) + OVERHEAD
            self._frames.append(frame)
            self._count += 1
            mine = self._count
        if len(self._frames) < _SHORT:
            give_up = time.monotonic() + STALL_S
            while self._written < mine and time.monotonic() < give_up and not self._hangs():
                time.sleep(0.0005)
        return True

    def _hangs(self) -> bool:
        return time.monotonic() - self._started > STALL_S

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all is written, for at most `timeout` s; False if that was not enough. Nothing may be put afterwards."""
        self._ending = True
        self._thread.join(timeout)
        return self.done

    def _run(self) -> None:
        quick = False
        while not self._is_over(quick):
            if not self._frames:
                time.sleep(STALL_S / 50)
                continue
            frame, start = self._frames[0], time.monotonic()
            self._started = start
            self._write(frame)
            self._started = float("inf")
            quick = time.monotonic() - start <= STALL_S
            with self._lock:
                self._frames.popleft()
                self._written += 1
                self.waiting -= len(frame) + OVERHEAD

    def _is_over(self, quick: bool) -> bool:
        """End with an empty queue, after a write that was quick or when told to."""
        with self._lock:
            self.done = not self._frames and (quick or self._ending)
            return self.done
