"""Files of a run: put, get, list, move, remove. The same over a directory and over a server."""

from __future__ import annotations

import contextlib
import hashlib
import io
import lzma
import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any

from ml_logger import elsewhere, keys
from ml_logger.errors import InvalidKeyError, NotFoundError, UnsupportedValueError, UsageError
from ml_logger.methods.base import Methods
from ml_logger.queries import Glob, ListFiles
from ml_logger.records import Archive, Copy, File, Move, Remove
from ml_logger.store.archive import ARCHIVES, is_excluded, write_members

_SHORT = {"gztar": (".tgz",), "bztar": (".tbz2", ".tbz"), "xztar": (".txz",)}

MOST_FILES = 1_000_000
"""Files that `download_dir` fetches one by one."""


class FileMethods(Methods):
    """Artifacts, whatever is in them."""

    __slots__ = ()

    def upload_file(
        self, file_path: str | os.PathLike[str] | None = None, target_path: str = "files/", once: bool = True, step: int | None = None
    ) -> str:
        """Copy a local file into the run, streamed, and return its path; a target that ends in `/` keeps the file's name."""
        del once
        if not isinstance(file_path, (str, os.PathLike, type(None))):
            raise UsageError(f"file_path={file_path!r}: give the path of a local file")
        source = Path(file_path or "")
        if not source.is_file():
            hint = "it is a directory; upload_dir takes one" if file_path and source.is_dir() else ""
            raise NotFoundError(f"local file {source if file_path else '(none was named)'}", hint)
        path = self._key(target_path + source.name if target_path.endswith("/") or not target_path else target_path)
        self.session.emit(File(path, source=str(source.absolute()), step=step))
        return path

    def upload_buffer(self, buffer: Any, key: str) -> str:
        """Put bytes, text or what a file object holds at `key`, and return its path."""
        data = buffer.read() if hasattr(buffer, "read") else buffer.getvalue() if hasattr(buffer, "getvalue") else buffer
        if isinstance(data, str):
            data = data.encode()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise UnsupportedValueError(key, type(buffer).__name__, "give bytes, text or a file object")
        path = self._key(key)
        self.session.emit(File(path, data=bytes(data)))
        return path

    def upload_dir(
        self, dir_path: str | os.PathLike[str], target: str = "", excludes: Iterable[str] = (), archive: str | None = "tar", **_: Any
    ) -> str:
        """Copy a local directory into the run: as one archive (tar, gztar, bztar, xztar, zip), or file by file with `archive=None`.

        A target that ends in `/` keeps the directory's name; an archive gets the ending of its kind, if it has none.

        `excludes` are patterns for names or relative paths. Links to files of the directory are followed, others left out.
        Returns the path of the archive or directory.
        """
        folder = Path(dir_path)
        if not folder.is_dir():
            raise NotFoundError(f"local directory {folder}")
        inside = folder.resolve()
        found = [
            (path, path.relative_to(folder).as_posix())
            for path in sorted(folder.rglob("*"))
            if path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(inside))
        ]
        kept = [(path, name) for path, name in found if not is_excluded(name, excludes)]
        if archive is None:
            base = self._key(target or inside.name)
            for path, name in kept:
                self.session.emit(File(f"{base}/{name}", source=str(path.absolute())))
            return base
        suffix = ARCHIVES.get(archive)
        if suffix is None:
            raise UnsupportedValueError(str(dir_path), f"archive={archive!r}", f"choose {', '.join(ARCHIVES)} or None")
        target = f"{target}{inside.name}" if not target or target.endswith("/") else target
        goal = self._key(target if target.endswith((suffix, *_SHORT.get(archive, ()))) else f"{target}{suffix}")
        with tempfile.TemporaryDirectory(prefix="ml-logger-") as scratch:
            packed = Path(scratch) / f"archive{suffix}"
            pack(packed, kept, archive)
            self.session.emit(File(goal, source=str(packed), kind="archive"))
        return goal

    def load_file(self, *keys_: str) -> io.BytesIO:
        """Return the bytes of a file as a file object; raises `NotFoundError`."""
        return io.BytesIO(b"".join(self.session.read(self._key(*keys_))))

    def download_file(self, *path: str, to: str | os.PathLike[str] | None = None, relative: bool = False) -> str:
        """Copy a file of the root to the local path `to` (a directory if it ends in `/`), streamed; return the local path."""
        key = self._key(*path)
        name = key.rpartition("/")[2]
        goal = os.fspath(to) if to is not None else name
        if goal.endswith("/") or os.path.isdir(goal):
            goal = os.path.join(goal, "/".join(path).lstrip("/") if relative else name)
        pieces = self.session.read(key)
        target = Path(goal)
        target.parent.mkdir(parents=True, exist_ok=True)
        fd, temp = tempfile.mkstemp(dir=target.parent, prefix=".mlt-")
        try:
            with os.fdopen(fd, "wb") as file:
                for piece in pieces:
                    file.write(piece)
            os.replace(temp, target)
        except BaseException:
            os.unlink(temp)
            raise
        return str(target)

    def download_dir(self, src: str, to: str | os.PathLike[str], unpack: str | None = "tar") -> str:
        """Copy a directory of the root, or with `unpack` the archive at `src`, into the local directory `to`.

        Archives are unpacked safely: no member leaves `to`, and no link or device is made.
        """
        key, goal = self._key(src), Path(to)
        if elsewhere.is_elsewhere(key):
            return self._unpacked(src, goal, unpack)
        listing = self.session.ask(ListFiles(key, recursive=True, limit=MOST_FILES))
        if listing.more:
            raise InvalidKeyError(src, f"holds more than {MOST_FILES} files; fetch its parts, or an archive of it")
        files = [entry for entry in listing.entries if not entry.is_dir]
        goal.mkdir(parents=True, exist_ok=True)
        if files:
            for entry in files:
                self.download_file(f"/{entry.path}", to=goal.joinpath(*keys.below(entry.path, key)))
            return str(goal)
        return self._unpacked(src, goal, unpack)

    def _unpacked(self, src: str, goal: Path, unpack: str | None) -> str:
        """Fetch one file into the directory `goal`: unpacked, or as it is."""
        goal.mkdir(parents=True, exist_ok=True)
        if not unpack:
            self.download_file(src, to=f"{goal}/")
            return str(goal)
        with tempfile.TemporaryDirectory(prefix="ml-logger-") as scratch:
            packed = self.download_file(src, to=f"{scratch}/archive")
            try:
                _unpack(packed, goal)
            except (tarfile.ReadError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError) as error:
                raise UsageError(f"{src} is no archive, or no whole one: give a tar or zip, or unpack=None") from error
        return str(goal)

    def glob(
        self, query: str, wd: str | None = None, recursive: bool = True, start: int | None = None, stop: int | None = None
    ) -> list[str] | None:
        """Return what matches `query` (`*`, `?`, `[…]`, `**`) below `wd` or the current prefix, sorted; None if that is no directory.

        A query that begins with `/` looks from the root, and so do its results; leading `..` go up. An unclosed `[` is refused.
        """
        if not isinstance(query, str):
            raise InvalidKeyError(type(query).__name__, "a pattern is a text")
        if not isinstance(start, (int, type(None))) or not isinstance(stop, (int, type(None))):
            raise UsageError(f"start={start!r}, stop={stop!r}: integers or None")
        if query.startswith("/") and wd is None:
            found = self.session.ask(Glob(query.lstrip("/"), "", recursive, start, stop)).keys
            return None if found is None else [f"/{name}" for name in found]
        up = 0
        while query == ".." or query.startswith("../"):
            up, query = up + 1, query[3:]
        found = self.session.ask(Glob(query, self._key(wd, *[".."] * up), recursive, start, stop)).keys
        return found if not up or found is None else [f"{'../' * up}{name}" for name in found]

    def remove(self, *paths: str) -> list[str]:
        """Move files, directories or views (`metrics.pkl`) to the trash, patterns allowed; what is missing is no error.

        Returns the paths as given (or as matched). The root itself and empty names are refused.
        """
        removed: list[str] = []
        for path in paths:
            if not isinstance(path, str):
                raise InvalidKeyError(type(path).__name__, "a name is a text")
            if not path.strip("/ ."):
                raise InvalidKeyError(str(path), "would remove a whole run or root; name what is to go")
            for name in self._matched(path):
                with contextlib.suppress(NotFoundError):
                    self.session.emit(Remove(self._key(name)))
                removed.append(name)
        return removed

    def _matched(self, path: str) -> list[str]:
        """Return the names that `path` stands for: itself, if there is such a file, or what it matches."""
        folder, _, name = path.rpartition("/")
        plain = not any(letter in path for letter in "*?[") or self.glob(escape(name), f"/{self._key(folder or None)}")
        return [path] if plain else self.glob(path) or []

    def move(self, source: str, to: str) -> None:
        """Rename a file or directory; raises `NotFoundError`, and `InvalidKeyError` for a view such as `metrics.pkl`."""
        try:
            self.session.emit(Move(self._key(source), self._key(to)))
        except NotFoundError as error:
            folder, _, name = self._key(source).rpartition("/")
            if not self.glob(escape(name), f"/{folder}"):
                raise
            raise InvalidKeyError(source, "is a view of what was logged, and no file: duplicate() makes one") from error

    def duplicate(self, source: str, to: str, exists_ok: bool = True, follow_symlink: bool = True, symlinks: bool = False) -> None:
        """Copy a file or directory inside the root."""
        del follow_symlink, symlinks  # links are never followed
        self.session.emit(Copy(self._key(source), self._key(to), exists_ok))

    copy = duplicate

    def make_archive(
        self, base_name: str, format: str = "tar", root_dir: str | None = None, base_dir: str | None = None, excludes: Iterable[str] = ()
    ) -> str:
        """Pack a directory of the root into an archive beside it, where the data is; return the archive's path."""
        suffix = ARCHIVES.get(format)
        if suffix is None:
            raise UnsupportedValueError(base_name, f"format={format!r}", f"choose {', '.join(ARCHIVES)}")
        goal = self._key(base_name if base_name.endswith(suffix) else base_name + suffix)
        self.session.emit(Archive(self._key(root_dir, base_dir), goal, format, list(excludes)))
        return goal


def file_digest(source: Any) -> str:
    """Return the SHA-256 (hex) of an open file, read in pieces."""
    digest = hashlib.sha256()
    while block := source.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def pack(packed: Path, kept: list[tuple[Path, str]], kind: str) -> None:
    """Write local files under relative names into an archive of one of the kinds in `ARCHIVES`."""
    with packed.open("wb") as out:
        write_members(((name, partial(path.open, "rb")) for path, name in kept), out, kind)


def _unpack(packed: str, goal: Path) -> None:
    """Unpack regular files whose names stay below `goal`; anything else in an archive is refused, by name."""
    if zipfile.is_zipfile(packed):
        with zipfile.ZipFile(packed) as source:
            for info in source.infolist():
                if not info.is_dir():
                    with source.open(info) as member:
                        _write_member(goal, info.filename, member)
        return
    with tarfile.open(packed) as source:
        for info in source:
            if info.isfile():
                member = source.extractfile(info)
                assert member is not None
                _write_member(goal, info.name, member)
            elif not info.isdir():
                raise InvalidKeyError(info.name, "is a link or device in an archive")


def _write_member(goal: Path, name: str, member: Any) -> None:
    parts = keys.parse(name.removeprefix("./"))
    if name.startswith("/"):
        raise InvalidKeyError(name, "is absolute in an archive")
    target = goal.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or not target.parent.resolve().is_relative_to(goal.resolve()):
        raise InvalidKeyError(name, "leads out of the directory")
    with target.open("wb") as file:
        while block := member.read(1 << 20):
            file.write(block)
