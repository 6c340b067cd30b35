"""Pages of runs: filter, order, group, columns. Knows no series and no file."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import numpy as np

from ml_logger.answers import Column as ColumnOfAnswer
from ml_logger.answers import GroupRow, RunsPage
from ml_logger.queries import SearchRuns
from ml_logger.query.filter import Column, matching, ordered
from ml_logger.query.language import parse
from ml_logger.query.nearest import nearest
from ml_logger.query.series import Group
from ml_logger.query.table import SnapshotTable
from ml_logger.query.terms import OF_JOB, Search, leaves
from ml_logger.query.unknown import notices

MOST_ROWS, MOST_COLUMNS, MOST_GROUPS, MOST_GROUP_METRICS = 1000, 2000, 2000, 100
_DIGITS = re.compile(r"(\d+)")


def search_runs(query: SearchRuns, table: SnapshotTable) -> RunsPage:
    """Answer `SearchRuns`; raises `QuerySyntaxError`. Archived runs are left out unless the query names `archived`."""
    search = parse(query.q)
    snapshot = table.snapshot
    below = table.below(query.prefix)
    chosen = matching(search.where, table, below & visible(search, table))
    total = int(chosen.sum())
    offset, limit = max(query.offset, 0), max(0, min(query.limit, MOST_ROWS))
    order = ordered(chosen, search.sort, table, offset + limit)[offset:]
    page = RunsPage(total, int(below.sum()), offset, snapshot.rows(order.tolist(), query.columns), version=snapshot.version)
    page.columns = columns_below(table, below, whole=not query.prefix.strip("/"))
    if query.group_by:
        groups, page.of_groups = counted_groups(query.group_by, chosen, table)
        page.groups = _group_rows(groups, query, page.columns, table)
    page.notices = notices(search, table, below)
    if query.locate:
        page.located = _index_of(query.locate, ordered(chosen, search.sort, table), table)
    if not total and search.where is not None:
        instead = [notice.instead for notice in page.notices if notice.instead]
        page.nearest = nearest(search, table, below & visible(search, table), instead)
    return page


def _index_of(key: str, order: np.ndarray, table: SnapshotTable) -> int | None:
    found = np.flatnonzero(order == table.snapshot.position(key.strip("/")))
    return int(found[0]) if len(found) else None


def visible(search: Search, table: SnapshotTable) -> np.ndarray:
    """Tell of each run whether it is shown by default: all but the archived ones, if the query does not ask for them."""
    archived = table.column("archived")
    if archived is None or any(getattr(leaf, "name", "") == "archived" for leaf in leaves(search.where)):
        return np.ones(len(table), bool)
    return ~(archived.numbers == 1)


def columns_below(table: SnapshotTable, below: np.ndarray, *, whole: bool) -> list[ColumnOfAnswer]:
    """Return the parameters and metrics that runs in the mask have, parameters first, with counts over those runs; p2 before p10."""
    listed = table.columns() if whole else table.columns(below)
    return sorted(listed, key=lambda column: (column.kind != "param", _natural(column.name)))[:MOST_COLUMNS]


@lru_cache(8192)
def _natural(name: str) -> str:
    """Return what sorts names as people do: before the digits of a number stands how many they are."""
    return _DIGITS.sub(lambda digits: chr(ord("0") + min(len(digits[0].lstrip("0")), 1 << 15)) + digits[0], name)


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def groups_of(group_by: list[str], chosen: np.ndarray, table: SnapshotTable) -> list[Group]:
    """Return the runs of the mask in groups of equal values, in the order of the values; members are positions.

    A name that begins with ``*-`` stands for all parameters of these runs but that one, and but what the job wrote of itself;
    a group is named by those that differ.
    At most 2,000 groups, the largest first kept.
    """
    return counted_groups(group_by, chosen, table)[0]


def counted_groups(group_by: list[str], chosen: np.ndarray, table: SnapshotTable) -> tuple[list[Group], int]:
    """Return what `groups_of` does, and how many groups there are."""
    names = _grouping_names(group_by, chosen, table)
    positions = np.flatnonzero(chosen)
    codes = [_value_codes(table.column(name), positions) for name in names]
    member = _dense(codes, len(positions))
    order = np.argsort(member, kind="stable")
    edges = np.searchsorted(member[order], np.arange(member.max(initial=-1) + 2))
    parts = [positions[order[edges[i] : edges[i + 1]]] for i in range(len(edges) - 1)]
    count = len(parts)
    if len(parts) > MOST_GROUPS:
        parts = sorted(parts, key=len, reverse=True)[:MOST_GROUPS]
    shown = [name for name, column in zip(names, codes, strict=True) if name in group_by or (column != column[:1]).any()]
    return [_group(shown, part, table) for part in parts], count


def _grouping_names(group_by: list[str], chosen: np.ndarray, table: SnapshotTable) -> list[str]:
    left_out = [name[2:] for name in group_by if name.startswith("*-")]
    names = [name for name in group_by if not name.startswith("*-")]
    if left_out:
        ends = tuple(end for name in left_out for end in (f".{name}", f"/{name}"))
        settings = (c.name for c in table.columns(chosen) if c.kind == "param" and not c.name.startswith(OF_JOB))
        names += [name for name in settings if name not in left_out and not name.endswith(ends)]
    return names


def _dense(codes: list[np.ndarray], n: int) -> np.ndarray:
    """Return one number for each run, 0, 1, …, equal where all `codes` are, in the order of the codes."""
    member = np.zeros(n, "i8")
    for code in codes:
        member = np.unique(member * (code.max(initial=0) + 1) + code, return_inverse=True)[1].reshape(-1)
    return member


def _value_codes(column: Column | None, positions: np.ndarray) -> np.ndarray:
    """Return a code for each run, equal for equal values, in the order of the values: nothing, numbers, texts."""
    if column is None:
        return np.zeros(len(positions), "i8")
    numbers, texts = column.numbers[positions], column.codes[positions]
    code = np.zeros(len(positions), "i8")
    if not np.isnan(numbers).all():
        code = np.unique(np.where(np.isnan(numbers), np.inf, numbers), return_inverse=True)[1].reshape(-1) + 1
    if (texts >= 0).any():
        place = np.argsort(np.argsort(np.array([*column.words, ""], object), kind="stable"), kind="stable")
        code = np.where(texts >= 0, len(positions) + 1 + place[texts], code)
    return np.where(column.present[positions], code, 0)


def _group(names: list[str], part: np.ndarray, table: SnapshotTable) -> Group:
    values = {name: value_at(table.column(name), int(part[0])) for name in names}
    label = ", ".join(f"{name}={shown(value)}" for name, value in values.items()) or "all"
    return Group(label, values, part.tolist())


def value_at(column: Column | None, at: int) -> Any:
    """Return the value of one run: a number (whole ones as int), a text, or None."""
    if column is None or not column.present[at]:
        return None
    if column.codes[at] >= 0:
        return column.words[int(column.codes[at])]
    number = float(column.numbers[at])
    return int(number) if math.isfinite(number) and number.is_integer() and abs(number) < 1 << 53 else number


def shown(value: Any) -> str:
    """Return a value as a label shows it."""
    return f"{value:g}" if isinstance(value, float) else "–" if value is None else str(value)


def _group_rows(groups: list[Group], query: SearchRuns, columns: list[ColumnOfAnswer], table: SnapshotTable) -> list[GroupRow]:
    """Return the groups with mean, std (over n, as NumPy's) and n of each numeric metric over all their runs."""
    rows = [GroupRow(group.values, len(group.runs)) for group in groups]
    positions = np.array([run for group in groups for run in group.runs], "i8")
    owner = np.repeat(np.arange(len(groups)), [len(group.runs) for group in groups])
    wanted = [c.name for c in columns if c.kind == "metric" and c.numeric and (query.columns is None or c.name in query.columns)]
    for name in wanted[:MOST_GROUP_METRICS]:
        column = table.exact("metric", name)
        if column is None:
            continue
        values = column.numbers[positions]
        finite = np.isfinite(values)
        values, at = values[finite], owner[finite]
        count = np.maximum(np.bincount(at, minlength=len(groups)), 1)
        mean = np.bincount(at, values, len(groups)) / count
        std = np.sqrt(np.bincount(at, (values - mean[at]) ** 2, len(groups)) / count)
        for number in np.unique(at).tolist():
            rows[number].metrics[name] = [float(mean[number]), float(std[number]), float(count[number])]
    return rows
