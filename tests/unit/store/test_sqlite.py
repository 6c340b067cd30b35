"""The store against what was logged: every point, in any order, after any restart, with or without its index."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ml_logger import ML_Logger
from ml_logger.formats import frames, messages
from ml_logger.safe_fs import Entry, SafeRoot
from ml_logger.store import live
from ml_logger.store.base import MIP64, MIP4096, RAW
from ml_logger.store.rundir import RunDir
from ml_logger.store.sqlite import SqliteStore, open_store


def points(store: SqliteStore, metric: str, level: int = RAW) -> dict[tuple[str, int], list[tuple[int, float]]]:
    """Return (step, value) of every series of a metric, by run and writer."""
    snapshot = store.snapshot()
    names = dict(zip(snapshot.ids.tolist(), snapshot.keys, strict=True))
    found: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for chunk in store.read(metric, level=level):
        found.setdefault((names[chunk.run], chunk.writer), []).extend(zip(chunk.steps.tolist(), chunk.mean.tolist(), strict=True))
    return found


def only(store: SqliteStore, metric: str) -> list[tuple[int, float]]:
    (series,) = points(store, metric).values()
    return series


def everything(store: SqliteStore) -> object:
    """Return all that a dashboard could show."""
    rows = sorted(store.snapshot().rows(range(len(store.snapshot()))), key=lambda row: row.key)
    series = {metric: sorted(map(sorted, points(store, metric).values())) for metric in store.metrics()}
    return [(row.key, row.params, row.metrics, row.points, row.attempts) for row in rows], series


def log_some(root: Path, runs: int = 3, steps: int = 50) -> None:
    for run in range(runs):
        logger = ML_Logger(f"sweep/run-{run}", root=root)
        logger.log_params(Args={"lr": 10.0**-run, "opt": "adam"}, silent=True)
        for step in range(steps):
            logger.log(step=step, loss=run + 1 / (step + 1), note="text", silent=True)
        logger.close()


def test_deleting_the_index_changes_nothing(tmp_path: Path) -> None:
    log_some(tmp_path)
    with open_store(tmp_path) as store:
        before = everything(store)
    with open_store(tmp_path) as store:
        assert everything(store) == before
    shutil.rmtree(tmp_path / ".ml-logger" / "index")
    with open_store(tmp_path) as store:
        assert everything(store) == before


@pytest.mark.parametrize("junk", [b"", b"no database", os.urandom(9000)])
def test_an_unreadable_index_is_made_anew(tmp_path: Path, junk: bytes) -> None:
    log_some(tmp_path, runs=1)
    with open_store(tmp_path) as store:
        before = everything(store)
    (tmp_path / ".ml-logger" / "index" / "index.sqlite").write_bytes(junk)
    with open_store(tmp_path) as store:
        assert everything(store) == before


def test_a_live_run_is_seen_and_then_folded(tmp_path: Path) -> None:
    logger = ML_Logger("a", root=tmp_path)
    with open_store(tmp_path) as store:
        version = store.version
        for step in range(10):
            logger.log(step=step, loss=float(step), silent=True)
        store.poke("a")
        assert only(store, "loss") == [(step, float(step)) for step in range(10)]
        (change,) = store.changes(version)
        assert change.run == "a"
        assert {"rows", "new"} <= set(change.what)
        assert change.last_step == 9
        for step in range(10, 5000):
            logger.log(step=step, loss=float(step), silent=True)
        store.poke("a")
        assert store.live["a"].writers[next(iter(store.live["a"].writers))].tail.count == 1, "all but the open row is folded"
        logger.log(step=5000, loss=5000.0, silent=True)
        store.poke("a")
        assert only(store, "loss") == [(step, float(step)) for step in range(5001)]
        assert store.snapshot().metric("loss").numbers[0] == 5000.0
    logger.close()
    with open_store(tmp_path) as store:
        assert len(only(store, "loss")) == 5001


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-50, 50), st.floats(), st.booleans()), min_size=1, max_size=60), st.integers(0, 3))
def test_any_order_of_steps_and_any_value(tmp_path: Path, logged: list[tuple[int, float, bool]], restarts: int) -> None:
    """The model is a plain list: rows of one writer, a later value of the same open row winning."""
    root = tmp_path / str(time.perf_counter_ns())
    logger = ML_Logger("r", root=root)
    model: list[tuple[int, float]] = []
    for step, value, flush in logged:
        logger.log(step=step, v=value, silent=True)
        if model and model[-1][0] == step and not model[-1][2:]:
            model.pop()
        model.append((step, value))
        if flush:
            logger.flush()
            model[-1] = (*model[-1], True)  # type: ignore[assignment]
    expected = [(step, value) for step, value, *_ in model]
    logger.close()
    for _ in range(restarts + 1):
        with open_store(root) as store:
            found = only(store, "v")
            assert sorted(map(repr, found)) == sorted(map(repr, expected))
            summary = store.snapshot().rows([0])[0].metrics["v"]
            finite = [value for _, value in expected if math.isfinite(value)]
            assert summary.n == len(expected)
            assert summary.bad == len(expected) - len(finite)
            assert summary.min == (min(finite) if finite else None)
            assert summary.max == (max(finite) if finite else None)


def test_levels_hold_every_point(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=20_000)
    values[77] = math.nan
    values[9000] = 50.0
    logger = ML_Logger("long", root=tmp_path)
    for step, value in enumerate(values.tolist()):
        logger.log(step=step, v=value, silent=True)
    logger.close()
    with open_store(tmp_path) as store:
        for level in (MIP64, MIP4096):
            chunks = list(store.read("v", level=level))
            assert sum(float(chunk.count.sum()) for chunk in chunks) == 20_000
            assert sum(float(chunk.bad.sum()) for chunk in chunks) == 1
            assert max(float(np.nanmax(chunk.high)) for chunk in chunks) == 50.0
            total = sum(float((chunk.mean * (chunk.count - chunk.bad)).sum()) for chunk in chunks)
            assert total == pytest.approx(np.nansum(values))
        inside = [step for chunk in store.read("v", lo=500, hi=600) for step in chunk.steps.tolist()]
        assert set(range(500, 601)) <= set(inside)
        (stats,) = store.series("v")
        assert (stats.n, stats.bad, stats.step_min, stats.step_max) == (20_000, 1, 0, 19_999)


def test_writers_and_attempts_stay_apart(tmp_path: Path) -> None:
    for attempt in range(2):
        logger = ML_Logger("r", root=tmp_path)
        for step in range(5):
            logger.log(step=step, v=float(attempt), silent=True)
        logger.close()
    with open_store(tmp_path) as store:
        assert len(points(store, "v")) == 2
        assert sorted(writer.attempt for writer in store.writers()) == [0, 1]  # numbered as found: by random names
        row = store.snapshot().rows([0])[0]
        assert (row.attempts, row.writers, row.metrics["v"].n, row.metrics["v"].max) == (2, 2, 5, 1.0)
    rows = RunDir(SafeRoot(tmp_path), "r").refresh().rows()
    assert [row["v"] for row in rows] == [1.0] * 5


def log_attempt(root: Path, **values: float) -> None:
    logger = ML_Logger("r", root=root)
    logger.log_params(args={"lr": 0.1}, silent=True)
    if values:
        logger.log(step=0, silent=True, **values)
    logger.close()


def test_a_metric_that_only_an_earlier_attempt_logged_stays(tmp_path: Path) -> None:
    """As its points do: a job that is started again and has logged nothing yet hides none of them, whichever way it is read."""
    log_attempt(tmp_path, loss=1.0, score=5.0)
    with open_store(tmp_path) as store:
        log_attempt(tmp_path)
        store.refresh()
        assert set(store.metrics()) == {"loss", "score"}
        log_attempt(tmp_path, loss=2.0)
        store.refresh()
        followed = everything(store)
    with open_store(tmp_path) as store:
        assert everything(store) == followed, "as it was saved"
    shutil.rmtree(tmp_path / ".ml-logger/index")
    with open_store(tmp_path) as store:
        assert everything(store) == followed, "as it is read at once"
        row = store.snapshot().rows([0])[0]
        assert {name: (found.last, found.n) for name, found in row.metrics.items()} == {"loss": (2.0, 1), "score": (5.0, 1)}


def test_a_second_process_reads_while_the_first_holds_the_index(tmp_path: Path) -> None:
    log_some(tmp_path, runs=2)
    with open_store(tmp_path) as first, open_store(tmp_path) as second:
        assert first.database.writable
        assert not second.database.writable
        assert everything(first) == everything(second)
        logger = ML_Logger("sweep/new", root=tmp_path)
        logger.log(step=1, loss=9.0, silent=True)
        for store in (first, second):
            store.refresh()
            assert "sweep/new" in store.snapshot().keys
        logger.close()


def test_one_damaged_run_does_not_stop_the_others(tmp_path: Path) -> None:
    log_some(tmp_path, runs=3)
    (journal,) = (tmp_path / "sweep" / "run-1").glob("*.mlog")
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 0xFF
    journal.write_bytes(data)
    future = tmp_path / "future" / "metrics.h-0-abc.mlog"
    future.parent.mkdir()
    future.write_bytes(frames.MAGIC[:-1] + b"\x63" + b"from the future")
    before = future.read_bytes()
    with open_store(tmp_path) as store:
        counts = {key: len(series) for (key, _), series in points(store, "loss").items()}
        assert counts["sweep/run-0"] == counts["sweep/run-2"] == 50
        assert counts["sweep/run-1"] >= 48
        damaged = [writer.info.damaged for writer in store.writers() if store.snapshot().keys[writer.run - 1] == "sweep/run-1"]
        assert damaged == [1]
    assert future.read_bytes() == before


def test_a_run_that_was_removed_is_forgotten(tmp_path: Path) -> None:
    log_some(tmp_path, runs=3)
    with open_store(tmp_path) as store:
        shutil.rmtree(tmp_path / "sweep" / "run-1")
        store.refresh()
        assert sorted(store.snapshot().keys) == ["sweep/run-0", "sweep/run-2"]
        assert {key for key, _ in points(store, "loss")} == {"sweep/run-0", "sweep/run-2"}
        assert store.metrics()["loss"] == (2, 100, True)


def test_a_directory_that_was_copied_is_a_run_of_its_own(tmp_path: Path) -> None:
    log_some(tmp_path, runs=1)
    shutil.copytree(tmp_path / "sweep" / "run-0", tmp_path / "elsewhere" / "copy")
    with open_store(tmp_path) as store:
        assert sorted(store.snapshot().keys) == ["elsewhere/copy", "sweep/run-0"]
        a, b = points(store, "loss").values()
        assert a == b


def test_tags_and_notes_are_kept_outside_of_the_index(tmp_path: Path) -> None:
    log_some(tmp_path, runs=2)
    with open_store(tmp_path) as store:
        store.state_put("runs", "sweep/run-1", {"tags": ["best"], "notes": "look here", "archived": True})
        assert store.snapshot().tagged("best").sum() == 1
    shutil.rmtree(tmp_path / ".ml-logger" / "index")
    with open_store(tmp_path) as store:
        snapshot = store.snapshot()
        at = snapshot.position("sweep/run-1")
        assert at is not None
        assert snapshot.tagged("best")[at]
        assert snapshot.containing("look")[at]
        row = snapshot.rows([at])[0]
        assert (row.tags, row.notes, row.archived) == (["best"], "look here", True)


def test_a_run_that_stops_without_a_word_is_lost(tmp_path: Path) -> None:
    logger = ML_Logger("r", root=tmp_path / "elsewhere")
    logger.log(step=0, v=1.0, silent=True)
    shutil.copytree(tmp_path / "elsewhere/r", tmp_path / "copy/r")  # as rsync does: nobody holds the lock of this one
    logger.close()
    with open_store(tmp_path / "copy") as store:
        journals = store.root.scan("r")
        files = [entry for entry in journals if entry.name.endswith(".mlog")]
        now = time.time()
        assert store.snapshot().rows([0])[0].status == "running"
        assert not store.take_run("r", files, now + 500)
        assert store.take_run("r", files, now + 700)
        assert store.snapshot().rows([0])[0].status == "lost"
        assert not store.take_run("r", files, now + 800)


@pytest.mark.parametrize("is_over", [False, True], ids=["in memory", "let go of"])
def test_a_run_that_grows_is_running_whatever_the_clock_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_over: bool) -> None:
    """The server's clock, or that of the machine that trains, may be hours off."""
    logger = ML_Logger("r", root=tmp_path / "elsewhere")
    copy = tmp_path / "copy/r"

    def grown(step: int) -> list[Entry]:
        logger.log(step=step, v=1.0, silent=True)
        shutil.copytree(tmp_path / "elsewhere/r", copy, dirs_exist_ok=True)  # nobody holds the lock of this one
        return [entry for entry in SafeRoot(tmp_path / "copy").scan("r") if entry.name.endswith(".mlog")]

    grown(0)
    with open_store(tmp_path / "copy") as store:
        later = time.time() + 3 * 3600
        if is_over:
            with monkeypatch.context() as silent:
                silent.setattr(live, "SILENT_S", 0.0)
                assert store.take_run("r", grown(0), later)
            assert (store.snapshot().rows([0])[0].status, store.live) == ("lost", {})
            store.is_caught_up = True
        assert store.take_run("r", grown(2), later)
        assert store.snapshot().rows([0])[0].status == "running"
        monkeypatch.setattr(live, "SILENT_S", 0.0)  # and when it has been silent for long by a right clock, it is lost
        assert store.take_run("r", grown(2), later)
        assert store.snapshot().rows([0])[0].status == "lost"
    logger.close()


VICTIM = """
import sys, time
from ml_logger.store.sqlite import open_store
store = open_store(sys.argv[1])
print("ready", flush=True)
while True:
    store.refresh()
"""


def test_the_index_survives_kill_at_any_moment(tmp_path: Path) -> None:
    """A process that indexes a growing root is killed again and again; what is answered afterwards is complete."""
    logger = ML_Logger("r", root=tmp_path)
    step = 0
    for round_ in range(6):
        victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(tmp_path)], stdout=subprocess.PIPE)
        assert victim.stdout is not None
        assert victim.stdout.readline()
        for _ in range(1500 + 100 * round_):
            logger.log(step=step, v=float(step), silent=True)
            step += 1
        time.sleep(0.02 * round_)
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        victim.stdout.close()
    logger.close()
    with open_store(tmp_path) as store:
        assert only(store, "v") == [(n, float(n)) for n in range(step)]


def test_values_before_the_step_of_their_row(tmp_path: Path) -> None:
    logger = ML_Logger("r", root=tmp_path)
    for step in range(3):
        logger.log(a=float(step), silent=True)
        logger.log(step=10 * step, b=1.0, silent=True)
        logger.flush()
    logger.close()
    with open_store(tmp_path) as store:
        assert [step for step, _ in only(store, "a")] == [0, 10, 20]


def test_a_marker_inside_a_text_is_no_frame(tmp_path: Path) -> None:
    logger = ML_Logger("r", root=tmp_path)
    logger.log_text((frames.SYNC * 3).decode("latin-1"), "a.txt")
    logger.log(step=1, v=1.0, silent=True)
    logger.close()
    run = RunDir(SafeRoot(tmp_path), "r").refresh()
    assert run.problems == []
    assert len(run.messages(messages.Text)) == 1


ALL = [f"sweep/run-{number}" for number in range(3)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("un-1", ALL[1:2]), ("RUN adam", ALL), ("ada", ALL), ("dam", []), ("looked", ALL[2:]), ("ooke un-2 opt", ALL[2:]),
        ("ooke un-1", []), ("line-b adam", ALL[:1]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("live", [False, True])
def test_words_are_found_wherever_they_are(tmp_path: Path, words: str, found: list[str], live: bool) -> None:
    log_some(tmp_path)
    with open_store(tmp_path) as store:
        store.state_put("runs", "sweep/run-2", {"notes": "Looked at"})
        store.state_put("runs", "sweep/run-0", {"tags": ["baseline-b"]})
        if live:
            for number in range(3):
                again = ML_Logger(f"sweep/run-{number}", root=tmp_path)
                again.log(step=99, loss=0.0, silent=True)
            store.refresh()
        snapshot = store.snapshot()
        assert sorted(snapshot.keys[at] for at in np.flatnonzero(snapshot.containing(words))) == found


@given(st.text(max_size=30))
@example("\0")
@example('\ud800 "*')
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_text_is_too_odd_to_be_looked_for(tmp_path: Path, text: str) -> None:
    if not (tmp_path / "sweep").exists():
        log_some(tmp_path, runs=1, steps=1)
    with open_store(tmp_path) as store:
        store.snapshot().containing(text)
