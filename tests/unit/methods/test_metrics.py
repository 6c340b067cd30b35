"""Logging rows as the README does: what is printed, kept, summed up and read back."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_logger import Color, ML_Logger, green, percent


def rows(logger: ML_Logger, path: str = "metrics.pkl") -> list[dict[str, Any]]:
    from ml_logger.queries import ReadRows

    return logger.session.ask(ReadRows(logger.session.key(path))).tables[0].rows


def test_s10_keywords_come_before_metrics_and_flush_prints(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logger.log(metrics={"some_val/smooth": 10, "status": "step (0)"}, reward=20, timestep=0)
    assert capsys.readouterr().out == ""
    logger.flush()
    names = re.findall(r"│ +(\S.*?) +│", capsys.readouterr().out)
    assert names == ["reward", "timestep", "some val/smooth", "status"]


def test_s18_s25_only_ended_rows_are_printed(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    for epoch in range(3):
        logger.log(step=epoch, D_loss=0.2)
        logger.log_key_value(epoch, "some string key", 0.0012)
    printed = capsys.readouterr().out
    assert printed.count("╒") == 2
    assert "some string key" not in printed
    logger.flush()
    assert "         2          " in capsys.readouterr().out


def test_s19_log_key_value_takes_a_step_first(logger: ML_Logger) -> None:
    logger.log_key_value(3, "some string key", 0.0012)
    logger.log_key_value("other", 1)
    assert rows(logger) == [{"step": 3, "some string key": 0.0012, "other": 1}]


def test_s41_a_dict_first_is_metrics_and_the_step_is_not_printed(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logger.log({"some_var/smooth": 10}, some=Color(0.85, "yellow", percent), step=3)
    logger.flush()
    names = re.findall(r"│ +(\S.*?) +│", capsys.readouterr().out)
    assert names == ["some var/smooth", "some"]
    assert rows(logger) == [{"some_var/smooth": 10, "some": 0.85, "step": 3}]


def test_s55_each_step_is_a_table_of_its_own(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logger.log(some=Color(0.1, "yellow"), step=0)
    logger.log(some=Color(0.28571, "yellow", lambda v: f"{v * 100:.5f}%"), step=1)
    logger.log(some=Color(0.85, "yellow", percent), step=2)
    logger.log({"some_var/smooth": 10}, some=Color(0.85, "yellow", percent), step=3)
    logger.log(some=Color(10, "yellow"), step=4)
    cells = re.findall(r"│ +some +│ +(\S+) +│", capsys.readouterr().out)
    assert cells == ["0.1", "28.57100%", "85.0%", "85.0%"]
    assert [row["some"] for row in rows(logger)] == [0.1, 0.28571, 0.85, 0.85, 10]


def test_s57_an_integer_first_is_the_step(logger: ML_Logger) -> None:
    logger.log(10, some_key=green(0.5, percent))
    logger.log(np.int64(11), {"a": 1})
    assert rows(logger) == [{"step": 10, "some_key": 0.5}, {"step": 11, "a": 1}]


def test_s56_silence_per_call_and_per_key(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logger.log(step=0, a=1, b=2, silent=["a"])
    logger.log(step=1, c=3, silent=True)
    logger.log(step=2, d=4, silent="d")
    logger.flush()
    printed = capsys.readouterr().out
    assert re.findall(r"│ +(\S.*?) +│", printed) == ["step", "b", "step"]
    assert rows(logger)[0] == {"step": 0, "a": 1, "b": 2}


def test_colours_appear_when_forced_and_never_in_files(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    logger = ML_Logger(root=str(root), prefix="run")
    logger.log(a=green(1), step=0)
    logger.print("words", color="red")
    logger.log_params(Args={"x": 1}, silent=True)
    logger.flush()
    out = capsys.readouterr().out
    assert "\x1b[32m" in out
    assert "\x1b[31mwords\x1b[0m" in out
    assert b"\x1b" not in (root / "run/outputs.log").read_bytes()
    assert rows(logger) == [{"a": 1, "step": 0}]
    logger.close()


def test_text_arguments_become_a_line(logger: ML_Logger, root: Path) -> None:
    logger.log("hello", "world", step=1, a=2)
    assert (root / "run/outputs.log").read_text() == "hello world\n"
    assert rows(logger) == [{"step": 1, "a": 2}]


def test_options_of_log(logger: ML_Logger) -> None:
    logger.log(a=1, _prefix="eval/", file="dense.pkl", flush=True, silent=True)
    logger.log_metrics({"b": 2}, c=3, cache="other", silent=True)
    logger.flush_metrics("other")
    logger.log_metrics(b=4, cache="other", silent=True)
    assert rows(logger, "dense.pkl") == [{"eval/a": 1}]
    assert rows(logger, "other.pkl") == [{"c": 3, "b": 2}, {"b": 4}]


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("asked")

    __str__ = __float__ = __eq__ = __hash__ = __repr__  # type: ignore[assignment]


def test_hostile_values_are_marked_and_named_once(logger: ML_Logger, capfd: pytest.CaptureFixture[str]) -> None:
    circle: list[Any] = []
    circle.append(circle)
    for step in range(3):
        started = time.monotonic()
        logger.log(step=step, bad=Hostile(), circle=circle, big=1 << 200, good=1)
        assert time.monotonic() - started < 0.1
    logger.flush()
    found = rows(logger)
    assert [row["good"] for row in found] == [1, 1, 1]
    assert found[0]["big"] == 1 << 200
    assert "Hostile" in found[0]["bad"]
    assert capfd.readouterr().err.count("'bad': values of type") == 1


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        float("inf"),
        -0.0,
        5e-324,
        2**53 + 1,
        -(2**70),
        True,
        None,
        "ü",
        b"\x00",
        [1, [2.5]],
        {"a": {"b": 1}},
        dt.date(2024, 2, 29),
        {1, 2},
    ],
)
def test_values_come_back_as_they_were(logger: ML_Logger, value: Any) -> None:
    logger.log(a=value, silent=True)
    found = rows(logger)[0]["a"]
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_s30_s31_s32_s33_the_readme_s_summary(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(100):
        logger.store_metrics(metrics={"some_val/smooth": 10}, some=20, timestep=i)
    logger.peek_stored_metrics(len=4)
    peeked = capsys.readouterr().out
    logger.peak_stored_metrics(len=4)
    assert capsys.readouterr().out == peeked
    lines = peeked.splitlines()
    assert lines[0] == "     some      |   timestep    |some_val/smooth"
    assert lines[1] == "━━━━━━━━━━━━━━━┿━━━━━━━━━━━━━━━┿━━━━━━━━━━━━━━━"
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["0", "1", "2", "3"]
    logger.log_metrics_summary(silent=True)
    assert capsys.readouterr().out == ""
    assert rows(logger) == [{"some/mean": 20.0, "timestep/mean": 49.5, "some_val/smooth/mean": 10.0}]
    assert not logger.summary_cache


def test_summaries_by_key_with_values_beside_them(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logger.store_metrics(a=1, b=1, silent=True)
    logger.store(a=3)
    logger.store_key_value("c", 5)
    logger.store_metrics(d=1, cache="other")
    logger.log_metrics_summary({"epoch": 2}, key_stats={"a": "min_max"}, default_stats="max")
    assert rows(logger) == [{"epoch": 2, "a/mean": 2.0, "a/min": 1.0, "a/max": 3.0, "b/max": 1.0, "c/max": 5.0}]
    printed = re.findall(r"│ +(\S.*?) +│", capsys.readouterr().out)
    assert printed == ["epoch", "c/max"]
    assert "d" in logger._cache("other")
