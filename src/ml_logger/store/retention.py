"""Retention: what lies in a root that nobody will miss – old trash, older versions, unfinished uploads, files of killed writers.

Knows no run and no index. Whatever goes is first renamed into `.ml-logger/gone`, at once and whole: nobody can restore half of
it, and what a killed `drop` left there goes the next time. The log of batches and what users keep are not touched.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from typing import NamedTuple

from ml_logger import keys
from ml_logger.beneath import take_lock, was_left
from ml_logger.errors import MlLoggerError, NotFoundError
from ml_logger.safe_fs import LEFT_S, OLDER, TRASH, Entry, SafeRoot

UPLOADS = f"{keys.HOME}/uploads"
GONE = f"{keys.HOME}/gone"
_NAME = ".path"
"""Ends the name of the file beside an older version that tells what it was called."""


class Leftover(NamedTuple):
    """Something that may go: where it lies, what it is, what it was called, bytes; with a `reason`, why it stays."""

    key: str
    kind: str
    name: str
    size: int
    reason: str = ""


def leftovers(root: SafeRoot, older_s: float, *, versions: bool = True, now: float | None = None) -> Iterator[Leftover]:
    """Yield what came here more than `older_s` s ago, largest kinds first; without `versions`, all older versions of files.

    Cost: one look at every directory of the root, for the temporary files (60 µs each).
    """
    now = time.time() if now is None else now
    yield from (Leftover(entry.key, "deleted before", entry.name, _size(root, entry)) for entry in root.scan(GONE))
    yield from _trash(root, now - older_s)
    yield from _older(root, now - older_s if versions else now + 1)
    for entry in root.scan(UPLOADS):
        if entry.modified < now - older_s:
            yield Leftover(entry.key, "unfinished upload", entry.name[:12], entry.size)
    for left in root.left_files():
        yield Leftover(left.key, "temporary file", left.key, left.size)


def drop(root: SafeRoot, found: Leftover) -> bool:
    """Delete one of `leftovers` for good; False if somebody else took it meanwhile."""
    if found.reason:
        return False
    if found.kind == "temporary file":
        return _drop_left(root, found.key)
    if found.key.startswith(f"{GONE}/"):
        root.delete(found.key)
        return True
    aside = [found.key + _NAME] if found.kind == "older version" else []
    taken = [place for place in (_taken(root, key) for key in (*aside, found.key)) if place]
    for place in taken:
        root.delete(place)
    return bool(taken)


def _drop_left(root: SafeRoot, key: str) -> bool:
    folder, _, name = key.rpartition("/")
    try:
        fd = root.open_dir(folder)
    except (NotFoundError, OSError):
        return False
    try:
        return was_left(fd, name, time.time() - LEFT_S) is not None
    finally:
        os.close(fd)


def _taken(root: SafeRoot, key: str) -> str:
    """Rename `key` into the place of what is going; return its name there, "" if it is not there any more."""
    place = f"{GONE}/{secrets.token_hex(8)}"
    root.make_dirs(GONE)
    try:
        root.move(key, place)
    except NotFoundError:
        return ""
    return place


def _trash(root: SafeRoot, before: float) -> Iterator[Leftover]:
    for entry in root.scan(TRASH):
        if _thrown_away(entry) < before:
            name = _text(root, f"{entry.key}/path") or entry.name
            yield Leftover(entry.key, "trash", name, _size(root, entry), _in_use(root, entry, before))


def _thrown_away(entry: Entry) -> float:
    """Return when an entry came into the trash: things there keep their own times, so their place tells it."""
    try:
        return int(entry.name.partition("-")[0], 16) / 1e6
    except ValueError:
        return entry.modified


def _in_use(root: SafeRoot, entry: Entry, before: float) -> str:
    """Tell why a run in the trash has to stay: its process did not notice and still writes into it."""
    for inner in root.walk(entry.key, hidden=True):
        if inner.is_dir or not inner.name.endswith(keys.JOURNAL_SUFFIX):
            continue
        if inner.modified >= before:
            return "it was written to after that"
        with contextlib.suppress(NotFoundError), root.open_read(inner.key) as file:
            if not take_lock(file.fileno()):
                return "its writer is alive"
    return ""


def _older(root: SafeRoot, before: float) -> Iterator[Leftover]:
    entries = {entry.name: entry for entry in root.scan(OLDER)}
    for name, entry in entries.items():
        if name.endswith(_NAME):
            if entry.modified < before:
                content = entries.get(name.removesuffix(_NAME))
                yield Leftover(entry.key.removesuffix(_NAME), "older version", _text(root, entry.key), content.size if content else 0)
        elif name + _NAME not in entries:  # the name goes first
            yield Leftover(entry.key, "older version", name[:12], entry.size)


def _text(root: SafeRoot, key: str) -> str:
    with contextlib.suppress(MlLoggerError, OSError):
        return root.read_bytes(key).decode("utf-8", "replace")
    return ""


def _size(root: SafeRoot, entry: Entry) -> int:
    return sum(inner.size for inner in root.walk(entry.key, hidden=True) if not inner.is_dir) if entry.is_dir else entry.size
