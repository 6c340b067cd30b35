"""The destination that is a bucket: a directory – its mirror – and a carrier. Knows no object and no piece.

Records and files go into the mirror at once, as into any directory; the carrier takes them to the bucket. A read first carries
what waits and looks at what others put there.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_logger import keys
from ml_logger.bucket import carry
from ml_logger.bucket.mirror import Mirror
from ml_logger.bucket.pull import pull
from ml_logger.bucket.scopes import around, pull_for
from ml_logger.client.base import Delivery, FileRecord, Stored, writes
from ml_logger.client.bucket_road import BucketRoad
from ml_logger.client.carrier import Carrier
from ml_logger.client.daemons import begin_thread
from ml_logger.client.directory import DirectoryDestination
from ml_logger.console import say
from ml_logger.errors import MlLoggerError, NotFoundError, TransportError
from ml_logger.records import Archive, Copy, File, Remove
from ml_logger.safe_fs import TRASH, older_of
from ml_logger.settings import Settings
from ml_logger.store.state import PLACE

LOOK_S = 1.0
"""How long the first record of a run may wait to learn of the run's earlier attempts."""
EXIT_IMPATIENT_S = 0.5


class BucketDestination(DirectoryDestination):
    """A root in S3, in Google Cloud Storage, or in what speaks their languages."""

    def __init__(self, root: str, env: Settings) -> None:
        """Use the bucket at `root` (`s3://bucket/path`); connects to nothing yet. Raises what `Mirror` does."""
        self.mirror = Mirror(root, env.spool)
        super().__init__(str(self.mirror.files.path_))
        self.root = root
        self.carrier = Carrier(BucketRoad(self.mirror), env.spool)
        self._changing = threading.RLock()
        self._looked: set[str] = set()

    # ── journals ─────────────────────────────────────────────────────────────────────────────────────────────────

    def journal_dir(self, run: str) -> Path:
        """Return the run's directory in the mirror; the first time, look at the bucket for at most a second."""
        if run not in self._looked:
            self._looked.add(run)
            self._look(run)
        return super().journal_dir(run)

    def _look(self, run: str) -> None:
        """Learn of a run's earlier writers. A bucket that does not answer in time makes no difference but the number of the attempt."""

        def look() -> None:
            with contextlib.suppress(MlLoggerError, OSError):
                pull(self.mirror, run, deep=False)

        with contextlib.suppress(RuntimeError):  # the interpreter ends
            begin_thread(look, "ml-logger-look").join(LOOK_S)

    def opened(self, journal: Path, run: str) -> None:
        """Begin to carry a journal, whether it is in the mirror or had to go to the spool."""
        if not journal.is_relative_to(self.mirror.files.path_):
            self.carrier.add(journal, run)
            return
        self.mirror.ledger.own(f"{run}/{journal.name}" if run else journal.name)
        self.carrier.add(journal, run, self.carrier.slot_of(journal, run))

    # ── files ────────────────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, record: FileRecord) -> Stored:
        """Do in the mirror what the record says; it is carried to the bucket with the record."""
        names = [keys.clean(path) for path in writes(record) if not path.startswith("//")]
        if isinstance(record, File):
            return self._save(record, names)
        with contextlib.suppress(TransportError):  # what this machine knows is enough for a bucket that is away
            around(self.mirror, [record.path, *names])
        if isinstance(record, (Copy, Archive)):
            self._fetch(record.path)
        touched = [*names, TRASH] if isinstance(record, Remove) else names
        self.mirror.ledger.touch(touched)
        stored = super().apply(record)
        self.mirror.ledger.touch(touched)
        return stored

    def _save(self, record: File, names: list[str]) -> Stored:
        with self.mirror.names:
            self.mirror.writing.update(names)
        try:
            for name in names:
                self._make_room(name, append=record.append)
            self.mirror.ledger.touch(names)
            stored = super().apply(record)
            older = [older_of(name) for name in names if not record.append]
            self.mirror.ledger.touch([*older, *(f"{place}.path" for place in older)])  # first: it may be a copy of what is there now
            self.mirror.ledger.touch(names, carry.TEXT if record.append else "")
        finally:
            with self.mirror.names:
                self.mirror.writing.difference_update(names)
        return stored

    def _make_room(self, key: str, *, append: bool) -> None:
        """Before something is added to a file whose bytes are only at the bucket, take that away: the two are merged when they are put."""
        if append and self.mirror.is_hollow(key):
            self.mirror.files.delete(key)
            self.mirror.ledger.forget([key])

    def write_text(self, path: str, text: str, *, overwrite: bool) -> None:
        """Keep the plain file of journaled text, which is carried like any other."""
        if path.startswith("//"):
            super().write_text(path, text, overwrite=overwrite)
            return
        key = keys.clean(path)
        with self._changing, self.mirror.names:
            self._make_room(key, append=not overwrite)
            super().write_text(path, text, overwrite=overwrite)
        self.mirror.ledger.touch([key], "" if overwrite else carry.TEXT)

    def merge_params(self, path: str, nested: dict[str, Any]) -> None:
        """Keep the plain `parameters.pkl`, which is carried like any other."""
        with self._changing, self.mirror.names:
            if not path.startswith("//"):
                self._make_room(keys.clean(path), append=True)
            super().merge_params(path, nested)
        if not path.startswith("//"):
            self.mirror.ledger.touch([keys.clean(path)], carry.PARAMS)

    def command(self, command: Any) -> Any:
        """Change what users keep beside runs, here and at the bucket; raises `TransportError` if that is away."""
        named = [getattr(command, name) for name in ("path", "to", "run", "paths", "runs") if getattr(command, name, None)]
        paths = [path for item in named for path in ([item] if isinstance(item, str) else item)]
        carry.settle(self.mirror)
        around(self.mirror, [PLACE, TRASH, *paths])
        for path in paths if type(command).__name__ == "CopyTo" else ():
            self._fetch(path)
        touched = [PLACE, TRASH, *(keys.clean(path) for path in paths if type(command).__name__ in _MOVING)]
        self.mirror.ledger.touch(touched)
        done = super().command(command)
        self.mirror.ledger.touch(touched)
        carry.settle(self.mirror)
        return done

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, query: Any) -> Any:
        """Answer from the mirror, after it has been brought up to date; raises `TransportError` if the bucket is away."""
        carry.settle(self.mirror, large=False)
        pull_for(self.mirror, query)
        return super().ask(query)

    def read(self, path: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Stream the bytes of a file or view, as it is at the bucket now."""
        if path.startswith("//"):
            return super().read(path, start, stop)
        carry.settle(self.mirror, large=False)
        around(self.mirror, [path])
        self._fetch(path)
        return super().read(path, start, stop)

    def _fetch(self, path: str) -> None:
        if not path.startswith("//"):
            self.mirror.fetch_all(keys.clean(path))

    # ── the way there ────────────────────────────────────────────────────────────────────────────────────────────

    def drain(self, timeout: float | None, *, durable: bool) -> bool:  # noqa: ARG002 - what was put is durable
        """Wait until all is at the bucket; with None, as long as it answers."""
        started = time.monotonic()
        if not self.carrier.drain(timeout):
            return False
        try:
            carry.settle(self.mirror)
        except (TransportError, NotFoundError):
            return False
        return timeout is None or time.monotonic() - started <= timeout

    def delivery(self) -> Delivery:
        """Return the counters."""
        return self.carrier.delivery()

    def close(self, timeout: float) -> None:
        """Carry for at most `timeout` s, 0.5 s if the bucket does not answer; say which files wait then."""
        self.carrier.close(timeout, EXIT_IMPATIENT_S)
        count, size = carry.waiting(self.mirror)
        if count:
            what = "1 file waits" if count == 1 else f"{count} files wait"
            say(f"{what} for {self.root} ({size / (1 << 20):.1f} MiB), in {self.mirror.home}; `ml-logger sync` takes them there")

    def recover(self, runs: list[str], named: str | None) -> None:
        """Do nothing: the carrier takes journals from every directory."""

    def after_fork(self) -> None:
        """Forget the parent's threads, locks and connections."""
        self._changing = threading.RLock()
        self.mirror.after_fork()
        self.carrier.after_fork()


_MOVING = ("Trash", "Restore", "MoveTo", "CopyTo")
"""Commands that change files."""
