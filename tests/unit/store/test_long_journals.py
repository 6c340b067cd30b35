"""A journal of any length is read piece by piece: in bounded memory, with the same result, whatever became of the file meanwhile."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zstandard

from ml_logger import ML_Logger
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import Block, End, Header, Keys, RowPart
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.base import MIP4096
from ml_logger.store.indexing import FOLD_ROWS
from ml_logger.store.journals import JournalReader, Parts
from ml_logger.store.seal import seal
from ml_logger.store.sqlite import SqliteStore, open_store

BLOCK = 8192
KEY = "run/metrics.h-0-u.mlog"


def write_long(root: Path, rows: int) -> None:
    """Write a journal of blocks, without an object for each row."""
    (root / "run").mkdir(parents=True, exist_ok=True)
    head = [Header("u", "run", 0, "h", 0, 1, 1e9), Keys(1, ["step", "loss"])]
    with (root / KEY).open("wb") as file:
        file.write(frames.MAGIC + b"".join(frames.encode(at, messages.encode(message)) for at, message in enumerate(head, 1)))
        for start in range(0, rows, BLOCK):
            numbers = np.arange(start, min(start + BLOCK, rows), dtype="<i8")
            integers = ["i", shuffled(np.diff(numbers, prepend=0))]
            sequences = ["i", shuffled(np.diff(numbers + 3, prepend=0))]
            times = ["t", shuffled(np.diff((1e9 + numbers / 4).view("<i8"), prepend=0))]
            fields = [sequences, integers, integers, times, [integers, ["f", shuffled(np.sin(numbers))]]]
            block = Block(1, len(numbers), zstandard.compress(msgspec.msgpack.encode(fields)))
            file.write(frames.encode(start + 3, messages.encode(block)))
        file.write(frames.encode(rows + 3, messages.encode(End(2e9))))


def shuffled(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values.view("u1").reshape(-1, 8).T).tobytes()


def small_journal() -> bytes:
    """Return a journal of two lists of names, a text between, and damage."""
    pieces: list[messages.Message] = [Header("u", "run", 0, "h", 0, 1, 1.0), Keys(1, ["a"]), Keys(2, ["b", "c"])]
    for row in range(60):
        pieces.append(RowPart(1, row, row, 1.0 + row, [float(row)]))
        if row % 3 == 0:
            pieces.append(RowPart(2, row, row, 1.0 + row, [row, "text"]))
        if row % 25 == 0:
            pieces.append(messages.Text("hello", "run/a.txt", False, 1.0))
    whole = [frames.encode(number, messages.encode(message)) for number, message in enumerate(pieces, 1)]
    return frames.MAGIC + b"".join([*whole[:20], b"damage", *whole[20:]])


def read(data: bytes, most: int | None) -> tuple[list[object], int]:
    """Return (row, names, values) and messages in the order of their sequences, and how many calls it took."""
    reader, found, calls = JournalReader("j"), [], 0
    while calls == 0 or reader.more:
        calls += 1
        for item in reader.poll(io.BytesIO(data), most):
            if isinstance(item, Parts):
                values = [[column[at] for column in item.values] for at in range(len(item))]
                found += [(int(item.sequences[at]), (int(item.rows[at]), item.names, values[at])) for at in range(len(item))]
            else:
                found.append(item)
    assert len(reader.damages) == 1
    return sorted(found, key=lambda item: item[0]), calls


@pytest.mark.parametrize("most", [1, 200, 1600, 30_000])
def test_pieces_hold_what_the_whole_holds(most: int) -> None:
    whole, calls = read(small_journal(), None)
    assert calls == 1
    pieces, calls = read(small_journal(), most)
    assert repr(pieces) == repr(whole)
    assert calls > 400 // (most // 32 + 10)


def points(store: SqliteStore) -> np.ndarray:
    return np.concatenate([chunk.mean for chunk in store.read("loss")])


def test_a_long_journal_is_indexed_whole(tmp_path: Path) -> None:
    rows = 400_000
    write_long(tmp_path, rows)
    with open_store(tmp_path) as store:
        np.testing.assert_array_equal(points(store), np.sin(np.arange(rows)))
        summary = store.snapshot().rows([0])[0].metrics["loss"]
        assert (summary.n, summary.last_step) == (rows, rows - 1)
        assert store.snapshot().rows([0])[0].status == "completed"
        assert not store.live
        coarse = list(store.read("loss", level=MIP4096))
        assert len([chunk for chunk in coarse if chunk.low is not None]) < 8, "chunks of the coarsest level are joined"
        assert sum(len(chunk.mean) if chunk.count is None else int(chunk.count.sum()) for chunk in coarse) == rows


def test_a_journal_sealed_below_the_reader_is_read_from_its_start(tmp_path: Path) -> None:
    """Where reading had stopped lies another record now, though the file is longer than that."""
    write_long(tmp_path, 20_000)
    reader = JournalReader(KEY)
    rows = 0
    with (tmp_path / KEY).open("rb") as file:
        rows += sum(len(item) for item in reader.poll(file, 1) if isinstance(item, Parts))
    assert reader.more
    before = reader.offset
    assert seal(SafeRoot(tmp_path), KEY).reason == ""
    assert (tmp_path / KEY).stat().st_size > before, "the file got so small that its size alone tells"
    with (tmp_path / KEY).open("rb") as file:
        rows += sum(len(item) for item in reader.poll(file) if isinstance(item, Parts))
    assert rows == 20_000
    assert not reader.damages


PEAK = """
import resource, sys
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.seal import seal
from ml_logger.store.sqlite import open_store
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
open_store(sys.argv[1]).close()
indexed = peak()
assert seal(SafeRoot(sys.argv[1]), sys.argv[2]).reason == ""
print(indexed - before, peak() - before)
"""


def test_memory_does_not_grow_with_the_journal(tmp_path: Path) -> None:
    """Three million rows take 150 MiB as arrays; what is held is a piece, while they are indexed and while they are sealed."""
    write_long(tmp_path, 3_000_000)
    done = subprocess.run([sys.executable, "-c", PEAK, str(tmp_path), KEY], capture_output=True, text=True, check=True)
    indexed, sealed = map(int, done.stdout.split())
    assert indexed < 130
    assert sealed < 150
    with open_store(tmp_path) as store:
        assert store.series("loss")[0].n == 3_000_000


def test_ranks_are_folded_in_chunks_worth_it(tmp_path: Path) -> None:
    """A run of many writers is not cut into as many short pieces for each."""
    loggers = [ML_Logger("run", root=tmp_path) for _ in range(4)]
    with open_store(tmp_path) as store:
        for step in range(3 * FOLD_ROWS // 2):
            for logger in loggers:
                logger.log(step=step, loss=float(step), silent=True)
            if step % 200 == 0:
                store.refresh()
        store.refresh()
        sizes = [n for (n,) in store.database.query("SELECT n FROM chunk WHERE metric=? AND level=0", (store.database.name_id("loss"),))]
        assert len(sizes) == 4
        assert min(sizes) > FOLD_ROWS * 0.9
        held = sum(run.values for run in store.live.values())
        assert held == store._held > 0
        for logger in loggers:
            logger.close()
        store.refresh()
        assert store._held == 0
        assert sum(stats.n for stats in store.series("loss")) == 4 * (3 * FOLD_ROWS // 2)
