"""A chart of very many points, answered for a few runs at a time: memory stays bounded, and points stay in the processor's cache.

Knows no store. Groups need all their runs at once, and x other than the step its range beforehand: they are answered whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ml_logger.queries import GetSeries
from ml_logger.query.loading import Plan
from ml_logger.query.series import SeriesAnswer
from ml_logger.store.base import RAW, SeriesStats

MANY = 1 << 21
"""Points that are answered at once, if the runs that have them are one answer."""
_AT_ONCE = 1 << 18

Limits = tuple[float | None, float | None]


def is_many(query: GetSeries, plan: Plan) -> bool:
    """Tell whether what is planned should be answered piece by piece."""
    can_be = plan.level == RAW and query.x == "step" and not query.group_by and query.since is None
    return can_be and sum(stats.n for stats in plan.series) > MANY


def limits_of(query: GetSeries, series: Sequence[SeriesStats]) -> Limits:
    """Return the range of steps that the whole answer covers."""
    lo = min((float(stats.step_min) for stats in series), default=None) if query.lo is None else query.lo
    hi = max((float(stats.step_max) for stats in series), default=None) if query.hi is None else query.hi
    return lo, hi


def pieces_of(ids: Sequence[int], plan: Plan) -> Iterator[tuple[int, int, Plan]]:
    """Yield (first, behind the last) of the runs `ids` and the plan for them, so many that their points fit into the cache."""
    of: dict[int, list[SeriesStats]] = {}
    for stats in plan.series:
        of.setdefault(stats.run, []).append(stats)
    start, found, points = 0, [], 0
    for at, run in enumerate(ids):
        own = of.get(run, [])
        if found and points + sum(stats.n for stats in own) > _AT_ONCE:
            yield start, at, plan._replace(series=found)
            start, found, points = at, [], 0
        found += own
        points += sum(stats.n for stats in own)
    yield start, len(ids), plan._replace(series=found)


def joined(answers: list[SeriesAnswer]) -> SeriesAnswer:
    """Return the answers for some runs after the other as one."""
    series = [info for header, _ in answers for info in header.series]
    missing = sum(header.missing for header, _ in answers)
    header = msgspec.structs.replace(answers[0][0], series=series, missing=missing)
    return header, [array for _, arrays in answers for array in arrays]
