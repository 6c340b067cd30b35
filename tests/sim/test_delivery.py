"""Random histories of writers, lost answers, crashes on both sides, forks and full spool disks: the server ends up with what was accepted.

Everything is real (journals, tails, the server's log and files) but the network, which is a function call. Each history follows from
its seed, which a failure names.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ml_logger.client.spool import About, Slot
from ml_logger.client.tails import Tail
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import End, Header, Keys, Message, RowPart, Text
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.batches import Limits
from ml_logger.server.ingest import Ingest
from ml_logger.store.rundir import RunDir


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body


class Writer:
    """A process that logs into the run; its journal goes on in another directory when a disk is full."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.uuid = uuid.UUID(int=world.random.getrandbits(128)).hex
        self.header = Header(self.uuid, "lab/run", 0, "h", 0, 1, time.time(), launch="all")
        self.rows = self.texts = self.sequence = self.fd = 0

    def open(self) -> None:
        self.fd = os.open(self.world.new_slot() / f"metrics.h-0-{self.uuid}.mlog", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        os.write(self.fd, frames.MAGIC)
        for message in (self.header, Keys(1, ["step"]), Keys(2, ["step", "extra"])):
            self.append(message)

    def leave(self) -> None:
        if self.fd:
            os.close(self.fd)
            self.fd = 0

    def append(self, message: Message) -> None:
        self.sequence += 1
        os.write(self.fd, frames.encode(self.sequence, messages.encode(message)))

    def log(self, n: int) -> None:
        if not self.fd:
            self.open()
        for _ in range(n):
            more = [0.5] if self.rows % 3 else []
            self.append(RowPart(1 + len(more), self.rows, self.rows, time.time(), [self.rows, *more]))
            self.rows += 1
        self.append(Text(f"{self.uuid} {self.texts}\n", "lab/run/outputs.log", False, 0.0))
        self.texts += 1

    def close(self) -> None:
        self.log(1)
        self.append(End(0.0))
        self.leave()


class World:
    """A spool, a server, and what happens to them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder, self.slots = folder, 0
        self.writers = [Writer(self)]
        self.tails: dict[Path, Tail] = {}
        self.server = self.start()
        self.lost = self.crashes = 0

    def start(self) -> Ingest:
        server = Ingest(SafeRoot(self.folder / "root"), lambda run: None, Limits(checkpoint_s=self.random.choice([0.0, 1000.0])))
        server.start()
        return server

    def new_slot(self) -> Path:
        self.slots += 1
        path = self.folder / "spool" / f"{self.slots:03d}"
        path.mkdir(parents=True)
        return path

    def crash(self) -> None:
        """End the server without its farewell: no checkpoint, the log stays."""
        committer = self.server.committer
        committer._start_checkpoint = lambda *, wait: None  # type: ignore[method-assign]
        self.server.stop()
        if committer._checkpoint is not None:
            committer._checkpoint.join()
        self.crashes += 1
        self.server = self.start()

    def tail_of(self, path: Path) -> Tail:
        if path not in self.tails:
            self.tails[path] = Tail(Slot(path.parent, About("http://server", "lab/run")), path, own=True)
        return self.tails[path]

    def waiting(self) -> list[Tail]:
        """Return the tails that have something to send; a later part of a journal waits for the earlier ones."""
        found: dict[str, Tail] = {}
        for path in sorted((self.folder / "spool").glob("*/*.mlog")):
            tail = self.tail_of(path)
            if tail.at < tail.size:
                found.setdefault(tail.writer, tail)
        return list(found.values())

    def deliver(self, *, lose: bool) -> bool:
        """Send one batch of one writer; with `lose`, nobody hears the answer."""
        waiting = [tail for tail in self.waiting() if tail.header is not None]
        if not waiting:
            return False
        tail = self.random.choice(waiting)
        batch = tail.next()
        if batch is None:
            return False
        status, answer = asyncio.run(self.server.ingest(chunks(tail.body(batch)), lambda key: None))
        (ack,) = answer["acks"]
        if lose:
            self.lost += 1
            if self.random.random() < 0.5:
                tail.pending = None  # the next try may be a longer one
        elif status == 200:
            tail.acknowledged(batch, duplicate=ack["duplicate"])
        else:
            assert tail.refused(ack["offset"], ack["sequence"])
        return True

    def client_crash(self) -> None:
        """Forget what the carriers knew; half of the time also what they had noted down."""
        for tail in self.tails.values():
            tail.close()
            if self.random.random() < 0.5:
                (tail.slot.path / "offset").unlink(missing_ok=True)
        self.tails.clear()

    def step(self) -> None:
        roll = self.random.random()
        writer = self.random.choice(self.writers)
        if roll < 0.35:
            writer.log(self.random.randrange(1, 12))
        elif roll < 0.75:
            self.deliver(lose=self.random.random() < 0.3)
        elif roll < 0.80:
            self.crash()
        elif roll < 0.87:
            self.client_crash()
        elif roll < 0.92:
            writer.leave()
        elif len(self.writers) < 4:
            self.writers.append(Writer(self))

    def finish(self) -> None:
        for writer in self.writers:
            writer.close()
        for _ in range(1000):
            if not self.deliver(lose=False):
                break
        self.server.stop()
        for tail in self.tails.values():
            tail.close()

    def check(self) -> None:
        run = RunDir(SafeRoot(self.folder / "root"), "lab/run").refresh()
        assert not run.problems
        found = {log.header.writer: log for log in run.writers}
        for writer in self.writers:
            log = found[writer.uuid]
            assert log.reader.duplicates == 0
            steps = sorted(row for parts in log.parts for row in parts.rows.tolist())
            assert steps == list(range(writer.rows))
            texts = [message.text for _, message in log.messages if isinstance(message, Text)]
            assert texts == [f"{writer.uuid} {n}\n" for n in range(writer.texts)]
        lines = (self.folder / "root/lab/run/outputs.log").read_text().splitlines()
        for writer in self.writers:
            assert [line for line in lines if line.startswith(writer.uuid)] == [f"{writer.uuid} {n}" for n in range(writer.texts)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place in memory where there is one: the history counts, not the disk."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield place
    shutil.rmtree(place)


def play(folder: Path, seeds: range) -> tuple[int, int]:
    lost = crashes = 0
    for seed in seeds:
        world = World(folder / str(seed), seed)
        for _ in range(60):
            world.step()
        world.finish()
        try:
            world.check()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
        lost, crashes = lost + world.lost, crashes + world.crashes
        shutil.rmtree(folder / str(seed))
    return lost, crashes


@pytest.mark.parametrize("part", range(4))
def test_random_histories(part: int, folder: Path) -> None:
    lost, crashes = play(folder, range(part * 15, part * 15 + 15))
    assert lost > 30
    assert crashes > 10


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_random_histories(folder: Path) -> None:
    play(folder, range(1000, 3000))
