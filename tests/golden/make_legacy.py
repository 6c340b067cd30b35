"""Wrote tests/golden/legacy, once: run directories as releases 0.4 … 0.10 left them. Kept to show what is in them; not run again.

The class `Color` and its formatters stood at `ml_logger.helpers.color_helpers`; rows were written by dill, parameters by pickle, one
object behind the other. NumPy was 1.x: its arrays name `numpy.core.multiarray`.
"""

from __future__ import annotations

import datetime as dt
import json
import pickle
import sys
import types
from pathlib import Path

import numpy as np

import ml_logger

HERE = Path(__file__).parent / "legacy"
module = types.ModuleType("ml_logger.helpers.color_helpers")
exec(
    """
class Color:
    def __init__(self, value, color="default", formatter=None):
        self.value, self.color, self.formatter = value, color, formatter
def percent(v):
    return "{:.02%}".format(round(v * 100))
""",
    module.__dict__,
)
for name in ("Color", "percent"):
    getattr(module, name).__module__ = module.__name__
helpers = sys.modules["ml_logger.helpers"] = types.ModuleType("ml_logger.helpers")
sys.modules[module.__name__] = helpers.color_helpers = module
ml_logger.helpers = helpers


def old_numpy(data: bytes) -> bytes:
    """Name NumPy's modules as NumPy 1 did; protocol 0 … 3 name them in lines, protocol 4 in counted strings."""
    for name in (b"multiarray", b"numeric"):
        new, old = b"numpy._core." + name, b"numpy.core." + name
        data = data.replace(b"\x8c" + bytes([len(new)]) + new, b"\x8c" + bytes([len(old)]) + old).replace(b"c" + new, b"c" + old)
    return data


class NoFrames(pickle._Pickler):  # noqa: SLF001
    """Protocol 4 without frames, whose lengths the renaming above would falsify."""

    def __init__(self, file: object) -> None:
        super().__init__(file, 4)
        self.framer.start_framing = lambda: None


def plain(value: object) -> bytes:
    import io

    out = io.BytesIO()
    NoFrames(out).dump(value)
    return old_numpy(out.getvalue())


def write(folder: Path) -> None:
    folder.mkdir(parents=True)
    rows = [
        {"step": 0, "loss": 1.0, "name": "first", "__timestamp": dt.datetime(2020, 5, 17, 12, 30, 1, 250)},
        {},
        {"step": 1, "loss": np.float32(0.5), "count": np.int64(7), "vector": np.arange(3.0), "matrix": np.asfortranarray(np.eye(2, dtype="f4"))},
        {"step": 2, "loss": module.Color(0.25, "yellow"), "accuracy": module.Color(0.85, "green", module.percent)},
        {"step": 3, "nested": {"a": [1, (2, 3), {"b": None}]}, "big": 2**70, "nan": float("nan"), "flag": True, "set": {1, 2}},
    ]
    start = b"".join(plain(row) for row in rows) + plain({"step": 5, "loss": 0.0625})
    params = [{"Args": {"lr": 0.1, "sizes": (64, 64), "seed": np.int64(3)}}, {"Args": {"lr": 0.2}, "env": {"name": "pong"}}]
    (folder / "parameters.pkl").write_bytes(b"".join(old_numpy(pickle.dumps(row, 2)) for row in params))
    import dill  # changes the standard pickler, so it comes last

    lambda_row = dill.dumps({"step": 4, "loss": module.Color(0.125, "yellow", lambda v: f"{v:.5f}"), "model": types.SimpleNamespace(a=1)}, protocol=4)
    (folder / "metrics.pkl").write_bytes(start + lambda_row)
    (folder / "outputs.log").write_text("═══ a table ═══\n\x1b[33mcoloured\x1b[0m\n", "utf-8")
    (folder / "eval").mkdir()
    (folder / "eval" / "metrics.jsonl").write_text("".join(json.dumps({"step": n, "score": n / 2}) + "\n" for n in range(3)))
    (folder / "__presence").write_text("status: running\ntime: 2020-05-17T12:30:01\n")


write(HERE / "alice" / "toys" / "run-0.10")
only_parameters = HERE / "alice" / "toys" / "run-0.4"
only_parameters.mkdir()
(only_parameters / "parameters.pkl").write_bytes(pickle.dumps({"Args": {"lr": 0.3}}, 0))
