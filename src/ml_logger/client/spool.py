"""The spool: directories on a local disk where journals and blobs wait until they are delivered. Knows no server and no wire.

One directory for each root, and in it one for each writer::

    <base>/<name of the root>-<hash>/<unique>/about.json      the root as a URL or path, and the run
                                              metrics.….mlog  the writer's journal
                                              offset          how far it is acknowledged: a hint, the server knows
                                              lock            held (flock) by the process that delivers it
                                     blobs/<sha256>-<unique>  a file for each FILE record that is not delivered
                                     rejected/                what the server refused for good, and why
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from zlib import crc32

import msgspec
from msgspec import Struct

from ml_logger import settings
from ml_logger.local_places import bases, name_of

CAP_BYTES, CAP_SHARE, RUN_CAP_BYTES = 4 << 30, 0.10, 1 << 30
"""The spool takes at most 4 GiB and 10 % of what is free, a run at most 1 GiB."""

_SLOT = re.compile("[0-9a-f]{15,17}-[0-9]+-[0-9a-f]{6}")
_STATE = struct.Struct("<4Q")


class About(Struct):
    """Whose records a slot holds."""

    root: str
    run: str
    created: float = 0.0
    journal: str = ""
    """Where the journal lies if that is not in the slot: the mirror of a bucket."""


class Slot:
    """One directory of the spool."""

    __slots__ = ("_lock", "about", "path")

    def __init__(self, path: Path, about: About) -> None:
        """Describe the slot at `path`."""
        self.path, self.about = path, about
        self._lock = -1

    @property
    def maker(self) -> str:
        """The id of the process that made the slot, and writes the journal in it while it lives; a child that it forks has its own."""
        return self.path.name.partition("-")[2].partition("-")[0]

    def journal(self) -> Path | None:
        """Return the journal in the slot, or the one that it names, or None as long as there is none."""
        if self.about.journal:
            return Path(self.about.journal) if os.path.exists(self.about.journal) else None
        try:
            with os.scandir(self.path) as items:
                return next((Path(item.path) for item in items if item.name.endswith(".mlog")), None)
        except FileNotFoundError:
            return None

    def lock(self) -> bool:
        """Become the one process that delivers this slot; False if another one is, or if the slot is gone."""
        if self._lock >= 0:
            return True
        try:
            fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._lock = fd
        if (self.path / "about.json").exists():
            return True
        self.unlock()  # it was delivered and removed just now
        return False

    def restore(self) -> bool:
        """Make the slot again if its journal went on after the slot had been delivered and removed; then lock it."""
        with contextlib.suppress(OSError):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self.path / "about.json").exists():
                self.unlock()
                (self.path / "about.json").write_bytes(msgspec.json.encode(self.about))
        return self.lock()

    def quarantine(self, reason: str, content: bytes | None = None) -> Path:
        """Keep `content` (without it, the whole slot) in rejected/, with the reason, where nobody delivers it any more."""
        place = self.path.parent / "rejected" / f"{self.path.name}-{time.time_ns():x}"
        place.mkdir(mode=0o700, parents=True)
        (place / "reason.txt").write_text(f"{self.about.root} {self.about.run}\n{reason}\n", "utf-8")
        if content is not None:
            (place / "frames").write_bytes(content)
        else:
            self.path.rename(place / "slot")
        return place

    def unlock(self) -> None:
        """Let others deliver it. In a forked child this only closes the descriptor: the parent keeps its lock."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def state(self) -> tuple[int, int, int]:
        """Return (start, base, acked): the writer's offset of the file's first byte, bytes no longer held, bytes acknowledged."""
        try:
            raw = (self.path / "offset").read_bytes()
        except OSError:
            return 0, 0, 0
        if len(raw) != _STATE.size + 4 or crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
            return 0, 0, 0
        start, base, acked, _ = _STATE.unpack(raw[:-4])
        return start, base, acked

    def save_state(self, start: int, base: int, acked: int) -> None:
        """Remember how far the journal is acknowledged; losing it costs one question to the server."""
        raw = _STATE.pack(start, base, acked, 0)
        with contextlib.suppress(OSError):
            fd = os.open(self.path / "offset", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(fd, raw + crc32(raw).to_bytes(4, "little"), 0)
            finally:
                os.close(fd)

    def size(self) -> int:
        """Return the bytes on the disk of all that is in the slot."""
        return sum(disk_bytes(path) for path in self.path.rglob("*"))

    def remove(self) -> None:
        """Remove the slot with all in it, after its delivery; about.json goes first, so that nobody takes up half a slot."""
        with contextlib.suppress(OSError):
            (self.path / "about.json").unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        self.unlock()
        for folder in (self.path.parent / "blobs", self.path.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()


def fallbacks(root: str, run: str, env: settings.Settings) -> Iterator[Path]:
    """Yield directories for a journal of `run` when its own cannot be written; `ml-logger sync` brings it back from there."""
    yield from (slot.path for slot in slots_for(root, run, env.spool))


def put_blob(root: str, chunks: Iterator[bytes], named: str | None = None, environ: Mapping[str, str] | None = None) -> tuple[str, int]:
    """Stream `chunks` into a blob of `root` on the best base; returns its sha256 (hex) and size.

    Raises `OSError`: ENOSPC and the like from the disk, EFBIG if there is no room within the caps.
    """
    for base in bases(named, environ):
        folder = base / name_of(root) / "blobs"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        return _stream(folder, chunks, room(folder, sum(disk_bytes(path) for path in folder.iterdir())))
    raise OSError(errno.EROFS, "no directory for a spool can be written", "")


def _stream(folder: Path, chunks: Iterator[bytes], limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    temp = folder / f".{secrets.token_hex(8)}"
    try:
        with temp.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk if size <= limit else _full(folder, limit))
        name = digest.hexdigest()
        temp.rename(folder / f"{name}-{time.time_ns():020d}-{secrets.token_hex(2)}")
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    return name, size


def find_blob(root: str, sha256: str, named: str | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the oldest blob of `root` with this content, or None."""
    for base in bases(named, environ):
        with contextlib.suppress(FileNotFoundError):
            found = [item.path for item in os.scandir(base / name_of(root) / "blobs") if item.name.startswith(f"{sha256}-")]
            if found:
                return Path(min(found))
    return None


def slots_for(
    root: str, run: str, named: str | None = None, environ: Mapping[str, str] | None = None, *, journal: str = ""
) -> Iterator[Slot]:
    """Yield a new slot for a writer of `run` in each base that can be written, best first; `journal` is one that lies elsewhere."""
    for base in bases(named, environ):
        path = base / name_of(root) / f"{time.time_ns():x}-{os.getpid()}-{secrets.token_hex(3)}"
        about = About(root, run, time.time(), journal)
        try:
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700, parents=True)
            (path / "about.json").write_bytes(msgspec.json.encode(about))
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            continue
        yield Slot(path, about)


def leftovers(root: str | None, named: str | None = None, environ: Mapping[str, str] | None = None) -> list[Slot]:
    """Return the slots of `root` (of all roots if None), oldest first; some may belong to processes that are alive."""
    found: list[Slot] = []
    for base in bases(named, environ):
        with contextlib.suppress(OSError):  # a base that cannot be listed now
            for path in base.glob("*/*/about.json") if root is None else base.glob(f"{name_of(root)}/*/about.json"):
                with contextlib.suppress(OSError, msgspec.DecodeError):
                    found.append(Slot(path.parent, msgspec.json.decode(path.read_bytes(), type=About)))
    return sorted(found, key=lambda slot: slot.about.created)


def is_slot(path: Path) -> bool:
    """Tell whether a directory is a slot of a spool, and no run directory."""
    return _SLOT.fullmatch(path.name) is not None and (path / "about.json").exists()


def room(path: Path, used: int) -> int:
    """Return how many more bytes a run that uses `used` bytes may put into the spool at `path`."""
    free = shutil.disk_usage(path).free
    return max(0, min(RUN_CAP_BYTES - used, int(min(CAP_BYTES, CAP_SHARE * (free + used))) - used))


def is_nearly_full(path: Path, used: int) -> bool:
    """Tell whether a run that uses `used` bytes of the spool at `path` has less than a fifth of its share left."""
    return room(path, used) < used / 4


def _full(folder: Path, room: int) -> bytes:
    raise OSError(errno.EFBIG, f"no room for more than {room} bytes", str(folder))


def disk_bytes(path: Path) -> int:
    """Return how much of the disk a file takes; 0 if it is gone."""
    with contextlib.suppress(OSError):
        return path.lstat().st_blocks * 512
    return 0
