"""Columns out of rows, grouped along x and aggregated: what `read_metrics` computes. Knows no session; NumPy comes when it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_logger.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Rows = Sequence[dict[str, Any]]


class Wanted(NamedTuple):
    """A key as the user wrote it (`loss@16%`), the name before the @ and the aggregate behind it, or None."""

    text: str
    name: str
    agg: str | None


def wanted(text: str) -> Wanted:
    """Split `name@aggregate`; what stands behind the @ and is no aggregate belongs to the name (`recall@10`)."""
    if not isinstance(text, str):
        raise UsageError(f"a key is the name of a metric, not {type(text).__name__}")
    name, at, agg = text.rpartition("@")
    if not at or (agg not in _AGGREGATES and _share(agg) is None):
        return Wanted(text, text, None)
    return Wanted(text, name, agg)


def as_named(key: Wanted, known: set[str]) -> Wanted:
    """Return what `key` means where the names `known` were logged: the name itself, if it was logged with its @.

    Raises `UsageError` that says what there is for an unknown aggregate of a known name.
    """
    if key.agg is not None and key.name not in known and key.text in known:
        return Wanted(key.text, key.text, None)
    name, at, agg = key.text.rpartition("@")
    if key.agg is None and at and key.text not in known and name in known:
        raise UsageError(f"{key.text!r}: unknown aggregate {agg!r}; there are {', '.join(_AGGREGATES)} and quantiles such as 16%")
    return key


def column(rows: Rows, name: str) -> np.ndarray:
    """Return the values of `name`, one a row: integers or floats where all are (NaN where a row has none), else objects."""
    import numpy as np

    values = [row.get(name) for row in rows]
    kinds = {type(value) for value in values}
    if kinds <= {float, int, type(None)} and not (kinds <= {int} and values):
        return np.array([np.nan if value is None else float(value) for value in values], np.float64)
    if kinds == {int} and all(-(1 << 63) <= value < 1 << 63 for value in values if value is not None):
        return np.array(values, np.int64)
    found = np.empty(len(values), object)
    found[:] = values
    return found


def plain_columns(rows: Rows, keys: list[Wanted], *, dropna: bool) -> list[np.ndarray]:
    """Return the columns of one table as they were logged; with `dropna` only the rows that have all of them."""
    import numpy as np

    found = [column(rows, key.name) for key in keys]
    if dropna:
        whole = np.ones(len(rows), bool)
        for values in found:
            whole &= ~_missing(values)
        found = [values[whole] for values in found]
    return found


def grouped_columns(
    tables: list[Rows], keys: list[Wanted], x_key: Wanted | None, num_bins: int | None, bin_size: int, *, dropna: bool
) -> list[np.ndarray]:
    """Return one value for each group of points with a common x, over all tables: the keys' aggregates, then x if it was named.

    A key without an aggregate gives an array of values for each group. x is `x_key` or the number of the row.
    """
    import numpy as np

    kept = [[row for row in rows if x_key is None or isinstance(row.get(x_key.name), (int, float))] for rows in tables]
    xs = np.concatenate([np.arange(len(rows), dtype=float) if x_key is None else column(rows, x_key.name).astype(float) for rows in kept])
    group, count = groups_of(xs, num_bins, bin_size)
    everything = [row for rows in kept for row in rows]
    found = [_aggregated(column(everything, key.name), group, count, key) for key in keys]
    if x_key is not None:
        found.append(_aggregated(xs, group, count, x_key if x_key.agg else x_key._replace(agg="mean")))
    if dropna:
        whole = ~np.logical_or.reduce([_missing(values) for values in found])
        found = [values[whole] for values in found]
    return found


def groups_of(xs: np.ndarray, num_bins: int | None, bin_size: int) -> tuple[np.ndarray, int]:
    """Return the group of each point and how many there are: bins of equal width, or `bin_size` successive values of x."""
    import numpy as np

    if not len(xs):
        return np.empty(0, np.int64), 0
    if num_bins:
        low, width = float(np.nanmin(xs)), float(np.nanmax(xs) - np.nanmin(xs)) / num_bins
        group = np.minimum(((xs - low) / (width or 1.0)).astype(np.int64), num_bins - 1)
        used, group = np.unique(group, return_inverse=True)
        return group, len(used)
    used, group = np.unique(xs, return_inverse=True)
    return group // max(bin_size, 1), (len(used) - 1) // max(bin_size, 1) + 1


def _aggregated(values: np.ndarray, group: np.ndarray, count: int, key: Wanted) -> np.ndarray:
    import numpy as np

    agg = key.agg
    present = ~_missing(values)
    order = np.argsort(group[present], kind="stable")
    pieces = np.split(values[present][order], np.searchsorted(group[present][order], np.arange(1, count))) if count else []
    if agg is None:
        found = np.empty(count, object)
        for number, piece in enumerate(pieces):
            found[number] = piece
        return found
    share = _share(agg)
    reduce = _AGGREGATES[agg] if share is None else lambda piece: np.quantile(piece, share)
    if agg in _OF_ANYTHING and values.dtype == object:
        found = np.empty(count, object)
        found[:] = [reduce(piece) if len(piece) else None for piece in pieces]
        return found
    return np.array([_reduced(reduce, piece, key) for piece in pieces], np.float64)


def _reduced(reduce: Callable[[Any], Any], piece: np.ndarray, key: Wanted) -> float:
    import numpy as np

    if not len(piece):
        return float("nan")
    try:
        return float(reduce(piece.astype(np.float64))) if piece.dtype == object else float(reduce(piece))
    except (TypeError, ValueError):
        other = next((value for value in piece if not isinstance(value, (int, float))), piece[0])
        kinds = ", ".join(sorted(_OF_ANYTHING))
        raise UsageError(f"{key.text!r}: {str(other)[:40]!r} is no number; of {key.name!r} there are {kinds}") from None


def _missing(values: np.ndarray) -> np.ndarray:
    import numpy as np

    if values.dtype == object:
        return np.array([value is None or (isinstance(value, float) and value != value) for value in values], bool)  # noqa: PLR0124 - NaN
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def _share(agg: str) -> float | None:
    try:
        share = float(agg[:-1]) / 100 if agg.endswith("%") else -1.0
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def _spread(piece: Any) -> float:
    return piece.std(ddof=1) if len(piece) > 1 else float("nan")


def _median(piece: Any) -> float:
    import numpy as np

    return float(np.median(piece))


_AGGREGATES: dict[str, Callable[[Any], Any]] = {
    "mean": lambda p: p.mean(), "median": _median, "min": lambda p: p.min(), "max": lambda p: p.max(), "sum": lambda p: p.sum(),
    "std": _spread, "var": lambda p: _spread(p) ** 2, "sem": lambda p: _spread(p) / len(p) ** 0.5, "count": len,
    "first": lambda p: p[0], "last": lambda p: p[-1],
}  # fmt: skip
_OF_ANYTHING = frozenset(("first", "last", "count"))
