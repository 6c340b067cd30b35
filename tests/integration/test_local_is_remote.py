"""The same program over a directory and over a server, waiting for each call or not: equal answers, equal errors, equal files."""

from __future__ import annotations

import datetime as dt
import os
import platform
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from ml_logger import ML_Logger
from ml_logger.errors import InvalidKeyError, MlLoggerError, NotFoundError, UsageError
from ml_logger.queries import ReadRows


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call gives, or the class of what it raises."""
    try:
        return call()
    except MlLoggerError as error:
        return type(error)


def test_rows(logger: ML_Logger) -> None:
    for step in range(10):
        logger.log(step=step, loss=step * 0.5, silent=True)
        logger.log(step=step, acc=1 - step * 0.1, silent=True)
    logger.flush()
    rows = logger.load_pkl("metrics.pkl")
    assert [row["step"] for row in rows] == list(range(10))
    assert rows[3] == {"step": 3, "loss": 1.5, "acc": 0.7}
    loss, step = logger.read_metrics("loss", x_key="step", as_numpy=True)
    assert list(loss) == [step * 0.5 for step in range(10)]
    assert list(step) == list(range(10))


def test_values_keep_their_types(logger: ML_Logger) -> None:
    values: dict[str, Any] = {
        "nan": float("nan"), "inf": float("-inf"), "zero": -0.0, "tiny": 5e-324, "big": 2**53 + 1, "huge": -(2**200),
        "yes": True, "none": None, "text": "ä\n", "list": [1, [2.5, "x"]], "dict": {"a": {"b": 1}}, "bytes": b"\0\xff",
        "array": np.arange(6, dtype="f4").reshape(2, 3), "decimal": Decimal("1.10"), "day": dt.date(2024, 2, 29),
        "complex": 1 - 2j, "set": {1, 2}, "numpy": np.float32(0.1),
    }  # fmt: skip
    logger.log(silent=True, **values)
    logger.flush()
    (row,) = logger.session.ask(ReadRows(logger.session.key("metrics.pkl"))).tables[0].rows
    assert list(row) == list(values)
    assert repr(row["nan"]) == "nan"
    assert repr(row["zero"]) == "-0.0"
    assert row["yes"] is True
    assert np.array_equal(row["array"], values["array"])
    for name in ("inf", "tiny", "big", "huge", "none", "text", "list", "dict", "decimal", "day", "complex", "set"):
        assert (type(row[name]), row[name]) == (type(values[name]), values[name]), name
    assert row["numpy"] == float(np.float32(0.1))


def test_where_a_run_came_from(logger: ML_Logger) -> None:
    logger.log(loss=0.5, silent=True)
    logger.flush()
    logger.read_metrics("loss", as_numpy=True)
    about = logger.load_json("run.json")
    assert set(about) == {"uuid", "key", "created", "host", "pid", "version", "user", "python", "platform", "command"}
    assert about["key"] == logger.prefix
    assert about["pid"] == os.getpid()
    assert about["python"] == platform.python_version()
    assert about["command"] == sys.argv
    assert os.uname().release in about["platform"]


def test_parameters(logger: ML_Logger) -> None:
    logger.log_params(Args={"lr": 0.1, "model": {"depth": 3}}, silent=True)
    logger.log_params(Args={"model": {"width": 64}}, env={"name": "pong"}, silent=True)
    assert logger.get_parameters("Args.lr", "env.name") == (0.1, "pong")
    assert logger.get_parameters("Args")["model"] == {"depth": 3, "width": 64}
    (stored,) = logger.load_pkl("parameters.pkl")
    assert stored["Args"]["model"]["depth"] == 3
    assert outcome(lambda: logger.get_parameters("x", path="no/parameters.pkl")) is NotFoundError


def test_text(logger: ML_Logger) -> None:
    logger.log_text("one\n", "notes.txt")
    logger.log_text("two\n", "notes.txt")
    logger.log_line("a line")
    assert logger.load_text("notes.txt") == "one\ntwo\n"
    assert logger.load_text("outputs.log") == "a line\n"
    logger.log_text("new\n", "notes.txt", overwrite=True)
    assert logger.load_text("notes.txt") == "new\n"
    assert logger.load_text("missing.txt") is None


def test_data_files(logger: ML_Logger) -> None:
    logger.save_pkl({"a": [1, 2]}, "data.pkl")
    logger.save_pkl({"b": 3}, "data.pkl", append=True)
    assert logger.load_pkl("data.pkl") == [{"a": [1, 2]}, {"b": 3}]
    logger.save_json({"x": [1, None]}, "x.json")
    assert logger.load_json("x.json") == {"x": [1, None]}
    for n in range(5):
        logger.log_jsonl({"n": n}, "lines.jsonl")
    assert logger.load_jsonl("lines.jsonl", start=1, stop=3) == [{"n": 1}, {"n": 2}]
    logger.save_np(np.arange(5), "array.npy")
    assert logger.load_np("array.npy").tolist() == [0, 1, 2, 3, 4]
    assert logger.load_pkl("missing.pkl") is None
    assert outcome(lambda: logger.load_pkl("missing.pkl", strict=True)) is NotFoundError


def test_files(logger: ML_Logger, tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(os.urandom(3 << 20))
    logger.upload_file(source)
    logger.upload_buffer("text", "folder/a.txt")
    logger.upload_buffer(b"", "folder/empty.bin")
    assert logger.load_file("files/source.bin").read() == source.read_bytes()
    assert logger.load_file("folder/empty.bin").read() == b""
    assert logger.glob("**/*.*") == ["files/source.bin", "folder/a.txt", "folder/empty.bin", "run.json"]
    assert logger.glob("*.none") == []
    assert logger.glob("*", wd="nowhere") is None
    assert b"".join(logger.session.read(logger.session.key("files/source.bin"), 10, 20)) == source.read_bytes()[10:20]
    to = logger.download_file("folder/a.txt", to=tmp_path / "copy.txt")
    assert Path(to).read_text() == "text"


def test_moves_and_removals_are_in_order(logger: ML_Logger) -> None:
    for n in range(3):
        logger.upload_buffer(f"version {n}", "a.txt")
        logger.duplicate("a.txt", f"copies/{n}.txt")
    logger.move("a.txt", "b.txt")
    logger.upload_buffer("again", "a.txt")
    logger.remove("copies/1.txt")
    assert [logger.load_text(f"copies/{n}.txt") for n in range(3)] == ["version 0", None, "version 2"]
    assert (logger.load_text("a.txt"), logger.load_text("b.txt")) == ("again", "version 2")
    assert outcome(lambda: logger.move("missing", "x")) is NotFoundError
    assert outcome(lambda: logger.duplicate("a.txt", "b.txt", exists_ok=False)) is InvalidKeyError
    logger.remove("missing")
    assert outcome(lambda: logger.upload_buffer("x", "../../../../up.txt")) is InvalidKeyError
    assert outcome(lambda: logger.upload_buffer("x", "run.json")) is InvalidKeyError


def test_clearing_metrics(logger: ML_Logger) -> None:
    logger.log(step=0, loss=1.0, silent=True)
    logger.flush()
    logger.remove("metrics.pkl")
    assert logger.load_pkl("metrics.pkl") in (None, [])
    logger.log(step=1, loss=2.0, silent=True)
    logger.flush()
    assert logger.load_pkl("metrics.pkl") == [{"step": 1, "loss": 2.0}]


def test_pictures(logger: ML_Logger) -> None:
    from PIL import Image

    logger.save_image(np.full((8, 6, 3), 128, "u1"), "figures/grey.png")
    picture = Image.open(logger.load_file("figures/grey.png"))
    assert (picture.size, picture.getpixel((0, 0))) == ((6, 8), (128, 128, 128))


def test_prefixes_share_the_run(logger: ML_Logger) -> None:
    with logger.Prefix("eval"):
        logger.log(step=0, score=3, silent=True)
        logger.log_text("inner", "notes.txt")
    logger.flush()
    assert logger.load_pkl("eval/metrics.pkl") == [{"step": 0, "score": 3}]
    assert logger.load_text("eval/notes.txt") == "inner"


def test_archive(logger: ML_Logger, tmp_path: Path) -> None:
    logger.upload_buffer("a", "pack/a.txt")
    logger.upload_buffer("b", "pack/deep/b.txt")
    logger.upload_buffer("c", "pack/skip.tmp")
    logger.make_archive("packed", "zip", root_dir="pack", excludes=["*.tmp"])
    import zipfile

    assert sorted(zipfile.ZipFile(logger.load_file("packed.zip")).namelist()) == ["a.txt", "deep/b.txt"]


def test_status(logger: ML_Logger) -> None:
    for step in range(5):
        logger.log(step=step, loss=0.0, silent=True)
    logger.flush(timeout=10)
    status = logger.session.status()
    assert (status["accepted"], status["acked"], status["dropped"], status["spool_bytes"]) == (5, 5, 0, 0)
    assert status["state"] == "ok"


def test_tables_have_names_below_the_run(logger: ML_Logger) -> None:
    logger.log(a=1, file="dense", silent=True, flush=True)
    logger.log(a=2, file="sub/eval.jsonl", silent=True, flush=True)
    assert logger.load_pkl("dense") == [{"a": 1}]
    assert logger.load_jsonl("sub/eval.jsonl") == [{"a": 2}]
    for file in (3, "../out.pkl", "/abs.pkl", "run.json"):
        assert issubclass(outcome(lambda file=file: logger.log(a=1, file=file)), UsageError), file
    assert issubclass(outcome(lambda: logger.ping(3)), UsageError)
    logger.flush()
    assert logger.glob("**/*") == ["dense", "run.json", "sub/eval.jsonl"]


def test_who_logs_after_close_begins_anew(logger: ML_Logger) -> None:
    logger.log(step=0, loss=1.0, silent=True)
    logger.close()
    logger.log(step=1, loss=0.5, silent=True)
    assert logger.status()["state"] in ("ok", "connecting")
    logger.save_text("late", "late.txt")
    assert logger.load_text("late.txt") == "late"
    assert [row["loss"] for row in logger.load_pkl("metrics.pkl")] == [1.0, 0.5]
    logger.close()
    assert logger.status()["state"] == "closed"
