"""`read_metrics` and `get_exps` over one run and over three: series, tables, aggregates, bins, and what is not there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import NotFoundError, UsageError


def test_one_key_is_a_series_and_several_are_a_list(three: ML_Logger) -> None:
    loss = three.read_metrics("loss", path="2/metrics.pkl")
    assert isinstance(loss, pd.Series)
    assert list(loss) == [2.0 * step for step in range(10)]
    assert loss.name == "loss"
    loss, acc = three.read_metrics("loss", "acc", path="2/metrics.pkl")
    assert acc.isna().sum() == 8
    assert acc.max() == 0.5
    loss, step = three.get_dataframe("loss", x_key="step", path="1/metrics.pkl")
    assert step.to_list() == list(range(10))
    assert [len(column) for column in three.read_metrics("loss", "acc", path="2/metrics.pkl", dropna=True)] == [2, 2]


def test_no_key_is_a_table(three: ML_Logger) -> None:
    table = three.read_metrics(path="1/metrics.pkl")
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["step", "loss", "acc"]
    found = three.read_metrics(path="**/metrics.pkl")
    assert sorted(found) == ["0/metrics.pkl", "1/metrics.pkl", "2/metrics.pkl"]
    arrays = three.read_metrics(path="1/metrics.pkl", as_numpy=True)
    assert arrays["step"].dtype == np.int64


def test_aggregates_over_runs_with_x_last(three: ML_Logger) -> None:
    mean, low, high, step = three.read_metrics("loss@mean", "loss@16%", "loss@84%", x_key="step@min", path="*/metrics.pkl", dropna=True)
    assert step.to_list() == list(range(10))
    assert mean.to_list() == [float(step) for step in range(10)]
    assert low.to_list() == pytest.approx([np.quantile([0, s, 2 * s], 0.16) for s in range(10)])
    assert high.to_list() == pytest.approx([np.quantile([0, s, 2 * s], 0.84) for s in range(10)])


def test_bins(three: ML_Logger) -> None:
    loss, step = three.read_metrics("loss@max", x_key="step", path="1/metrics.pkl", num_bins=2, as_numpy=True)
    assert (list(loss), list(step)) == ([4.0, 9.0], [2.0, 7.0])
    loss, step = three.read_metrics("loss@count", x_key="step@min", path="1/metrics.pkl", bin_size=4, as_numpy=True)
    assert (list(loss), list(step)) == ([4.0, 4.0, 2.0], [0.0, 4.0, 8.0])
    groups = three.read_metrics("loss", path="*/metrics.pkl", as_numpy=True)
    assert [list(group) for group in groups[:2]] == [[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]]


def test_what_is_not_there(three: ML_Logger) -> None:
    with pytest.raises(NotFoundError, match="nothing was logged"):
        three.read_metrics("loss", path="9/metrics.pkl")
    with pytest.raises(NotFoundError, match="there is acc, loss, step"):
        three.read_metrics("los", path="1/metrics.pkl")
    with pytest.raises(UsageError, match=r"'avg'.*mean"):
        three.read_metrics("loss@avg", path="1/metrics.pkl")
    assert three.read_metrics("loss", path="9/metrics.pkl", silent=True) is None
    assert three.read_metrics("a", "b", path="1/metrics.pkl", default=0) == [0, 0]


def test_own_writes_are_seen_at_once(logger: ML_Logger) -> None:
    for step in range(3):
        logger.log(step=step, a=step, silent=True)
        assert list(logger.read_metrics("a")) == list(range(step + 1))


def test_get_exps(three: ML_Logger) -> None:
    table = three.get_exps("*")
    assert sorted(table["Args.seed"]) == [0, 1, 2]
    assert sorted(table["prefix"]) == ["sweep/0", "sweep/1", "sweep/2"]
    assert {row["Args.opt.lr"] for row in three.get_exps(as_dataframe=False)} == {0.1}


def test_parameters_below_a_prefix_are_experiments_of_their_own(logger: ML_Logger) -> None:
    for seed in range(3):
        with logger.Prefix(f"seed-{seed}"):
            logger.log_params(Args={"seed": seed}, silent=True)
    found = logger.get_exps("*", as_dataframe=False)
    assert sorted((row["prefix"].rpartition("/")[2], row["Args.seed"]) for row in found) == [(f"seed-{n}", n) for n in range(3)]


def test_aggregates_of_what_is_no_number(logger: ML_Logger) -> None:
    for step in range(3):
        logger.log(step=step, phase=f"p{step}", silent=True)
    logger.flush()
    assert list(logger.read_metrics("phase@last", bin_size=3)) == ["p2"]
    assert list(logger.read_metrics("phase@count", bin_size=3)) == [3]
    with pytest.raises(UsageError, match="'phase@mean': 'p0' is no number"):
        logger.read_metrics("phase@mean")


def test_a_table_that_a_user_saved(logger: ML_Logger) -> None:
    logger.save_text("epoch,loss,note\n0,0.5,a\n1,,b\n", "table.csv")
    loss, note = logger.read_metrics("loss", "note", path="table.csv")
    assert [loss[0], note[1]] == [0.5, "b"]
    assert loss.isna().to_list() == [False, True]
