"""Runs that nobody could have written: they are listed as far as they can be read, and never keep a question from the others."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.queries import GetRun, Glob, ListFiles, SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store import fsck, live
from ml_logger.store.sqlite import open_store


def log_run(root: Path, key: str, steps: int = 3) -> None:
    logger = ML_Logger(key, root=str(root))
    for step in range(steps):
        logger.log(step=step, loss=0.5, silent=True)
    logger.close()


def laughs() -> str:
    """A YAML file of a kilobyte that says 9**10 words when its references are followed."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for name, of in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{','.join([f'*{of}'] * 9)}]")
    return "\n".join([*lines, "charts: *j"])


ODD: dict[str, dict[str, bytes]] = {
    "laughs": {"run.json": b"{}", ".charts.yml": laughs().encode()},
    "deep": {"run.json": b"[" * 200_000, ".charts.yml": b"[" * 100_000},
    "no text": {"run.json": b"\xff\xfe{"},
    "a list": {"run.json": b"[1, 2]"},
    "beyond time": {"run.json": json.dumps({"created": 1e300, "host": 5, "user": {"a": 1}, "uuid": [1]}).encode()},
    "no time": {"run.json": b'{"created": NaN}'},
    "old": {
        "parameters.pkl": pickle.dumps({"Args": {"big": 10**5000}}) + b"\x80\x04junk",
        "metrics.pkl": pickle.dumps({"loss": 10**5000, "step": 2**70}) + pickle.dumps([1]) + pickle.dumps({1: 2, None: 3}) + b"junk",
    },
}


def test_odd_files_of_runs(tmp_path: Path) -> None:
    for key, files in ODD.items():
        (tmp_path / key).mkdir()
        for name, data in files.items():
            (tmp_path / key / name).write_bytes(data)
    (tmp_path / "a directory" / "run.json").mkdir(parents=True)
    log_run(tmp_path, "zz/good")
    store = open_store(tmp_path)
    engine = Engine(store, store.root)
    found = engine.answer(SearchRuns())
    assert {row.key for row in found.rows} >= {*ODD, "zz/good"}
    for key in ODD:
        detail = engine.answer(GetRun(key))
        assert len(detail.panels) < 300
    store.close()


def test_names_and_files_that_nobody_could_have_logged(tmp_path: Path) -> None:
    """Before, one directory with such a name ended every look at all files."""
    for name in (b"new\nline", b"bad\xff\xfename", b"a pipe", b"another pipe", b"/".join([b"deep"] * 60)):
        place = os.fsencode(tmp_path) + b"/" + name
        os.makedirs(place)
        if name.endswith(b"pipe"):
            os.mkfifo(place + (b"/metrics.h-0-u.mlog" if name == b"a pipe" else b"/run.json"))
        else:
            Path(os.fsdecode(place + b"/run.json")).write_bytes(b"{}")
    log_run(tmp_path, "good")
    report = fsck.check(SafeRoot(tmp_path))
    assert {fault.file for fault in report.damaged} == {"a pipe/metrics.h-0-u.mlog", "another pipe/run.json"}
    assert {fault.reason for fault in report.damaged} == {"no file: a pipe, a socket or a link"}
    fsck.mend(SafeRoot(tmp_path), report)
    assert fsck.check(SafeRoot(tmp_path)).damaged == []
    store = open_store(tmp_path)
    engine = Engine(store, store.root)
    assert "good" in {row.key for row in engine.answer(SearchRuns()).rows}
    assert "good/run.json" in {file.path for file in engine.answer(ListFiles("", recursive=True)).entries}
    assert "good/run.json" in engine.answer(Glob("**/run.json")).keys
    store.close()


def test_a_fault_that_nobody_thought_of_costs_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    for key in ("lab/a", "lab/b", "lab/c"):
        log_run(tmp_path, key)
    refresh, met = live.LiveRun.refresh, []

    def fails(run: live.LiveRun, *args: Any) -> bool:
        if run.key == "lab/b":
            met.append(refresh(run, *args))  # what it read must not be kept by halves
            raise ZeroDivisionError("division by zero")
        return refresh(run, *args)

    monkeypatch.setattr(live.LiveRun, "refresh", fails)
    store = open_store(tmp_path)
    engine = Engine(store, store.root)
    assert met == [True]
    assert {row.key: row.points for row in engine.answer(SearchRuns()).rows} == {"lab/a": 3, "lab/c": 3}
    assert "lab/b: it cannot be read: ZeroDivisionError: division by zero; the other runs are not concerned" in capfd.readouterr().err
    log_run(tmp_path, "lab/d")
    store.refresh()  # it is not tried again, and nothing stands still
    assert len(met) == 1
    assert {row.key for row in engine.answer(SearchRuns()).rows} == {"lab/a", "lab/c", "lab/d"}
    store.close()
    monkeypatch.undo()
    store = open_store(tmp_path)  # once it can be read, all of it is there, once
    rows = {row.key: row.points for row in Engine(store, store.root).answer(SearchRuns()).rows}
    assert rows == dict.fromkeys(("lab/a", "lab/b", "lab/c", "lab/d"), 3)
    store.close()
