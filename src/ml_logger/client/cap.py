"""How large the journal of a spool may become, so that no disk is filled. Knows no frames; the bounds themselves are the spool's.

Measured on the disk: what was delivered and given back does not count. Asked about once a MiB, never for each record.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from ml_logger.client import spool

LOOK_BYTES = 1 << 20
"""A journal asks again after so many bytes, or before if fewer are left."""
RESERVE_BYTES = 1 << 20
"""Parameters, states, text and files may take so much more than rows."""
_LEAST_BYTES = 64 << 10
_LARGE_BYTES = 8 << 20
_AGAIN_S = 30.0


class Room(NamedTuple):
    """Bytes that a journal may still take (negative: it is over), and bytes that it has on the disk."""

    left: int
    used: int

    @property
    def is_scarce(self) -> bool:
        """Tell whether four fifths are used."""
        return self.left < self.used / 4


class Cap:
    """The bound of one writer's journal. `is_full` says that rows are not taken now."""

    def __init__(self) -> None:
        """Bound nothing yet."""
        self.is_full = self.is_warned = False
        self._others: tuple[float, int, int] = (-_AGAIN_S, 0, 0)

    def look(self, journal: Path) -> tuple[int, str]:
        """Return after how many more bytes to look again, and what is to be said (once). Sets `is_full`."""
        room = self.room(journal)
        self.is_full = room.left <= 0
        if not room.is_scarce or self.is_warned:
            return max(_LEAST_BYTES, min(LOOK_BYTES, room.left)), ""
        self.is_warned = True
        used, left = room.used / (1 << 20), max(room.left, 0) / (1 << 20)
        said = f"{journal.parent} holds {used:.0f} MiB that wait; after {left:.0f} MiB more, rows are dropped and counted"
        return max(_LEAST_BYTES, min(LOOK_BYTES, room.left)), said

    def is_free_again(self, journal: Path) -> bool:
        """Tell whether enough was delivered that rows are taken again; then `is_full` is no longer set."""
        self.is_full = self.room(journal).left < _LEAST_BYTES
        return not self.is_full

    def has_reserve(self, journal: Path) -> bool:
        """Tell whether what is no row still finds room."""
        return self.room(journal).left > -RESERVE_BYTES

    def room(self, journal: Path) -> Room:
        """Measure: the run's own bound, and the spool's for all that is in it."""
        used = spool.disk_bytes(journal)
        of_run, of_all = self._measured(journal) if used >= _LARGE_BYTES else (0, 0)
        free = shutil.disk_usage(journal.parent).free
        most = int(min(spool.CAP_BYTES, spool.CAP_SHARE * (free + used + of_all)))
        return Room(min(spool.RUN_CAP_BYTES - used - of_run, most - used - of_all), used)

    def _measured(self, journal: Path) -> tuple[int, int]:
        """Return what the run's other journals take in this spool, and what all others do; measured every 30 s."""
        at, of_run, of_all = self._others
        if time.monotonic() - at >= _AGAIN_S:
            slot = journal.parent
            sizes = [(place, sum(map(spool.disk_bytes, place.iterdir()))) for place in slot.parent.parent.glob("*/*") if place != slot]
            run = _run_of(slot)
            of_run = sum(size for place, size in sizes if place.parent == slot.parent and _run_of(place) == run)
            of_all = sum(size for _, size in sizes)
            self._others = (time.monotonic(), of_run, of_all)
        return of_run, of_all


def _run_of(slot: Path) -> str | None:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((slot / "about.json").read_bytes(), type=spool.About).run
    return None
