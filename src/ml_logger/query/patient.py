"""Answers that cost a look at everything, made anew no more often than they are worth. Knows nothing of what they are."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

PATIENCE = 20
"""A thing is made anew after so many times the duration that making it took."""
QUICK_S = 0.03
"""What is made so quickly is always up to date."""
_MOST = 64


class _Made(NamedTuple):
    thing: object
    version: Hashable
    again: float


class Patient(Generic[T]):
    """Things by key and version. Thread-safe.

    One of an older version serves for twenty times as long as making it took, unless that was quick.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._lock = Lock()
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._clock = clock

    def get(self, key: Hashable, version: Hashable, make: Callable[[], T]) -> T:
        """Return the thing under `key`, of `version` or not much older."""
        with self._lock:
            now = self._clock()
            made = self._made.get(key)
            if made is None or (made.version != version and now >= made.again):
                thing = make()
                took = self._clock() - now
                made = self._made[key] = _Made(thing, version, now + took * (1 + PATIENCE if took > QUICK_S else 1))
                while len(self._made) > _MOST:
                    self._made.popitem(last=False)
            return made.thing  # type: ignore[return-value]
