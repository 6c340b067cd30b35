"""The public methods of metrics, parameters, text, timing and places, as the seed README and earlier releases promise them."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import enum
import inspect
import pickle
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ml_logger
from ml_logger import LOGGER_USER, Color, ML_Logger, green, percent, settings
from ml_logger.errors import NotFoundError, UsageError
from ml_logger.logger import join_prefix, launch_name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def logger(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ML_Logger]:
    for name in ("FORCE_COLOR", "ML_LOGGER_ROOT", "ML_LOGGER_PREFIX", settings.CHILD_RUN):
        monkeypatch.delenv(name, raising=False)
    made = ML_Logger(root=str(root), prefix="run")
    yield made
    made.close()


def rows(logger: ML_Logger, path: str = "metrics.pkl") -> list[dict[str, Any]]:
    from ml_logger.queries import ReadRows

    return logger.session.ask(ReadRows(logger.session.key(path))).tables[0].rows


# ── log ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── stored metrics ───────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def three(root: Path) -> Iterator[ML_Logger]:
    """Three runs of ten steps: loss is step × seed."""
    for seed in range(3):
        logger = ML_Logger(root=str(root), prefix=f"sweep/{seed}")
        logger.log_params(Args={"seed": seed, "opt": {"lr": 0.1}}, silent=True)
        for step in range(10):
            logger.log(step=step, loss=float(step * seed), silent=True)
            if step % 5 == 0:
                logger.log(acc=step / 10, silent=True)
        logger.close()
    made = ML_Logger(root=str(root), prefix="sweep")
    yield made
    made.close()


def test_one_key_is_a_series_and_several_are_a_list(three: ML_Logger) -> None:
    loss = three.read_metrics("loss", path="2/metrics.pkl")
    assert isinstance(loss, pd.Series)
    assert list(loss) == [2.0 * step for step in range(10)]
    assert loss.name == "loss"
    loss, acc = three.read_metrics("loss", "acc", path="2/metrics.pkl")
    assert acc.isna().sum() == 8
    assert acc.max() == 0.5
    loss, step = three.get_dataframe("loss", x_key="step", path="1/metrics.pkl")
    assert step.to_list() == list(range(10))
    assert [len(column) for column in three.read_metrics("loss", "acc", path="2/metrics.pkl", dropna=True)] == [2, 2]


def test_no_key_is_a_table(three: ML_Logger) -> None:
    table = three.read_metrics(path="1/metrics.pkl")
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["step", "loss", "acc"]
    found = three.read_metrics(path="**/metrics.pkl")
    assert sorted(found) == ["0/metrics.pkl", "1/metrics.pkl", "2/metrics.pkl"]
    arrays = three.read_metrics(path="1/metrics.pkl", as_numpy=True)
    assert arrays["step"].dtype == np.int64


def test_aggregates_over_runs_with_x_last(three: ML_Logger) -> None:
    mean, low, high, step = three.read_metrics("loss@mean", "loss@16%", "loss@84%", x_key="step@min", path="*/metrics.pkl", dropna=True)
    assert step.to_list() == list(range(10))
    assert mean.to_list() == [float(step) for step in range(10)]
    assert low.to_list() == pytest.approx([np.quantile([0, s, 2 * s], 0.16) for s in range(10)])
    assert high.to_list() == pytest.approx([np.quantile([0, s, 2 * s], 0.84) for s in range(10)])


def test_bins(three: ML_Logger) -> None:
    loss, step = three.read_metrics("loss@max", x_key="step", path="1/metrics.pkl", num_bins=2, as_numpy=True)
    assert (list(loss), list(step)) == ([4.0, 9.0], [2.0, 7.0])
    loss, step = three.read_metrics("loss@count", x_key="step@min", path="1/metrics.pkl", bin_size=4, as_numpy=True)
    assert (list(loss), list(step)) == ([4.0, 4.0, 2.0], [0.0, 4.0, 8.0])
    groups = three.read_metrics("loss", path="*/metrics.pkl", as_numpy=True)
    assert [list(group) for group in groups[:2]] == [[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]


def test_what_is_not_there(three: ML_Logger) -> None:
    with pytest.raises(NotFoundError, match="nothing was logged"):
        three.read_metrics("loss", path="9/metrics.pkl")
    with pytest.raises(NotFoundError, match="there is acc, loss, step"):
        three.read_metrics("los", path="1/metrics.pkl")
    with pytest.raises(UsageError, match=r"'avg'.*mean"):
        three.read_metrics("loss@avg", path="1/metrics.pkl")
    assert three.read_metrics("loss", path="9/metrics.pkl", silent=True) is None
    assert three.read_metrics("a", "b", path="1/metrics.pkl", default=0) == [0, 0]


def test_own_writes_are_seen_at_once(logger: ML_Logger) -> None:
    for step in range(3):
        logger.log(step=step, a=step, silent=True)
        assert list(logger.read_metrics("a")) == list(range(step + 1))


# ── parameters ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_s16_s51_s52_parameters_are_printed_merged_and_kept_as_a_plain_pickle(
    logger: ML_Logger, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.log_params(Args={"seed": 1, "lr": 0.1}, opt={"a": {"b": 1}})
    assert "        Args        " in capsys.readouterr().out
    logger.log_parameters(Args={"lr": 0.2}, opt={"a": {"c": 2}}, silent=True)
    assert capsys.readouterr().out == ""
    nested = {"Args": {"seed": 1, "lr": 0.2}, "opt": {"a": {"b": 1, "c": 2}}}
    merged: dict[str, Any] = {}
    with (root / "run/parameters.pkl").open("rb") as file:
        while file.peek(1):
            merged.update(pickle.load(file))
    assert merged == nested
    assert logger.get_parameters() == {"Args.seed": 1, "Args.lr": 0.2, "opt.a.b": 1, "opt.a.c": 2}
    assert logger.get_parameters("Args.lr") == 0.2
    assert logger.read_params("Args", "opt.a.c") == ({"seed": 1, "lr": 0.2}, 2)
    assert "        Args        " in (root / "run/outputs.log").read_text()


def test_missing_parameters(logger: ML_Logger) -> None:
    with pytest.raises(NotFoundError):
        logger.get_parameters("a")
    assert logger.get_parameters(not_exist_ok=True) == {}
    assert logger.get_parameters("a", default=3) == 3
    logger.log_params(Args={"a": 1}, silent=True)
    with pytest.raises(KeyError, match="b"):
        logger.get_parameters("b")
    assert logger.get_parameters("b", "Args.a", default=0) == (0, 1)


def test_get_exps(three: ML_Logger) -> None:
    table = three.get_exps("*")
    assert sorted(table["Args.seed"]) == [0, 1, 2]
    assert sorted(table["prefix"]) == ["sweep/0", "sweep/1", "sweep/2"]
    assert {row["Args.opt.lr"] for row in three.get_exps(as_dataframe=False)} == {0.1}


class Mode(enum.Enum):
    FAST = "fast"


@dataclasses.dataclass
class Config:
    lr: float = 0.1
    path: Path = Path("/data")
    mode: Mode = Mode.FAST


class Plain:
    gamma = 0.9

    def __init__(self) -> None:
        self.seed, self._hidden = 1, 2

    def method(self) -> None: ...


@pytest.mark.parametrize(
    ("given", "nested"),
    [
        (argparse.Namespace(a=1, b=argparse.Namespace(c=2)), {"a": 1, "b": {"c": 2}}),
        (Config(), {"lr": 0.1, "path": "/data", "mode": "fast"}),
        (Plain(), {"seed": 1}),
        (Plain, {"gamma": 0.9}),
        (vars(Plain), {"gamma": 0.9}),
        ({"size": (64,), "f": len, "n": np.float32(0.5)}, {"size": [64], "f": "len", "n": 0.5}),
        ({"models": [Config(), {"a": Mode.FAST}]}, {"models": [{"lr": 0.1, "path": "/data", "mode": "fast"}, {"a": "fast"}]}),
    ],
)
def test_all_kinds_of_parameters(logger: ML_Logger, given: Any, nested: dict[str, Any]) -> None:
    logger.log_params(Args=given, silent=True)
    assert logger.get_parameters("Args") == nested


def test_s12_params_proto(logger: ML_Logger) -> None:
    from params_proto import proto

    @proto
    class Args:
        seed: int = 1
        lr: float = 5e-4

    @proto
    def train(depth: int = 3) -> None: ...

    logger.log_params(A=Args, B=vars(Args), C=Args(), D=train, silent=True)
    assert logger.get_parameters("A", "B", "C") == ({"seed": 1, "lr": 5e-4},) * 3
    assert logger.get_parameters("D") == {"depth": 3}


def test_s12_what_the_command_line_set(logger: ML_Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    from params_proto import EnvVar, proto

    monkeypatch.setenv("BATCH", "64")

    @proto.prefix
    class Model:
        depth: int = 3
        batch: int = EnvVar @ "BATCH" | 8

    @proto.cli
    def main(seed: int = 1, epochs: int = 10) -> None: ...

    Model.depth, main.seed = 9, 5
    logger.log_params(A=Model, B=vars(Model), C=Model(), D=main, silent=True)
    assert logger.get_parameters("A", "B", "C") == ({"depth": 9, "batch": "64"},) * 3
    assert logger.get_parameters("D") == {"seed": 5, "epochs": 10}


def test_s12_params_proto_of_the_readme(logger: ML_Logger) -> None:
    v2 = pytest.importorskip("params_proto.v2", reason="params_proto.v2 needs waterbear", exc_type=ImportError)

    class Args(v2.ParamsProto):
        """CLI Args."""

        seed = v2.Proto(1, help="random seed")
        D_lr = 5e-4
        verbose = v2.Flag("the verbose flag")

    logger.log_params(Args=vars(Args), B=Args, silent=True)
    assert logger.get_parameters("Args") == logger.get_parameters("B") == {"seed": 1, "D_lr": 5e-4, "verbose": None}


def test_pydantic_and_omegaconf(logger: ML_Logger) -> None:
    pydantic = pytest.importorskip("pydantic")
    omegaconf = pytest.importorskip("omegaconf")
    model = pydantic.create_model("Model", x=(int, 1))
    config = omegaconf.OmegaConf.create({"a": {"b": [1, 2]}, "c": "${a.b}"})
    logger.log_params(P=model(), O=config, silent=True)
    assert logger.get_parameters("P", "O") == ({"x": 1}, {"a": {"b": [1, 2]}, "c": [1, 2]})


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── where ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_s9_print_says_where_the_data_goes(logger: ML_Logger, root: Path) -> None:
    assert str(logger) == f"logging data to {root}/run"
    assert repr(logger) == f'ML_Logger(root="{root}", prefix="run")'


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


def test_s8_prefixes_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "me")
    env = settings.read({"ML_LOGGER_USER": "ge"})
    assert join_prefix(("{USER}/scratch", "$WHO", "{now:%Y}"), env) == f"ge/scratch/me/{dt.datetime.now():%Y}"  # noqa: DTZ005
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


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_s13_s54_s57_top_level_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_LOGGER_USER", "somebody")
    assert ml_logger.LOGGER_USER == ml_logger.USER == "somebody"
    assert isinstance(LOGGER_USER, str)
    assert percent(0.85) == "85.0%"
    for name in ("Color", "ML_Logger", "SummaryCache", "red", "green", "yellow", "gray", "grey", "brown", "default", "ms", "sec", "ROOT"):
        assert getattr(ml_logger, name) is not None
        assert name in dir(ml_logger)
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
