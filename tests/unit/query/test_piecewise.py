"""A chart of very many points is the same, answered for a few runs after the other or for all at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from ml_logger.formats import columns, frames, messages
from ml_logger.formats.messages import End, Header, Keys
from ml_logger.queries import GetSeries, Smoothing
from ml_logger.query.engine import Engine
from ml_logger.query.loading import Asked, chosen_series, load, planned
from ml_logger.query.piecewise import is_many, joined, limits_of, pieces_of
from ml_logger.query.series import SeriesAnswer, answer_series
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.base import RAW
from ml_logger.store.sqlite import SqliteStore, open_store

SIZES = [150_000, 10, 200_000, 300_000, 70_000, 3000, 600_000]
RUNS = [f"run-{at}" for at in range(len(SIZES))]


def write_run(root: SafeRoot, run: str, size: int, rng: np.random.Generator) -> None:
    """Write a run of two ranks, one of them short."""
    for rank, rows in enumerate((size, 50)):
        writer = f"{run}{rank}"
        found = [(1, Header(writer, run, 0, "h", rank, 1, 1e9, 0)), (2, Keys(1, ["step", "loss"]))]
        for start in range(0, rows, 8192):
            at = np.arange(start, min(start + 8192, rows))
            values = rng.normal(size=len(at))
            values[::1000] = np.nan
            found.append((start + 3, columns.seal_block(columns.Columns(1, at + 3, at, 3 * at, 1e9 + at / 8, [3 * at, values]))))
        found.append((rows + 3, End(2e9)))
        data = b"".join(frames.encode(sequence, messages.encode(message)) for sequence, message in found)
        root.write_bytes(f"{run}/metrics.h-{rank}-{writer}.mlog", frames.MAGIC + data)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    root, rng = SafeRoot(tmp_path_factory.mktemp("root")), np.random.default_rng(0)
    for run, size in zip(RUNS, SIZES, strict=True):
        write_run(root, run, size, rng)
    write_run(root, "other", 0, rng)
    with open_store(root) as made:
        yield made


def both(store: SqliteStore, query: GetSeries) -> tuple[SeriesAnswer, SeriesAnswer, int]:
    """Return the answer at once, the one in pieces, and how many pieces that were."""
    ids = [int(store.snapshot().ids[store.snapshot().position(run)]) for run in RUNS]
    plan = planned(query, chosen_series(store, query, Asked(frozenset(ids), most=True)), 10**9)
    assert plan.level == RAW
    whole = answer_series(query, RUNS, load(store, query, plan, {run: at for at, run in enumerate(ids)}))
    pieces = list(pieces_of(ids, plan))
    answers = []
    for start, stop, piece in pieces:
        loaded = load(store, query, piece, {run: at for at, run in enumerate(ids[start:stop])})
        answers.append(answer_series(query, RUNS[start:stop], loaded, None, limits_of(query, plan.series)))
    return whole, joined(answers), len(pieces)


@pytest.mark.parametrize(
    "query",
    [
        GetSeries("loss", bins=700),
        GetSeries("loss", bins=100, lo=1000, hi=400_000),
        GetSeries("loss", bins=100, hi=20),
        GetSeries("loss", bins=300, smoothing=Smoothing("ema", 0.9)),
        GetSeries("loss", bins=50, rank=1),
    ],
    ids=str,
)
def test_pieces_are_the_whole(store: SqliteStore, query: GetSeries) -> None:
    (header, arrays), (found, parts), count = both(store, query)
    assert count > 1 or query.rank == 1
    assert found == header
    assert len(parts) == len(arrays)
    for a, b in zip(arrays, parts, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_engine_takes_pieces_where_there_are_many_points(store: SqliteStore) -> None:
    ids = frozenset(store.snapshot().ids.tolist())
    many = [*RUNS, *RUNS]
    for query, expected in ((GetSeries("loss"), False), (GetSeries("loss", x="time"), False)):
        plan = planned(query, chosen_series(store, query, Asked(ids, most=True)), 10**9)
        assert is_many(query, plan) is expected
        assert is_many(query, plan._replace(series=plan.series * 2)) is (query.x == "step")
        assert not is_many(GetSeries("loss", group_by=["lr"]), plan._replace(series=plan.series * 2))
    header, _ = Engine(store, store.root).answer(GetSeries("loss", runs=many))
    assert [info.key for info in header.series] == RUNS
