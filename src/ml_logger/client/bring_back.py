"""Journals that had to leave a local root (its disk was full, read-only or gone) come back to where they belong. Knows no network."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ml_logger.client.spool import Slot
from ml_logger.console import say
from ml_logger.errors import MlLoggerError
from ml_logger.formats import frames
from ml_logger.safe_fs import SafeRoot


def bring_back(root: str, slots: list[Slot]) -> int:
    """Append what waits in `slots` to the journals below the directory `root`; returns how many could not be brought back.

    Frames that are there already (by their sequence) are left out, so that doing it again after a crash changes nothing.
    """
    left = 0
    for slot in slots:
        journal = slot.journal()
        if not slot.lock():
            continue
        try:
            if journal is not None:
                _append(SafeRoot(root), f"{slot.about.run}/{journal.name}", journal)
            slot.remove()
        except BlockingIOError:  # its writer is alive, and brings it back by itself
            slot.unlock()
        except (OSError, MlLoggerError) as error:
            slot.unlock()
            if journal is not None and journal.exists():
                say(f"{root}: {error}; its records stay in {slot.path}")
                left += 1
    return left


def _append(root: SafeRoot, key: str, journal: Path) -> None:
    """Append the new frames of `journal` to the file `key`, durable on return; raises `BlockingIOError` if its writer is alive."""
    with journal.open("rb") as source:
        fcntl.flock(source, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fd = root.open_update(key)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with open(fd, "rb", closefd=False) as target:
                there = target.read()
            seen = {frame.sequence for frame in _frames(there)}
            new = [frames.encode(frame.sequence, bytes(frame.payload)) for frame in _frames(source.read()) if frame.sequence not in seen]
            data = b"".join(new) if there else frames.MAGIC + b"".join(new)
            os.lseek(fd, 0, os.SEEK_END)
            while data:
                data = data[os.write(fd, data) :]
            os.fsync(fd)
        finally:
            os.close(fd)


def _frames(data: bytes) -> list[frames.Frame]:
    return [item for item in frames.Scanner(data, len(frames.MAGIC)) if isinstance(item, frames.Frame)]
