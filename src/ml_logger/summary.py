"""Statistics of values stored in memory: what `store_metrics` collects and `log_metrics_summary` logs. Pure Python.

Knows no logger. Values may be numbers, ragged nested lists, arrays, None and NaN (left out), or strings (the last one counts).
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

BINS = 10
"""Bins of the `histogram` statistic."""


MAX_DEPTH = 32
"""Levels of lists within lists that are looked into."""


def numbers_in(value: Any, above: tuple[int, ...] = ()) -> Iterable[float]:
    """Yield the numbers in `value`, however nested; None, NaN, strings and a list inside of itself are left out."""
    if value is None or isinstance(value, (str, bytes)):
        return
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, (int, float)):
        if value == value:  # noqa: PLR0124 - not NaN; `isnan` does not take the largest integers
            yield _float(value)
        return
    if hasattr(value, "__iter__") and id(value) not in above and len(above) < MAX_DEPTH:
        for item in value:
            yield from numbers_in(item, (*above, id(value)))


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def total(numbers: list[float]) -> float:
    """Return the sum, exact where it is a finite number."""
    try:
        return math.fsum(numbers)
    except (ValueError, OverflowError):  # infinities of both signs, or more than a float holds
        return sum(numbers)


def quantile(ordered: list[float], q: float) -> float:
    """Return the q-quantile (0 … 1) of sorted numbers, interpolated linearly as NumPy does."""
    at = q * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    if ordered[low] == ordered[high]:  # infinities have no difference
        return ordered[low]
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def mean(numbers: list[float]) -> float:
    """Return the mean; sums exactly where the sum is finite."""
    return total(numbers) / len(numbers)


def std(numbers: list[float]) -> float:
    """Return the standard deviation of the population."""
    center = mean(numbers)
    return math.sqrt(mean([(number - center) * (number - center) for number in numbers]))


def mode(numbers: list[float]) -> float:
    """Return the commonest number, the smallest of several."""
    counts = Counter(numbers)
    most = max(counts.values())
    return min(number for number, count in counts.items() if count == most)


def _quantiles(numbers: list[float]) -> dict[str, float]:
    ordered = sorted(numbers)
    return {name: quantile(ordered, q) for name, q in (("0", 0.0), ("25", 0.25), ("50", 0.5), ("75", 0.75), ("100", 1.0))}


def _histogram(numbers: list[float]) -> dict[str, Any]:
    finite = [number for number in numbers if math.isfinite(number)]
    if not finite:
        return {}
    low, high = min(finite), max(finite)
    width = high / BINS - low / BINS or 1.0
    counts = [0] * BINS
    for number in finite:
        counts[min(int(number / width - low / width), BINS - 1)] += 1
    return {"histogram": counts, "edges": [low + width * i for i in range(BINS + 1)]}


_STATISTICS: dict[str, Callable[[list[float]], dict[str, Any]]] = {
    "min_max": lambda n: {"mean": mean(n), "min": min(n), "max": max(n)},
    "mean": lambda n: {"mean": mean(n)},
    "median": lambda n: {"median": quantile(sorted(n), 0.5)},
    "sum": lambda n: {"sum": total(n)},
    "min": lambda n: {"min": min(n)},
    "max": lambda n: {"max": max(n)},
    "count": lambda n: {"count": len(n)},
    "std": lambda n: {"stddev": std(n), "mean": mean(n), "mode": mode(n)},
    "quantile": _quantiles,
    "histogram": _histogram,
}


def _as_known(name: str) -> str:
    """Return a statistic by its own name: `stddev`, `std_deviation`, `quantiles` and `histograms` are understood, too."""
    return next((known for known in ("std", "quantile", "histogram") if name.startswith(known)), name)


def summarize(values: Iterable[Any], stats: str) -> dict[str, Any]:
    """Return {statistic: number} of `values`; `stats` is a name, or several joined by commas, blanks or "+".

    No finite number at all: the last value is returned under "last" if it is a string, else nothing.
    Raises `ValueError` that names what there is for an unknown statistic.
    """
    kept = list(values)
    names = [_as_known(name) for name in stats.replace("+", ",").replace(" ", ",").split(",") if name]
    unknown = [name for name in names if name not in _STATISTICS]
    if unknown:
        raise ValueError(f"unknown statistic {unknown[0]!r}: choose from {', '.join(_STATISTICS)}")
    numbers = list(numbers_in(kept))
    if not numbers:
        words = [value for value in kept if isinstance(value, str)]
        return {"last": words[-1]} if words else {}
    found: dict[str, Any] = {}
    for name in names:
        found.update(_STATISTICS[name](numbers))
    return found


class SummaryCache:
    """Values by key, in memory. `tiled` empties itself when summarized, `rolling` keeps the last `window` values of each key."""

    def __init__(self, mode: str = "tiled", default_stats: str = "mean", window: int | None = None) -> None:
        """Collect in `mode` ("tiled" or "rolling"); `default_stats` is used where none is named."""
        if mode not in ("tiled", "rolling"):
            raise ValueError(f"mode is {mode!r}: choose tiled or rolling")
        if window is not None and window < 1:
            raise ValueError(f"window is {window!r}: it holds at least one value")
        self.mode, self.default_stats, self.window = mode, default_stats, window
        self._values: dict[str, deque[Any]] = {}

    def store(self, metrics: Mapping[str, Any] | None = None, **kv: Any) -> None:
        """Append a value to each key."""
        for key, value in {**(metrics or {}), **kv}.items():
            self._values.setdefault(key, deque(maxlen=self.window)).append(value)

    def summarize(
        self, force_clear: bool = False, key_stats: Mapping[str, str] | None = None, default_stats: str | None = None, **key_modes: str
    ) -> dict[str, Any]:
        """Return {key/statistic: number} for all keys; a tiled cache is empty afterwards."""
        found = self.summary_stats(key_stats={**(key_stats or {}), **key_modes}, default_stats=default_stats)
        if self.mode == "tiled" or force_clear:
            self.clear()
        return found

    def summary_stats(
        self,
        *only_keys: str,
        key_stats: Mapping[str, str] | None = None,
        explicit: bool = False,
        stats: str | None = None,
        default_stats: str | None = None,
        **key_modes: str,
    ) -> dict[str, Any]:
        """Return {key/statistic: number} of `only_keys` (default all); `explicit` leaves out keys without a statistic of their own."""
        named = {**(key_stats or {}), **key_modes}
        chosen = [key for key in self._values if (not only_keys or key in only_keys) and (not explicit or key in named)]
        found: dict[str, Any] = {}
        for key in chosen:
            wanted = named.get(key) or default_stats or stats or self.default_stats
            found.update({f"{key}/{name}": number for name, number in summarize(self._values[key], wanted).items()})
        return found

    def peek(self, *keys: str, len: int | None = None) -> dict[str, list[Any]]:
        """Return the first `len` values (default all) of `keys` (default all)."""
        return {key: list(self._values[key])[:len] for key in (keys or self._values) if key in self._values}

    def get(self, key: str, default: Any = None) -> Any:
        """Return the values of `key` as a list, or `default`."""
        return list(self._values[key]) if key in self._values else default

    def pop(self, key: str, default: Any = None) -> Any:
        """Take out the values of `key`, or return `default`."""
        return list(self._values.pop(key)) if key in self._values else default

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()

    def __getitem__(self, key: str) -> list[Any]:
        """Return the values of `key`."""
        return list(self._values[key])

    def __contains__(self, key: str) -> bool:
        """Tell whether `key` has values."""
        return key in self._values

    def __bool__(self) -> bool:
        """Tell whether there is any value."""
        return bool(self._values)

    def __repr__(self) -> str:
        """Show how many values each key has."""
        return f"SummaryCache({', '.join(f'{key}: {len(values)}' for key, values in self._values.items())})"
