"""The object as a whole: text, counters, clocks, places, spellings of the root, and how its families fit together."""

from __future__ import annotations

import ast
import copy
import datetime as dt
import inspect
import pickle
import re
import time
from pathlib import Path

import pytest

import ml_logger
from ml_logger import LOGGER_USER, ML_Logger, percent, settings
from ml_logger.errors import SettingsError
from ml_logger.logger import join_prefix, launch_name
from ml_logger.methods.metrics import MetricMethods


def test_text(logger: ML_Logger, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logger.print("a", 1, sep="-")
    logger.print("    indented\n    twice", dedent=True, file="notes/x.txt")
    logger.log_line("line", 2)
    logger.log_text("ü\n")
    logger.log_text(None)
    logger.log_text("    new\n", "fresh.txt", dedent=True)
    logger.log_text("newer\n", "fresh.txt", overwrite=True)
    logger.pprint({"b": 1, "a": [2]})
    logger.flush_print_buffer()
    assert capsys.readouterr().out == "a-1\nindented\ntwice\n{'a': [2], 'b': 1}\n"
    assert (root / "run/outputs.log").read_text("utf-8") == "a-1\nline 2\nü\n{'a': [2], 'b': 1}\n"
    assert (root / "run/notes/x.txt").read_text() == "indented\ntwice\n"
    assert (root / "run/fresh.txt").read_text() == "newer\n"


def test_counters_belong_to_one_logger(logger: ML_Logger) -> None:
    assert [logger.every(3) for _ in range(7)] == [False, False, True, False, False, True, False]
    assert [logger.every(2, "b", start_on=1) for _ in range(4)] == [True, False, True, False]
    assert logger.every(None) is False
    assert logger.count("c") == 1
    logger.clear("c")
    assert logger.count("c") == 1
    assert logger.clone().count("c") == 1


def test_timers(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    assert logger.since("a") is None
    assert logger.split("b") is None
    time.sleep(0.01)
    assert logger.since("a") >= 0.01
    first = logger.split("b")
    assert first >= 0.01
    assert logger.split("b") < first
    assert isinstance(logger.start(), float)
    assert len(logger.start("x", "y")) == 2
    assert len(logger.since("x", "y")) == 2
    with logger.time("step"):
        pass
    assert re.match(r"timing step: \d\.\dE", capsys.readouterr().out)
    for _ in range(2):
        with logger.time("many", interval=2):
            pass
    assert capsys.readouterr().out.count("timing many") == 1


def test_clocks(logger: ML_Logger) -> None:
    assert logger.now().tzinfo is not None
    assert logger.utcnow().tzinfo is None
    assert logger.now("%Y") == f"{dt.datetime.now():%Y}"  # noqa: DTZ005
    assert re.fullmatch(r"\d{8}", logger.utcnow("%Y%m%d"))


def test_s9_print_says_where_the_data_goes(logger: ML_Logger, root: Path) -> None:
    assert str(logger) == f"logging data to {root}/run"
    assert repr(logger) == f'ML_Logger(root="{root}", prefix="run")'


def test_an_address_can_be_opened(tmp_path: Path) -> None:
    logger = ML_Logger("ge/a b/ü 100%!", root=tmp_path)
    assert logger.get_dash_url() == "http://localhost:8081/r/ge/a%20b/%C3%BC%20100%25!"


def test_s23_configure_prints_three_lines(logger: ML_Logger, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logger.configure(prefix="user-name/your-experiment-prefix!")
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "✓ created a new logging client"
    assert second.startswith("Dashboard: ")
    assert third == f"Log_directory: {root}"
    logger.configure(prefix="x", silent=True)
    assert capsys.readouterr().out == ""
    logger.configure(root="http://127.0.0.1:9", prefix="a/b")
    assert "Dashboard: http://127.0.0.1:9/r/a/b" in capsys.readouterr().out
    pin = f"#sha256={'136e' * 16}"
    logger.configure(root=f"https://vm:8443{pin}", prefix="a/b")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["Dashboard: https://vm:8443/r/a/b", f"Log_directory: https://vm:8443{pin}"]
    assert str(logger) == "logging data to https://vm:8443/a/b"


def test_s39_s40_s48_spellings_of_the_root(tmp_path: Path) -> None:
    logger = ML_Logger(root_dir=str(tmp_path / "a"), prefix="deep_Q_learning/now")
    assert (logger.root, logger.prefix) == (str(tmp_path / "a"), "deep_Q_learning/now")
    logger.configure(str(tmp_path / "b"), "deep_Q_learning", "now", silent=True)
    assert (logger.root, logger.prefix) == (str(tmp_path / "b"), "deep_Q_learning/now")
    logger.configure(log_directory=str(tmp_path / "c"), silent=True)
    assert logger.root == str(tmp_path / "c")
    logger.configure(f"file://{tmp_path}/d", silent=True)
    assert logger.root == f"{tmp_path}/d"
    logger.configure("x", "y", silent=True)
    assert logger.prefix == "x/y"
    logger.configure("http://0.0.0.0:8081/", silent=True)
    assert logger.root == "http://127.0.0.1:8081"


def test_a_root_that_is_none_is_refused(logger: ML_Logger, tmp_path: Path) -> None:
    for root in ("http://", "https:///x", "ftp://host", 3):
        with pytest.raises(SettingsError, match="root"):
            logger.configure(root=root)
    with pytest.raises(SettingsError, match="summary_cache_opts"):
        logger.configure(summary_cache_opts={"windows": 3})
    assert not (tmp_path / "http:").exists()


def test_what_holds_a_logger_can_be_copied_and_pickled(logger: ML_Logger) -> None:
    agent = {"logger": logger, "name": "agent"}
    for other in (copy.deepcopy(agent), pickle.loads(pickle.dumps(agent)), copy.copy(logger), logger.clone()):
        twin = other["logger"] if isinstance(other, dict) else other
        assert (twin.root, twin.prefix, twin.session.asynchronous) == (logger.root, logger.prefix, logger.session.asynchronous)
        twin.log(step=1, loss=0.5, silent=True)
        twin.close()
    assert len(logger.load_pkl("metrics.pkl")) == 4


def test_s8_prefixes_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "me")
    env = settings.read({"ML_LOGGER_USER": "ge"})
    assert join_prefix(("{USER}/scratch", "$WHO", "{now:%Y}"), env) == f"ge/scratch/me/{dt.datetime.now():%Y}"  # noqa: DTZ005
    given = ("$WHO/x", "$NOBODY/y", "$NOBODY", "$100/z", "a$WHO")
    assert [join_prefix((part,), env) for part in given] == ["me/x", "y", "", "$100/z", "a$WHO"]
    assert join_prefix(("a{b}c", "{", ""), env) == "a{b}c/{"


def test_ranks_agree_on_a_name_and_restarts_too() -> None:
    now = dt.datetime(2024, 1, 2)  # noqa: DTZ001 - the user's own clock
    assert launch_name("slurm-7--0", now) == launch_name("slurm-7--1", now) == "slurm-7"
    assert launch_name("torchrun-job1-29500-0", now) == "torchrun-job1-29500"
    assert launch_name("torchrun-none-29500-0", now).startswith("torchrun-20240102-")


def test_paths(logger: ML_Logger) -> None:
    assert logger.abspath("a", "b") == "/run/a/b"
    assert logger.abspath("/a") == "/a"
    assert logger.truncate("a/b/c", -2) == "b/c"
    assert logger.stem("a/b.c") == "a/b"
    assert logger.get_dash_url("x") == "http://localhost:8081/r/run/x"


def test_sync_and_async_blocks(logger: ML_Logger) -> None:
    with logger.Sync():
        assert logger.session.asynchronous is False
        with logger.Async():
            assert logger.session.asynchronous is True
        logger.log(a=1, silent=True)
    assert logger.session.asynchronous is True


def test_s13_s54_s57_top_level_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_LOGGER_USER", "somebody")
    assert ml_logger.LOGGER_USER == ml_logger.USER == "somebody"
    assert isinstance(LOGGER_USER, str)
    assert percent(0.85) == "85.0%"
    for name in ("Color", "ML_Logger", "SummaryCache", "red", "green", "yellow", "gray", "grey", "brown", "default", "ms", "sec", "ROOT"):
        assert getattr(ml_logger, name) is not None
        assert name in dir(ml_logger)
    assert [ml_logger.pJoin("a", "", None, "b"), ml_logger.pJoin("a", "/b"), ml_logger.pJoin(None)] == ["a/b", "/b", None]
    with pytest.raises(AttributeError, match="nope"):
        ml_logger.nope  # noqa: B018


def test_families_have_disjoint_names_no_state_and_documented_methods() -> None:
    owners: dict[str, str] = {}
    for family in ML_Logger.__mro__[1:-2]:
        assert family.__dict__.get("__slots__") in ((), ("session",)), family
        if family.__name__ == "Methods":
            continue
        assert "__init__" not in vars(family)
        for name, value in vars(family).items():
            if name.startswith("_"):
                continue
            assert owners.setdefault(name, family.__name__) == family.__name__
            target = value.__func__ if isinstance(value, staticmethod) else value
            assert inspect.getdoc(target), f"{family.__name__}.{name} has no docstring"
    assert len(owners) > 60


def test_help_says_what_an_editor_shows() -> None:
    """`log` is written twice, as editors see it and as it runs: `help(logger.log)` tells the same as a hover."""
    source = inspect.getsource(MetricMethods)
    docs = [ast.get_docstring(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.name == "log"]
    assert len(docs) == 2
    assert docs[0] == docs[1] == inspect.getdoc(ML_Logger.log)
    assert all(f"`{word}" in docs[0] for word in ("silent", "metrics", "sep", "end", "flush", "file", "cache", "_prefix"))
