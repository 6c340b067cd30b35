"""A directory of format 1, kept as bytes: it stays readable, its index is derived, and the same frames are still written alike."""

from __future__ import annotations

import math
import runpy
import shutil
from pathlib import Path

import msgspec
import numpy as np

from ml_logger.formats import frames, messages
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.base import RAW
from ml_logger.store.rundir import RunDir
from ml_logger.store.sqlite import open_store

GOLDEN = Path(__file__).parent.parent / "golden"
KEY = "alice/golden"
LOSS = [0.5, math.nan, math.inf, -1.5, *(0.25 * n for n in range(8))]
COUNT = [0, 1, -2, 7, *range(8)]
STEPS = [0, 10, 20, 30, *range(50, 58)]


def test_the_run_directory() -> None:
    run = RunDir(SafeRoot(GOLDEN / "root"), KEY).refresh()
    rows = run.rows()
    np.testing.assert_array_equal([row["loss"] for row in rows], LOSS)
    assert [row["count"] for row in rows] == COUNT
    assert rows[3]["note"] == "a word"
    assert run.params() == {"lr": 0.2, "model": {"hidden": 64, "name": "mlp"}, "big": 2**70}
    assert run.status() == "completed"
    assert [file.size for file in run.files().values()] == [3]
    (writer,) = run.writers
    assert [(damage.end - damage.offset, damage.reason) for damage in writer.reader.damages] == [(4, "no sync marker")]


def test_the_index_is_derived(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "root", tmp_path / "root")
    before = {path: path.read_bytes() for path in (tmp_path / "root").rglob("*") if path.is_file()}
    for _ in range(2):
        with open_store(SafeRoot(tmp_path / "root"), tmp_path / "index") as store:
            store.refresh()
            chunks = list(store.read("loss", None, RAW))
        np.testing.assert_array_equal(np.concatenate([chunk.mean for chunk in chunks]), LOSS)
        assert np.concatenate([chunk.steps for chunk in chunks]).tolist() == STEPS
        shutil.rmtree(tmp_path / "index")
    assert {path: path.read_bytes() for path in before} == before, "truth is not touched by reading"


def test_the_same_frames_are_written() -> None:
    made = runpy.run_path(str(GOLDEN / "make_root.py"))["journal"]()
    data = next((GOLDEN / "root" / KEY).glob("*.mlog")).read_bytes()
    assert data.startswith(frames.MAGIC)
    found = [item for item in frames.Scanner(data, len(frames.MAGIC)) if isinstance(item, frames.Frame)]
    assert len(found) == len(made)
    for frame, message in zip(found, made, strict=True):
        if isinstance(message, messages.Header):  # fields may be added at the end
            old, new = (msgspec.msgpack.decode(payload) for payload in (frame.payload, messages.encode(message)))
            assert new[: len(old)] == old
        elif not isinstance(message, messages.Block):  # zstd's versions differ in bytes, not in content
            whole = frames.encode(frame.sequence, messages.encode(message))
            assert data[frame.offset : frame.offset + len(whole)] == whole, message
