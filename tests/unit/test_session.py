"""A session: rows and their ends, prefixes of threads and tasks, runs and attempts, what it says about troubles."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger import settings
from ml_logger.console import Printer
from ml_logger.errors import InvalidKeyError, SettingsError
from ml_logger.logger import ML_Logger
from ml_logger.safe_fs import SafeRoot
from ml_logger.session import Place, Session
from ml_logger.store.rundir import RunDir


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def logger(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ML_Logger]:
    monkeypatch.setenv("ML_LOGGER_SPOOL", str(tmp_path / "spool"))
    monkeypatch.delenv(settings.CHILD_RUN, raising=False)
    made = ML_Logger(root=str(root), prefix="run")
    yield made
    made.close()


def run_of(root: Path, key: str = "run") -> RunDir:
    return RunDir(SafeRoot(root), key).refresh()


def rows_of(root: Path, key: str = "run", table: str = "metrics.pkl") -> list[dict[str, Any]]:
    return run_of(root, key).rows(table)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_s18_a_changed_step_ends_the_row_and_none_is_lost(logger: ML_Logger, root: Path) -> None:
    for epoch in range(10):
        logger.log(step=epoch, D_loss=0.2, G_loss=0.1)
        logger.log_key_value(epoch, "some string key", 0.0012)
    assert rows_of(root) == [{"step": i, "D_loss": 0.2, "G_loss": 0.1, "some string key": 0.0012} for i in range(10)]


def test_s11_a_later_value_of_the_row_wins_and_flush_ends_it(logger: ML_Logger, root: Path) -> None:
    logger.log(a=1, silent=True)
    logger.log(a=2, b=3, silent=True)
    logger.flush()
    logger.flush()
    logger.log(a=4, silent=True)
    assert rows_of(root) == [{"a": 2, "b": 3}, {"a": 4}]


@pytest.mark.parametrize("name", ["step", "timestep", "global_step", "epoch"])
def test_each_name_of_a_step_ends_rows(logger: ML_Logger, root: Path, name: str) -> None:
    for i in (3, 3, 1):
        logger.log(**{name: i, f"m{i}": 1}, silent=True)
    assert rows_of(root) == [{name: 3, "m3": 1}, {name: 1, "m1": 1}]


def test_a_step_that_is_no_integer_is_a_plain_metric(logger: ML_Logger, root: Path) -> None:
    logger.log(step=0.5, a=1, silent=True)
    logger.log(step="late", b=1, silent=True)
    assert rows_of(root) == [{"step": 0.5, "a": 1}, {"step": "late", "b": 1}]


def test_calls_without_a_step_join_the_open_row(logger: ML_Logger, root: Path) -> None:
    logger.log(step=1, a=1, silent=True)
    logger.log(b=2, silent=True)
    logger.log(step=2, a=3, silent=True)
    assert rows_of(root) == [{"step": 1, "a": 1, "b": 2}, {"step": 2, "a": 3}]


def test_tables_have_rows_of_their_own(logger: ML_Logger, root: Path) -> None:
    logger.log(step=1, a=1, silent=True)
    logger.log(step=5, a=2, file="dense.pkl", silent=True)
    logger.log(b=3, silent=True)
    assert rows_of(root) == [{"step": 1, "a": 1, "b": 3}]
    assert rows_of(root, table="dense.pkl") == [{"step": 5, "a": 2}]


# ── prefixes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_prefix_writes_sub_paths_of_the_run(logger: ML_Logger, root: Path) -> None:
    with logger.Prefix("eval"):
        assert logger.prefix == "run/eval"
        logger.log(step=1, acc=0.5, silent=True)
        with logger.Prefix(".."):
            assert logger.prefix == "run"
        with logger.Prefix("deep", "er"):
            logger.log_text("hello", "note.txt")
    assert logger.prefix == "run"
    assert rows_of(root, table="eval/metrics.pkl") == [{"step": 1, "acc": 0.5}]
    assert (root / "run/eval/deep/er/note.txt").read_text() == "hello"
    assert [path.name for path in root.glob("**/run.json")] == ["run.json"]


def test_prefix_outside_of_the_run_is_another_run(logger: ML_Logger, root: Path) -> None:
    logger.log(a=1, silent=True)
    with logger.Prefix("/other"):
        logger.log(a=2, silent=True)
    assert rows_of(root, "other") == [{"a": 2}]
    assert (root / "other/run.json").exists()
    with pytest.raises(InvalidKeyError, match="above the root"), logger.Prefix("../.."):
        pass


def test_prefixes_of_metrics_replace_each_other(logger: ML_Logger, root: Path) -> None:
    with logger.Prefix(metrics="eval"):
        logger.log(step=1, acc=1, silent=True)
        with logger.Prefix(metrics="test"):
            logger.log(acc=2, silent=True)
        with logger.Prefix(metrics=False):
            logger.log(acc=3, silent=True)
    assert rows_of(root) == [{"step": 1, "eval/acc": 1, "test/acc": 2, "acc": 3}]


def test_threads_and_tasks_have_prefixes_of_their_own(logger: ML_Logger) -> None:
    seen: dict[str, str] = {}
    barrier = threading.Barrier(2)

    def work(name: str) -> None:
        with logger.Prefix(name):
            barrier.wait(5)
            seen[name] = logger.prefix
            barrier.wait(5)

    async def task(name: str) -> None:
        with logger.Prefix(name):
            await asyncio.sleep(0.01)
            seen[name] = logger.prefix

    async def both() -> None:
        await asyncio.gather(task("c"), task("d"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(both())
    assert seen == {name: f"run/{name}" for name in "abcd"}
    assert logger.prefix == "run"


def test_threads_lose_nothing(logger: ML_Logger, root: Path) -> None:
    def work(number: int) -> None:
        for i in range(200):
            logger.log({f"t{number}": i}, step=number * 1000 + i, silent=True)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept: dict[str, set[int]] = {}
    for row in rows_of(root):
        for name, value in row.items():
            kept.setdefault(name, set()).add(value)
    assert {name: len(found) for name, found in kept.items() if name != "step"} == {f"t{n}": 200 for n in range(8)}
    assert len(run_of(root).logs) == 1
    assert logger.status()["accepted"] == logger.status()["journaled"] == 1600


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_touched_before_the_first_record(root: Path) -> None:
    ML_Logger(root=str(root), prefix="x")
    assert not root.exists()


def test_run_json_is_written_once_and_never_changed(logger: ML_Logger, root: Path) -> None:
    logger.log(a=1, silent=True)
    before = (root / "run/run.json").read_bytes()
    meta = json.loads(before)
    assert meta["key"] == "run"
    assert meta["pid"] == os.getpid()
    other = ML_Logger(root=str(root), prefix="run")
    other.log(a=2, silent=True)
    assert (root / "run/run.json").read_bytes() == before
    headers = [log.header for log in run_of(root).writers]
    assert {header.run_uuid for header in headers} == {meta["uuid"]}
    other.close()


def test_a_second_writer_joins_while_the_first_lives_and_is_a_new_attempt_afterwards(logger: ML_Logger, root: Path) -> None:
    logger.log(a=1, silent=True)
    beside = ML_Logger(root=str(root), prefix="run")
    beside.log(a=2, silent=True)
    beside.close()
    logger.close()
    resumed = ML_Logger(root=str(root), prefix="run")
    resumed.log(a=3, silent=True)
    assert [log.attempt for log in run_of(root).writers] == [0, 0, 1]
    assert rows_of(root) == [{"a": 3}]
    resumed.close()


def test_ranks_of_one_launch_share_an_attempt_and_a_requeue_is_a_new_one(root: Path) -> None:
    def start(**variables: str) -> Session:
        session = Session(str(root), "run", env=settings.read({"HOME": "/nonexistent", **variables}), printer=Printer(color=False))
        session.emit(__import__("ml_logger.records").records.Row({"a": 1}))
        session.close()
        return session

    for restart, rank in ((0, 0), (0, 1), (1, 0)):
        start(SLURM_JOB_ID="7", SLURM_PROCID=str(rank), SLURM_RESTART_COUNT=str(restart))
    assert [(log.attempt, log.header.rank) for log in run_of(root).writers] == [(0, 0), (0, 1), (1, 0)]


def test_configure_starts_another_run_and_ends_the_first(logger: ML_Logger, root: Path) -> None:
    logger.log(a=1, silent=True)
    logger.configure(prefix="second", silent=True)
    assert logger.root == str(root)
    logger.log(a=2, silent=True)
    assert run_of(root).writers[0].reader.ended
    assert rows_of(root, "second") == [{"a": 2}]
    with pytest.raises(SettingsError, match="no such argument"):
        logger.configure(prefiks="x")
    with pytest.raises(SettingsError, match="must be a path"):
        logger.configure(root="ftp://x")


def test_clone_writes_a_journal_of_its_own(logger: ML_Logger, root: Path) -> None:
    logger.log(a=1, silent=True)
    twin = logger.clone()
    assert (twin.root, twin.prefix) == (logger.root, logger.prefix)
    twin.log(a=2, silent=True)
    assert len(run_of(root).logs) == 2
    twin.close()


def test_the_logger_is_a_context(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ML_Logger(root=str(root), prefix="run") as logger:
        logger.log(a=1)
        assert capsys.readouterr().out == ""
    assert "│         a          │         1          │" in capsys.readouterr().out
    logger.close()


# ── troubles ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_root_that_cannot_be_written_is_named_once_and_the_data_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ML_LOGGER_SPOOL", str(tmp_path / "spool"))
    root = tmp_path / "root"
    root.write_text("a file is in the way")
    logger = ML_Logger(root=str(root), prefix="run")
    for i in range(5):
        logger.log(step=i, a=1, silent=True)
    logger.log_params(Args={"lr": 1}, silent=True)
    status = logger.status()
    assert (status["accepted"], status["dropped"], status["state"]) == (status["journaled"], 0, "fallback")
    assert status["spool_bytes"] > 0
    errors = capfd.readouterr().err
    assert errors.count(f"cannot write {root}") == 1
    assert len(list((tmp_path / "spool").rglob("*.mlog"))) == 1
    root.unlink()
    logger.close()
    assert len(rows_of(root)) == 5
    assert not list((tmp_path / "spool").rglob("*.mlog"))


def test_status_counts(logger: ML_Logger) -> None:
    assert logger.status()["accepted"] == 0
    logger.log(a=1, silent=True)
    logger.flush(timeout=1, durable=True)
    status = logger.status()
    assert {name: status[name] for name in ("accepted", "journaled", "acked", "dropped", "duplicates", "spool_bytes", "state")} == {
        "accepted": 1, "journaled": 1, "acked": 1, "dropped": 0, "duplicates": 0, "spool_bytes": 0, "state": "ok",
    }  # fmt: skip
    logger.close()
    logger.close()
    assert logger.status()["state"] == "closed"


def test_a_place_is_a_prefix_and_a_name() -> None:
    assert Place("a") == ("a", "")


def test_a_changed_step_ends_the_row_whatever_it_is(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    steps = [0.5, 1.0, "x", "y", 2**70, 1, None, True, -3, float("nan"), float("nan")]
    for n, step in enumerate(steps):
        logger.log(step=step, n=n, silent=True)
        logger.log(more=n, silent=True)
    logger.log(epoch=0.25, n=20, silent=True)
    logger.log(epoch=0.5, n=21, silent=True)
    logger.flush()
    found = logger.load_pkl("metrics.pkl") or []
    assert [row["n"] for row in found] == [0, 1, 2, 3, 4, 7, 8, 9, 10, 20, 21]  # None is no step, and True is 1
    assert [row.get("more") for row in found] == [0, 1, 2, 3, 4, 7, 8, 9, 10, None, None]
    logger.close()
