"""Slips of the hand, and values that hold themselves: each is answered, in the same words in each of the ways."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import InvalidKeyError, NotFoundError, StateMismatchError, UnsupportedValueError, UsageError

Fails = Callable[..., Any]


class Rude:
    """An object that will not be printed."""

    def __repr__(self) -> str:
        raise ValueError("no")


class Node:
    """An object that its own child points at."""

    def __init__(self) -> None:
        self.lr = 3
        self.up: Node | None = None
        self.also: Node | None = None


def test_what_holds_itself_comes_to_an_end(logger: ML_Logger) -> None:
    loop: list[Any] = [3]
    loop += [loop, loop]
    tree: dict[str, Any] = {"z": 1}
    tree.update(x=tree, y=tree)
    node = Node()
    node.up = node.also = Node()
    node.up.up = node.up.also = node
    logger.log(loop=loop, tree=tree, step=0)
    logger.flush()
    logger.log_params(Args={"loop": loop, "tree": tree, "lr": 1}, Node=node, silent=True)
    assert logger.read_params("Args.tree.z", "Args.lr", "Node.lr") == (1, 1, 3)
    logger.store_metrics(loop=loop, deep=[1, [2, [3]]])
    logger.log_metrics_summary(silent=True)
    rows = logger.load_pkl("metrics.pkl") or []
    assert (rows[0]["tree"]["z"], rows[0]["loop"][0]) == (1, 3)
    assert rows[1] == {"loop/mean": 3.0, "deep/mean": 2.0}


def test_a_long_list_takes_no_room_from_others(logger: ML_Logger) -> None:
    logger.log_params(Args={"words": ["w"] * 70_000, "after": {"lr": [0.1]}}, silent=True)
    assert logger.read_params("Args.after.lr") == [0.1]


def test_an_object_that_will_not_be_printed(logger: ML_Logger) -> None:
    logger.print(Rude(), "x")
    logger.log_line(Rude())
    logger.log(Rude(), "y")
    assert logger.load_text("outputs.log") == "<Rude> x\n<Rude>\n<Rude> y\n"


def test_silent_is_any_truth(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    for step, silent in enumerate((1, np.bool_(True), 0)):
        logger.log(step=step, a=step, silent=silent)  # type: ignore[arg-type]
    logger.flush()
    assert capsys.readouterr().out.count("│         a          │") == 1


def test_a_name_is_a_text_or_a_path(logger: ML_Logger, fails: Fails) -> None:
    assert logger.save_pkl(1, 7) == logger.session.key("7")  # type: ignore[arg-type]
    assert logger.load_pkl(Path("7")) == [1]  # type: ignore[arg-type]
    for call, *given in ((logger.save_json, "a.json", {"a": 1}), (logger.load_text, b"7"), (logger.remove, 3), (logger.read_params, 3)):
        logger.log_params(Args={"lr": 1}, silent=True)
        assert type(fails(call, *given)) is InvalidKeyError
    picture = np.zeros((4, 4))
    for call in (logger.save_image, logger.save_video, logger.log_audio, logger.log_table):
        assert type(fails(call, "x.png", picture)) is InvalidKeyError
    assert type(fails(logger.make_video, 3, "v.mp4")) is UnsupportedValueError
    assert logger.save_image(picture, Path("a") / "b.png") == logger.session.key("a/b.png")  # type: ignore[arg-type]
    with logger.Prefix(None, "a", None):  # type: ignore[arg-type]
        assert logger.prefix == logger.session.run + "/a"
    with logger.Prefix(metrics="eval/"):
        logger.log(loss=1, silent=True)
    logger.flush()
    assert logger.load_pkl("metrics.pkl") == [{"eval/loss": 1}]


def test_parameters_are_named_and_found(logger: ML_Logger, fails: Fails) -> None:
    assert "log_params(Args=…)" in str(fails(logger.log_params, {"lr": 1}))
    logger.log_params(Args={"lr": 1}, silent=True)
    logger.log(step=0, a=1, silent=True, flush=True)
    assert logger.read_params("Args.lr", path="*.pkl") == 1
    assert type(fails(logger.read_params, "Args.lr", path="no*.pkl")) is NotFoundError
    assert type(fails(logger.read_params, "Args.lr", path="[")) is InvalidKeyError
    with pytest.raises(KeyError, match=r"Args\.rl \(there is Args\.lr\)"):
        logger.read_params("Args.rl")
    assert list(logger.read_metrics("a", path="*.pkl", as_numpy=True)) == [1]


def test_data_that_a_library_refuses_is_named(logger: ML_Logger, fails: Fails) -> None:
    logger.save_yaml({"n": np.float64(1.5), "s": np.str_("q")}, "a.yml")
    assert logger.load_yaml("a.yml") == {"n": 1.5, "s": "q"}
    for call, value in ((logger.save_np, [[1], [1, 2]]), (logger.save_csv, 3), (logger.store_metrics, 3)):
        assert type(fails(call, value, *(["x"] if call != logger.store_metrics else []))) is UnsupportedValueError
    logger.save_text("text", "a.npy")
    assert "it is no .npy" in str(fails(logger.load_np, "a.npy"))
    assert type(fails(logger.log_key_value, "a", "b", "c", "d")) is UsageError
    assert type(fails(logger.read_metrics, num_bins="x")) is UsageError
    assert type(fails(logger.glob, "*", start="x")) is UsageError
    assert "sounds are saved as .wav" in str(fails(logger.log_audio, np.zeros(9), "a.mp3"))
    assert logger.log_audio(np.zeros(9), "tone.5").endswith("/tone.5.wav")
    assert "transpose(1, 2, 0)" in str(fails(logger.save_image, np.zeros((3, 8, 9)), "a.png"))
    assert "NaN" in str(fails(logger.save_video, np.full((2, 8, 8), np.nan), "a.mp4"))
    assert type(fails(logger.plt2data, "figure")) is UnsupportedValueError


def test_archives_are_named_after_their_directory(logger: ML_Logger, fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("1")
    monkeypatch.chdir(tmp_path / "code")
    names = [("all/", "tar"), ("code.tgz", "gztar"), ("", "zip")]
    assert [logger.upload_dir(os.curdir, name, archive=kind) for name, kind in names] == [
        logger.session.key(name) for name in ("all/code.tar", "code.tgz", "code.zip")
    ]
    logger.download_dir("code.tgz", tmp_path / "back")
    assert (tmp_path / "back" / "a.py").read_text() == "1"
    logger.save_text("text", "a.bin")
    assert "a.bin is no archive" in str(fails(logger.download_dir, "a.bin", tmp_path / "goal"))
    assert "upload_dir takes one" in str(fails(logger.upload_file, tmp_path))
    assert type(fails(logger.upload_file, 3)) is UsageError


def test_weights_that_do_not_fit_are_named(logger: ML_Logger, fails: Fails) -> None:
    torch = pytest.importorskip("torch", reason="modules are torch's")
    logger.save_module(torch.nn.Linear(2, 3), "w.pkl")
    wrapped = torch.nn.Sequential(torch.nn.Linear(2, 3))
    error = fails(logger.load_module, wrapped, "w.pkl")
    assert isinstance(error, StateMismatchError)
    assert isinstance(error, RuntimeError)
    assert (error.missing, error.unexpected, error.mismatched) == (["0.weight", "0.bias"], ["weight", "bias"], [])
    assert all(word in str(error) for word in (logger.session.key("w.pkl"), "0.weight", "matcher="))
    shapes = fails(logger.load_module, torch.nn.Linear(3, 3), "w.pkl")
    assert shapes.mismatched == ["weight (3, 2) in place of (3, 3)"]
    logger.load_module(wrapped, "w.pkl", matcher=lambda own, key, patch: patch[key.removeprefix("0.")])
    assert type(fails(logger.save_torch, lambda: 1, "x.pt")) is UnsupportedValueError
    assert "torch.jit.script" in str(fails(logger.torch_jit_save, wrapped, "x.pt"))


def test_nested_variables_are_named_by_their_path(logger: ML_Logger) -> None:
    logger.save_variables({"dense": {"kernel": np.ones(2), "bias": np.zeros(1)}, "step": np.int32(3)}, "v.pkl")
    assert {name: value.tolist() for name, value in logger.load_variables("v.pkl").items()} == {
        "dense/kernel": [1.0, 1.0], "dense/bias": [0.0], "step": 3,
    }  # fmt: skip


def test_a_view_is_copied_and_not_moved(logger: ML_Logger, fails: Fails) -> None:
    logger.log(step=0, a=1, silent=True, flush=True)
    assert "duplicate() makes one" in str(fails(logger.move, "metrics.pkl", "kept.pkl"))
    logger.duplicate("metrics.pkl", "kept.pkl")
    assert logger.load_pkl("kept.pkl") == [{"step": 0, "a": 1}]
    assert type(fails(logger.move, "missing", "x")) is NotFoundError
