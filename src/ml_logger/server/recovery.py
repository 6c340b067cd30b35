"""After a crash: what the log holds is put where it belongs, once more; and the sync that lets a log be dropped. Knows no requests."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable

from ml_logger import keys
from ml_logger.errors import NotFoundError
from ml_logger.formats import frames
from ml_logger.formats.messages import Header, Mark
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.batches import EFFECTS, Effect
from ml_logger.server.effects import Effects
from ml_logger.server.places import Places, create_run, decoded, write_all
from ml_logger.server.wal import Entry, Wal


def replay(wal: Wal, places: Places, effects: Effects, poke: Callable[[str], None]) -> int:
    """Apply all entries of the log in order, sync what they touched, and drop the log; returns how many there were.

    An entry is written at the offset it had, so doing it again changes nothing. A journal that somebody removed meanwhile
    stays removed.
    """
    entries = wal.recover()
    segments = wal.segments()
    applied = max((entry.applied for _, entry in entries), default=0)
    touched: set[str] = set()
    for number, entry in entries:
        found = _messages_in(entry.data)
        mark = found[-1].message if found else None
        if isinstance(mark, Mark) and _restore(places, entry, mark):
            if isinstance(found[0].message, Header):
                create_run(places.root, found[0].message)
            touched.update((entry.path, f"{entry.run}/{keys.RUN_FILE}"))
            effects.cut_back(entry.sizes)
            todo = [effect for effect in found if isinstance(effect.message, EFFECTS)]
            touched.update(effects.apply(mark, todo, done=number < applied))
            poke(entry.run)
    sync_files(places.root, touched)
    wal.drop(segments)
    return len(entries)


def _restore(places: Places, entry: Entry, mark: Mark) -> bool:
    """Write an entry at its offset, even if it is there: a sync that failed may have lost it behind our back.

    False if the file is gone or shorter than it was, or if it was sealed meanwhile and holds the entry in another form.
    """
    start, root = len(frames.MAGIC), places.root
    found = root.stat(entry.path)
    if entry.at > start and (found is None or found.st_size < entry.at):
        return False
    data, at = (frames.MAGIC + entry.data, 0) if entry.at == start else (entry.data, entry.at)
    fd = root.open_update(entry.path)
    try:
        if os.pread(fd, len(data), at) != data:
            place = places.peek(entry.run, mark.writer)
            if place is not None and place.offset >= mark.hi:
                return False
        write_all(fd, data, at)
    finally:
        os.close(fd)
    return True


def _messages_in(data: bytes) -> list[Effect]:
    found = [(item.sequence, decoded(item)) for item in frames.Scanner(data) if isinstance(item, frames.Frame)]
    return [Effect(sequence, message) for sequence, message in found if message is not None]


def sync_files(root: SafeRoot, touched: Iterable[str]) -> None:
    """Make files and their names durable; one that is gone is skipped. Raises `OSError` if the disk fails."""
    folders: set[str] = set()
    for key in touched:
        if _sync_file(root, key):
            parts = key.split("/")
            folders.update("/".join(parts[:depth]) for depth in range(len(parts)))
    for folder in sorted(folders):
        with contextlib.suppress(NotFoundError):
            root.sync_dir(folder)


def _sync_file(root: SafeRoot, key: str) -> bool:
    try:
        with root.open_read(key) as file:
            os.fdatasync(file.fileno())
    except NotFoundError:
        return False
    return True
