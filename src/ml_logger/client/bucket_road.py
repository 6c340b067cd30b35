"""The road of a carrier to a bucket: a journal's new bytes as its newest piece, after the files that were touched before. Knows no thread.

A piece is put again, longer, until it is full (`bucket/pieces.py`); what was put twice is the same bytes at the same place.
"""

from __future__ import annotations

import os
from pathlib import Path

from ml_logger import keys
from ml_logger.bucket import carry
from ml_logger.bucket.mirror import Mirror
from ml_logger.bucket.pieces import FULL_BYTES, end_of, journal_of, name_of
from ml_logger.client.packing import Batch
from ml_logger.client.roads import Answer
from ml_logger.client.tails import Tail
from ml_logger.errors import NotFoundError, ServerUnreachableError
from ml_logger.formats import frames
from ml_logger.formats.messages import File
from ml_logger.store.root_format import FORMAT, check_format

WHOLE_BYTES = 16 << 20
"""A journal up to this size becomes one object when its writer ends; a longer one when nobody waits for that."""


class BucketRoad:
    """To the bucket of `mirror`."""

    interval = (10.0, 60.0)
    """Each batch is a request that is paid for."""

    def __init__(self, mirror: Mirror) -> None:
        """Deliver from and to `mirror`."""
        self.mirror, self.root, self.url = mirror, mirror.root, mirror.root
        self._began: dict[str, int] = {}
        self._introduced: set[str] = set()

    def deliver(self, tail: Tail, batch: Batch) -> Answer:
        """Put what was touched, then the journal's bytes; raises `TransportError`."""
        key = self._key(tail)
        try:
            if key is not None and tail.start + batch.lo == 0:
                if tail.first > 1 and (older := self._older_part(key, tail.first)):
                    return Answer(False, older, tail.first - 1)
                self._introduce(key)
            carry.settle(self.mirror, hurry=False)
            if key is not None:
                self._put(tail, batch, key)
        except (NotFoundError, OSError) as error:
            if isinstance(error, ConnectionError):
                raise
            raise ServerUnreachableError(self.url, str(error)) from error
        return Answer(True, batch.hi, batch.last)

    def _key(self, tail: Tail) -> str | None:
        """Return the journal's key; None if it was moved or removed, and is carried with its folder."""
        run = tail.slot.about.run
        key = f"{run}/{tail.path.name}" if run else tail.path.name
        if not tail.slot.about.journal:
            return key
        found, held = self.mirror.files.stat(key), os.fstat(tail.fd)
        return key if found is not None and (found.st_ino, found.st_dev) == (held.st_ino, held.st_dev) else None

    def _introduce(self, key: str) -> None:
        """Put what says that this is a root and a run; whoever was first keeps what he put."""
        folder = key.rpartition("/")[0]
        if folder in self._introduced:
            return
        check_format(self.mirror.files)
        for name in (FORMAT, f"{folder}/{keys.RUN_FILE}" if folder else keys.RUN_FILE):
            if self.mirror.files.exists(name):
                carry.put_once(self.mirror, name)
        self._introduced.add(folder)

    def _older_part(self, key: str, first: int) -> int:
        """Return how many bytes of this writer are there, if they come before sequence `first`; else 0."""
        listed = self.mirror.objects.list(key.rpartition("/")[0], deep=False)
        there = [thing for thing in listed if journal_of(thing.key) == key]
        if not (end := end_of(there)):
            return 0
        head, _ = self.mirror.objects.get(key, 0, len(frames.MAGIC) + frames.HEAD_SIZE)
        sequence = frames.sequence_at(head, len(frames.MAGIC))
        return end if sequence is not None and sequence < first else 0

    def _put(self, tail: Tail, batch: Batch, key: str) -> None:
        """Put the bytes up to the end of `batch`, from where the newest piece begins."""
        first = self._began.setdefault(key, tail.start + batch.lo)
        data = os.pread(tail.fd, tail.start + batch.hi - first, first - tail.start)
        thing = self.mirror.objects.put(name_of(key, first), data)
        assert thing is not None, "nothing was asked of what is there"
        self.mirror.ledger.put(thing)
        if len(data) >= FULL_BYTES:
            self._began[key] = tail.start + batch.hi

    def finish(self, tail: Tail) -> None:
        """Carry the run's other files as they are now, and put the pieces of a journal together."""
        run, key = tail.slot.about.run, self._key(tail)
        self.mirror.ledger.touch([run] if run else [])
        try:
            carry.settle(self.mirror)
            if key is not None and self._is_in_pieces(key) and tail.slot.about.journal and (not tail.own or tail.size <= WHOLE_BYTES):
                carry.carry_journal(self.mirror, key, whole=True)
        except NotFoundError as error:
            raise ServerUnreachableError(self.url, str(error)) from error
        self._began.pop(key or "", None)

    def _is_in_pieces(self, key: str) -> bool:
        known = self.mirror.ledger.rows(key.rpartition("/")[0])
        return any(name != key and journal_of(name) == key for name in known)

    def upload(self, writer: str, sequence: int, file: File, blob: Path | None) -> None:
        """Do nothing: the file was touched when it was saved."""

    def refresh_token(self) -> bool:
        """Return False: obstore looks for credentials by itself."""
        return False

    def renew(self) -> None:
        """Forget where the parent's journals stood."""
        self._began, self._introduced = {}, set()
