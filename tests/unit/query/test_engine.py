"""The engine over a real store and real run directories: search, groups, completion, series against NumPy, odd metrics."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from ml_logger.errors import NotFoundError, QuerySyntaxError
from ml_logger.formats import messages
from ml_logger.queries import CompleteQuery, GetImportance, GetRun, GetSeries, ListMetrics, ReadRows, SearchRuns, Smoothing
from ml_logger.query import runs
from ml_logger.query.engine import Engine
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.sqlite import open_store

Write = Callable[..., Any]
NOW = 100_000.0


MANY = 600


@pytest.fixture
def engine(root: SafeRoot, write_run: Write) -> Iterator[Engine]:
    """Return an engine over a sweep of 2 learning rates × 3 seeds, and one odd run."""
    for lr in (0.1, 0.01):
        for seed in range(3):
            rows = [{"step": s, "loss": lr * 10 + seed + 1 / (s + 1), "eval/acc": s / 50 - lr} for s in range(50)]
            params = {"Args": {"lr": lr, "seed": seed, "opt": "adam" if lr > 0.05 else "sgd"}, "net": {"width": 64}}
            write_run(
                f"sweep/lr{lr}-s{seed}",
                rows=rows,
                params=params,
                created=1000.0 * (seed + 1),
                status="completed",
                extra=[messages.End(NOW)],
            )
    odd = [{"step": 0, "nan": math.nan, "text": "a", "flag": True}, {"step": 1, "nan": math.nan, "text": "b", "flag": False, "one": 1.5}]
    write_run("odd/run", rows=odd, created=NOW - 10)
    with open_store(root) as store:
        yield Engine(store, root, lambda: NOW)


def names(engine: Engine, q: str, **more: Any) -> list[str]:
    return [row.key for row in engine.answer(SearchRuns(q, **more)).rows]


def test_metrics_are_told_of_any_runs_with_their_points_or_without(engine: Engine) -> None:
    known = list(engine.store.snapshot().keys)
    some: list[list[str] | None] = [None, [], ["odd/run"], ["nowhere"], known[:1], known[1:], known]
    for chosen in some:
        counted = engine.answer(ListMetrics(chosen))
        plain = engine.answer(ListMetrics(chosen, points=False))
        assert [(m.name, m.runs, m.numeric) for m in plain.metrics] == [(m.name, m.runs, m.numeric) for m in counted.metrics]
        assert (plain.of, {m.points for m in plain.metrics}) == (counted.of, {0} if counted.metrics else set())
    points = {key: {m.name: m.points for m in engine.answer(ListMetrics([key])).metrics} for key in known}
    assert points["odd/run"] == {"nan": 2, "text": 2, "flag": 2, "one": 1}
    assert points["sweep/lr0.1-s0"] == {"loss": 50, "eval/acc": 50}
    assert engine.answer(ListMetrics(q="lr = 0.1", points=False)).of == 3


@pytest.mark.parametrize(
    ("q", "told", "instead"),
    [
        ("lr > 0 sort:-loss tag:x name:/a/ sort:created loss.min < 1 lossy", [], []),
        ("sort:los", ["no run here has “los”; the nearest name is “loss”"], ["sort:loss"]),
        ("sed = 1 sort:-`lsos`", None, ["seed = 1 sort:-`lsos`", "sed = 1 sort:-`loss`"]),
        ("not (zzzzzz > 1) or has:zzzzzz or loss diverged", ["no run here has “zzzzzz”"], [None]),
        ("has:hass or s.mni < 1 or has:lsos", None, ["has:hass or s.mni < 1 or has:loss"]),
        ("sort:tag", ["runs have no order by tag"], [None]),
        ("losss.min < 2", ["no run here has “losss.min”; the nearest name is “loss.min”"], ["loss.min < 2"]),
    ],
)  # fmt: skip
def test_a_name_that_no_run_has_is_told_of(engine: Engine, q: str, told: list[str] | None, instead: list[str | None]) -> None:
    found = engine.answer(SearchRuns(q)).notices
    assert told is None or [notice.text for notice in found] == told
    assert [notice.instead for notice in found if told is not None or notice.instead] == instead


def test_a_name_is_unknown_where_only_runs_elsewhere_have_it(engine: Engine) -> None:
    (notice,) = engine.answer(SearchRuns("one > 1 sort:loss", prefix="sweep")).notices
    assert (notice.text, notice.start, notice.end) == ("no run here has “one”", 0, 7)
    assert engine.answer(SearchRuns("one > 1", prefix="odd")).notices == []
    assert engine.answer(SearchRuns("one > 1", prefix="nowhere")).notices == []
    engine.store.unread = 3  # type: ignore[misc]
    assert engine.answer(SearchRuns("two > 1")).notices == []


def test_a_run_is_found_by_its_uuid(engine: Engine) -> None:
    run = engine.store.snapshot().rows([2])[0]
    assert names(engine, f"uuid = {run.uuid}") == [run.key]
    assert names(engine, "uuid = 0") == []


def test_groups_are_counted_and_the_largest_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    page = engine.answer(SearchRuns(group_by=["seed"]))
    assert (len(page.groups), page.of_groups) == (4, 4)
    monkeypatch.setattr(runs, "MOST_GROUPS", 2)
    page = engine.answer(SearchRuns(group_by=["seed"]))
    assert ([group.runs for group in page.groups], page.of_groups) == ([2, 2], 4)
    assert engine.answer(SearchRuns()).of_groups == 0


def test_search(engine: Engine) -> None:
    assert len(names(engine, "")) == 7
    assert names(engine, "lr = 0.1 sort:seed") == [f"sweep/lr0.1-s{s}" for s in range(3)]
    assert names(engine, "Args.lr < 0.05 and seed >= 1 sort:-seed") == ["sweep/lr0.01-s2", "sweep/lr0.01-s1"]
    assert names(engine, "opt == adam seed in [0, 2] sort:seed") == ["sweep/lr0.1-s0", "sweep/lr0.1-s2"]
    assert names(engine, "name:/lr0.1-s[01]/ sort:-loss") == ["sweep/lr0.1-s1", "sweep/lr0.1-s0"]
    assert names(engine, "acc > 0.9 sort:name")[0] == "sweep/lr0.01-s0"
    assert names(engine, "loss.min < 0.2") == ["sweep/lr0.01-s0"]
    assert names(engine, "not has:lr") == ["odd/run"]
    assert names(engine, "created:<1h") == ["odd/run"]
    assert len(names(engine, "status:completed")) == 6
    assert names(engine, "adam seed = 2") == ["sweep/lr0.1-s2"]
    assert names(engine, "", prefix="odd") == ["odd/run"]
    assert names(engine, "text = b") == ["odd/run"]
    assert names(engine, "flag = false") == ["odd/run"]


def test_pages_and_columns(engine: Engine) -> None:
    page = engine.answer(SearchRuns("sort:name", offset=2, limit=3))
    assert (page.total, page.all, page.offset, len(page.rows)) == (7, 7, 2, 3)
    by_name = {column.name: column for column in page.columns}
    assert (by_name["Args.lr"].kind, by_name["Args.lr"].runs, by_name["Args.lr"].numeric) == ("param", 6, True)
    assert (by_name["loss"].kind, by_name["Args.opt"].numeric, by_name["text"].numeric) == ("metric", False, False)
    row = engine.answer(SearchRuns("lr0.1-s2", columns=["loss"])).rows[0]
    assert (row.params, list(row.metrics), row.metrics["loss"].n, row.metrics["loss"].last_step) == ({}, ["loss"], 50, 49)
    inside = engine.answer(SearchRuns("", prefix="odd"))
    assert {c.name for c in inside.columns} == {"nan", "text", "flag", "one"}


@pytest.mark.parametrize("q", ["", "sort:name", "sort:-loss", "seed >= 1 sort:-lr"])
def test_a_run_is_located_wherever_it_stands(engine: Engine, q: str) -> None:
    order = names(engine, q)
    for index, key in enumerate(order):
        page = engine.answer(SearchRuns(q, limit=1, locate=key))
        assert (page.located, len(page.rows)) == (index, 1)
    assert engine.answer(SearchRuns("seed = 0", locate="sweep/lr0.1-s2")).located is None
    assert engine.answer(SearchRuns(q, locate="not/there")).located is None
    assert engine.answer(SearchRuns(q)).located is None


def test_the_columns_of_a_folder_are_its_own_even_beside_thousands(engine: Engine, write_run: Write) -> None:
    write_run(
        "huge/run",
        rows=[{"step": 0, "loss": 1.0, **{f"m{i}": 1.0 for i in range(MANY + 1)}}],
        params={"only": 1},
        status="completed",
    )
    engine.store.refresh()
    columns = engine.answer(SearchRuns(prefix="sweep", limit=1)).columns
    assert [(c.kind, c.name, c.runs) for c in columns if c.kind == "metric"] == [("metric", "eval/acc", 6), ("metric", "loss", 6)]
    assert [c.name for c in columns if c.kind == "param"] == ["Args.lr", "Args.opt", "Args.seed", "net.width"]
    assert len(engine.answer(SearchRuns(prefix="huge", limit=1)).columns) == MANY + 3


def test_columns_are_in_the_order_of_people(engine: Engine, write_run: Write) -> None:
    numbers = ["9" * 5000, "10", "2", "02"]  # more digits than a number may have, too
    write_run("named/run", rows=[{"step": 0, **{f"layer{number}/a": 1.0 for number in numbers}}], params={"p10": 1, "p2": 1, "p": 1})
    engine.store.refresh()
    found = [column.name for column in engine.answer(SearchRuns(prefix="named", limit=1)).columns]
    assert found == ["p", "p2", "p10", "layer02/a", "layer2/a", "layer10/a", f"layer{numbers[0]}/a"]


def test_groups_of_runs(engine: Engine) -> None:
    page = engine.answer(SearchRuns("", prefix="sweep", group_by=["lr"]))
    assert [(g.values, g.runs) for g in page.groups] == [({"lr": 0.01}, 3), ({"lr": 0.1}, 3)]
    last = [1.0 + s + 1 / 50 for s in range(3)]
    assert page.groups[1].metrics["loss"] == pytest.approx([np.mean(last), np.std(last), 3])
    folded = engine.answer(SearchRuns("", prefix="sweep", group_by=["*-seed"]))
    assert [g.runs for g in folded.groups] == [3, 3]
    assert folded.groups[0].values == {"Args.lr": 0.01, "Args.opt": "sgd"}


def test_bad_queries_say_where(engine: Engine) -> None:
    for query in (SearchRuns("lr <"), GetSeries("loss", q="lr <"), ListMetrics(q="lr <")):
        with pytest.raises(QuerySyntaxError) as caught:
            engine.answer(query)
        assert caught.value.position == 4


def test_completion(engine: Engine) -> None:
    def texts(q: str) -> list[str]:
        return [c.text for c in engine.answer(CompleteQuery(q, len(q))).items]

    assert texts("l")[:2] == ["Args.lr", "loss"] or texts("l")[:2] == ["loss", "Args.lr"]
    assert "adam" in texts("opt = ")
    assert texts("opt = s") == ["sgd"]
    assert "<" in texts("lr ")
    assert "diverged" in texts("loss ")
    assert texts("status:c") == ["completed"]
    assert "-loss" in texts("sort:-lo")
    span, *values = engine.answer(CompleteQuery("lr < ", 5)).items
    assert (span.kind, span.low, span.high, sum(span.histogram)) == ("range", 0.01, 0.1, 6)
    assert [v.text for v in values] == ["0.01", "0.1"]
    middle = engine.answer(CompleteQuery("los > 3", 2)).items[0]
    assert (middle.text, middle.start, middle.end) == ("loss", 0, 3)


def test_series_are_the_logged_points(engine: Engine) -> None:
    header, arrays = engine.answer(GetSeries("loss", runs=["sweep/lr0.1-s0", "odd/run", "sweep/lr0.01-s2", "gone"]))
    assert [s.key for s in header.series] == ["sweep/lr0.1-s0", "sweep/lr0.01-s2"]
    assert (header.missing, header.lo, header.hi) == (2, 0, 49)
    assert header.series[0].exact
    assert arrays[0].tolist() == list(range(50))
    np.testing.assert_array_equal(arrays[1], [1.0 + 1 / (s + 1) for s in range(50)])
    again, same = engine.answer(GetSeries("loss", runs=["sweep/lr0.1-s0", "odd/run", "sweep/lr0.01-s2", "gone"]))
    assert again == header
    assert same[1] is arrays[1]


def test_what_a_job_says_of_itself_separates_no_seeds(engine: Engine, write_run: Write) -> None:
    pytest.importorskip("sklearn", reason="importance needs scikit-learn")
    for seed in range(20):
        rows = [{"step": s, "loss": seed + s} for s in range(3)]
        write_run(
            f"jobs/s{seed}", rows=rows, params={"lr": 0.1, "seed": seed, "job": {"completionTime": f"12:00:{seed:02d}"}}, status="completed"
        )
    engine.store.refresh()
    groups = engine.answer(SearchRuns(prefix="jobs", group_by=["*-seed"])).groups
    assert [group.runs for group in groups] == [20]
    header, _ = engine.answer(GetSeries("loss", prefix="jobs", group_by=["*-seed"]))
    assert [info.runs for info in header.series] == [20]
    assert [param.name for param in engine.answer(GetImportance("loss", prefix="jobs")).params] == ["seed"]


@pytest.mark.parametrize("x", ["step", "time", "relative", "eval/acc"])
def test_every_x(engine: Engine, x: str) -> None:
    header, (xs, ys) = engine.answer(GetSeries("loss", runs=["sweep/lr0.1-s1"], x=x))
    expected = {
        "step": range(50),
        "time": [2000.0 + s for s in range(50)],
        "relative": range(50),
        "eval/acc": [s / 50 - 0.1 for s in range(50)],
    }
    np.testing.assert_allclose(xs, list(expected[x]))
    assert ys[0] == 3.0
    assert header.x == x
    header, part = engine.answer(GetSeries("loss", runs=["sweep/lr0.1-s1"], x=x, lo=xs[10], hi=xs[12]))
    np.testing.assert_array_equal(part[1], ys[10:13])
    assert (header.series[0].before, header.series[0].after) == ([xs[9], ys[9]], [xs[13], ys[13]])
    between = engine.answer(GetSeries("loss", runs=["sweep/lr0.1-s1"], x=x, lo=xs[10] + 0.001, hi=xs[11] - 0.001))[0].series[0]
    assert (between.n, between.before, between.after) == (0, [xs[10], ys[10]], [xs[11], ys[11]])


def test_group_series_are_over_all_runs(engine: Engine) -> None:
    header, arrays = engine.answer(GetSeries("loss", q="", group_by=["lr"]))
    assert [(s.group, s.runs, s.exact) for s in header.series] == [({"lr": 0.01}, 3, False), ({"lr": 0.1}, 3, False)]
    x, mean, low, high, count = arrays[5:]
    raw = np.array([[1.0 + seed + 1 / (s + 1) for s in range(50)] for seed in range(3)])
    np.testing.assert_allclose(mean, raw.mean(0))
    np.testing.assert_allclose(low, raw.mean(0) - raw.std(0))
    np.testing.assert_allclose(high, raw.mean(0) + raw.std(0))
    assert set(count) == {3.0}
    assert len(x) == 50
    folded, _ = engine.answer(
        GetSeries("loss", prefix="sweep", group_by=["*-seed"], center="iqm", spread="ci95", smoothing=Smoothing("ema", 0.5))
    )
    assert [s.runs for s in folded.series] == [3, 3]


def test_odd_metrics(engine: Engine) -> None:
    header, arrays = engine.answer(GetSeries("nan", runs=["odd/run"]))
    assert (header.series[0].bad, header.series[0].marks) == (2, [[0.0, "nan"], [1.0, "nan"]])
    assert np.isnan(arrays[1]).all()
    assert engine.answer(GetSeries("flag", runs=["odd/run"]))[1][1].tolist() == [1.0, 0.0]
    assert engine.answer(GetSeries("one", runs=["odd/run"]))[1][0].tolist() == [1.0]
    assert engine.answer(GetSeries("text", runs=["odd/run"]))[0].series == []
    assert engine.answer(GetSeries("nothing"))[0].missing == 7
    found = {m.name: (m.runs, m.points, m.numeric) for m in engine.answer(ListMetrics(["odd/run"])).metrics}
    assert found == {"nan": (1, 2, True), "text": (1, 2, False), "flag": (1, 2, True), "one": (1, 1, True)}


def test_curve_predicates(engine: Engine) -> None:
    assert names(engine, "nan diverged") == ["odd/run"]
    assert len(names(engine, "loss plateaued")) == 6
    assert names(engine, "loss diverged") == []
    assert names(engine, "loss spiked > 4 sigma after 10") == []


def test_attempts_and_ranks(engine: Engine, write_run: Write) -> None:
    for attempt, rank in ((0, 0), (1, 0), (1, 1)):
        write_run(
            "ddp", rows=[{"step": s, "loss": 10.0 * attempt + rank} for s in range(3)], attempt=attempt, rank=rank, created=5.0 + attempt
        )
    engine.store.refresh()
    _, (x, mean, low, high, count) = engine.answer(GetSeries("loss", runs=["ddp"]))
    assert (x.tolist(), mean.tolist(), low.tolist(), high.tolist(), count.tolist()) == ([0, 1, 2], [10.5] * 3, [10] * 3, [11] * 3, [2] * 3)
    assert engine.answer(GetSeries("loss", runs=["ddp"], rank=1))[1][1].tolist() == [11, 11, 11]
    assert engine.answer(GetSeries("loss", runs=["ddp"], attempt=0))[1][1].tolist() == [0, 0, 0]
    assert engine.answer(ReadRows("ddp/metrics.pkl", attempt=0)).tables[0].rows[0]["loss"] == 0.0
    header, arrays = engine.answer(GetSeries("loss", runs=["ddp"], split="rank"))
    assert [info.group for info in header.series] == [{"run": "ddp", "rank": 0}, {"run": "ddp", "rank": 1}]
    assert [array.tolist() for array in arrays[1::2]] == [[10, 10, 10], [11, 11, 11]]
    header, arrays = engine.answer(GetSeries("loss", runs=["ddp"], split="attempt"))
    assert [info.key for info in header.series] == ["ddp attempt 0", "ddp attempt 1"]
    assert (arrays[1].tolist(), header.lo, header.hi, header.missing) == ([0, 0, 0], 0, 2, 0)
    assert engine.answer(GetSeries("loss", runs=["no such run"], split="rank"))[0].series == []


def test_one_run(engine: Engine, root: SafeRoot) -> None:
    root.write_bytes("sweep/lr0.1-s0/README.md", b"# hello")
    detail = engine.answer(GetRun("sweep/lr0.1-s0"))
    assert detail.nested == {"Args": {"lr": 0.1, "seed": 0, "opt": "adam"}, "net": {"width": 64}}
    assert (detail.row.status, detail.readme, len(detail.writers), detail.lifecycle[0]["status"]) == (
        "completed",
        "# hello",
        1,
        "completed",
    )
    assert engine.answer(GetRun("sweep")).row is None
    with pytest.raises(NotFoundError):
        engine.answer(GetRun("nothing/here"))


def test_importance_needs_twenty_runs(engine: Engine) -> None:
    assert engine.answer(GetImportance("loss")).reason == "not enough runs"
    with pytest.raises(NotFoundError):
        engine.answer(GetImportance("nothing"))


def test_the_index_may_be_deleted_and_the_answers_are_the_same(engine: Engine, root: SafeRoot) -> None:
    questions = [
        SearchRuns("sort:name"),
        SearchRuns("lr = 0.1 loss.min < 2 sort:-acc", group_by=["seed"]),
        ListMetrics(),
        GetSeries("loss", q="sort:name", bins=7),
        GetSeries("eval/acc", group_by=["*-seed"], smoothing=Smoothing("gaussian", 2)),
    ]
    before = [engine.answer(question) for question in questions]
    engine.store.close()
    shutil.rmtree(root.path(".ml-logger/index"))
    with open_store(root) as store:
        again = Engine(store, root, lambda: NOW)
        for question, expected in zip(questions, before, strict=True):
            found = again.answer(question)
            if isinstance(question, GetSeries):
                assert [(s.key, s.n, s.logged, s.bad) for s in found[0].series] == [
                    (s.key, s.n, s.logged, s.bad) for s in expected[0].series
                ]
                for a, b in zip(found[1], expected[1], strict=True):
                    np.testing.assert_array_equal(a, b)
            else:
                assert comparable(found) == comparable(expected)


def comparable(answer: Any) -> str:
    """Return an answer without its version; NaN equals NaN."""
    plain = msgspec.to_builtins(answer)
    plain.pop("version", None)
    return repr(plain)


def test_a_hostile_query_is_quick(engine: Engine) -> None:
    start = time.perf_counter()
    for q in (
        'name ~ "(a+)+$"',
        "name:" + "*a" * 40,
        '"' + "a " * 2000 + '"',
        "x" * 4000,
        " or ".join(["lr < 1"] * 299),
        'host !~ "(.*)*x"',
    ):
        try:
            engine.answer(SearchRuns(q))
            engine.answer(CompleteQuery(q, len(q)))
        except QuerySyntaxError:
            pass
    assert time.perf_counter() - start < 3
