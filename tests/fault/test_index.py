"""The index is derived: whatever happens to it, or to the process that makes it, its answers are those of an index made from scratch."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.answers import RunRow
from ml_logger.errors import IndexFaultError
from ml_logger.formats import frames
from ml_logger.queries import GetRun
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.sqlite import SqliteStore, open_store

KILLS = int(os.environ.get("ML_LOGGER_TEST_KILLS", "25"))
"""200 with `make test-long`."""

WRITER = """
import itertools, random, sys, time
from ml_logger import ML_Logger
random.seed(int(sys.argv[2]))
for number in itertools.count():
    logger = ML_Logger(f"lab/{sys.argv[2]}/{number:04d}", root=sys.argv[1])
    logger.log_params(Args={"lr": random.random(), "name": f"word{number % 7}", "seed": number}, silent=True)
    for step in range(random.choice([3, 30, 300])):
        logger.log(step=step, loss=random.random(), silent=True, **{f"m{number % 5}/x": step * 0.5})
    time.sleep(0.02)
    if number % 4:
        logger.close()
    if number % 8 == 2:
        again = ML_Logger(f"lab/{sys.argv[2]}/{number:04d}", root=sys.argv[1])
        again.log(step=0, other=1.0, silent=True)
        again.close()
"""
INDEXER = """
import sys
from ml_logger.store import follow
from ml_logger.store.sqlite import open_store
follow.TURN_S = follow.LONG_TURN_S = 0.01
store = open_store(sys.argv[1], sys.argv[2], follow=True)
print("following", flush=True)
sys.stdin.read()
"""


def everything(store: SqliteStore) -> dict[str, Any]:
    """Return all that an index can tell, whatever numbers it gave to things."""
    snapshot = store.snapshot()
    key_of = dict(zip(snapshot.ids.tolist(), snapshot.keys, strict=True))
    order = np.argsort(np.array(snapshot.keys, object))
    rows = {row.key: in_silence(row) for row in snapshot.rows(range(len(snapshot)))}
    columns = {}
    for info in snapshot.names():
        found = snapshot.param(info.name) if info.kind == "param" else snapshot.metric(info.name)
        assert found is not None, info
        shown = [found.words[code] if code >= 0 else repr(number) for code, number in zip(found.codes, found.numbers, strict=True)]
        columns[info.kind, info.name] = info.runs, info.numeric, [shown[at] for at in order]
    series: dict[Any, list[Any]] = {}
    for metric in store.metrics():
        for chunk in store.read(metric):
            series.setdefault((metric, key_of[chunk.run]), []).extend(zip(chunk.steps.tolist(), chunk.mean.tolist(), strict=True))
    words = {word: sorted(snapshot.keys[at] for at in np.flatnonzero(snapshot.containing(word))) for word in ("word3", "lab", "0001")}
    return {
        "rows": rows,
        "columns": columns,
        "series": {k: sorted(v) for k, v in series.items()},
        "words": words,
        "counts": store.metrics(),
    }


def in_silence(row: RunRow) -> RunRow:
    """Return the row with the clock left out: a writer that was killed is taken for lost only some time after."""
    return msgspec.structs.replace(row, status="running") if row.status == "lost" else row


def written(index: Path) -> tuple[float, ...]:
    """Return what tells that the index was written to: sizes and times of the file and of its log."""
    found: list[float] = []
    for name in ("index.sqlite", "index.sqlite-wal"):
        with contextlib.suppress(FileNotFoundError):
            state = (index / name).stat()
            found += [state.st_size, state.st_mtime_ns]
    return tuple(found)


def agrees_with_a_new_one(root: Path, index: Path, fresh: Path) -> dict[str, Any]:
    """Assert that the index tells what one made from scratch does; return it."""
    with open_store(root, index) as store, open_store(root, fresh) as other:
        found, wanted = everything(store), everything(other)
    for part in wanted:
        assert found[part] == wanted[part], part
    return found


@pytest.mark.timeout(300 + 8 * KILLS)
def test_killed_at_any_moment_while_writers_go_on(tmp_path: Path) -> None:
    root, index = tmp_path / "root", tmp_path / "index"
    root.mkdir()
    rng = random.Random(7)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(root), str(seed)]) for seed in range(2)]
    midway, sizes = 0, set[tuple[float, ...]]()
    try:
        for _ in range(KILLS):
            indexer = subprocess.Popen(
                [sys.executable, "-c", INDEXER, str(root), str(index)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert indexer.stdout is not None
            assert indexer.stdin is not None
            assert indexer.stdout.readline() == b"following\n"
            before = written(index)
            until(lambda before=before: written(index) != before)
            time.sleep(rng.random() * 0.2)
            indexer.send_signal(signal.SIGKILL)
            assert indexer.wait() == -signal.SIGKILL
            indexer.stdout.close()
            indexer.stdin.close()
            sizes.add(written(index))
            midway += written(index)[2] > 0
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert midway > KILLS / 2, "it was never killed with transactions that no checkpoint had taken over"
    assert len(sizes) > KILLS / 2, "it was never killed while it was writing"
    found = agrees_with_a_new_one(root, index, tmp_path / "fresh")
    assert len(found["rows"]) > 20
    assert any(row.attempts > 1 for row in found["rows"].values())


def log_runs(root: Path, runs: int, first: int = 0) -> None:
    for number in range(first, first + runs):
        logger = ML_Logger(f"lab/{number:03d}", root=root)
        logger.log_params(Args={"lr": 0.1 * number, "name": f"word{number % 7}"}, silent=True)
        for step in range(100):
            logger.log(step=step, loss=float(np.sin(step * number)), silent=True)
        logger.close()


@contextlib.contextmanager
def followed(root: Path, index: Path) -> Iterator[SqliteStore]:
    store = open_store(root, index, follow=True)
    try:
        yield store
    finally:
        store.follower.stop()  # type: ignore[attr-defined]
        store.close()


def until(what: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_no_room_for_the_index_and_room_again(tmp_path: Path) -> None:
    root, index = tmp_path / "root", tmp_path / "index"
    log_runs(root, 80)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (260_000, hard))  # a file that would be longer is refused, as on a full disk
    try:
        with pytest.raises(IndexFaultError):
            open_store(root, index)
        with followed(root, index) as store:
            assert store.follower.swept.wait(30)  # type: ignore[attr-defined]
            until(lambda: len(store.snapshot()) < 80)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            until(lambda: len(store.snapshot()) == 80)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    agrees_with_a_new_one(root, index, tmp_path / "fresh")


def test_no_room_even_for_an_empty_index(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(IndexFaultError, match="cannot be used"):
            open_store(tmp_path, tmp_path / "index")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    open_store(tmp_path, tmp_path / "index").close()


def test_the_index_is_damaged_while_it_is_in_use(tmp_path: Path) -> None:
    root, index = tmp_path / "root", tmp_path / "index"
    log_runs(root, 30)
    with open_store(root, index):
        pass
    file = index / "index.sqlite"
    with followed(root, index) as store:
        assert store.follower.swept.wait(30)  # type: ignore[attr-defined]
        size = file.stat().st_size
        with file.open("r+b") as opened:
            opened.seek(4096)
            opened.write(os.urandom(size - 4096))
            opened.flush()
            log_runs(root, 5, first=30)
            until(lambda: len(store.snapshot()) == 35 and not store.live)
            assert os.fstat(opened.fileno()).st_nlink == 0, "the file was not made anew"
    agrees_with_a_new_one(root, index, tmp_path / "fresh")


def test_runs_that_cannot_be_read_are_shown_with_the_reason_beside_the_others(tmp_path: Path) -> None:
    log_runs(tmp_path, 3)
    good = next((tmp_path / "lab/001").glob("*.mlog"))
    odd = {"garbage": os.urandom(3000), "half": good.read_bytes()[:-20], "newer": frames.MAGIC[:-1] + b"\x63future", "empty": b""}
    for name, content in odd.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.h-0-abc.mlog").write_bytes(content)
        os.utime(tmp_path / name / "metrics.h-0-abc.mlog", (time.time() - 100,) * 2)
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe/metrics.h-0-abc.mlog")
    (tmp_path / "folder/metrics.h-0-abc.mlog").mkdir(parents=True)
    (tmp_path / "bad name.").mkdir()
    shutil.copy(good, tmp_path / "bad name.")
    with open_store(tmp_path, tmp_path / ".ml-logger/index") as store:
        engine = Engine(store, SafeRoot(tmp_path))
        assert set(store.snapshot().keys) >= {"lab/000", "lab/001", "lab/002", *odd}
        assert "bad name." not in store.snapshot().keys
        for name in ("garbage", "half", "newer"):
            assert engine.answer(GetRun(name)).warnings, name
        half = store.snapshot().rows([store.snapshot().position("half")])[0]
        assert half.metrics["loss"].n >= 98
        store.refresh()


def test_what_is_deleted_is_gone_everywhere(tmp_path: Path) -> None:
    root, index = tmp_path / "root", tmp_path / "index"
    log_runs(root, 10)
    logger = ML_Logger("lab/other", root=root)
    logger.log_params(only_here=1, silent=True)
    logger.log(step=0, alone=1.0, silent=True)
    logger.close()
    with followed(root, index) as store:
        until(lambda: len(store.snapshot()) == 11)
        asked = threading.Thread(target=lambda: [store.snapshot().rows([0]) for _ in range(200)])
        asked.start()
        shutil.rmtree(root / "lab/other")
        shutil.rmtree(root / "lab/003")
        until(lambda: len(store.snapshot()) == 9)
        asked.join()
        snapshot = store.snapshot()
        assert {info.name for info in snapshot.names()} == {"Args.lr", "Args.name", "loss"}
        assert snapshot.metric("alone") is None
        assert not snapshot.containing("only_here").any()
        assert store.metrics() == {"loss": (9, 900, True)}
        assert [change.run for change in store.changes(0) if "gone" in change.what] == ["lab/003", "lab/other"]
    agrees_with_a_new_one(root, index, tmp_path / "fresh")


def test_a_run_within_a_run_that_was_told_of_stays_when_another_is_deleted(tmp_path: Path) -> None:
    root, index = tmp_path / "root", tmp_path / "index"
    log_runs(root, 3)
    with followed(root, index) as store:
        until(lambda: len(store.snapshot()) == 3)
        time.sleep(4)  # directories are old enough to be believed: the next look is a shallow one
        inner = ML_Logger("lab/001/eval/inner", root=root)
        inner.log(step=0, loss=1.0, silent=True)
        store.follower.poke("lab/001/eval/inner")  # type: ignore[attr-defined]
        store.follower.catch_up()  # type: ignore[attr-defined]
        number = store.snapshot().ids[store.snapshot().position("lab/001/eval/inner")]
        shutil.rmtree(root / "lab/000")
        until(lambda: store.snapshot().position("lab/000") is None)
        assert store.snapshot().ids[store.snapshot().position("lab/001/eval/inner")] == number
        inner.close()
    agrees_with_a_new_one(root, index, tmp_path / "fresh")
