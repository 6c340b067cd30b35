"""Objects in files: each saver, each loader, append and slices, what is missing, what is damaged."""

from __future__ import annotations

import collections
import datetime as dt
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import CorruptFrameError, MissingExtraError, NotFoundError, UnsupportedValueError

Fails = Callable[..., Exception]


def test_s1_pickles_are_plain_and_transparent(logger: ML_Logger) -> None:
    for step in range(3):
        logger.log(step=step, loss=0.5 * step, silent=True)
    logger.flush()
    path = logger.save_pkl({"a": 1}, "data.pkl")
    assert path == logger.session.key("data.pkl")
    for name, rows in (("metrics.pkl", 3), ("data.pkl", 1)):
        stream, found = logger.load_file(name), []
        while stream.tell() < len(stream.getvalue()):
            found.append(pickle.load(stream))
        assert len(found) == rows
        assert found == logger.load_pkl(name)


def test_pickles_append_and_slice(logger: ML_Logger) -> None:
    for n in range(7):
        logger.save_pkl({"n": n}, "rows.pkl", append=True)
    rows = [{"n": n} for n in range(7)]
    assert logger.load_pkl("rows.pkl") == rows
    for start, stop in ((1, None), (None, 3), (2, 5), (-2, None), (5, 2), (100, None)):
        assert logger.load_pkl("rows.pkl", start=start, stop=stop) == rows[start:stop]
    logger.save_pkl("new", "rows.pkl")
    assert logger.load_pkl("rows.pkl") == ["new"]
    assert logger.log_data([1]) == logger.log_data([2]) == logger.session.key("data.pkl")
    assert logger.load_pkl("data.pkl") == [[1], [2]]
    logger.log_data([3], overwrite=True)
    assert logger.load_pkl("data.pkl") == [[3]]


def test_slices_of_metrics(logger: ML_Logger) -> None:
    for step in range(5):
        logger.log(step=step, silent=True)
    logger.flush()
    assert [row["step"] for row in logger.load_pkl("metrics.pkl", start=1, stop=-1)] == [1, 2, 3]


def test_iload_pkl_streams(logger: ML_Logger) -> None:
    for n in range(4):
        logger.save_pkl(np.full(1000, n), "big.pkl", append=True)
    found = logger.iload_pkl("big.pkl")
    assert iter(found) is found
    assert next(found)[0] == 0
    assert [array[0] for array in found] == [1, 2, 3]
    with pytest.raises(NotFoundError):
        next(logger.iload_pkl("missing.pkl"))


PLAIN: list[Any] = [
    None, True, 2**100, -0.0, float("inf"), "ä\ud800"[:1], b"\0", [1, [2]], (1, (2,)), {1, 2}, frozenset({3}), bytearray(b"x"),
    collections.OrderedDict(b=1, a=2), dt.datetime(2020, 1, 2, 3, tzinfo=dt.timezone.utc), dt.timedelta(1), 1 + 2j,
    {"nested": [{"deep": (1, 2)}]}, np.float32(0.5), np.int64(3),
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_of_every_protocol(logger: ML_Logger, protocol: int) -> None:
    logger.upload_buffer(b"".join(pickle.dumps(value, protocol) for value in PLAIN), "all.pkl")
    found = logger.load_pkl("all.pkl")
    assert found == PLAIN
    assert [type(value) for value in found] == [type(value) for value in PLAIN]
    arrays = [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(["a", "bc"]),
        np.zeros(0),
        np.ones((), "c8"),
    ]
    logger.upload_buffer(b"".join(pickle.dumps(array, protocol) for array in arrays), "arrays.pkl")
    for array, loaded in zip(arrays, logger.load_pkl("arrays.pkl"), strict=True):
        assert (loaded.dtype, loaded.shape) == (array.dtype, array.shape)
        assert (loaded == array).all()


def test_missing_files(logger: ML_Logger, fails: Fails) -> None:
    loaders = [
        logger.load_pkl, logger.load_json, logger.load_jsonl, logger.load_yaml, logger.load_csv, logger.load_text, logger.load_np,
        *([logger.load_h5] if find_spec("h5py") else []),
    ]  # fmt: skip
    for load in loaders:
        assert load("folder/missing.x") is None, load
        assert type(fails(load, "folder/missing.x", strict=True)) is NotFoundError, load
    assert type(fails(logger.load_file, "folder/missing.x")) is NotFoundError
    assert type(fails(logger.load_torch, "missing.pt")) is (NotFoundError if find_spec("torch") else MissingExtraError)


def test_waiting_for_a_file(logger: ML_Logger) -> None:
    import threading

    timer = threading.Timer(0.15, lambda: logger.clone().save_pkl(5, "late.pkl"))
    timer.start()
    assert logger.load_pkl("late.pkl", tries=40, delay=0.05) == [5]
    timer.join()


def test_damaged_files_are_named(logger: ML_Logger, fails: Fails) -> None:
    logger.upload_buffer(pickle.dumps([1, 2]) + pickle.dumps({"a": "b" * 100})[:-20], "cut.pkl")
    error = fails(logger.load_pkl, "cut.pkl")
    assert type(error) is CorruptFrameError
    assert "cut.pkl" in str(error)
    logger.upload_buffer("{", "cut.json")
    assert logger.load_json("cut.json") is None
    logger.upload_buffer("<html>", "page.npy")
    assert "page.npy" in str(fails(logger.load_np, "page.npy"))
    assert "cut.json" in str(fails(logger.load_json, "cut.json", strict=True))
    logger.upload_buffer('{"a": 1}\n{"a": \n', "cut.jsonl")
    assert "line 2" in str(fails(logger.load_jsonl, "cut.jsonl"))
    logger.upload_buffer("a: [", "cut.yml")
    assert "cut.yml" in str(fails(logger.load_yaml, "cut.yml"))
    logger.upload_buffer("not hdf", "cut.h5")
    assert "cut.h5" in str(fails(logger.load_h5, "cut.h5"))


def test_json_jsonl_yaml(logger: ML_Logger) -> None:
    data = {"z": [1, 2.5, None, True], "a": {"text": "ä"}, "array": np.arange(3), "scalar": np.float32(0.5), "when": dt.date(2024, 2, 29)}
    plain = {**data, "array": [0, 1, 2], "scalar": 0.5, "when": "2024-02-29"}
    logger.save_json(data, "a.json")
    logger.save_yaml(data, "a.yml")
    assert logger.load_json("a.json") == plain
    assert logger.load_yaml("a.yml") == {**plain, "when": dt.date(2024, 2, 29)}
    assert list(logger.load_yaml("a.yml")) == list(plain)
    for n in range(4):
        logger.log_jsonl({"n": n}, "rows.jsonl")
    assert logger.load_jsonl("rows.jsonl", start=1, stop=3) == [{"n": 1}, {"n": 2}]
    logger.upload_buffer('// a comment\n{"n": 1}\n\n', "old.jsonl")
    assert logger.load_jsonl("old.jsonl") == [{"n": 1}]


def test_tables_as_csv(logger: ML_Logger) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y,z"]})
    logger.save_csv(frame, "a.csv")
    logger.save_csv({"a": [1, 2], "b": ["x", "y,z"]}, "b.csv")
    assert logger.load_text("a.csv") == logger.load_text("b.csv") == 'a,b\n1,x\n2,"y,z"\n'
    pd.testing.assert_frame_equal(logger.load_csv("a.csv"), frame)


def test_arrays(logger: ML_Logger, fails: Fails) -> None:
    array = np.random.default_rng(0).normal(size=(4, 5)).astype("f4")
    logger.save_np(array, "a.npy")
    logger.save_npz("b.npz", x=array, y=np.arange(3))
    logger.save_h5("c.h5", x=array, y=np.arange(3))
    assert np.array_equal(logger.load_np("a.npy"), array)
    for found in (logger.load_npz("b.npz"), logger.load_h5("c.h5")):
        assert list(found) == ["x", "y"]
        assert np.array_equal(found["x"], array)
    assert list(logger.load_h5("c.h5:y")) == ["y"]
    assert type(fails(logger.save_np, np.array([object()]), "bad.npy")) is UnsupportedValueError
    assert type(fails(logger.save_npz, "bad.npz", x=np.array([object()]))) is UnsupportedValueError
    assert type(fails(logger.save_h5, "bad.h5", x=np.array([object()]))) is UnsupportedValueError
    assert "there are x, y" in str(fails(logger.load_h5, "c.h5:z"))
    out = io.BytesIO()
    np.save(out, np.array([{"an": "object"}]), allow_pickle=True)
    logger.upload_buffer(out.getvalue(), "objects.npy")
    assert "objects.npy" in str(fails(logger.load_np, "objects.npy"))


def test_text_is_unicode(logger: ML_Logger) -> None:
    logger.save_text("Zürich\n☃", "a.txt")
    assert logger.load_text("a.txt") == "Zürich\n☃"


class Own:
    """A class that only this user's pickles name."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


def test_own_objects_come_back_and_those_of_others_do_not(logger: ML_Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this user wrote carries a proof of it; the same bytes without the proof are placeholders."""
    logger.save_pkl({"n": 0}, "own.pkl", append=True)
    logger.save_pkl([Own(1), np.arange(2)], "own.pkl", append=True)
    logger.save_pkl(Own(2), "own.pkl", append=True)
    first, second, third = logger.load_pkl("own.pkl")
    assert (first, second[0], third) == ({"n": 0}, Own(1), Own(2))
    stream = logger.load_file("own.pkl")
    assert [pickle.load(stream) for _ in range(3)][2] == Own(2)  # the standard library alone reads it too
    logger.upload_buffer(pickle.dumps(Own(3)), "others.pkl")
    (other,) = logger.load_pkl("others.pkl")
    assert type(other).__name__ == "Unsupported"
    assert "Own" in repr(other)
    assert logger.load_pkl("others.pkl", trust=True) == [Own(3)]
    tampered = logger.load_file("own.pkl").getvalue().replace(b"value", b"valuE")
    logger.upload_buffer(tampered, "tampered.pkl")
    assert type(logger.load_pkl("tampered.pkl")[2]).__name__ == "Unsupported"


def test_a_pickle_that_cannot_be_made(logger: ML_Logger, fails: Fails) -> None:
    error = fails(logger.save_pkl, {"f": lambda: 1}, "x.pkl")
    assert type(error) is UnsupportedValueError
    assert "x.pkl" in str(error)
    error = fails(logger.save_json, {"f": object()}, "x.json")
    assert type(error) is UnsupportedValueError
    assert "x.json" in str(error)
    assert not logger.glob("x.*")


def test_s37_the_suite_runs_against_a_server_of_yours(new_server: Callable[..., Any], env: dict[str, str]) -> None:
    server = new_server()
    test = f"{Path(__file__)}::test_text_is_unicode"
    command = [
        sys.executable,
        "-m",
        "pytest",
        test,
        "-q",
        "-p",
        "no:cacheprovider",
        "--capture=no",
        "-k",
        "local or http",
        "--data-dir",
        server.url,
    ]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert list(server.data_dir.rglob("a.txt"))


def test_a_file_saved_as_metrics_pkl_is_what_is_loaded(logger: ML_Logger) -> None:
    logger.log(step=0, loss=1.0, silent=True)
    logger.save_pkl({"mine": 1}, "metrics.pkl")
    logger.log(step=1, loss=0.5, silent=True)
    logger.log_data("more", "metrics.pkl")
    logger.flush()
    assert logger.load_pkl("metrics.pkl") == [{"mine": 1}, "more"]
    assert list(logger.read_metrics("loss", as_numpy=True)) == [1.0, 0.5], "the rows are where they were"
    assert logger.glob("metrics.pkl") == ["metrics.pkl"]
    logger.remove("metrics.pkl")
    logger.log(step=2, loss=0.25, silent=True)
    logger.flush()
    assert logger.load_pkl("metrics.pkl") == [{"step": 2, "loss": 0.25}]


def test_functions_come_back_with_dill(logger: ML_Logger) -> None:
    pytest.importorskip("dill")
    factor = 3
    logger.save_pkl(lambda x: factor * x, "function.pkl", use_dill=True)
    (function,) = logger.load_pkl("function.pkl")
    assert function(14) == 42


def test_odd_data_goes_both_ways(logger: ML_Logger, fails: Any) -> None:
    torch = pytest.importorskip("torch")
    half = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    logger.save_np(half, "half.npy")
    assert logger.load_np("half.npy").tolist() == [1.5, -2.0]
    logger.log(half=half, silent=True)
    logger.flush()
    assert logger.load_pkl("metrics.pkl") == [{"half": [1.5, -2.0]}]
    logger.save_yaml({1: "one", None: (2.5, {3})}, "keys.yml")
    assert logger.load_yaml("keys.yml") == {1: "one", None: [2.5, [3]]}
    for data, rows in (([], 0), ({}, 0), ({"a": 1, "b": "x"}, 1), ({"a": [1, 2]}, 2)):
        logger.save_csv(data, "t.csv")
        assert len(logger.load_csv("t.csv")) == rows, data
    assert "t.csv" in str(fails(logger.save_csv, 3, "t.csv"))
    assert "lab/" in str(fails(logger.save_np, np.array([None]), "objects.npy"))
