"""Curve predicates on curves that anyone would call so."""

from __future__ import annotations

import numpy as np
import pytest

from ml_logger.query.shapes import has_shape

RNG = np.random.default_rng(0)
STEPS = np.arange(400)
HEALTHY = 2.3 * np.exp(-STEPS / 80) + 0.1 + RNG.normal(size=400) * 0.01
EXPLODED = np.where(STEPS < 300, HEALTHY, HEALTHY * 1.5 ** (STEPS - 300.0))
ENDS_IN_NAN = np.where(STEPS < 390, HEALTHY, np.nan)
SPIKED = HEALTHY + np.where(STEPS == 250, 3.0, 0.0)
RISING = STEPS / 400 + RNG.normal(size=400) * 0.002


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("diverged", HEALTHY, False), ("diverged", EXPLODED, True), ("diverged", ENDS_IN_NAN, True), ("diverged", SPIKED, False),
        ("diverged", np.array([]), False), ("diverged", np.array([np.nan]), True), ("diverged", np.array([1.0]), False),
        ("spiked", HEALTHY, False), ("spiked", SPIKED, True), ("spiked", RISING, False), ("spiked", np.ones(5), False),
        ("spiked", np.ones(50), False),
        ("plateaued", HEALTHY, True), ("plateaued", RISING, False), ("plateaued", np.ones(50), True), ("plateaued", np.array([1.0]), False),
    ],
)  # fmt: skip
def test_shapes(kind: str, values: np.ndarray, expected: bool) -> None:
    assert has_shape(kind, values) is expected


def test_a_larger_sigma_asks_for_a_larger_spike() -> None:
    small = HEALTHY + np.where(STEPS == 350, 0.15, 0.0)
    assert has_shape("spiked", small, sigma=5.0)
    assert not has_shape("spiked", small, sigma=50.0)
    assert has_shape("spiked", HEALTHY, high=SPIKED)
