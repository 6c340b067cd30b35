"""Archives: written file by file under relative names, never unpacked. Links are left out. Knows no run."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from functools import partial
from typing import IO

from ml_logger import keys
from ml_logger.errors import InvalidKeyError
from ml_logger.records import Archive
from ml_logger.safe_fs import SafeRoot

ARCHIVES = {"tar": ".tar", "gztar": ".tar.gz", "bztar": ".tar.bz2", "xztar": ".tar.xz", "zip": ".zip"}
"""Kinds of archives, and how their names end."""

Member = tuple[str, Callable[[], IO[bytes]]]
"""A relative name, and how to open its bytes; the file has a descriptor."""

_MODES = {"tar": "w", "gztar": "w:gz", "bztar": "w:bz2", "xztar": "w:xz"}
_BLOCK = 1 << 20


def write_archive(root: SafeRoot, key: str, out: IO[bytes], record: Archive) -> None:
    """Write all files below `key` that no pattern of `record` excludes to `out`; raises `InvalidKeyError` for an unknown format."""
    base = keys.clean(key)
    found = [(entry.key, entry.key[len(base) :].lstrip("/")) for entry in root.walk(base) if not entry.is_dir]
    kept = [(name, relative) for name, relative in found if name != keys.clean(record.to) and not is_excluded(relative, record.excludes)]
    write_members(((relative, partial(root.open_read, name)) for name, relative in kept), out, record.format)


def write_members(members: Iterable[Member], out: IO[bytes], kind: str) -> None:
    """Write `members` to `out` as an archive of a kind in `ARCHIVES`, each streamed; raises `InvalidKeyError` for another kind."""
    if kind not in ARCHIVES:
        raise InvalidKeyError(kind, f"must be {', '.join(ARCHIVES)}")
    (_write_zip if kind == "zip" else partial(_write_tar, mode=_MODES[kind]))(members, out)


def is_excluded(relative: str, patterns: Iterable[str]) -> bool:
    """Tell whether one of `patterns` matches the relative name, or a part of it."""
    parts = relative.split("/")
    return any(fnmatch(relative, pattern) or any(fnmatch(part, pattern) for part in parts) for pattern in patterns)


def _write_zip(members: Iterable[Member], out: IO[bytes]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for relative, opened in members:
            with opened() as source, archive.open(relative, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)


def _write_tar(members: Iterable[Member], out: IO[bytes], mode: str) -> None:
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for relative, opened in members:
            with opened() as source:
                stat = os.fstat(source.fileno())
                info = tarfile.TarInfo(relative)
                info.size, info.mtime, info.mode = stat.st_size, int(stat.st_mtime), stat.st_mode & 0o777
                archive.addfile(info, source)
