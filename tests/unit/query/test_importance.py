"""Importance finds the parameter that matters, says how sure it is, and says when it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from ml_logger.query.importance import Feature, importance

pytest.importorskip("sklearn")


def test_the_parameter_that_matters_comes_first() -> None:
    rng = np.random.default_rng(0)
    lr, width, kind = 10 ** rng.uniform(-4, -1, 60), rng.integers(1, 5, 60).astype("f8"), rng.integers(0, 3, 60).astype("f8")
    objective = -np.log10(lr) + 0.1 * (kind == 1) + rng.normal(size=60) * 0.02
    lr[5] = np.nan
    objective[7] = np.inf
    found = importance(
        [Feature("width", width, True), Feature("lr", lr, True), Feature("kind", kind, False), Feature("same", np.ones(60), True)],
        objective,
    )
    assert found.weights[0].name == "lr"
    assert (found.n, found.reason) == (59, "")
    assert found.r2 is not None
    assert found.r2 > 0.8
    by_name = {w.name: w for w in found.weights}
    assert by_name["lr"].correlation == pytest.approx(-1, abs=0.05)
    assert by_name["kind"].correlation is None
    assert "same" not in by_name


def test_it_says_when_it_cannot() -> None:
    x = np.arange(19.0)
    assert importance([Feature("x", x, True)], x).reason == "not enough runs"
    assert importance([Feature("x", np.ones(30), True)], np.arange(30.0)).reason == "nothing varies"
    assert importance([], np.arange(30.0)).reason == "nothing varies"
