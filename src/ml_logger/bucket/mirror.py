"""The directory on a local disk that stands for a bucket: where it lies, and its files that are hollow. Knows no run.

::

    <base of the spool>/<name of the root>-<hash>/mirror/url              the root
                                                        root/…            an ordinary root; some files are hollow
                                                        ledger.sqlite     what is at the bucket, what is to be carried
                                                        locks/            one process at a time works on a key

A hollow file is sparse: it has the right size and time, and its bytes are fetched when they are asked for.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat as st
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

from ml_logger import keys
from ml_logger.bucket.here import BLOCK
from ml_logger.bucket.ledger import Ledger, Mark
from ml_logger.bucket.objects import Objects, Thing
from ml_logger.errors import NotFoundError, SettingsError
from ml_logger.local_places import bases, name_of
from ml_logger.safe_fs import TEMP_PREFIX, SafeRoot

_LOCKS = 256
_TRIES = 3
_FETCHERS = 16
_STAY = (f"{keys.HOME}/index/", f"{keys.HOME}/wal/")
"""What is derived, or of this machine only, and never goes to the bucket."""

Item = TypeVar("Item")


class Mirror:
    """The mirror of the bucket `root`. Thread-safe, and safe among processes."""

    def __init__(self, root: str, named: str | None = None) -> None:
        """Find or make the mirror; `named` is the spool that the user asked for. Connects to nothing.

        Raises `MissingExtraError` without obstore, `InvalidKeyError` for an address that is none, `SettingsError` without a place for it.
        """
        self.root = root
        self.objects = Objects(root)
        self.home = _place(root, named)
        self.files = SafeRoot(self.home / "root")
        self.ledger = Ledger(self.home / "ledger.sqlite")
        self.writing: set[str] = set()
        """Files that this process writes just now."""
        self.names = threading.RLock()
        """Held while a name gets another file, and to change `writing`."""

    def after_fork(self) -> None:
        """Take new locks in a child."""
        self.names, self.writing = threading.RLock(), set()
        self.ledger.after_fork()

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Let no other process or thread carry or fetch `key` inside the block."""
        fd = os.open(self.home / "locks" / f"{crc32(key.encode()) % _LOCKS:02x}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def mark(self, key: str) -> Mark | None:
        """Return what the local file `key` is known by, or None if there is none."""
        found = self.files.stat(key)
        return mark_of(found) if found is not None and st.S_ISREG(found.st_mode) else None

    # ── hollow files ─────────────────────────────────────────────────────────────────────────────────────────────

    def is_hollow(self, key: str) -> bool:
        """Tell whether the bytes of the local file `key` are at the bucket only."""
        mark = self.mark(key)
        return mark is not None and self.ledger.hollow(mark) is not None

    def make_hollow(self, thing: Thing, instead: Mark | None = None) -> None:
        """Put a hollow file at the key of `thing`; with `instead`, only in the place of that very file, while nobody writes there."""
        with self.names, contextlib.suppress(_KeptError), self.files.create(thing.key) as file:
            os.ftruncate(file.fileno(), thing.size)
            os.utime(file.fileno(), (thing.modified, thing.modified))
            if instead is not None and (thing.key in self.writing or self.mark(thing.key) != instead):
                raise _KeptError
            mark = mark_of(os.fstat(file.fileno()))
            self.ledger.set_hollow(mark, thing.key)
            self.ledger.put(thing, mark)

    def fetch(self, key: str) -> None:
        """Fill the file `key` if it is hollow; raises `NotFoundError` if its bytes are gone, `TransportError`."""
        if not self.is_hollow(key):
            return
        with self.locked(key):
            mark = self.mark(key)
            source = self.ledger.hollow(mark) if mark else None
            if source is not None:
                self.fill(key, source)

    def fetch_all(self, folder: str) -> None:
        """Fill `folder`, a file or a directory with all below it."""
        if self.files.is_dir(folder):
            each(self.fetch, [entry.key for entry in self.files.walk(folder, hidden=True) if not entry.is_dir])
        else:
            self.fetch(folder)

    def fill(self, key: str, source: str) -> None:
        """Put the bytes of the object `source` at the local file `key`, old or new. To be called with the key locked."""
        with self.files.create(key) as file:
            thing = self._download(source, file)
            file.flush()
            os.utime(file.fileno(), (thing.modified, thing.modified))
            if source == key:
                self.ledger.put(thing, mark_of(os.fstat(file.fileno())))

    def _download(self, key: str, file: Any) -> Thing:
        """Write an object, as it is at one moment, into `file`."""
        for _ in range(_TRIES):
            file.seek(0)
            file.truncate()
            data, thing = self.objects.get(key, 0, BLOCK)
            file.write(data)
            while (at := file.tell()) < thing.size:
                data, now = self.objects.get(key, at, min(at + BLOCK, thing.size))
                if now.etag != thing.etag:
                    break
                file.write(data)
            else:
                return thing
        raise NotFoundError(f"{self.objects.url}/{key}", "it changes too fast to be read")

    def prune(self, key: str) -> None:
        """Remove the directories above `key` that have become empty: a bucket has none."""
        for parent in list(Path(key).parents)[:-1]:
            with contextlib.suppress(OSError):
                os.rmdir(self.files.path(str(parent)))


class _KeptError(Exception):
    """The file that was to become hollow has changed; it stays."""


def mark_of(found: os.stat_result) -> Mark:
    """Return what a local file is known by."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def is_carried(key: str) -> bool:
    """Tell whether the local file `key` belongs at the bucket, or the object `key` in the mirror."""
    name = key.rpartition("/")[2]
    stays = f"{key}/".startswith(_STAY) or name.startswith(TEMP_PREFIX)
    return keys.is_key(key) and bool(name) and not stays


def each(act: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Do `act` for all items, several at a time; raises the first error after all threads have ended."""
    todo, errors = deque(items), deque[BaseException]()

    def work() -> None:
        try:
            while todo and not errors:
                with contextlib.suppress(IndexError):  # another thread took the last one
                    item = todo.popleft()
                    act(item)
        except Exception as error:  # noqa: BLE001 - raised by the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=work, name="ml-logger-fetch", daemon=True) for _ in range(min(_FETCHERS, len(todo)) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def unsettled(named: str | None = None) -> list[str]:
    """Return the roots of this user's mirrors in which something waits to be carried."""
    found = []
    for base in bases(named):
        for url in base.glob("*/mirror/url"):
            with contextlib.suppress(OSError):
                if Ledger(url.with_name("ledger.sqlite")).dirty():
                    found.append(url.read_text("utf-8"))
    return list(dict.fromkeys(found))


def _place(root: str, named: str | None) -> Path:
    """Return where the mirror is, or can be made."""
    places = [base / name_of(root) / "mirror" for base in bases(named)]
    for place in sorted(places, key=lambda place: not (place / "url").exists()):
        try:
            for part in ("root", "locks"):
                (place / part).mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (place / "url").exists():
                (place / "url").write_text(root, "utf-8")
        except OSError:
            continue
        return place
    raise SettingsError("ML_LOGGER_SPOOL", str(named or ""), f"no directory for the mirror of {root} can be written")
