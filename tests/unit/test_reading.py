"""`ml_logger.open`: tables and series of a directory, without a server, while others write."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ml_logger
from ml_logger.errors import NotFoundError, QuerySyntaxError, UsageError
from ml_logger.formats import frames, messages, values
from ml_logger.queries import SearchRuns
from ml_logger.reading import Runs


def write(root: Path, key: str, rows: list[dict[str, Any]], params: dict[str, Any] | None = None, rank: int = 0) -> Path:
    """Write one journal as a client does."""
    writer = f"{abs(hash((key, rank))):032x}"
    found: list[messages.Message] = [messages.Header(writer, key, 0, "h", rank, 1, 100.0, 0)]
    found += [messages.Params(params, f"{key}/parameters.pkl", 100.0)] if params else []
    sids: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows):
        if tuple(row) not in sids:
            sids[tuple(row)] = len(sids) + 1
            found.append(messages.Keys(sids[tuple(row)], list(row)))
        found.append(messages.RowPart(sids[tuple(row)], number, row.get("step"), 100.0 + number, [values.plain(v) for v in row.values()]))
    path = root / key / f"metrics.h-{rank}-{writer}.mlog"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(frames.MAGIC + b"".join(frames.encode(i + 1, messages.encode(m)) for i, m in enumerate(found)))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for lr in (0.1, 0.01):
        rows = [{"step": 10 * s, "loss": lr / (s + 1), "acc": s / 10} for s in range(20)]
        write(tmp_path, f"sweep/{lr}", rows, {"Args": {"lr": lr, "layers": [64, 64]}})
    return tmp_path


def test_table_and_series(root: Path) -> None:
    with ml_logger.open(root) as runs:
        assert sorted(runs.keys()) == ["sweep/0.01", "sweep/0.1"]
        table = runs.table("Args.lr <= 0.05 sort:-acc")
        assert [row["key"] for row in table] == ["sweep/0.01"]
        assert (table[0]["Args.lr"], table[0]["acc"], table[0]["Args.layers"]) == (0.01, 1.9, [64, 64])
        steps, loss = runs.series("sweep/0.1", "loss")
        assert (steps.dtype.kind, steps.tolist()) == ("i", [10 * s for s in range(20)])
        np.testing.assert_array_equal(loss, [0.1 / (s + 1) for s in range(20)])
        assert runs.series("sweep/0.1", "loss", x="relative")[0].tolist() == list(range(20))
        assert runs.series("sweep/0.1", "loss", x="acc")[0].tolist() == [s / 10 for s in range(20)]
        run = runs["sweep/0.1"]
        assert (run.metrics(), run.params["Args"]["lr"], run.row["loss"]) == (["acc", "loss"], 0.1, 0.1 / 20)
        assert run.rows()[3] == {"step": 30, "loss": 0.025, "acc": 0.3}
        assert runs.chart("loss", group_by=["lr"], bins=5)["lr=0.1"]["count"].tolist() == [1] * 5
        page = runs.ask(SearchRuns("sort:-lr", columns=["acc"]))
        assert [(row.key, row.metrics["acc"].max) for row in page.rows] == [("sweep/0.1", 1.9), ("sweep/0.01", 1.9)]
        with pytest.raises(QuerySyntaxError):
            runs.ask(SearchRuns("lr <"))


def test_frames(root: Path) -> None:
    for library in ("pandas", "polars", "pyarrow"):
        pytest.importorskip(library)
    with ml_logger.open(root) as runs:
        table = runs.table("sort:lr", columns=["Args.lr", "loss"])
        assert len(table.columns) == 11
        assert table.to_pandas()["Args.lr"].tolist() == [0.01, 0.1]
        assert table.to_polars()["Args.lr"].to_list() == [0.01, 0.1]
        assert runs.table("sort:lr").to_arrow()["Args.layers"].to_pylist() == ["[64,64]"] * 2
        assert list(runs["sweep/0.1"].rows().to_pandas().columns) == ["step", "loss", "acc"]


def test_what_is_not_finite_and_what_is_not_in_order(tmp_path: Path) -> None:
    write(tmp_path, "odd", [{"step": 3, "x": math.inf}, {"step": 1, "x": math.nan}, {"step": 2, "x": 1}, {"step": 2, "t": "text"}])
    with ml_logger.open(tmp_path) as runs:
        steps, x = runs.series("odd", "x")
        assert steps.tolist() == [1, 2, 3]
        assert str(x.tolist()) == "[nan, 1.0, inf]"
        with pytest.raises(NotFoundError):
            runs.series("odd", "t")
        assert runs["odd"].rows()[-1]["t"] == "text"


def test_reading_while_others_write(root: Path) -> None:
    with ml_logger.open(root) as runs, ml_logger.open(root) as others:
        write(root, "sweep/new", [{"step": 0, "loss": 9.0}])
        assert len(runs.refresh()) == 3
        assert runs.series("sweep/new", "loss")[1].tolist() == [9.0]
        assert len(others) == 2


def test_mistakes_are_named(root: Path) -> None:
    with pytest.raises(NotFoundError):
        ml_logger.open(root / "nothing")
    with pytest.raises(UsageError, match="is a server"):
        ml_logger.open("http://localhost:8081")
    with ml_logger.open(root) as runs:
        assert isinstance(runs, Runs)
        for wrong in (lambda: runs["nothing"], lambda: runs.series("nothing", "loss"), lambda: runs.series("sweep/0.1", "nothing")):
            with pytest.raises(NotFoundError):
                wrong()
        with pytest.raises(QuerySyntaxError):
            runs.table("lr <")
        assert len(runs[:]) == 2
        assert runs[0].key in list(runs.keys())
