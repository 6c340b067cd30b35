"""How a journal, which grows, lies in a store that knows no append: in pieces named by their first byte. Pure.

`a/metrics.h-0-u.mlog` begins at byte 0, `a/metrics.h-0-u.mlog.0000000000262144` at byte 262144. A piece is put again, longer, until
it is full; pieces may overlap, and hold equal bytes where they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ml_logger.bucket.objects import Thing

FULL_BYTES = 256 << 10
"""A piece that has so many bytes is not put again."""
_NAME = re.compile(r"(.+\.mlog)(?:\.(\d{16}))?")


class Part(NamedTuple):
    """Bytes [start, stop) of an object, to be written at byte `at` of the journal."""

    thing: Thing
    start: int
    stop: int
    at: int


def name_of(journal: str, first: int) -> str:
    """Return the key of the piece of `journal` that begins at byte `first`."""
    return f"{journal}.{first:016d}" if first else journal


def piece_of(key: str) -> tuple[str, int] | None:
    """Return the journal that `key` is a piece of, and its first byte; None for any other object."""
    found = _NAME.fullmatch(key)
    return (found[1], int(found[2] or 0)) if found else None


def journal_of(key: str) -> str | None:
    """Return the journal that `key` is a piece of, or None."""
    piece = piece_of(key)
    return piece[0] if piece else None


def missing(things: Iterable[Thing], have: int) -> Iterator[Part]:
    """Yield what is to be read so that the `have` bytes of a journal become all that its pieces hold; a gap between pieces ends it."""
    for thing in sorted(things, key=lambda thing: thing.key):
        first = (piece_of(thing.key) or ("", 0))[1]
        if first > have:
            return
        if first + thing.size > have:
            yield Part(thing, have - first, thing.size, have)
            have = first + thing.size


def end_of(things: Iterable[Thing]) -> int:
    """Return how many bytes of a journal its pieces hold, from the first on."""
    end = 0
    for part in missing(things, 0):
        end = part.at + part.stop - part.start
    return end
