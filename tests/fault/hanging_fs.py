"""A file system that passes everything on to a directory, and hangs as long as a file called `hang` lies beside that.

`python hanging_fs.py BELOW MOUNTPOINT` serves until it is unmounted; run as a program of its own.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mfusepy as fuse

BELOW = Path(sys.argv[1])
HANG, HUNG = BELOW.with_name("hang"), BELOW.with_name("hung")


def passed_on(operate: Callable[..., Any]) -> Callable[..., Any]:
    """Give a method the real path in place of the one that it is asked for; while `hang` exists, wait and note it in `hung`."""

    @functools.wraps(operate)
    def wait_then_operate(self: Any, path: str, *more: Any) -> Any:
        while HANG.exists():
            HUNG.touch()
            time.sleep(0.02)
        return operate(self, real(path), *more)

    return wait_then_operate


def real(path: str) -> str:
    """Return where `path` really lies."""
    return f"{BELOW}{path}"


class Hanging(fuse.Operations):
    """Operations on BELOW; those without a path work on descriptors."""

    use_ns = True

    @passed_on
    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        found = os.lstat(path)
        names = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_ino")
        times = {f"st_{kind}time": getattr(found, f"st_{kind}time_ns") for kind in "amc"}
        return {name: getattr(found, name) for name in names} | times

    @passed_on
    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(path)]

    @passed_on
    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(path, mode)

    @passed_on
    def rmdir(self, path: str) -> None:
        os.rmdir(path)

    @passed_on
    def unlink(self, path: str) -> None:
        os.unlink(path)

    @passed_on
    def rename(self, old: str, new: str) -> None:
        os.rename(old, real(new))

    @passed_on
    def link(self, target: str, source: str) -> None:
        os.link(real(source), target)

    @passed_on
    def chmod(self, path: str, mode: int) -> None:
        os.chmod(path, mode)

    @passed_on
    def utimens(self, path: str, times: tuple[int, int]) -> None:
        os.utime(path, ns=times)

    @passed_on
    def open(self, path: str, flags: int) -> int:
        return os.open(path, flags & ~os.O_APPEND)  # the kernel gives the offset

    @passed_on
    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT, mode)

    @passed_on
    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    @passed_on
    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    @passed_on
    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        os.truncate(path, length)

    @passed_on
    def fsync(self, path: str, datasync: int, fh: int) -> None:
        os.fdatasync(fh)

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    @passed_on
    def statfs(self, path: str) -> dict[str, Any]:
        found = os.statvfs(path)
        return {name: getattr(found, name) for name in dir(found) if name.startswith("f_") and name not in ("f_fsid", "f_flag")}


if __name__ == "__main__":
    fuse.FUSE(Hanging(), sys.argv[2], foreground=True)
