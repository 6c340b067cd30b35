"""Parameters of every kind: printed, merged, kept as a plain pickle, read by dotted names."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import NotFoundError


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
    logger.log_params(P=model(), O=config, Class=pydantic.create_model("Model", x=(int, 1), y=(str, ...)), silent=True)
    assert logger.get_parameters("P", "O") == ({"x": 1}, {"a": {"b": [1, 2]}, "c": [1, 2]})
    assert logger.get_parameters("Class") == {"x": 1, "y": None}, "a class gives its defaults"


def test_arrays_and_numbers_of_numpy_become_lists_and_numbers(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logger.log_params(Args={"sizes": np.arange(3), "rate": np.float32(0.5), "inner": {"n": np.int64(7)}})
    assert logger.get_parameters("Args") == {"sizes": [0, 1, 2], "rate": 0.5, "inner": {"n": 7}}
    assert "sizes        │ [0, 1, 2]" in (said := capsys.readouterr().out)
    assert "rate        │ 0.5  " in said
