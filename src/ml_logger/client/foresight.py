"""What a server would refuse later, found out before a journal tells of it: names that are taken, sources that are missing.

Knows no wire: it is given the way to ask. What this process wrote itself is known without asking.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from typing import Any

from ml_logger.client.base import NamedRecord, refuse_inside
from ml_logger.errors import InvalidKeyError, NotFoundError
from ml_logger.queries import Glob, ListFiles
from ml_logger.records import Archive, Copy, Move, Remove

FILE, DIRECTORY, NOTHING = "file", "directory", ""
_MOST_KNOWN = 1 << 16


class Foresight:
    """Raises what a directory would; `question` asks the server."""

    def __init__(self, question: Callable[[Any], Any]) -> None:
        """Know nothing yet."""
        self._question = question
        self._known: dict[str, str] = {}

    def check(self, record: NamedRecord, *, ask: bool) -> None:
        """Raise `InvalidKeyError` or `NotFoundError` for what cannot work; with `ask` the server is asked about what is not known."""
        if not isinstance(record, (Move, Copy, Archive, Remove)):
            known = self._known.get(record.path) == FILE  # written before: nothing to ask
            self._check_target(record.path, FILE, self._kind if ask and not known else self._kind_known)
            self._remember(record.path)
            return
        self._known.clear()
        if isinstance(record, Remove):
            return
        refuse_inside(record)
        if ask:
            self._check_operation(record)

    def _check_operation(self, record: Move | Copy | Archive) -> None:
        source = self._kind(record.path)
        if isinstance(record, Archive):
            if source != DIRECTORY:
                raise NotFoundError(f"directory {record.path}")
            source = FILE
        if source == NOTHING:
            raise NotFoundError(record.path)
        if isinstance(record, Copy) and not record.exists_ok and self._kind(record.to):
            raise InvalidKeyError(record.to, "exists already")
        if isinstance(record, Move):
            if source == FILE and self._is_view(record.path):
                raise NotFoundError(record.path)
            self._check_renamed(record, source)
        else:
            self._check_target(record.to, source, self._kind)

    def _check_renamed(self, record: Move, source: str) -> None:
        taken = self._kind(record.to)
        empty = taken == DIRECTORY == source and not self._question(Glob("*", record.to, stop=1)).keys
        if record.path != record.to and not empty and DIRECTORY in (taken, source) and taken:
            raise InvalidKeyError(record.to, "exists already")
        self._check_above(record.to, self._kind)

    def _check_target(self, path: str, source: str, kind: Callable[[str], str]) -> None:
        taken = kind(path)
        if taken == DIRECTORY != source:
            raise InvalidKeyError(path, "is a directory; name a file in it")
        if taken == FILE != source:
            raise InvalidKeyError(path, "is a file, not a directory")
        self._check_above(path, kind)

    @staticmethod
    def _check_above(path: str, kind: Callable[[str], str]) -> None:
        for above in _above(path):
            found = kind(above)
            if found == FILE:
                raise InvalidKeyError(above, "is a file, not a directory")
            if found == DIRECTORY:
                return

    def _kind(self, key: str) -> str:
        if not key or self._question(Glob("*", key, stop=1)).keys is not None:
            return DIRECTORY
        parent, _, name = key.rpartition("/")
        return FILE if self._question(Glob(glob.escape(name), parent)).keys else NOTHING

    def _is_view(self, key: str) -> bool:
        """Tell whether `key` is no file, but how the rows of a run are read: `metrics.pkl`."""
        return any(e.path == key and e.kind == "view" for e in self._question(ListFiles(key.rpartition("/")[0])).entries)

    def _kind_known(self, key: str) -> str:
        return self._known.get(key, NOTHING)

    def _remember(self, path: str) -> None:
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known[path] = FILE
        for above in _above(path):
            if self._known.get(above) == DIRECTORY:
                return
            self._known[above] = DIRECTORY


def _above(path: str) -> Iterator[str]:
    """Yield the directories that `path` lies in, the nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
