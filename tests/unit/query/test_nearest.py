"""The query offered when nothing matches: it finds a run, and all that the typed one would find."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_logger.formats import messages
from ml_logger.queries import SearchRuns
from ml_logger.query.engine import Engine
from ml_logger.query.filter import matching
from ml_logger.query.language import parse
from ml_logger.query.nearest import nearest
from ml_logger.query.table import SnapshotTable
from ml_logger.query.terms import Compare
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.sqlite import open_store

Write = Callable[..., Any]
NOW = 100_000.0

NEAREST = {
    "lr = 0.1 acc > 5": "lr = 0.1 acc >= 0.88", "lr < 0.0001": "lr <= 0.01", "lrr = 0.1": "lr = 0.1", "name:/zzz/ seed = 1": "seed = 1",
    "seed = 7": "seed = 2", "seed == 7 sort:-lr": "seed == 2 sort:-lr", "lr == 0.1 and seed == 99": "lr == 0.1",
    "lr == 0.5 or seed == 99": "lr == 0.5 or seed == 99 or seed == 2",
    "lr < -3 zzz": "lr <= 0.01", "zzz and seed == 99": "seed == 99 or seed == 2", "foo < 3 seed > 8": "seed >= 2",
    "lr == 0.5 and seed == 99 sort:loss": "lr == 0.5 or lr == 0.1 sort:loss",
    "not lr exists and not one exists": "not one exists", "lr exists and not lr < 1": "lr exists and not lr < 0.1",
    "lr exists and not (lr < 1 or seed = 99)": "lr exists and not (lr < 0.1 or seed = 99)",
    "lr exists not (opt ~ a|s or seed = 99)": "lr exists and not seed = 99", "lr exists and not lr <= .1": "lr exists and not lr < 0.1",
    "0.2 < lr < 1": "0.1 <= lr < 1", "seed in [7, 8]": "seed in [7, 8, 2]", "opt = 'adamm'": "opt = 'adam'", "opt:adn": "opt:adam",
    "status:paused": "status:completed", "opt ~ zz": "opt exists", "created > 200d": "created >= 1d",
    "lr < 1e-9 or created:>200d": "lr <= 0.01 or created:>200d",
}  # fmt: skip
"""Queries that find none of the sweep's runs, and the nearest ones that find some."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, journal_writer: Write) -> Iterator[Engine]:
    """Return an engine over a sweep of 2 learning rates × 3 seeds and one odd run, and 30 folders of some runs of any kind."""
    root = SafeRoot(Path(tmp_path_factory.mktemp("root")))
    for lr in (0.1, 0.01):
        for seed in range(3):
            rows = [{"step": 49, "loss": lr * 10 + seed + 1 / 50, "eval/acc": 0.98 - lr}]
            params = {"Args": {"lr": lr, "seed": seed, "opt": "adam" if lr > 0.05 else "sgd"}}
            ended = {"status": "completed", "extra": [messages.End(NOW)]}
            journal_writer(root, f"all/sweep/lr{lr}-s{seed}", rows=rows, params=params, created=1000.0 * (seed + 1), **ended)
    journal_writer(root, "all/odd/run", rows=[{"step": 0, "one": 1.5}], created=NOW - 10)
    any_of = random.Random(3)
    for number in range(120):
        journal_writer(root, f"any/{number % 30:02}/{number}", params=params_of(any_of))
    with open_store(root) as store:
        yield Engine(store, root, lambda: NOW)


def test_the_nearest_query_when_nothing_matches(engine: Engine) -> None:
    for q, expected in NEAREST.items():
        page = engine.answer(SearchRuns(q, prefix="all"))
        assert (page.total, page.nearest) == (0, expected), q
        assert engine.answer(SearchRuns(expected, prefix="all")).total > 0, q


def test_where_only_no_condition_is_looser_none_is_offered(engine: Engine) -> None:
    for q in ("zzz", "name:/zzz/ sort:-lr", "not created exists"):
        page = engine.answer(SearchRuns(q))
        assert (page.total, page.nearest) == (0, None), q


def test_what_is_offered_is_implied_by_what_was_typed(engine: Engine) -> None:
    """Random queries without a match in a folder of 4 runs; the offer is held against all runs."""
    any_of = random.Random(4)
    table = SnapshotTable(engine.store.snapshot(), NOW)
    everything = np.ones(len(table), bool)
    offers = 0
    for number in range(1500):
        q, below = query_of(any_of, 2) + any_of.choice(["", "", " sort:-lr"]), table.below(f"any/{number % 30:02}")
        search = parse(q)
        if matching(search.where, table, below).any():
            continue
        offer = nearest(search, table, below, [])
        if offer is None:
            continue
        offers += 1
        looser = parse(offer)
        assert looser.where is not None, (q, offer)
        assert [(key.name, key.descending) for key in looser.sort] == [(key.name, key.descending) for key in search.sort]
        assert matching(looser.where, table, below).any(), (q, offer)
        if not (isinstance(search.where, Compare) and search.where.op in ("=", ":")):
            lost = matching(search.where, table, everything) & ~matching(looser.where, table, everything)
            assert not lost.any(), (q, offer)
    assert offers > 300


def params_of(any_of: random.Random) -> dict[str, Any]:
    found = {
        "lr": any_of.choice([0.1, 0.01, 1e-3, -2.5, float("nan"), 3]),
        "seed": any_of.randrange(6),
        "opt": any_of.choice(["adam", "sgd", "a b"]),
    }
    return {"Args": {name: value for name, value in found.items() if any_of.random() < 0.8}}


def query_of(any_of: random.Random, depth: int) -> str:
    """Return a query of at most `depth` levels, spelled in any of the ways that the language has."""
    kind = any_of.random() if depth else 1.0
    if kind < 0.2:
        return f"not ({query_of(any_of, depth - 1)})" if any_of.random() < 0.5 else f"not {leaf_of(any_of)}"
    if kind < 0.8:
        parts = [query_of(any_of, depth - 1) for _ in range(any_of.choice([2, 2, 3]))]
        joined = any_of.choice([" and ", " ", " or "]).join(parts)
        return f"({joined})" if depth == 1 else joined
    return leaf_of(any_of)


def leaf_of(any_of: random.Random) -> str:
    name, value = any_of.choice(["lr", "seed"]), any_of.choice(["0.1", "1e-3", "0", "2", "7", "-3", "50%", "10k"])
    return any_of.choice(
        [f"{name} {any_of.choice(['<', '<=', '>', '>=', '≤', '≥'])} {value}"] * 4
        + [f"{name}{any_of.choice([':', '=', '==', ' == ', '!=', ':>', ': <='])}{value}"] * 3
        + [f"{value} < {name}", f"0 <= {name} < {value}", f"{name} in [{value}, 9]", f"{name} not in [0, {value}]", f"{name} exists"]
        + [f"{name} not exists", "opt ~ ada", "opt !~ sgd", "opt == adam", 'opt:"a b"', "opt != 'sgd'", "status:paused", "opt < b", "zzz"]
    )
