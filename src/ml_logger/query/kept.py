"""Things worth keeping for a while: the last used ones, within a bound in bytes, each as long as its origin is unchanged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")

BYTES = 96 << 20
_OVERHEAD = 2000
"""Bytes that key and bookkeeping may take."""


class Kept(Generic[T]):
    """A store of (origin, thing) by key; the longest unused go first. Thread-safe."""

    def __init__(self, limit: int = BYTES) -> None:
        """Keep things of at most `limit` bytes together; one above half of that is not kept at all."""
        self._limit, self._size = limit, 0
        self._found: OrderedDict[Hashable, tuple[Any, T, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, origin: Any) -> T | None:
        """Return the thing under `key` if it was made from an equal `origin`."""
        with self._lock:
            entry = self._found.get(key)
            if entry is None or entry[0] != origin:
                return None
            self._found.move_to_end(key)
            return entry[1]

    def put(self, key: Hashable, origin: Any, thing: T, size: int) -> None:
        """Keep `thing`, made from `origin`, of `size` bytes."""
        size += _OVERHEAD
        if size > self._limit // 2:
            return
        with self._lock:
            old = self._found.pop(key, None)
            self._size += size - (old[2] if old else 0)
            self._found[key] = (origin, thing, size)
            while self._size > self._limit:
                _, (_, _, gone) = self._found.popitem(last=False)
                self._size -= gone
