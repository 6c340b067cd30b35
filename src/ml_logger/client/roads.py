"""The two roads of a carrier: to a server over a wire, to a directory on a network file system. Know no thread and no back-off.

Each says whether it took a batch, else where the writer stands there; each raises `TransportError` when there is no way through now.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, Protocol

from ml_logger.client.packing import Batch
from ml_logger.client.refusals import Refusal, refusals_in
from ml_logger.client.tails import Tail
from ml_logger.client.uploads import upload
from ml_logger.client.wire import Wire
from ml_logger.errors import ServerUnreachableError
from ml_logger.formats import frames
from ml_logger.formats.messages import File
from ml_logger.safe_fs import SafeRoot


class Answer(NamedTuple):
    """What became of a batch. If it was not `taken`, the writer's `offset` and last `sequence` there. `refused`: records without effect."""

    taken: bool
    offset: int
    sequence: int
    duplicate: bool = False
    refused: tuple[Refusal, ...] = ()


class Road(Protocol):
    """A way from the spool to a root."""

    interval: tuple[float, float]
    """The least and the most s between two batches of a journal, as the other end is quick."""

    @property
    def root(self) -> str:
        """Return the root as the user gave it."""
        ...

    @property
    def url(self) -> str:
        """Return what messages call the other end."""
        ...

    def deliver(self, tail: Tail, batch: Batch) -> Answer:
        """Bring `batch` of `tail` there, durable when it was taken."""
        ...

    def upload(self, writer: str, sequence: int, file: File, blob: Path | None) -> None:
        """Bring the bytes of a file there, ahead of its record; without `blob` they are there already."""
        ...

    def finish(self, tail: Tail) -> None:
        """Do what is left when all of a journal is there and its writer is gone; raises `TransportError`, and is done again then."""
        ...

    def refresh_token(self) -> bool:
        """Look for a token again; tell whether there is another one."""
        ...

    def renew(self) -> None:
        """Begin anew in a forked child."""
        ...


QUICKLY = (0.2, 1.0)
"""The interval of roads on which a batch costs next to nothing."""


class WireRoad:
    """To a server."""

    interval = QUICKLY

    def __init__(self, wire: Wire) -> None:
        """Go over `wire`."""
        self.wire, self.root, self.url = wire, wire.root, wire.url

    def deliver(self, tail: Tail, batch: Batch) -> Answer:
        """Send the batch; raises what the server raised, or `ServerUnreachableError`."""
        response = self.wire.request("POST", "/v1/ingest", body=tail.body(batch), also=(409,))
        found = self.wire.read_json(response)
        try:
            (ack,) = found["acks"]
            refused = refusals_in(ack) if response.status == 200 else ()
            return Answer(response.status == 200, int(ack["offset"]), int(ack.get("sequence", 0)), bool(ack["duplicate"]), refused)
        except (KeyError, TypeError, ValueError) as error:
            raise self.wire.foreign(response.status) from error

    def upload(self, writer: str, sequence: int, file: File, blob: Path | None) -> None:
        """Stage the file at the server."""
        upload(self.wire, writer, sequence, file, blob)

    def finish(self, tail: Tail) -> None:
        """Do nothing: nothing is left."""

    def refresh_token(self) -> bool:
        """Look for a token again."""
        return self.wire.refresh_token()

    def renew(self) -> None:
        """Begin with new connections."""
        self.wire.renew()


class FolderRoad:
    """To a directory that may hang or be gone for a while: journals arrive byte for byte, at the offsets they have here.

    Writing the same bytes at the same place twice changes nothing, so nothing has to be compared and set.
    """

    interval = QUICKLY

    def __init__(self, root: str) -> None:
        """Deliver below the directory `root`."""
        self.root = self.url = root
        self.files = SafeRoot(root)

    def deliver(self, tail: Tail, batch: Batch) -> Answer:
        """Write the batch's bytes of the journal, durable on return; raises `ServerUnreachableError` if the directory fails."""
        data = os.pread(tail.fd, batch.hi - batch.lo, batch.lo)
        try:
            fd = self.files.open_update(f"{tail.slot.about.run}/{tail.path.name}")
            try:
                at = tail.start + batch.lo
                if at == 0 and (size := _older_part(fd, tail.first)):
                    return Answer(False, size, tail.first - 1)
                while data:
                    done = os.pwrite(fd, data, at)
                    data, at = data[done:], at + done
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise ServerUnreachableError(self.url, error.strerror or str(error)) from error
        return Answer(True, batch.hi, batch.last)

    def upload(self, writer: str, sequence: int, file: File, blob: Path | None) -> None:
        """Do nothing: files of a directory are put in place when they are saved."""

    def finish(self, tail: Tail) -> None:
        """Do nothing: nothing is left."""

    def refresh_token(self) -> bool:
        """Return False: a directory needs none."""
        return False

    def renew(self) -> None:
        """Do nothing: nothing is held."""


def _older_part(fd: int, first: int) -> int:
    """Return the size of the journal in `fd` if it begins with another sequence than `first`, of which ours is a continuation; else 0."""
    head = os.pread(fd, len(frames.MAGIC) + frames.HEAD_SIZE, 0)
    there = frames.sequence_at(head, len(frames.MAGIC))
    return os.fstat(fd).st_size if there is not None and there < first else 0
