"""The journal writes each record at once, repeats its keys, moves on when a place fails, and says what is missing."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger.client import journal_file as journals
from ml_logger.client.backlog import Backlog
from ml_logger.client.journal import Journal
from ml_logger.client.journal_file import is_alive
from ml_logger.formats import frames, messages
from ml_logger.formats.frames import Damage, Frame


class Bench:
    """A journal over the given places, and what it told."""

    def __init__(self, *places: Path) -> None:
        self.troubles: list[Path] = []
        self.opened: list[Path] = []
        header = messages.Header("w", "run", 0, "host", 0, 1, 1.0)
        self.journal = Journal("j.mlog", header, lambda: iter(places), lambda path, _: self.troubles.append(path), self.opened.append)

    def log(self, **values: Any) -> None:
        names = tuple(values)
        shape = next((s for s in self.journal._shapes if s.names == names), None) or self.journal.shape("metrics.pkl", names, ())
        self.journal.append_row(shape, 0, None, time.time(), list(values.values()))


def read(path: Path) -> list[messages.Message | None]:
    """Return the messages in a file, which must be whole."""
    data = path.read_bytes()
    assert data.startswith(frames.MAGIC)
    found = list(frames.Scanner(data, len(frames.MAGIC)))
    assert not [item for item in found if isinstance(item, Damage)]
    return [messages.decode(item.payload) for item in found if isinstance(item, Frame)]


def rows(path: Path) -> list[list[Any]]:
    return [message.values for message in read(path) if isinstance(message, messages.RowPart)]


def test_a_record_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert not list(tmp_path.iterdir())
    bench.log(a=1, b=0.5)
    header, keys, row = read(tmp_path / "j.mlog")
    assert isinstance(header, messages.Header)
    assert isinstance(keys, messages.Keys)
    assert keys.names == ["a", "b"]
    assert isinstance(row, messages.RowPart)
    assert row.values == [1, 0.5]
    assert bench.opened == [tmp_path / "j.mlog"]
    bench.journal.close()
    assert isinstance(read(tmp_path / "j.mlog")[-1], messages.End)
    assert not is_alive(tmp_path / "j.mlog")


def test_its_lock_says_that_it_is_alive(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.log(a=1)
    assert is_alive(tmp_path / "j.mlog")
    bench.journal.abandon()
    assert not is_alive(tmp_path / "j.mlog")
    assert not is_alive(tmp_path / "none")


def test_sequences_have_no_hole_and_keys_come_again_every_mebibyte(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(30):
        bench.log(text="x" * 100_000)
    found = [item for item in frames.Scanner((tmp_path / "j.mlog").read_bytes(), len(frames.MAGIC)) if isinstance(item, Frame)]
    assert [frame.sequence for frame in found] == list(range(1, len(found) + 1))
    kinds = [type(messages.decode(frame.payload)).__name__ for frame in found]
    assert kinds.count("Keys") == 3
    assert bench.journal.accepted == bench.journal.journaled == 30


def test_a_deleted_file_is_made_anew_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path / "run")
    bench.log(a=1)
    shutil.rmtree(tmp_path / "run")
    monkeypatch.setattr(bench.journal, "_check_at", 0.0)  # as if a second had passed
    bench.log(a=2)
    assert rows(tmp_path / "run" / "j.mlog") == [[2]]
    assert isinstance(read(tmp_path / "run" / "j.mlog")[0], messages.Header)
    assert len(bench.opened) == 2


def test_a_place_that_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    bench = Bench(tmp_path / "file", tmp_path / "spool")
    bench.log(a=1)
    assert rows(tmp_path / "spool" / "j.mlog") == [[1]]
    assert bench.troubles == [tmp_path / "file"]
    assert bench.journal.moved
    assert bench.journal.at_home == 0


class FailingFile:
    """A file that takes `room` more bytes, then fails as a full disk does: a part of the frame first."""

    def __init__(self, bench: Bench, room: int) -> None:
        file = bench.journal.file
        assert file is not None
        self.inode, self.room = os.fstat(file.fd).st_ino, room
        self.real = os.write

    def __call__(self, fd: int, data: bytes) -> int:
        if os.fstat(fd).st_ino != self.inode:
            return self.real(fd, data)
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.real(fd, data[: self.room])
        self.room -= written
        return written


def test_a_torn_write_is_cut_off_and_the_record_goes_to_the_next_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path / "home", tmp_path / "spool")
    bench.log(a=0)
    monkeypatch.setattr(journals.os, "write", FailingFile(bench, 100))
    for i in range(1, 6):
        bench.log(a=i)
    at_home, away = rows(tmp_path / "home" / "j.mlog"), rows(tmp_path / "spool" / "j.mlog")
    assert at_home + away == [[i] for i in range(6)]
    assert at_home
    assert away
    assert bench.journal.at_home == len(at_home)
    assert bench.journal.journaled == 6
    assert bench.troubles == [tmp_path / "home"]


def test_without_any_place_records_are_counted_and_a_gap_tells_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = tmp_path / "place"
    blocker.write_text("in the way")
    bench = Bench(blocker)
    bench.log(a=1)
    bench.log(a=2)
    assert (bench.journal.accepted, bench.journal.dropped) == (2, 2)
    blocker.unlink()
    monkeypatch.setattr(bench.journal, "_check_at", 0.0)
    bench.log(a=3)
    found = read(blocker / "j.mlog")
    gap = next(message for message in found if isinstance(message, messages.Gap))
    assert gap.last - gap.first == 1
    assert rows(blocker / "j.mlog") == [[3]]
    assert (bench.journal.accepted, bench.journal.journaled, bench.journal.dropped) == (3, 1, 2)


class SlowDisk:
    """Writes that take long while `slow`."""

    def __init__(self) -> None:
        self.slow = True
        self.real = os.write
        self.threads: set[str] = set()

    def __call__(self, fd: int, data: bytes) -> int:
        self.threads.add(threading.current_thread().name)
        if self.slow:
            time.sleep(0.06)
        return self.real(fd, data)


def test_a_stalled_disk_costs_one_call_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bench, disk = Bench(tmp_path), SlowDisk()
    bench.log(a=0)
    monkeypatch.setattr(journals.os, "write", disk)
    bench.log(a=1)  # the one call that waits
    started = time.monotonic()
    for i in range(2, 1000):
        bench.log(a=i)
    assert time.monotonic() - started < 0.5
    assert bench.journal.waiting > 0
    monkeypatch.setattr(bench.journal, "_stalled_at", 0.0)  # as if it had taken a second
    bench.log(a=1000)
    bench.log(a=1001)
    disk.slow = False
    assert bench.journal.settle(10)
    assert rows(tmp_path / "j.mlog") == [[i] for i in range(1002)]
    assert "ml-logger-backlog" in disk.threads
    bench.log(a=1002)
    assert rows(tmp_path / "j.mlog")[-1] == [1002]
    assert bench.journal.accepted == bench.journal.journaled == 1003
    assert capfd.readouterr().err.count("answers slowly") == 1
    bench.journal.close()
    assert isinstance(read(tmp_path / "j.mlog")[-1], messages.End)


def test_memory_is_bounded_during_a_stall() -> None:
    gate, written = threading.Event(), list[bytes]()

    def write(frame: bytes) -> None:
        gate.wait(10)
        written.append(frame)

    backlog = Backlog(write, limit=10_000)
    taken = [backlog.put(bytes(100)) for _ in range(200)]
    assert taken.count(True) == 10_000 // 164
    assert taken[-1] is False
    gate.set()
    assert backlog.wait(5)
    assert len(written) == taken.count(True)
    assert backlog.put(b"x") is None


def test_a_value_that_msgpack_refuses_leaves_nothing_half_written(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(OverflowError):  # the writer makes it plain and comes again
        bench.log(a=1 << 70)
    bench.log(a=1)
    assert (len(rows(tmp_path / "j.mlog")), bench.journal.accepted) == (1, 1)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "ml-logger-backlog":
            thread.join(5)
            assert not thread.is_alive()
