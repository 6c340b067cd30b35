"""Batches into a root: one effect however often they come, and nothing that was acknowledged is missing afterwards."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from ml_logger.client.packing import Batch, Packer, body_of
from ml_logger.errors import AuthenticationError, RejectedError, ServerBusyError
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import Header, Mark
from ml_logger.safe_fs import SafeRoot
from ml_logger.server.batches import Limits
from ml_logger.server.ingest import Ingest


class Writer:
    """A journal on the disk and what a carrier would make of it."""

    _numbers = itertools.count(1)

    def __init__(self, folder: Path, run: str = "lab/run", epoch: int = 0, launch: str = "") -> None:
        self.header = Header(f"{next(self._numbers):032x}", run, epoch, "node.1", 0, 1, time.time(), launch=launch)
        folder.mkdir(exist_ok=True)
        self.path = folder / f"metrics.node-0-{self.header.writer}.mlog"
        self.path.write_bytes(frames.MAGIC)
        self.packer = Packer()
        self.sent = self.row = self.sequence = 0
        self.add(self.header, messages.Keys(1, ["step", "loss"]))

    def rows(self, n: int) -> Writer:
        for row in range(self.row, self.row + n):
            self.add(messages.RowPart(1, row, row, time.time(), [row, row * 0.5]))
        self.row += n
        return self

    def add(self, *found: messages.Message) -> Writer:
        with self.path.open("ab") as file:
            for message in found:
                self.sequence += 1
                file.write(frames.encode(self.sequence, messages.encode(message)))
        return self

    def batch(self, lo: int | None = None) -> Batch:
        at = self.sent if lo is None else lo
        batch = self.packer.pack(self.path.read_bytes()[at:], at, final=False)
        assert batch is not None
        return batch

    def body(self, lo: int | None = None) -> bytes:
        batch = self.batch(lo)
        self.sent = batch.hi
        return body_of(batch, 0, self.header)


async def chunks(body: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


class Server:
    """An `Ingest` that is called as a request would call it."""

    def __init__(self, root: Path, **limits: Any) -> None:
        self.root, self.poked = SafeRoot(root), []
        self.ingest = Ingest(self.root, self.poked.append, Limits(**limits))
        self.ingest.start()

    def post(self, *bodies: bytes, check: Callable[..., None] = lambda key, verb="write": None) -> list[Any]:
        async def post_all() -> list[Any]:
            return await asyncio.gather(*(self.ingest.ingest(chunks(body), check) for body in bodies))

        return asyncio.run(post_all())

    def stop(self) -> None:
        self.ingest.stop()


@pytest.fixture
def server(tmp_path: Path) -> Any:
    made = Server(tmp_path / "root")
    yield made
    made.stop()


def frames_of(path: Path) -> list[messages.Message | None]:
    scanned = list(frames.Scanner(path.read_bytes(), len(frames.MAGIC)))
    assert all(isinstance(item, frames.Frame) for item in scanned), scanned
    return [messages.decode(item.payload) for item in scanned if isinstance(item, frames.Frame)]


def journal_in(root: Path, run: str = "lab/run") -> Path:
    (found,) = (root / run).glob("*.mlog")
    return found


def test_batches_become_a_journal(server: Server, tmp_path: Path) -> None:
    writer = Writer(tmp_path).rows(100)
    assert server.post(writer.body()) == [
        (200, {"acks": [{"writer": writer.header.writer, "offset": writer.sent, "duplicate": False, "sequence": 102}]})
    ]
    writer.rows(3)
    assert server.post(writer.body())[0][0] == 200
    kinds = [type(message).__name__ for message in frames_of(journal_in(tmp_path / "root"))]
    assert kinds == ["Header", "Keys", "Block", "Mark", "RowPart", "RowPart", "RowPart", "Mark"]
    assert set(server.poked) == {"lab/run"}
    assert (tmp_path / "root/lab/run/run.json").exists()
    assert server.ingest.counters.records == 105


def test_every_batch_has_one_effect(server: Server, tmp_path: Path) -> None:
    writer = Writer(tmp_path).rows(10)
    bodies = []
    for _ in range(4):
        bodies.append(writer.body())
        assert server.post(bodies[-1])[0][0] == 200
        writer.rows(10)
    before = journal_in(tmp_path / "root").read_bytes()
    for body in [*bodies, *reversed(bodies), *bodies]:
        status, answer = server.post(body)[0]
        assert (status, answer["acks"][0]["duplicate"], answer["acks"][0]["offset"]) == (200, True, writer.sent)
    assert journal_in(tmp_path / "root").read_bytes() == before


def test_wrong_offset_and_stale_epoch_are_refused(server: Server, tmp_path: Path) -> None:
    writer = Writer(tmp_path, epoch=3).rows(10)
    server.post(writer.body())
    sent = writer.sent
    writer.rows(5)
    writer.sent = writer.path.stat().st_size
    writer.rows(5)
    status, answer = server.post(writer.body())[0]
    assert (status, answer["acks"][0]["offset"], answer["acks"][0]["duplicate"]) == (409, sent, False)
    batch = writer.batch(sent)
    old = Header(writer.header.writer, "lab/run", 2, "h", 0, 1, 0.0)
    assert server.post(body_of(batch, 0, old))[0][0] == 409
    assert server.post(body_of(batch, 0, writer.header))[0][0] == 200
    assert server.ingest.counters.conflicts == 2


def test_a_range_that_was_other_bytes_is_no_duplicate(server: Server, tmp_path: Path) -> None:
    """A journal that went on in another directory begins at byte 0 again: its sequences tell."""
    writer = Writer(tmp_path).rows(100)
    server.post(writer.body())
    batch = writer.rows(4).batch()._replace(lo=0, hi=100)
    status, answer = server.post(body_of(batch, 0, writer.header))[0]
    assert (status, answer["acks"][0]["offset"], answer["acks"][0]["sequence"]) == (409, writer.sent, 102)


def test_offsets_come_from_the_files_alone(tmp_path: Path) -> None:
    first = Server(tmp_path / "root")
    writer = Writer(tmp_path).rows(50)
    first.post(writer.body())
    first.stop()
    journal = journal_in(tmp_path / "root")
    with journal.open("ab") as file:
        file.write(frames.encode(999, messages.encode(messages.End(0.0))) + b"torn")  # not followed by a mark
    second = Server(tmp_path / "root")
    name = f"lab/run/{writer.header.writer}"
    assert second.ingest.offsets([name, "lab/run/" + "0" * 32]) == {name: writer.sent, "lab/run/" + "0" * 32: 0}
    assert second.post(writer.rows(1).body())[0][0] == 200
    assert [type(m).__name__ for m in frames_of(journal)][-2:] == ["RowPart", "Mark"]
    second.stop()


def test_several_writers_in_one_body_and_one_conflict(server: Server, tmp_path: Path) -> None:
    writers = [Writer(tmp_path / str(i), run=f"lab/{i}").rows(10) for i in range(3)]
    raws = [zstandard.decompress(writer.body()) for writer in writers]
    gap = writers[1].rows(9).batch()
    raws[1] = zstandard.decompress(body_of(gap, 5, writers[1].header))
    status, answer = server.post(zstandard.compress(b"".join(raws)))[0]
    assert status == 409
    assert [ack["offset"] for ack in answer["acks"]] == [writers[0].sent, 0, writers[2].sent]


def test_concurrent_requests_are_one_group_each_in_order(server: Server, tmp_path: Path) -> None:
    writer = Writer(tmp_path).rows(5)
    bodies = [writer.body()]
    for _ in range(20):
        bodies.append(writer.rows(5).body())
    assert [status for status, _ in server.post(*bodies)] == [200] * 21
    parts = [m for m in frames_of(journal_in(tmp_path / "root")) if isinstance(m, messages.Block)]
    assert sum(block.n for block in parts) == 105


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no zstd", 400),
        (zstandard.compress(b"x" * 100), 400),
        (zstandard.compress(frames.encode(1, b"\x93\x02\x01")), 400),
        (zstandard.compress(frames.encode(1, b"\x91" * 100_000)), 400),
        (zstandard.compress(frames.encode(1, messages.encode(Mark("f" * 32, 0, 0, 9, "../up", 0)))), 400),
        (zstandard.compress(frames.encode(1, messages.encode(Mark("f" * 32, 0, 0, 9, "a/run.json", 0)))), 400),
        (zstandard.compress(frames.encode(1, messages.encode(Mark("../" + "f" * 29, 0, 0, 9, "up", 0)))), 400),
        (zstandard.compress(frames.encode(1, messages.encode(Mark("f" * 32, 0, 9, 9, "up", 0)))), 400),
        (zstandard.compress(b"\0" * (64 << 20)), 413),
        (os.urandom(9 << 20), 413),
    ],
)
def test_bad_bodies(server: Server, body: bytes, status: int) -> None:
    with pytest.raises(RejectedError) as caught:
        server.post(body)
    assert caught.value.status == status
    assert server.ingest.queued_bytes == 0


def test_a_block_that_would_inflate_too_much(server: Server, tmp_path: Path) -> None:
    writer = Writer(tmp_path).rows(1).add(messages.Block(1, 10, zstandard.compress(b"\0" * (33 << 20))))
    with pytest.raises(RejectedError, match="not allowed"):
        server.post(writer.body())


@pytest.mark.parametrize("args", [{"path": "a", "to": ["b"]}, {"to": "b"}, {"path": "a", "to": "b", "excludes": 7}])
def test_a_malformed_operation_is_refused_for_good(server: Server, tmp_path: Path, args: dict[str, Any]) -> None:
    with pytest.raises(RejectedError, match="archive: ") as caught:  # with 503 its client would come again for ever
        server.post(Writer(tmp_path).rows(1).add(messages.Op("archive", args, 0.0)).body())
    assert caught.value.status == 400


def test_scope_is_checked_for_run_and_files(server: Server, tmp_path: Path) -> None:
    def check(key: str) -> None:
        if not key.startswith("lab/"):
            raise AuthenticationError("outside", 403)

    for message in (
        messages.Clear("other/x", 0, 0.0),
        messages.Op("move", {"path": "lab/a", "to": "b"}, 0.0),
        messages.Text("t", "c", False, 0.0),
    ):
        with pytest.raises(AuthenticationError):
            server.post(Writer(tmp_path).rows(1).add(message).body(), check=check)
    assert not (tmp_path / "root" / "lab").exists()


def test_the_queue_is_bounded(tmp_path: Path) -> None:
    server = Server(tmp_path / "root", queued=1000)
    with pytest.raises(ServerBusyError) as caught:
        asyncio.run(server.ingest.ingest(chunks(b""), lambda key: None, 1001))
    assert caught.value.retry_after_s > 0
    with pytest.raises(ServerBusyError):  # small on the way, too large when inflated
        server.post(Writer(tmp_path).add(messages.Text("x" * 2000, "lab/run/log", False, 0.0)).body())
    assert server.ingest.queued_bytes == 0
    server.stop()


def test_text_and_removals_are_applied_in_order(server: Server, tmp_path: Path) -> None:
    log, root = "lab/run/outputs.log", tmp_path / "root"
    text = lambda line, overwrite=False: messages.Text(line, log, overwrite, 0.0)  # noqa: E731
    writer = Writer(tmp_path).add(text("one\n"), text("two\n"))
    server.post(writer.body())
    assert (root / log).read_text() == "one\ntwo\n"
    server.post(writer.add(messages.Clear(log, 0, 0.0), text("three\n")).body())
    assert (root / log).read_text() == "three\n"
    server.post(writer.add(messages.Op("copy", {"path": log, "to": "lab/run/copy.log"}, 0.0), text("new\n", True)).body())
    assert ((root / log).read_text(), (root / "lab/run/copy.log").read_text()) == ("new\n", "three\n")
    server.post(writer.add(messages.Op("move", {"path": log, "to": "lab/moved.log"}, 0.0)).body())
    assert (root / "lab/moved.log").read_text() == "new\n"
    server.post(writer.add(messages.Clear("lab/run", 0, 0.0)).body())
    assert {path.suffix for path in (root / "lab/run").iterdir()} == {".json", ".mlog"}


def test_attempts(server: Server, tmp_path: Path) -> None:
    def attempt(writer: Writer) -> int | None:
        server.post(writer.rows(1).body())
        (path,) = (tmp_path / "root/lab/run").glob(f"*{writer.header.writer}.mlog")
        first = frames_of(path)[0]
        assert isinstance(first, Header)
        assert first.run_uuid
        return first.attempt

    one = Writer(tmp_path, launch="torchrun-1")
    assert attempt(one) == 0
    assert attempt(Writer(tmp_path)) == 0, "joins a writer that is alive"
    server.post(one.add(messages.End(0.0)).body())
    assert attempt(Writer(tmp_path)) == 0, "the second writer is still alive"
    assert attempt(Writer(tmp_path, launch="torchrun-1")) == 0
    for path in (tmp_path / "root/lab/run").glob("*.mlog"):
        os.utime(path, (1, 1))
    assert attempt(Writer(tmp_path)) == 1
    assert attempt(Writer(tmp_path, launch="torchrun-1")) == 0


def test_a_run_that_was_removed_is_not_written_into_its_ghost(server: Server, tmp_path: Path) -> None:
    writer = Writer(tmp_path).rows(5)
    server.post(writer.body())
    journal_in(tmp_path / "root").unlink()
    status, answer = server.post(writer.rows(5).body())[0]
    assert (status, answer["acks"][0]["offset"]) == (409, 0)
    assert server.post(writer.body(0))[0][0] == 200
    assert journal_in(tmp_path / "root").exists()
