"""What a name means in a folder, and what groups are called: runs elsewhere in the root have no say in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ml_logger.queries import GetSeries, SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.sqlite import open_store

Write = Callable[..., Any]


@pytest.fixture
def engine(root: SafeRoot, write_run: Write) -> Iterator[Engine]:
    """Return an engine over a sweep of 2 learning rates × 3 seeds."""
    for lr, opt in ((0.1, "adam"), (0.01, "sgd")):
        for seed in range(3):
            params = {"Args": {"lr": lr, "seed": seed, "opt": opt}, "net": {"width": 64}}
            write_run(f"sweep/lr{lr}-s{seed}", rows=[{"step": 0, "loss": 1.0}], params=params)
    with open_store(root) as store:
        yield Engine(store, root, lambda: 100_000.0)


def test_a_name_means_what_the_runs_of_a_folder_have(engine: Engine, write_run: Write) -> None:
    """A run elsewhere with a parameter `lr` does not hide `Args.lr`."""
    write_run("elsewhere/run", params={"lr": 5})
    engine.store.refresh()
    page = engine.answer(SearchRuns("lr = 0.1", prefix="sweep", group_by=["lr"]))
    assert (page.total, [group.values for group in page.groups], page.notices) == (3, [{"lr": 0.1}], [])
    assert [row.key for row in engine.answer(SearchRuns("sort:-lr,seed", prefix="/sweep/")).rows][:2] == [
        "sweep/lr0.1-s0",
        "sweep/lr0.1-s1",
    ]
    header, _ = engine.answer(GetSeries("loss", prefix="sweep", q="seed < 2", group_by=["lr"]))
    assert [(info.key, info.runs) for info in header.series] == [("lr=0.01", 2), ("lr=0.1", 2)]
    assert [row.key for row in engine.answer(SearchRuns("lr = 5")).rows] == ["elsewhere/run"]


def test_groups_are_named_by_what_differs_among_their_runs(engine: Engine, write_run: Write) -> None:
    write_run("elsewhere/run", params={"Args": {"__proto__": 1}, "Aaa": 2, "seed": 1})
    engine.store.refresh()
    folded = GetSeries("loss", prefix="sweep", group_by=["*-seed"])
    assert [info.key for info in engine.answer(folded)[0].series] == ["Args.lr=0.01, Args.opt=sgd", "Args.lr=0.1, Args.opt=adam"]
    alike = engine.answer(GetSeries("loss", prefix="sweep", q="lr = 0.1", group_by=["*-seed"]))[0].series
    assert [(info.key, info.runs, info.group) for info in alike] == [("all", 3, {})]
    named = engine.answer(GetSeries("loss", prefix="sweep", q="lr = 0.1", group_by=["lr", "*-seed"]))[0].series
    assert [(info.key, info.group) for info in named] == [("lr=0.1", {"lr": 0.1})]
