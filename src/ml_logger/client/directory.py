"""The destination that is a directory: files are put in place at once, questions are answered from what lies there.

Knows no network; the journal of a writer is the run's own `.mlog`, so there is nothing to carry.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_logger import keys, settings
from ml_logger.client import spool
from ml_logger.client.base import Delivery, FileRecord, NamedRecord, Stored, blocks_of, writes
from ml_logger.client.bring_back import bring_back
from ml_logger.errors import InvalidKeyError, MlLoggerError, NotFoundError, NotWrittenError
from ml_logger.formats import values
from ml_logger.records import Archive, Copy, File, Move, Remove
from ml_logger.safe_fs import OLDER, SafeRoot


class DirectoryDestination:
    """A root on a local (or mounted) file system."""

    def __init__(self, root: str) -> None:
        """Use the directory `root`, which is created at the first write."""
        self.root = root
        self.files = SafeRoot(root)
        self.rejected = 0
        self._params: dict[str, dict[str, Any]] = {}

    def journal_dir(self, run: str) -> Path:
        """Return the run's own directory."""
        return self.files.path(run)

    def opened(self, journal: Path, run: str) -> None:
        """Nothing to carry."""

    def create_run(self, run: str, meta: dict[str, Any]) -> str:
        """Create `run.json` if it is not there, complete from its first moment; return the run's uuid."""
        name = f"{run}/{keys.RUN_FILE}" if run else keys.RUN_FILE
        content = {"uuid": uuid.uuid4().hex, "key": run, **meta}
        if self.files.link_once(name, json.dumps(content, indent=1, default=str).encode()):
            return content["uuid"]
        if run:
            for place in (run, OLDER):  # an earlier attempt may have been killed while it saved something
                self.files.tidy(place)
        try:
            return str(json.loads(self.files.read_bytes(name))["uuid"])
        except (NotFoundError, ValueError, KeyError, TypeError):
            return ""

    def check(self, record: NamedRecord, *, ask: bool) -> None:  # noqa: ARG002 - doing it tells the rest
        """Raise `InvalidKeyError` for a name that may not be written; `//x` is the file system's."""
        for path in writes(record):
            self._located(path, write=True)

    def apply(self, record: FileRecord) -> Stored:
        """Do what the record says, now; raises `NotWrittenError` if the disk does not let it."""
        try:
            return _APPLY[type(record)](self, record)
        except MlLoggerError:
            raise
        except OSError as error:
            raise NotWrittenError(record.path, self.root, error.strerror or str(error)) from error

    def _located(self, path: str, *, write: bool = False) -> tuple[SafeRoot, str]:
        """Return where `path` lies: `//x` is the file system's `/x`, everything else is below the root."""
        if path.startswith("//"):
            return SafeRoot("/"), path.lstrip("/")
        return self.files, keys.writable(path) if write else path

    def _put(self, record: File) -> Stored:
        files, key = self._located(record.path, write=True)
        if record.append:
            data = record.data or b""
            files.append(key, data)
            return Stored(record.path, hashlib.sha256(data).hexdigest(), len(data))
        digest, size = hashlib.sha256(), 0
        with files.create(key, older=files is self.files) as target:
            for block in blocks_of(record):
                target.write(block)
                digest.update(block)
                size += len(block)
        return Stored(record.path, digest.hexdigest(), size)

    def _remove(self, record: Remove) -> Stored:
        files, key = self._located(record.path, write=True)
        self._forget(key)
        if files is self.files:
            files.remove(key)
        else:
            files.delete(key)
        return Stored(record.path)

    def _move(self, record: Move) -> Stored:
        (source, old), (target, new) = self._located(record.path, write=True), self._located(record.to, write=True)
        if source.path_ != target.path_:
            raise InvalidKeyError(record.to, "a move stays within one root; download or upload instead")
        source.move(old, new)
        self._forget(old)
        return Stored(record.to)

    def _forget(self, key: str) -> None:
        for path in [path for path in self._params if f"{path}/".startswith(f"{key}/")]:
            del self._params[path]

    def _copy(self, record: Copy) -> Stored:
        source, old = self._located(record.path)
        target, new = self._located(record.to, write=True)
        if source.path_ != target.path_:
            raise InvalidKeyError(record.to, "a copy stays within one root; download or upload instead")
        if not record.exists_ok and target.exists(new):
            raise InvalidKeyError(record.to, "exists already")
        from ml_logger.query import direct

        direct.copy(source, old, new)
        return Stored(record.to)

    def _archive(self, record: Archive) -> Stored:
        files, key = self._located(record.path)
        target, goal = self._located(record.to, write=True)
        from ml_logger.store.archive import write_archive

        if not files.is_dir(key):
            raise NotFoundError(f"directory {record.path}")
        with target.create(goal) as out:
            write_archive(files, key, out, Archive(key, goal, record.format, record.excludes))
        found = target.stat(goal)
        return Stored(record.to, "", found.st_size if found else 0)

    def write_text(self, path: str, text: str, *, overwrite: bool) -> None:
        """Keep the plain file of journaled text: one write at its end, or a new file in its place."""
        files, key = self._located(path, write=True)
        data = text.encode("utf-8", "replace")
        files.write_bytes(key, data) if overwrite else files.append(key, data)

    def merge_params(self, path: str, nested: dict[str, Any]) -> None:
        """Keep the plain `parameters.pkl` up to date: one pickle of all parameters, deeply merged, old or new."""
        from ml_logger.formats import pickle_writer, restricted_pickle

        files, key = self._located(path, write=True)
        known = self._params.get(path)
        if known is None:
            known = self._params[path] = {}
            if files.exists(key):
                for row in restricted_pickle.iter_loads(io.BytesIO(files.read_bytes(key)), key):
                    _merge(known, row if isinstance(row, dict) else {})
        _merge(known, values.revive(nested))
        files.write_bytes(key, pickle_writer.dumps(known))

    def ask(self, query: Any) -> Any:
        """Answer from the run directories; questions that need an index open the one beside them, read-only."""
        from ml_logger.query import direct  # NumPy and the readers come with it, so not at import

        if direct.can_answer(query):
            return direct.answer(self.files, query)
        from ml_logger.query.engine import Engine
        from ml_logger.store.sqlite import open_store

        with open_store(self.files.path_, write=False) as store:
            return Engine(store, self.files).answer(query)

    def command(self, command: Any) -> Any:
        """Change what users keep beside runs."""
        from ml_logger.store.commands import carry_out

        return carry_out(self.files, command, sender=settings.read().user)

    def read(self, path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Stream the bytes of a file or of a view such as `metrics.pkl`."""
        from ml_logger.query import direct

        files, key = self._located(path)
        return direct.read(files, key, start, stop)

    def nudge(self) -> None:
        """Nothing waits."""

    def drain(self, timeout: float | None, *, durable: bool) -> bool:  # noqa: ARG002 - the protocol's signature
        """All is where it belongs already."""
        return True

    def delivery(self) -> Delivery:
        """Return counters: nothing is under way."""
        return Delivery()

    def close(self, timeout: float) -> None:
        """Nothing to let go of."""

    def recover(self, runs: list[str], named: str | None) -> None:
        """Bring back journals of `runs` that had to go to the spool."""
        bring_back(self.root, [slot for slot in spool.leftovers(self.root, named) if slot.about.run in runs])

    def after_fork(self) -> None:
        """Nothing is held."""


def _merge(into: dict[str, Any], nested: dict[str, Any]) -> None:
    """Merge deeply; later values win."""
    for key, value in nested.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


_APPLY: dict[type, Any] = {
    File: DirectoryDestination._put,  # noqa: SLF001
    Remove: DirectoryDestination._remove,  # noqa: SLF001
    Move: DirectoryDestination._move,  # noqa: SLF001
    Copy: DirectoryDestination._copy,  # noqa: SLF001
    Archive: DirectoryDestination._archive,  # noqa: SLF001
}
