"""Weights go and come back, safe by default; variables of any framework are a plain dict of arrays."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import CorruptFrameError, NotFoundError, UnsupportedValueError

torch = pytest.importorskip("torch", reason="checkpoints of torch need torch")
Fails = Callable[..., Exception]


def network(seed: int) -> Any:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Linear(4, 3))


def same(one: Any, other: Any) -> bool:
    mine, yours = one.state_dict(), other.state_dict()
    return list(mine) == list(yours) and all(torch.equal(mine[name], yours[name]) for name in mine)


def test_s46_save_and_load_a_module(logger: ML_Logger) -> None:
    cnn, other = network(1), network(2)
    assert logger.save_module(cnn, "FastCNN.pkl") == logger.session.key("FastCNN.pkl")
    logger.load_module(other, f"FastCNN.pkl")  # noqa: F541 - as the README writes it
    assert same(cnn, other)
    logger.save_module(torch.nn.DataParallel(network(3)), "parallel.safetensors")
    logger.load_module(other, "parallel.safetensors")
    assert same(other, network(3))


def test_the_newest_of_a_pattern_and_a_matcher(logger: ML_Logger, fails: Fails) -> None:
    for n in range(3):
        logger.save_module(network(n), f"checkpoints/{n:03d}.pt")
    assert set(logger.read_state_dict("checkpoints/*.pt")) == set(network(0).state_dict())
    fresh, newest = network(9), network(2)
    logger.load_module(fresh, "*.pt", wd="checkpoints")
    assert same(fresh, newest)

    def only_the_bias(own: dict[str, Any], key: str, patch: dict[str, Any]) -> Any:
        return patch[key] if key.endswith("bias") else own[key]

    fresh = network(9)
    logger.load_module(fresh, "checkpoints/000.pt", matcher=only_the_bias)
    assert torch.equal(fresh[0].bias, network(0)[0].bias)
    assert torch.equal(fresh[0].weight, network(9)[0].weight)
    assert type(fails(logger.load_module, fresh, "none/*.pt")) is NotFoundError
    assert type(fails(logger.load_module, fresh, "none.pt")) is NotFoundError


class Evil:
    """A pickle that would call something."""

    def __reduce__(self) -> Any:
        return print, ("EVIL RAN",)


def test_torch_is_safe_by_default(logger: ML_Logger, fails: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    data = {"step": 3, "tensor": torch.arange(4), "nested": [torch.ones(2), "text"]}
    logger.save_torch(data, "data.pt")
    found = logger.load_torch("data.pt")
    assert (found["step"], found["nested"][1]) == (3, "text")
    assert torch.equal(found["tensor"], data["tensor"])
    logger.save_torch({"x": Evil()}, "evil.pt")
    error = fails(logger.load_torch, "evil.pt")
    assert type(error) is CorruptFrameError
    assert "evil.pt" in str(error)
    assert "trust=True" in str(error)
    assert "EVIL" not in capsys.readouterr().out
    logger.load_torch("evil.pt", trust=True)
    assert "EVIL RAN" in capsys.readouterr().out
    assert logger.torch_load("data.pt", map_location="cpu")["step"] == 3
    logger.upload_buffer("no checkpoint", "text.pt")
    assert "text.pt" in str(fails(logger.load_torch, "text.pt"))


def test_scripted_modules(logger: ML_Logger) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = torch.jit.trace(torch.nn.Linear(2, 1), torch.zeros(1, 2))
        logger.torch_jit_save(module, "traced.pt")
        loaded = logger.torch_jit_load("traced.pt")
    assert torch.equal(loaded(torch.ones(1, 2)), module(torch.ones(1, 2)))


class Variable:
    """What TensorFlow's and Keras's variables have in common."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, np.asarray(value)

    def numpy(self) -> Any:
        return self.value

    def assign(self, value: Any) -> None:
        self.value = value


def test_s47_variables_are_a_plain_dict_of_arrays(logger: ML_Logger, fails: Fails) -> None:
    trainables = [Variable("x:0", 0.0), Variable("y:0", [10.0, 11.0]), Variable("c:0", 1000)]
    path = logger.save_variables(trainables, path="variables.pkl", namespace="checkpoints")
    assert path == logger.session.key("checkpoints/variables.pkl")
    with logger.load_file("checkpoints/variables.pkl") as file:
        plain = pickle.load(file)
    assert {name: value.tolist() for name, value in plain.items()} == {"x": 0.0, "y": [10.0, 11.0], "c": 1000}
    fresh = [Variable("y:0", [0.0, 0.0])]
    logger.load_variables("variables.pkl", fresh, namespace="checkpoints")
    assert fresh[0].value.tolist() == [10.0, 11.0]
    logger.save_variables({"layer/kernel": torch.ones(2), "scale": np.float32(2)}, "dict.pkl")
    assert {name: value.tolist() for name, value in logger.load_variables("dict.pkl").items()} == {"layer/kernel": [1.0, 1.0], "scale": 2.0}
    assert type(fails(logger.load_variables, "dict.pkl", fresh)) is NotFoundError
    assert type(fails(logger.save_variables, {"x": object()}, "bad.pkl")) is UnsupportedValueError
    assert type(fails(logger.load_variables, "missing.pkl")) is NotFoundError


def test_a_damaged_safetensors_file_is_named(tmp_path: Any, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path)
    logger.upload_buffer(b"\xff" * 100, "bad.safetensors")
    error = fails(logger.read_state_dict, "bad.safetensors")
    assert type(error) is CorruptFrameError
    assert "bad.safetensors" in str(error)


def test_wrong_things_are_named(logger: ML_Logger, fails: Fails) -> None:
    for call in (lambda: logger.save_module(3, "a.pt"), lambda: logger.load_module(3, "a.pt"), lambda: logger.save_variables(3, "a.pkl")):
        assert isinstance(error := fails(call), UnsupportedValueError)
        assert "type int" in str(error)
    for content in (b"junk", b"", b"PK\x03\x04", b"\x80\x02"):
        logger.upload_buffer(content, "junk.pt")
        assert isinstance(error := fails(logger.load_torch, "junk.pt"), CorruptFrameError), content
        assert "junk.pt" in str(error)
