"""What a server took note of and could not do, because another process had taken the name meanwhile. Knows no wire and no journal.

A directory raises in the call itself; over a server that is not waited for, the call has long returned: so it is said at once, raised by
the next `flush` that waits, and said again at exit if no flush did.
"""

from __future__ import annotations

import collections
import contextlib
import time
from pathlib import Path
from typing import Any, NamedTuple

from ml_logger.console import say
from ml_logger.errors import MlLoggerError, from_wire
from ml_logger.formats.messages import File

_MOST_KEPT = 1000
_MOST_NAMED = 3


class Refusal(NamedTuple):
    """One record that had no effect: its sequence, the name it was for, and the error that a directory would have raised."""

    sequence: int
    path: str
    error: MlLoggerError


def refusals_in(ack: Any) -> tuple[Refusal, ...]:
    """Return what an acknowledgement says of records without effect; raises `TypeError` or `ValueError` for what is no such list."""
    found = [item for item in ack.get("refused", ()) if isinstance(item, dict)]
    return tuple(Refusal(int(item.get("sequence", 0)), str(item.get("path", "")), from_wire(dict(item.get("error", {})))) for item in found)


class Refusals:
    """Those of one destination that the program has not been told of by an error. Written by the carrier's thread, taken by any."""

    def __init__(self) -> None:
        """Know of none."""
        self._waiting: collections.deque[Refusal] = collections.deque(maxlen=_MOST_KEPT)
        self._said: set[str] = set()

    def add(self, url: str, refusal: Refusal, *, own: bool, kept: Path | None) -> None:
        """Say it, once for each name; remember those of this process."""
        if refusal.path not in self._said:
            self._said.add(refusal.path)
            where = f"; its bytes are kept in {kept.parent}" if kept else ""
            say(f"{url}: {refusal.path} was not written: {refusal.error}{where}")
        if own:
            self._waiting.append(refusal)

    def raise_first(self) -> None:
        """Raise the oldest; the others have been said."""
        if self._waiting:
            first = self._waiting[0].error
            self._waiting.clear()
            raise first

    def say_left(self) -> None:
        """At exit, name those that no error told of."""
        if self._waiting:
            names = [refusal.path for refusal in self._waiting]
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            say(f"not written, because the server refused: {', '.join(names[:_MOST_NAMED])}{more}")
            self._waiting.clear()


def let_go(blobs: list[tuple[int, File, Path | None]], refused: set[int]) -> dict[int, Path]:
    """Delete the blobs of delivered files; those of `refused` sequences go into rejected/ beside them. Return where these are now."""
    kept: dict[int, Path] = {}
    for sequence, file, blob in blobs:
        if blob is None:
            continue
        if sequence in refused:
            with contextlib.suppress(OSError):
                kept[sequence] = _keep(blob, file.path)
        else:
            blob.unlink(missing_ok=True)
    return kept


def _keep(blob: Path, name: str) -> Path:
    place = blob.parent.parent / "rejected"
    place.mkdir(mode=0o700, exist_ok=True)
    return blob.rename(place / f"{time.time_ns():x}-{name.rpartition('/')[2][-100:]}")
