"""Archives of what lies below a key: written, never unpacked. Names are relative, links are left out. Knows no run."""

from __future__ import annotations

import os
import tarfile
import zipfile
from fnmatch import fnmatch
from typing import IO

from ml_logger import keys
from ml_logger.errors import InvalidKeyError
from ml_logger.records import Archive
from ml_logger.safe_fs import SafeRoot

_MODES = {"tar": "w", "gztar": "w:gz", "bztar": "w:bz2", "xztar": "w:xz"}
_BLOCK = 1 << 20


def write_archive(root: SafeRoot, key: str, out: IO[bytes], record: Archive) -> None:
    """Write all files below `key` that no pattern of `record` excludes to `out`; raises `InvalidKeyError` for an unknown format."""
    base = keys.clean(key)
    found = [(entry.key, entry.key[len(base) :].lstrip("/")) for entry in root.walk(base) if not entry.is_dir]
    kept = [(name, relative) for name, relative in found if name != keys.clean(record.to) and not _excluded(relative, record.excludes)]
    if record.format == "zip":
        _write_zip(root, kept, out)
    elif record.format in _MODES:
        _write_tar(root, kept, out, _MODES[record.format])
    else:
        raise InvalidKeyError(record.format, "must be tar, gztar, bztar, xztar or zip")


def _write_zip(root: SafeRoot, kept: list[tuple[str, str]], out: IO[bytes]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, relative in kept:
            with root.open_read(name) as source, archive.open(relative, "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)


def _write_tar(root: SafeRoot, kept: list[tuple[str, str]], out: IO[bytes], mode: str) -> None:
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, relative in kept:
            with root.open_read(name) as source:
                stat = os.fstat(source.fileno())
                info = tarfile.TarInfo(relative)
                info.size, info.mtime = stat.st_size, int(stat.st_mtime)
                archive.addfile(info, source)


def _excluded(relative: str, patterns: list[str]) -> bool:
    parts = relative.split("/")
    return any(fnmatch(relative, pattern) or any(fnmatch(part, pattern) for part in parts) for pattern in patterns)
