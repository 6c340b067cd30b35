"""`ml-logger backup` and `restore`: a root as one tar file, taken while it is in use. Knows no journal.

The server's log is copied before the run directories: a batch that leaves the log meanwhile is in its run's journal already.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from ml_logger import credentials, keys
from ml_logger.cli.du import human
from ml_logger.cli.roots import add_directory, directory_of, local
from ml_logger.errors import InvalidKeyError, NotFoundError, UsageError
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.server.tokens import PLACE

_FIRST = (f"{keys.HOME}/wal",)
_LEFT_OUT = (f"{keys.HOME}/index", f"{keys.HOME}/server.lock")
_PRIVATE = f"{keys.HOME}/state/{PLACE}"
_BLOCK = 1 << 20


def flags(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the file."""
    parser.set_defaults(command=name)
    if name == "backup":
        parser.add_argument("file", type=Path, metavar="FILE", help="the file to write: .tar, or .tar.gz to have it small")
        add_directory(parser)
    else:
        parser.add_argument("file", type=Path, metavar="FILE", help="the file to read")
        parser.add_argument("--root", required=True, metavar="NEW", help="the directory to make from it: a new or an empty one")


def run(found: argparse.Namespace) -> int:
    """Write or read the file."""
    return _backup(found) if found.command == "backup" else _restore(found)


def _backup(found: argparse.Namespace) -> int:
    root = SafeRoot(directory_of(found.root))
    temp = found.file.with_name(f".{found.file.name}.part")
    count = size = 0
    try:
        with tarfile.open(temp, "w:gz" if found.file.name.endswith("gz") else "w") as archive:
            for entry in _entries(root):
                count, size = count + 1, size + _add(root, archive, entry)
        os.chmod(temp, 0o600)
        temp.replace(found.file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temp.unlink()
    print(f"{count} files, {human(size)} of {root.path()} are in {found.file} (tokens' keys too: keep it to yourself)")
    return 0


def _entries(root: SafeRoot) -> Iterator[Entry]:
    for place in _FIRST:
        yield from (entry for entry in root.walk(place, hidden=True) if not entry.is_dir)
    for entry in root.walk("", hidden=True):
        if not entry.is_dir and not entry.key.startswith(_FIRST + _LEFT_OUT):
            yield entry


def _add(root: SafeRoot, archive: tarfile.TarFile, entry: Entry) -> int:
    """Add a file as long as it was when it was opened; what is appended meanwhile belongs to the next backup."""
    try:
        file = root.open_read(entry.key)
    except NotFoundError:
        return 0
    with file:
        found = os.fstat(file.fileno())
        info = tarfile.TarInfo(entry.key)
        info.size, info.mtime, info.mode = found.st_size, int(found.st_mtime), found.st_mode & 0o777
        archive.addfile(info, file)
    return info.size


def _restore(found: argparse.Namespace) -> int:
    place = local(found.root)
    if place.exists() and any(place.iterdir()):
        raise UsageError(f"{place} is not empty; a backup is restored into a new directory")
    root = SafeRoot(place, create=True)
    count = 0
    try:
        with tarfile.open(found.file) as archive:
            for member in archive:
                count += _extract(root, archive, member)
    except tarfile.TarError as error:
        raise UsageError(f"{found.file} is no backup: {error}") from error
    print(f"{count} files are in {place}")
    return 0


def _extract(root: SafeRoot, archive: tarfile.TarFile, member: tarfile.TarInfo) -> int:
    """Put one file in place; links and other kinds are refused, names go through the sandbox."""
    source = archive.extractfile(member) if member.isfile() else None
    if source is None:
        raise InvalidKeyError(member.name, "is no plain file")
    if member.name.startswith(_PRIVATE + "/"):
        credentials.private_dir(root.path(_PRIVATE))
        credentials.write_private(root.path(member.name), source.read())
        return 1
    with root.create(member.name) as target:
        while block := source.read(_BLOCK):
            target.write(block)
    path = root.path(member.name)
    os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)
    return 1
