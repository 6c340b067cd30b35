"""The only opener of paths that a user or a network named; knows nothing of runs and records.

A key is parsed by `keys.parse`, then opened below the root by openat2 with RESOLVE_BENEATH, NO_SYMLINKS and
NO_MAGICLINKS, or part by part with O_NOFOLLOW where the system has no openat2. Symlinks are refused, never followed;
nothing is checked first and opened later.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat as st
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ml_logger import keys
from ml_logger.beneath import DIRECTORY, O_PATH, delete_at, link_over, open_beneath, sync_dir, take_lock, was_left
from ml_logger.errors import InvalidKeyError, NotFoundError

TEMP_PREFIX = ".mlt-"
"""Leftover temporary files begin with this; they are never listed, and may be deleted."""
TRASH = f"{keys.HOME}/trash"
OLDER = f"{keys.HOME}/older"
"""Files that were overwritten, one version of each, until `ml-logger gc` drops them."""

_COPY_BYTES = 1 << 20
LEFT_S = 60.0
"""Temporary files are young when their writer takes its lock; older ones without a lock were left by one that died."""


class Entry(NamedTuple):
    """One name in a directory: its key, what it is, bytes and time of the last change (s since the epoch)."""

    key: str
    name: str
    is_dir: bool
    size: int
    modified: float


class SafeRoot:
    """A directory below which keys are opened. Thread-safe; holds no descriptor, so that the root may be moved or remade."""

    def __init__(self, path: str | os.PathLike[str], *, create: bool = False) -> None:
        """Take `path` as the root; with `create`, make it (0755, as the umask allows)."""
        self.path_ = Path(path).absolute()
        if create:
            self.path_.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        """Show where it is."""
        return f"SafeRoot({str(self.path_)!r})"

    def path(self, key: str = "") -> Path:
        """Return the path of `key` for a library that needs one; the caller answers for symlinks."""
        return self.path_.joinpath(*keys.parse(key))

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def open_read(self, key: str) -> BinaryIO:
        """Open the file `key`; raises `NotFoundError` if it is missing, a directory, or behind a symlink."""
        fd = self._open(key, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        if not st.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise NotFoundError(f"file {key}")
        return os.fdopen(fd, "rb")

    def read_bytes(self, key: str) -> bytes:
        """Return all bytes of the file `key`; raises `NotFoundError`."""
        with self.open_read(key) as file:
            return file.read()

    def stat(self, key: str) -> os.stat_result | None:
        """Return what `os.fstat` says of `key`, or None if it does not exist or is a symlink."""
        try:
            fd = self._open(key, O_PATH)
        except NotFoundError:
            return None
        try:
            found = os.fstat(fd)
        finally:
            os.close(fd)
        return None if st.S_ISLNK(found.st_mode) else found

    def exists(self, key: str) -> bool:
        """Tell whether `key` is a file or directory."""
        return self.stat(key) is not None

    def is_dir(self, key: str) -> bool:
        """Tell whether `key` is a directory."""
        found = self.stat(key)
        return found is not None and st.S_ISDIR(found.st_mode)

    def scan(self, key: str = "", wanted: Callable[[str], bool] | None = None) -> list[Entry]:
        """Return the entries of the directory `key`, sorted by name; [] if there is none.

        Symlinks, leftovers, and what others put there under names that are no keys are left out. With `wanted`, only those
        whose names it takes: the others are not looked at.
        """
        folder = keys.clean(key)
        try:
            fd = self.open_dir(folder)
        except NotFoundError:
            return []
        try:
            with os.scandir(fd) as found:
                chosen = (item for item in found if wanted is None or wanted(item.name))
                entries = [entry for item in chosen if (entry := _entry(folder, item)) and keys.is_key(entry.key)]
        finally:
            os.close(fd)
        return sorted(entries, key=lambda entry: entry.name)

    def open_dir(self, key: str = "") -> int:
        """Return a descriptor of the directory `key`, to be closed by the caller; raises `NotFoundError` or `OSError`."""
        return self._open(key, os.O_RDONLY | os.O_DIRECTORY)

    def walk(self, key: str = "", limit: int | None = None, *, hidden: bool = False) -> Iterator[Entry]:
        """Yield all files and directories below `key`, parents first; `.ml-logger` of the root only with `hidden`."""
        todo, count = [keys.clean(key)], 0
        while todo:
            for entry in self.scan(todo.pop()):
                if entry.name == keys.HOME and not hidden:
                    continue
                yield entry
                count += 1
                if limit is not None and count >= limit:
                    return
                if entry.is_dir:
                    todo.append(entry.key)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def make_dirs(self, key: str) -> None:
        """Make the directory `key` and its parents."""
        if parts := keys.parse(key):
            fd, name = self._parent((*parts, "x"), create=True)
            del name
            os.close(fd)

    def append(self, key: str, data: bytes) -> None:
        """Add `data` at the end of the file `key` with one write; parents are made."""
        fd, name = self._parent(_named(key), create=True)
        try:
            with _refused(key):
                target = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=fd)
        finally:
            os.close(fd)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(target, view) :]
        finally:
            os.close(target)

    def open_update(self, key: str) -> int:
        """Return a descriptor of the file `key` for reading and writing at offsets; it and its parents are made if missing."""
        fd, name = self._parent(_named(key), create=True)
        try:
            return os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=fd)
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def create(self, key: str, *, durable: bool = False, older: bool = False) -> Iterator[BinaryIO]:
        """Give a file that becomes `key` when the block ends well, and leaves no trace when it does not: old or new, never half.

        With `durable`, file and directory are synced before this returns; with `older`, what it replaces is kept.
        """
        fd, name = self._parent(_named(key), create=True)
        temp = TEMP_PREFIX + secrets.token_hex(8)
        try:
            target = os.open(temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=fd)
            try:
                with os.fdopen(target, "w+b") as file:
                    take_lock(target)
                    yield file
                    file.flush()
                    if durable:
                        os.fsync(file.fileno())
                if older:
                    self.keep_older(key)
                with _refused(key):
                    os.rename(temp, name, src_dir_fd=fd, dst_dir_fd=fd)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temp, dir_fd=fd)
                raise
            if durable:
                sync_dir(fd)
        finally:
            os.close(fd)

    def left_files(self, key: str = "", older: float = LEFT_S, *, delete: bool = False) -> Iterator[Entry]:
        """Yield temporary files below the directory `key` whose writer died more than `older` s ago; with `delete`, those that were."""
        before = time.time() - older
        for place in (key, *(entry.key for entry in list(self.walk(key, hidden=True)) if entry.is_dir)):
            with contextlib.suppress(OSError, NotFoundError):
                fd = self.open_dir(place)
                try:
                    for name in [name for name in os.listdir(fd) if name.startswith(TEMP_PREFIX)]:
                        if (found := was_left(fd, name, before, delete=delete)) is not None:
                            yield Entry(f"{place}/{name}".lstrip("/"), name, is_dir=False, size=found.st_size, modified=found.st_mtime)
                finally:
                    os.close(fd)

    def tidy(self, key: str = "", older: float = LEFT_S) -> int:
        """Delete `left_files`; return how many there were."""
        return sum(1 for _ in self.left_files(key, older, delete=True))

    def write_bytes(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """Put `data` at `key`, old or new."""
        with self.create(key, durable=durable) as file:
            file.write(data)

    def link_once(self, key: str, data: bytes) -> bool:
        """Create `key` with `data` if it does not exist, complete from the first moment; False if it was there."""
        fd, name = self._parent(_named(key), create=True)
        temp = TEMP_PREFIX + secrets.token_hex(8)
        try:
            target = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=fd)
            with os.fdopen(target, "wb") as file:
                file.write(data)
            try:
                os.link(temp, name, src_dir_fd=fd, dst_dir_fd=fd, follow_symlinks=False)
            except FileExistsError:
                return False
            finally:
                os.unlink(temp, dir_fd=fd)
            return True
        finally:
            os.close(fd)

    def sync_dir(self, key: str) -> None:
        """Make names created in the directory `key` durable."""
        fd = self.open_dir(key)
        try:
            sync_dir(fd)
        finally:
            os.close(fd)

    def keep_older(self, key: str) -> None:
        """Keep the file at `key`, if there is one, as its older version, in the place of one before: it is about to be replaced.

        Costs a link and no copy; where the file system knows no links, nothing is kept.
        """
        name = "/".join(_named(key))
        found, place = self.stat(name), older_of(name)
        if found is None or not st.S_ISREG(found.st_mode):
            return
        with contextlib.suppress(OSError, NotFoundError):
            self.write_bytes(f"{place}.path", name.encode())
            (source, last), (target, content) = self._parent(_named(name)), self._parent(_named(place))
            try:
                link_over(source, last, target, content)
            finally:
                os.close(source)
                os.close(target)

    # ── moving ───────────────────────────────────────────────────────────────────────────────────────────────────

    def move(self, source: str, target: str) -> None:
        """Rename `source` to `target`, replacing a file there; raises `NotFoundError` or `InvalidKeyError`."""
        parts, goal = _named(source), _named(target)
        if goal[: len(parts)] == parts and goal != parts:
            raise InvalidKeyError(target, "lies inside of what is moved")
        if self.stat(source) is None:
            raise NotFoundError(source)
        (from_fd, old), (to_fd, new) = self._parent(parts), self._parent(goal, create=True)
        try:
            os.rename(old, new, src_dir_fd=from_fd, dst_dir_fd=to_fd)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR):
                raise InvalidKeyError(target, "exists already") from error
            raise
        finally:
            os.close(from_fd)
            os.close(to_fd)

    def copy(self, source: str, target: str) -> None:
        """Copy a file or a directory tree; each file arrives whole or not at all."""
        if not self.is_dir(source):
            with self.open_read(source) as old, self.create(target) as new:
                while block := old.read(_COPY_BYTES):
                    new.write(block)
            return
        base, goal = keys.clean(source), keys.clean(target)
        if keys.in_scope(goal, f"{base}/**"):
            raise InvalidKeyError(target, "lies inside of what is copied")
        self.make_dirs(goal)
        for entry in list(self.walk(base)):
            new_key = goal + entry.key[len(base) :]
            self.make_dirs(new_key) if entry.is_dir else self.copy(entry.key, new_key)

    def remove(self, key: str) -> str:
        """Move `key` to the trash and return its key there; the root and `.ml-logger` are refused, a missing key raises."""
        parts = _named(key)
        if parts[0] == keys.HOME:
            raise InvalidKeyError(key, "is kept by ml-logger itself")
        place = f"{TRASH}/{int(time.time() * 1e6):x}-{secrets.token_hex(3)}"
        self.move(key, f"{place}/content")
        self.write_bytes(f"{place}/path", "/".join(parts).encode())
        return place

    def delete(self, key: str) -> None:
        """Remove `key` for good, with all below it; symlinks inside are removed, not followed."""
        parts = _named(key)
        try:
            fd, name = self._parent(parts)
        except NotFoundError:
            return
        try:
            delete_at(fd, name)
        finally:
            os.close(fd)

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, key: str, flags: int) -> int:
        """Open an existing `key` below the root; whatever is in the way looks like a missing key."""
        parts = keys.parse(key)
        try:
            root = os.open(self.path_, DIRECTORY)
        except OSError as error:
            raise _missing(error, str(self.path_)) from error
        try:
            return open_beneath(root, parts, flags | os.O_CLOEXEC)
        except OSError as error:
            raise _missing(error, key) from error
        finally:
            os.close(root)

    def _parent(self, parts: tuple[str, ...], *, create: bool = False) -> tuple[int, str]:
        """Return a descriptor of the directory that holds `parts`, and the last name; with `create`, make what is missing."""
        *above, name = parts
        try:
            return self._open("/".join(above), DIRECTORY), name
        except NotFoundError:
            if not create:
                raise
        self.path_.mkdir(parents=True, exist_ok=True)
        for depth in range(1, len(above) + 1):
            self._make_dir(tuple(above[:depth]))
        return self._open("/".join(above), DIRECTORY), name

    def _make_dir(self, parts: tuple[str, ...]) -> None:
        fd = self._open("/".join(parts[:-1]), DIRECTORY)
        try:
            os.mkdir(parts[-1], 0o755, dir_fd=fd)
        except FileExistsError:
            if st.S_ISREG(os.stat(parts[-1], dir_fd=fd, follow_symlinks=False).st_mode):
                raise InvalidKeyError("/".join(parts), "is a file, not a directory") from None
        finally:
            os.close(fd)


def _missing(error: OSError, key: str) -> Exception:
    """Return what to raise: "not found" only where there is nothing; a disk that fails, or no descriptors left, says what it is."""
    return NotFoundError(key) if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.ENXIO) else error


def older_of(key: str) -> str:
    """Return the place of the older version of `key`; its name is in a file beside it that ends in `.path`."""
    return f"{OLDER}/{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _named(key: str) -> tuple[str, ...]:
    """Parse a key that must not be the root."""
    parts = keys.parse(key)
    if not parts:
        raise InvalidKeyError(key, "is the root itself")
    return parts


@contextlib.contextmanager
def _refused(key: str) -> Iterator[None]:
    """Turn the system's word for a directory that is in the way into our error, which names the key."""
    try:
        yield
    except IsADirectoryError as error:
        raise InvalidKeyError(key, "is a directory") from error


def _entry(parent: str, item: os.DirEntry[str]) -> Entry | None:
    if item.name.startswith(TEMP_PREFIX) or item.is_symlink():
        return None
    try:
        found = item.stat(follow_symlinks=False)
        name = item.name.encode().decode()
    except (OSError, UnicodeError):  # gone meanwhile, or a name that is no text
        return None
    key = f"{parent}/{name}" if parent else name
    return Entry(key, name, item.is_dir(follow_symlinks=False), found.st_size, found.st_mtime)
