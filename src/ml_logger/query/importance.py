"""Which parameters matter for an objective: permutation importance of a small forest, with its out-of-bag R². Knows no run.

Needs scikit-learn (`ml-logger[importance]`), imported when asked. The result is repeatable: the seed is fixed.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ml_logger.errors import MissingExtraError

ENOUGH = 20
"""Under so many runs with the objective nothing is computed."""
MOST_RUNS, MOST_NAMES, MOST_CATEGORIES = 5000, 100, 50
_TREES, _REPEATS = 100, 5


class Feature(NamedTuple):
    """One parameter over the runs: `values` is float64 with NaN where it is missing; `numeric` tells numbers from codes of texts."""

    name: str
    values: np.ndarray
    numeric: bool


class Weight(NamedTuple):
    """How much the forest's R² falls when the parameter is shuffled (mean, std), and the rank correlation of a number."""

    name: str
    importance: float
    std: float
    correlation: float | None


class Result(NamedTuple):
    """Weights, the largest first; the out-of-bag R²; how many runs; or why there is nothing."""

    weights: list[Weight]
    r2: float | None
    n: int
    reason: str = ""


def importance(features: list[Feature], objective: np.ndarray) -> Result:
    """Return the importance of each feature that varies, for a float64 `objective`.

    Cost: about 0.3 s for 100 runs × 10 parameters, 5 s for 5000 × 50.
    """
    have = np.flatnonzero(np.isfinite(objective))
    if len(have) < ENOUGH:
        return Result([], None, len(have), "not enough runs")
    if len(have) > MOST_RUNS:
        have = np.sort(np.random.default_rng(0).choice(have, MOST_RUNS, replace=False))
    target = objective[have]
    varied = [Feature(f.name, f.values[have], f.numeric) for f in features if _varies(f, have)][:MOST_NAMES]
    if not varied or not np.ptp(target) > 0:
        return Result([], None, len(have), "nothing varies")
    matrix = np.column_stack([_filled(feature) for feature in varied])
    means, stds, r2 = _forest(matrix, target)
    correlations = [_rank_correlation(f.values, target) if f.numeric else None for f in varied]
    weights = [Weight(f.name, max(m, 0.0), s, c) for f, m, s, c in zip(varied, means, stds, correlations, strict=True)]
    return Result(sorted(weights, key=lambda w: -w.importance), r2, len(have))


def _forest(matrix: np.ndarray, target: np.ndarray) -> tuple[list[float], list[float], float]:
    try:
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.inspection import permutation_importance
    except ImportError as error:
        raise MissingExtraError("importance", "the importance of parameters") from error
    forest: Any = RandomForestRegressor(_TREES, oob_score=True, min_samples_leaf=1, max_features=1.0, random_state=0, n_jobs=1)
    with np.errstate(all="ignore"):  # an objective of 1e300 overflows when it is squared
        forest.fit(matrix, target)
        found: Any = permutation_importance(forest, matrix, target, n_repeats=_REPEATS, random_state=0, n_jobs=1)
    return found.importances_mean.tolist(), found.importances_std.tolist(), float(forest.oob_score_)


def _varies(feature: Feature, have: np.ndarray) -> bool:
    distinct = np.unique(feature.values[have])
    distinct = distinct[~np.isnan(distinct)]
    missing = np.isnan(feature.values[have]).any()
    return len(distinct) + int(missing) > 1 and (feature.numeric or len(distinct) <= MOST_CATEGORIES)


def _filled(feature: Feature) -> np.ndarray:
    """Return the values with missing ones as a number below all others, which a tree can split off."""
    values = np.nan_to_num(feature.values, nan=np.nan, posinf=1e300, neginf=-1e300)
    low = np.nanmin(values)
    return np.where(np.isnan(values), low - max(abs(low), 1.0), values)


def _rank_correlation(values: np.ndarray, target: np.ndarray) -> float | None:
    good = np.isfinite(values)
    if good.sum() < 3:
        return None
    a, b = _ranks(values[good]), _ranks(target[good])
    spread = a.std() * b.std()
    found = float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else math.nan
    return None if math.isnan(found) else found


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks, equal values sharing their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[place]
