"""What is refused, and what is not: names that are taken or reserved, wrong types, patterns – with the same error in each of the ways."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_logger import Color, ML_Logger
from ml_logger.errors import InvalidKeyError, NotFoundError, UnsupportedValueError, UsageError

Fails = Callable[..., Any]


def test_reserved_files_are_read_and_never_written(logger: ML_Logger, fails: Fails, tmp_path: Path) -> None:
    logger.log(step=0, loss=1.0, silent=True)
    logger.flush()
    logger.save_json({"a": 1}, "a.json")
    about = logger.load_json("run.json")
    assert about["key"] == logger.prefix
    assert len(about["uuid"]) == 32
    assert logger.load_text("run.json") == logger.load_file("run.json").read().decode()
    assert Path(logger.download_file("run.json", to=f"{tmp_path}/")).read_text() == logger.load_text("run.json")
    writes: list[tuple[Any, ...]] = [
        (logger.save_json, {}, "run.json"), (logger.upload_buffer, b"x", "metrics.x.mlog"), (logger.log_text, "x", "run.json"),
        (logger.log_params, "run.json", True), (logger.remove, "run.json"), (logger.move, "run.json", "x"),
        (logger.move, "a.json", "run.json"), (logger.duplicate, "a.json", "run.json"), (logger.make_archive, "run.json/x.mlog"),
        (logger.load_text, ".ml-logger/x"), (logger.load_pkl, "/.ml-logger/state"), (logger.glob, "*", "/.ml-logger"),
    ]  # fmt: skip
    for call, *args in writes:
        assert type(fails(call, *args)) is InvalidKeyError, (call, args)
    assert logger.load_json("run.json") == about
    assert logger.load_json("a.json") == {"a": 1}


@pytest.mark.parametrize("name", [".ml-logger/x", "a/.ML-Logger", "run.json", "a/run.json/b", "x.mlog"])
def test_a_run_has_no_reserved_name(logger: ML_Logger, name: str) -> None:
    with pytest.raises(InvalidKeyError, match="keeps for itself"):
        ML_Logger(name, root=logger.root)
    with pytest.raises(InvalidKeyError, match="itself"), logger.Prefix(f"/{name}"):
        logger.log(step=0, loss=1.0, silent=True)
    assert logger.status()["accepted"] == 0


@pytest.mark.parametrize("name", ["", "/", "//", ".", "..", "../..", "/lab/..", "*/../.."])
def test_the_root_and_the_run_survive_a_slip_of_the_hand(logger: ML_Logger, fails: Fails, name: str) -> None:
    logger.save_text("kept", "folder/a.txt")
    assert type(fails(logger.remove, name)) is InvalidKeyError
    assert type(fails(logger.move, "/", "x")) is InvalidKeyError
    logger.log(step=0, silent=True, flush=True)
    assert logger.load_text("folder/a.txt") == "kept"
    assert logger.load_json("run.json") is not None


def test_names_that_are_taken(logger: ML_Logger, fails: Fails) -> None:
    logger.save_text("x", "folder/a.txt")
    logger.save_text("y", "other/folder/b.txt")
    taken: list[tuple[Any, ...]] = [
        (logger.save_text, "x", "folder"), (logger.save_text, "x", "folder/a.txt/b"), (logger.log_text, "x", "folder"),
        (logger.save_text, "x"), (logger.save_text, "x", ".."), (logger.upload_buffer, b"", "/lab"),
    ]  # fmt: skip
    for call, *args in taken:
        assert type(fails(call, *args)) is InvalidKeyError, (call, args)
    operations: list[tuple[Any, ...]] = [
        (logger.duplicate, "folder", "folder/inner"), (logger.move, "folder", "folder/inner"), (logger.move, "other/folder", "folder"),
        (logger.move, "folder/a.txt", "other"), (logger.duplicate, "folder/a.txt", "other"), (logger.move, "other", "folder/a.txt"),
        (logger.duplicate, "other", "folder/a.txt"), (logger.duplicate, "other", "folder/a.txt/b"),
        (logger.duplicate, "folder/a.txt", "other/folder/b.txt", False), (logger.make_archive, "other/folder/b.txt/x.tar", "tar", "folder"),
    ]  # fmt: skip
    for call, *args in operations:
        assert type(fails(call, *args)) is InvalidKeyError, (call, args)
    for call, *args in ((logger.move, "no", "x"), (logger.duplicate, "no", "x"), (logger.make_archive, "x", "tar", "folder/a.txt")):
        assert type(fails(call, *args)) is NotFoundError, (call, args)
    assert logger.glob("**/*.txt") == ["folder/a.txt", "other/folder/b.txt"]
    assert "it is a directory" in str(fails(logger.load_file, "folder"))
    logger.move("folder/a.txt", "other/folder/b.txt")
    logger.remove("folder")
    logger.save_text("a file now", "folder")
    assert [logger.load_text("other/folder/b.txt"), logger.load_text("folder")] == ["x", "a file now"]


def test_wrong_types_are_named(logger: ML_Logger, fails: Fails) -> None:
    for call, *args in ((logger.save_text, 3, "a.txt"), (logger.upload_buffer, 3, "a"), (logger.save_json, object(), "a.json")):
        error = fails(call, *args)
        assert type(error) is UnsupportedValueError
        assert "a" in str(error)
    error = fails(logger.log, metrics=3)
    assert type(error) is UnsupportedValueError
    assert "'metrics'" in str(error)
    assert "int" in str(error)
    for call, *args in ((logger.glob, 3), (logger.remove, None)):
        assert type(fails(call, *args)) is InvalidKeyError
    logger.store_metrics(a=1)
    error = fails(logger.log_metrics_summary, key_stats={"a": "avarage"})
    assert type(error) is UsageError
    assert "avarage" in str(error)


def test_patterns_go_up_and_say_where_they_are_wrong(logger: ML_Logger, fails: Fails) -> None:
    logger.save_text("x", "a/b/c.txt")
    logger.save_text("x", "a[1]")
    with logger.Prefix("a", "b"):
        assert logger.glob("../*") == ["../b"]
        assert logger.glob("../../a/*") == ["../../a/b"]
    for call in (logger.glob, logger.remove):
        error = fails(call, "a/[b")
        assert (type(error), error.position) == (InvalidKeyError, 2)
    assert type(fails(logger.read_metrics, "loss", path="x[/metrics.pkl")) is InvalidKeyError
    assert type(fails(logger.glob, "../" * 9 + "*")) is InvalidKeyError
    assert logger.remove("a[1]") == ["a[1]"]
    assert logger.glob("*") == ["a", "run.json"]


def test_tables_of_other_kinds_are_files_of_their_kind(logger: ML_Logger) -> None:
    for step in range(2):
        for name in ("m.jsonl", "m.yaml", "m.csv", "dense.pkl"):
            logger.log(step=step, a=0.5 * step, file=name, silent=True, flush=True)
    rows = [{"step": 0, "a": 0.0}, {"step": 1, "a": 0.5}]
    assert logger.load_jsonl("m.jsonl") == logger.load_yaml("m.yaml") == logger.load_pkl("dense.pkl") == rows
    assert logger.load_jsonl("dense.jsonl") == rows
    assert logger.load_text("m.csv") == "step,a\n0,0.0\n1,0.5\n"
    assert list(logger.read_metrics("a", path="m.jsonl", as_numpy=True)) == [0.0, 0.5]
    stream = io.BytesIO(logger.load_file("dense.pkl").read())
    assert [pickle.load(stream) for _ in rows] == rows
    assert logger.glob("m.*") == ["m.csv", "m.jsonl", "m.yaml"]


def test_a_prefix_of_metrics_is_put_before_a_name_once(logger: ML_Logger) -> None:
    with logger.Prefix(metrics="eval"):
        logger.store_metrics({"m": 1}, n=3)
        logger.log_metrics_summary(silent=True)
    logger.store_metrics(late=1)
    with logger.Prefix(metrics="eval"):
        logger.log_metrics_summary(silent=True)
        logger.log(step=9, u=1, silent=True)
    logger.flush()
    assert logger.load_pkl("metrics.pkl") == [{"eval/n/mean": 3.0, "eval/m/mean": 1.0}, {"eval/late/mean": 1.0}, {"step": 9, "eval/u": 1}]


def test_names_of_arguments_of_earlier_releases(logger: ML_Logger) -> None:
    logger.log_jsonl({"a": 1}, key="rows.jsonl")
    logger.save_json({"a": 1}, file="a.json")
    logger.save_yaml({"a": 1}, file="a.yaml")
    logger.save_pkl([1], path="a.pkl")
    assert (logger.load_jsonl("rows.jsonl"), logger.load_json("a.json"), logger.load_yaml("a.yaml")) == ([{"a": 1}], {"a": 1}, {"a": 1})
    assert list(logger.iload_pkl(key="a.pkl")) == [[1]]
    assert (logger.metric_filename, logger.log_filename) == ("metrics.pkl", "outputs.log")


def test_views_are_copied_and_removed_like_files(logger: ML_Logger, fails: Fails) -> None:
    logger.log_params(A={"b": 1}, silent=True)
    logger.log(step=0, a=1, silent=True, flush=True)
    logger.duplicate("metrics.pkl", "copy.pkl")
    assert logger.load_pkl("copy.pkl") == [{"step": 0, "a": 1}]
    assert "duplicate() makes one" in str(fails(logger.move, "metrics.pkl", "moved.pkl"))
    logger.remove("parameters.pkl", "metrics.pkl")
    assert logger.get_parameters("A.b", default="gone") == "gone"
    assert logger.load_pkl("metrics.pkl") is None
    logger.log_params(A={"c": 2}, silent=True)
    assert logger.get_parameters() == {"A.c": 2}
    assert logger.load_pkl("parameters.pkl") == [{"A": {"c": 2}}]
    with logger.Prefix("eval"):
        logger.log(step=1, b=2, silent=True, flush=True)
        assert logger.glob("*.pkl") == ["metrics.pkl"]


def test_groups_of_hdf5_and_bins_that_are_none(logger: ML_Logger, fails: Fails) -> None:
    logger.save_h5("a.h5", **{"group/x": [1, 2], "y": 3})
    found = logger.load_h5("a.h5")
    assert {name: array.tolist() for name, array in found.items()} == {"group/x": [1, 2], "y": 3}
    assert list(logger.load_h5("a.h5:group/x")) == ["group/x"]
    assert "there are group/x, y" in str(fails(logger.load_h5, "a.h5:group"))
    for options in ({"bin_size": 0}, {"num_bins": -1}):
        assert type(fails(logger.read_metrics, "loss@mean", x_key="step", **options)) is UsageError
    assert type(fails(logger.read_metrics, 3)) is UsageError


def test_a_colour_is_stored_as_its_value(logger: ML_Logger) -> None:
    logger.store_metrics(a=Color(2.0, "red"))
    logger.log_metrics_summary(silent=True)
    assert logger.load_pkl("metrics.pkl") == [{"a/mean": 2.0}]


def test_names_with_an_at_sign_are_names(logger: ML_Logger, fails: Fails) -> None:
    for step in range(3):
        logger.log({"recall@10": step, "hits@5%": step, "u@mean": step}, step=step, loss=step, silent=True)
    logger.flush()
    for key in ("recall@10", "hits@5%", "u@mean"):
        assert list(logger.read_metrics(key, as_numpy=True)) == [0, 1, 2]
    assert list(logger.read_metrics("recall@10@max", as_numpy=True)) == [0, 1, 2]
    y, x = logger.read_metrics("recall@10@mean", x_key="step", num_bins=1, as_numpy=True)
    assert (list(y), list(x)) == ([1.0], [1.0])
    assert "unknown aggregate 'avg'" in str(fails(logger.read_metrics, "loss@avg"))
    assert type(fails(logger.read_metrics, "recall@20")) is NotFoundError
    assert logger.get_exps("nowhere", as_dataframe=False) == []


def test_summaries_of_what_is_not_finite(logger: ML_Logger) -> None:
    for value in (1.0, float("inf"), -float("inf"), float("nan"), 1e308, 1.7e308, 2**3000, -1e200, "text", None, [[2.0], [3.0, 4.0]]):
        logger.store_metrics(loss=value, flat=float("inf"))
    logger.log_metrics_summary(default_stats="mean,min,max,std,sum,quantile,histogram,count,median", silent=True)
    (row,) = logger.load_pkl("metrics.pkl") or []
    assert row["loss/max"] == float("inf")
    assert row["loss/count"] == 10
    assert sum(row["loss/histogram"]) == 7
    assert len(row["loss/edges"]) == len(row["loss/histogram"]) + 1
    assert "flat/histogram" not in row
    assert row["flat/mean"] == float("inf")


def test_what_one_logger_of_a_process_wrote_the_others_read(logger: ML_Logger) -> None:
    with ML_Logger(f"{logger.prefix}/inner", root=logger.root) as inner:
        inner.log(step=0, a=1, silent=True)
        inner.save_pkl([1], "a.pkl")
    assert logger.load_pkl("inner/metrics.pkl") == [{"step": 0, "a": 1}]
    assert logger.load_pkl("inner/a.pkl") == [[1]]
    logger.log(step=0, b=1, silent=True, flush=True)
    twin = logger.clone()
    twin.log(step=1, b=2, silent=True, flush=True)
    assert twin.load_pkl("metrics.pkl") == [{"step": 0, "b": 1}, {"step": 1, "b": 2}]
    inner.configure(prefix=f"{logger.prefix}/next", silent=True)
    inner.log(c=1, silent=True)
    assert logger.read_metrics("c", path="next/metrics.pkl", as_numpy=True).tolist() == [1]
    for made in (inner, twin):
        made.close()


def test_a_view_that_is_a_file_too_is_found_once(logger: ML_Logger) -> None:
    kept = ML_Logger(f"{logger.prefix}/kept", root=logger.root, metrics_pkl=True)
    kept.log(step=0, a=1, silent=True)
    with kept.Prefix("eval"):
        kept.log(step=1, b=2, silent=True)
    kept.close()
    assert logger.glob("kept/**/*.pkl") == ["kept/eval/metrics.pkl", "kept/metrics.pkl"]
    assert logger.glob("*.pkl", wd="kept/eval") == ["metrics.pkl"]
    assert logger.load_pkl("kept/eval/metrics.pkl") == [{"step": 1, "b": 2}]
