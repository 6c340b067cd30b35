"""Opening a path below a directory descriptor, never outside of it: openat2, or part by part where the system has none.

Knows no root and no key. Symlinks anywhere on the way make it fail with ELOOP, ENOTDIR or EXDEV.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import secrets
import sys
from collections.abc import Callable

O_PATH = getattr(os, "O_PATH", os.O_RDONLY)
DIRECTORY = O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_RESOLVE = 0x08 | 0x04 | 0x02  # beneath, no symlinks, no magic links
_OPENAT2 = 437


class _How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def open_beneath(root: int, parts: tuple[str, ...], flags: int) -> int:
    """Return a descriptor of what `parts` name below the directory `root`; raises `OSError`."""
    if not parts:
        return os.open(".", flags, dir_fd=root)
    if (openat2 := _openat2()) is not None:
        return openat2(root, "/".join(parts), flags)
    fd = os.dup(root)
    for part in parts[:-1]:
        try:
            below = os.open(part, DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    try:
        return os.open(parts[-1], flags | os.O_NOFOLLOW, dir_fd=fd)
    finally:
        os.close(fd)


Opener = Callable[[int, str, int], int]
_cached: list[Opener | None] = []


def _openat2() -> Opener | None:
    """Return openat2 as a function (root, path, flags) → descriptor, or None where it is missing."""
    if not _cached:
        _cached.append(_find_openat2())
    return _cached[0]


def _find_openat2() -> Opener | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def openat2(root: int, path: str, flags: int) -> int:
        how = _How(flags, 0, _RESOLVE)
        fd = libc.syscall(_OPENAT2, root, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
        if fd < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
        return fd

    root = os.open("/", DIRECTORY)
    try:
        os.close(openat2(root, ".", O_PATH))
    except OSError:  # an old kernel, or a sandbox that forbids the call
        return None
    finally:
        os.close(root)
    return openat2


def sync_dir(fd: int) -> None:
    """Sync a directory; a descriptor opened with O_PATH cannot, so it is opened again."""
    again = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
    try:
        os.fsync(again)
    finally:
        os.close(again)


def delete_at(fd: int, name: str) -> None:
    """Remove `name` in the directory `fd` for good, with all below it; symlinks are removed, not followed."""
    try:
        os.unlink(name, dir_fd=fd)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
        try:
            for item in os.listdir(below):
                delete_at(below, item)
        finally:
            os.close(below)
        os.rmdir(name, dir_fd=fd)


def take_lock(fd: int) -> bool:
    """Lock a file of ours, or tell that another process has; True where the file system knows no locks."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def is_locked(fd: int) -> bool | None:
    """Tell whether somebody, this process included, holds the lock of the open file `fd`; None where the file system knows no locks."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


def was_left(folder: int, name: str, before: float, *, delete: bool = True) -> os.stat_result | None:
    """Return what a temporary file is, if it is old and nobody writes it, and delete it; None if it has to stay."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        if found.st_mtime >= before or not take_lock(fd):
            return None
        if delete:
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(fd)
    return found


def link_over(source: int, name: str, target: int, goal: str) -> None:
    """Make `goal` in the directory `target` another name of the file `name` in `source`, replacing what was there at once."""
    temp = f".mlt-{secrets.token_hex(8)}"
    os.link(name, temp, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    try:
        os.rename(temp, goal, src_dir_fd=target, dst_dir_fd=target)
    finally:
        with contextlib.suppress(FileNotFoundError):  # two names of one file: renaming does nothing, and says nothing
            os.unlink(temp, dir_fd=target)
