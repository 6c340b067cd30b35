"""Timers, counters and clocks; all state is in the session, so two loggers do not share a counter."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

from ml_logger.methods.base import Methods


class TimingMethods(Methods):
    """When something happened, how long it took, and whether it is its turn."""

    __slots__ = ()

    def _timers(self) -> dict[str, float]:
        return self.session.state.setdefault("timers", {})

    def _counters(self) -> dict[str, int]:
        return self.session.state.setdefault("counters", {})

    def start(self, *keys: str) -> Any:
        """Start timers and return the time of each (s, of a clock that never goes back); one key gives one number."""
        now = time.perf_counter()
        for key in keys or ("default",):
            self._timers()[key] = now
        return now if len(keys) < 2 else [now] * len(dict.fromkeys(keys))

    def since(self, *keys: str) -> Any:
        """Return seconds since `start` for each key; None (and the timer starts) the first time."""
        return self._elapsed(keys, restart=False)

    def split(self, *keys: str) -> Any:
        """Return seconds since `start` or the last `split`, and start again; None the first time."""
        return self._elapsed(keys, restart=True)

    def _elapsed(self, keys: tuple[str, ...], *, restart: bool) -> Any:
        now, timers, found = time.perf_counter(), self._timers(), []
        for key in dict.fromkeys(keys or ("default",)):
            found.append(now - timers[key] if key in timers else None)
            if restart or key not in timers:
                timers[key] = now
        return found[0] if len(found) == 1 else found

    def every(self, n: int | None = 1, key: str = "default", start_on: int = 0) -> bool:
        """Return True on each n-th call for `key`: n, 2n, …; with `start_on=1` on 1, n + 1, …; False for n None."""
        if not n:
            return False
        return (self.count(key) - start_on) % n == 0

    def count(self, key: str = "default") -> int:
        """Count a call for `key` and return how many there were."""
        counters = self._counters()
        counters[key] = counters.get(key, 0) + 1
        return counters[key]

    def clear(self, key: str = "default") -> None:
        """Start the counter `key` again."""
        self._counters().pop(key, None)

    @contextlib.contextmanager
    def time(self, key: str = "default", interval: int = 1, fmt: str = "{:0.1E}s[±{:0.1E}]") -> Iterator[None]:
        """Print how long the block took, every `interval`-th time: mean and spread of the last ones."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spans: list[float] = self.session.state.setdefault("spans", {}).setdefault(key, [])
            spans.append(time.perf_counter() - start)
            if len(spans) >= interval:
                mean = sum(spans) / len(spans)
                spread = (sum((span - mean) ** 2 for span in spans) / len(spans)) ** 0.5
                self.session.printer.text(f"timing {key}: {fmt.format(mean, spread)}\n")
                spans.clear()

    @staticmethod
    def now(fmt: str | None = None) -> Any:
        """Return the local time with its zone, or as text in `fmt`."""
        now = dt.datetime.now().astimezone()
        return now.strftime(fmt) if fmt else now

    @staticmethod
    def utcnow(fmt: str | None = None) -> Any:
        """Return the time in UTC without a zone, as earlier versions did, or as text in `fmt`."""
        now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
        return now.strftime(fmt) if fmt else now
