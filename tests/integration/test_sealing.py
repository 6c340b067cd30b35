"""A server seals the journals of runs that are quiet, and loses nothing: not what is there, nor what comes meanwhile or later."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from ml_logger.client.packing import Packer, body_of
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import End, Header, Keys, RowPart
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.batches import Limits
from ml_logger.server.ingest import Ingest
from ml_logger.server.sealing import Sealer
from ml_logger.store.rundir import RunDir
from ml_logger.store.sqlite import open_store

RUN, UUID = "lab/run", "0" * 32


class Served:
    """A root with what a server has for it, and one writer that sends batches."""

    def __init__(self, folder: Path) -> None:
        self.root = SafeRoot(folder, create=True)
        self.store = open_store(self.root)
        self.ingest = Ingest(self.root, self.store.poke, Limits())
        self.ingest.start()
        self.sealer = self.new_sealer()
        self.header = Header(UUID, RUN, 0, "node", 0, 1, time.time())
        self.packer, self.journal, self.sent, self.row, self.sequence = Packer(), frames.MAGIC, 0, 0, 0

    def new_sealer(self, between: Callable[[Callable[[], None]], None] | None = None) -> Sealer:
        return Sealer(self.root, self.store, between or self.ingest.committer.between, quiet_s=0.0)

    def add(self, *found: messages.Message) -> None:
        for message in found:
            self.sequence += 1
            self.journal += frames.encode(self.sequence, messages.encode(message))

    def send(self, rows: int, *, end: bool = False) -> None:
        """Log rows, send them as one batch, and see it acknowledged."""
        if not self.row:
            self.add(self.header, Keys(1, ["step", "loss"]))
        self.add(*(RowPart(1, row, row, time.time(), [row, row / 8]) for row in range(self.row, self.row + rows)))
        self.row += rows
        if end:
            self.add(End(time.time()))
        batch = self.packer.pack(self.journal[self.sent :], self.sent, final=False)
        assert batch is not None

        async def body() -> AsyncIterator[bytes]:
            yield body_of(batch, 0, self.header)

        status, answer = asyncio.run(self.ingest.ingest(body(), lambda *_: None))
        assert (status, answer["acks"][0]["duplicate"]) == (200, False)
        self.sent = batch.hi

    def offset(self) -> int:
        place = self.ingest.committer.places.peek(RUN, UUID)
        assert place is not None
        return place.offset

    def check(self) -> None:
        """See that every row is there once, for a reader of the files and for the index, and that the offset is right."""
        found = RunDir(self.root, RUN).refresh()
        assert found.problems == []
        assert [row["step"] for row in found.rows()] == list(range(self.row))
        self.store.refresh()
        assert [step for chunk in self.store.read("loss") for step in chunk.steps.tolist()] == list(range(self.row))
        assert self.store.snapshot().rows([0])[0].metrics["loss"].n == self.row
        assert self.offset() == self.sent

    def size(self) -> int:
        (path,) = self.root.path(RUN).glob("*.mlog")
        return path.stat().st_size

    def stop(self) -> None:
        self.ingest.stop()
        self.store.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "root")
    yield made
    with contextlib.suppress(Exception):
        made.stop()


def batches(served: Served, count: int, rows: int = 200) -> None:
    for number in range(count):
        served.send(rows, end=number == count - 1)


def test_a_quiet_run_is_sealed_once(served: Served) -> None:
    batches(served, 10)
    before = served.size()
    (done,) = served.sealer.look()
    assert (done.reason, done.before, done.after) == ("", before, served.size())
    assert served.size() < before / 2
    served.check()
    assert served.sealer.look() == []
    assert served.new_sealer().look() == [], "a server that starts anew sees that it is sealed"


def test_a_run_is_looked_at_once_unless_it_changes(served: Served) -> None:
    for _ in range(3):
        served.send(100)
    assert [item.reason for item in served.sealer.look()] == ["its writer may go on"]
    assert served.sealer.look() == [], "for an hour"
    served.send(10)
    assert [item.reason for item in served.sealer.look()] == ["its writer may go on"]
    served.send(10, end=True)
    assert [item.reason for item in served.sealer.look()] == [""]
    served.check()


def test_a_run_that_may_go_on_is_left_alone(served: Served) -> None:
    for _ in range(3):
        served.send(100)
    assert [item.reason for item in served.sealer.look()] == ["its writer may go on"]
    sealer = Sealer(served.root, served.store, served.ingest.committer.between)
    assert sealer.look() == [], "not quiet for ten minutes"


def test_a_writer_goes_on_after_sealing(served: Served) -> None:
    batches(served, 5)
    assert served.sealer.look()[0].reason == ""
    served.send(50)
    served.send(50, end=True)
    served.check()
    assert served.sealer.look()[0].reason == ""
    served.check()


def test_a_batch_that_comes_while_the_new_file_is_ready_is_behind_it(served: Served) -> None:
    batches(served, 5)
    came = []

    def between(replace: Callable[[], None]) -> None:
        served.send(70)
        came.append(served.size())
        served.ingest.committer.between(replace)

    (done,) = served.new_sealer(between).look()
    assert came
    assert done.reason == ""
    served.check()
    served.send(30, end=True)
    served.check()


def test_batches_and_sealing_at_the_same_time(served: Served) -> None:
    """One thread seals whatever has ended, again and again; the writer ends, comes back, ends …"""
    stop, done = threading.Event(), []

    def seal_always() -> None:
        while not stop.is_set():
            done.extend(item for item in served.sealer.look() if not item.reason)

    thread = threading.Thread(target=seal_always)
    thread.start()
    until = time.monotonic() + 60
    while len(done) < 5 and time.monotonic() < until:
        served.send(40, end=served.row % 3 == 0)
        time.sleep(0.2 * (served.row % 3 == 1))  # after an end
    stop.set()
    thread.join()
    assert len(done) >= 5
    served.check()


def test_after_a_crash_the_log_does_not_undo_it(served: Served, tmp_path: Path) -> None:
    """The log still holds all batches when the process dies right after a swap: replayed, they are known to be there."""
    batches(served, 6)
    assert list(served.root.path(".ml-logger/wal").glob("*.wal"))
    assert served.sealer.look()[0].reason == ""
    copied = tmp_path / "copy"

    shutil.copytree(served.root.path(), copied)
    shutil.rmtree(copied / ".ml-logger" / "index")
    size = served.size()
    other = SafeRoot(copied)
    ingest = Ingest(other, lambda run: None, Limits())
    ingest.start()
    assert ingest.counters.replayed >= 6
    ingest.stop()
    assert [row["step"] for row in RunDir(other, RUN).refresh().rows()] == list(range(served.row))
    (path,) = (copied / RUN).glob("*.mlog")
    assert path.stat().st_size == size


def test_a_removed_journal_stays_removed(served: Served) -> None:
    batches(served, 5)

    def between(replace: Callable[[], None]) -> None:
        served.root.delete(RUN)
        served.ingest.committer.between(replace)

    (done,) = served.new_sealer(between).look()
    assert done.reason == "it was removed meanwhile"
    assert not served.root.is_dir(RUN)
