"""Ranks and attempts as lines of their own: one answer for each, put together. Knows no store.

A question that splits is asked once for each rank (or attempt); what an answer holds is as without a split.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from ml_logger.answers import SeriesHeader
from ml_logger.queries import GetSeries
from ml_logger.query.series import SeriesAnswer

MOST_PARTS = 256
"""Ranks or attempts beyond so many are left out."""


def parts_of(query: GetSeries, values: Iterable[int]) -> list[tuple[int, GetSeries]]:
    """Return (value, question) for each rank or attempt in `values`, in their order."""
    wanted = sorted(set(values))[:MOST_PARTS]
    if query.split == "rank":
        return [(value, msgspec.structs.replace(query, rank=value, split="")) for value in wanted]
    return [(value, msgspec.structs.replace(query, attempt=value, split="")) for value in wanted]


def together(name: str, parts: list[tuple[int, SeriesAnswer]], empty: SeriesHeader) -> SeriesAnswer:
    """Return one answer whose series are named `<run> <name> <value>`; `empty` is returned if there is no part."""
    if not parts:
        return empty, []
    headers = [header for _, (header, _) in parts]
    lows, highs = [h.lo for h in headers if h.lo is not None], [h.hi for h in headers if h.hi is not None]
    found = msgspec.structs.replace(headers[0], lo=min(lows, default=None), hi=max(highs, default=None), series=[])
    found.missing = min(header.missing for header in headers)
    arrays: list[np.ndarray] = []
    for value, (header, columns) in parts:
        arrays += columns
        for info in header.series:
            group = {"run": info.key.rpartition("/")[2], name: value}
            found.series.append(msgspec.structs.replace(info, key=f"{info.key} {name} {value}", group=group))
    return found, arrays
