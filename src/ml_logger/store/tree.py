"""The directories below a root as they were last seen: tells which runs may have changed without reading all. Knows no journal.

A directory's time of change tells whether names in it came or went; it is believed once it is older than any clock is coarse.
Folders above runs are cheap to look at and looked at often, run directories and what lies in them (`deep`) seldom.
"""

from __future__ import annotations

import os
import stat as st
import time
from collections.abc import Iterable, Iterator

from ml_logger import keys
from ml_logger.errors import NotFoundError
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.legacy import tells_a_run

DOUBTFUL_S = 3.0
"""A time of change younger than this may be that of a later change, too: clocks of file systems tick."""
UNTRUSTED = -1


class _Node:
    """One directory: its time of change when it was read, what lies in it, and the files whose sizes are watched."""

    __slots__ = ("dirs", "is_closed", "is_run", "mtime", "watched")

    def __init__(self) -> None:
        self.mtime = UNTRUSTED
        self.dirs: dict[str, _Node] = {}
        self.is_run = self.is_closed = False
        self.watched: tuple[tuple[str, int], ...] = ()


class Tree:
    """What is known of a root's directories. For one thread at a time."""

    def __init__(self, root: SafeRoot) -> None:
        """Know nothing yet: the first look finds everything."""
        self._root = root
        self._top = _Node()
        self.has_lost = True
        """Something that was there before the last look is not any more; true at first: who knows what an index remembers."""

    def look(self, *, deep: bool) -> Iterator[str]:
        """Yield the keys of run directories that are new or may have changed; with `deep`, look into known runs too.

        Raises `NotFoundError` if there is no root. Cost: 3 µs a directory that has not changed, 30 µs one that has.
        """
        if not self._root.is_dir(""):
            raise NotFoundError(str(self._root.path_))
        yield from self._visit("", self._top, UNTRUSTED, deep=deep)

    def forget(self) -> None:
        """Believe no time of change: the next deep look reads every directory again."""
        todo = [self._top]
        while todo:
            node = todo.pop()
            node.mtime = UNTRUSTED
            todo += node.dirs.values()

    def watch(self, key: str, files: Iterable[tuple[str, int]]) -> None:
        """Have a deep look tell of the run `key` when one of `files` (name, bytes) has another size."""
        if (node := self._at(key)) is not None:
            node.watched = tuple(files)

    def has_run(self, key: str) -> bool:
        """Tell whether there was a run at `key` when it was last looked at, or a directory on the way that could not be read."""
        node = self._at(key)
        return node is not None and (node.is_run or node.is_closed)

    def _at(self, key: str) -> _Node | None:
        """Return the directory `key`, or the one above it that could not be read."""
        node: _Node | None = self._top
        for part in key.split("/") if key else ():
            if node is None or node.is_closed:
                break
            node = node.dirs.get(part)
        return node

    def _visit(self, key: str, node: _Node, mtime: int, *, deep: bool) -> Iterator[str]:
        """Look at one directory, which changed at `mtime`, and at those in it."""
        is_new = mtime == UNTRUSTED or mtime != node.mtime
        try:
            fd = self._root.open_dir(key)
        except (OSError, NotFoundError):
            node.mtime, node.is_closed = UNTRUSTED, True
            return
        try:
            if is_new:
                self._read(fd, key, node)
                if node.is_run:
                    yield key
            if deep or is_new or not node.is_run:
                yield from self._below(fd, key, node, deep=deep)
        finally:
            os.close(fd)

    def _below(self, fd: int, key: str, node: _Node, *, deep: bool) -> Iterator[str]:
        for name, child in list(node.dirs.items()):
            if child.is_run and not deep and child.mtime != UNTRUSTED:
                continue
            below = f"{key}/{name}" if key else name
            mtime = _changed_at(fd, name)
            if mtime is None:
                self._drop(node, name)
            elif mtime != child.mtime or child.dirs:
                yield from self._visit(below, child, mtime, deep=deep)
            if mtime is not None and mtime == child.mtime and _have_grown(fd, name, child.watched):
                yield below

    def _read(self, fd: int, key: str, node: _Node) -> None:
        """List a directory."""
        changed = os.fstat(fd).st_mtime_ns
        files, dirs = _names(fd, key)
        was_run, node.is_run, node.is_closed = node.is_run, any(map(tells_a_run, files)), False
        self.has_lost |= was_run and not node.is_run
        for name in node.dirs.keys() - dirs:
            self._drop(node, name)
        node.dirs.update({name: _Node() for name in sorted(dirs - node.dirs.keys())})
        node.mtime = changed if changed < (time.time() - DOUBTFUL_S) * 1e9 else UNTRUSTED

    def _drop(self, node: _Node, name: str) -> None:
        del node.dirs[name]
        node.mtime = UNTRUSTED
        self.has_lost = True


def _names(fd: int, key: str) -> tuple[set[str], set[str]]:
    """Return the names of files and of directories in a directory; links, our own, and those that can be no key are left out."""
    files: set[str] = set()
    dirs: set[str] = set()
    with os.scandir(fd) as found:
        for entry in found:
            if not entry.is_dir(follow_symlinks=False):
                files.add(entry.name)
            elif (entry.name != keys.HOME or key) and keys.is_key(f"{key}/{entry.name}"):
                dirs.add(entry.name)
    return files, dirs


def _changed_at(folder: int, name: str) -> int | None:
    """Return when the directory `name` changed (ns since the epoch), or None if there is none."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return found.st_mtime_ns if st.S_ISDIR(found.st_mode) else None


def _have_grown(folder: int, name: str, watched: tuple[tuple[str, int], ...]) -> bool:
    try:
        return any(os.stat(f"{name}/{file}", dir_fd=folder, follow_symlinks=False).st_size != size for file, size in watched)
    except OSError:
        return True
