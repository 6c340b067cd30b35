"""Names in a query that no run has: such a condition matches nothing and such an order does nothing, and whoever wrote it is told.

Knows no store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ml_logger.answers import Notice
from ml_logger.query.complete import quoted_name
from ml_logger.query.table import SnapshotTable
from ml_logger.query.terms import SUMMARIES, Node, Search, SortKey, Words, leaves

MOST = 5
_LEAD = re.compile(r"(sort|has)\s*:\s*", re.IGNORECASE)


def notices(search: Search, table: SnapshotTable, below: np.ndarray) -> list[Notice]:
    """Return what is to be said of the names in `search`, at most 5 things; nothing while there are no runs to have them."""
    if not below.any():
        return []
    found = [notice for term in (*leaves(search.where), *search.sort) if (notice := _notice(term, search, table, below))]
    return list({notice.text: notice for notice in found}.values())[:MOST]


def _notice(term: Node | SortKey, search: Search, table: SnapshotTable, below: np.ndarray) -> Notice | None:
    name = "" if isinstance(term, Words) else getattr(term, "name", "")
    if not name or _is_had(name, table, below) or (name == "tag" and not isinstance(term, SortKey)):
        return None
    if any(meaning.kind == "field" for meaning in table.meanings(name)):
        return Notice(f"runs have no order by {name}", term.start, term.end) if isinstance(term, SortKey) else None
    other = next((near for near in _likely(name, table) if _is_had(near, table, below)), None)
    if other is None:
        return Notice(f"no run here has “{name[:100]}”", term.start, term.end)
    said = f"no run here has “{name[:100]}”; the nearest name is “{other}”"
    return Notice(said, term.start, term.end, _with_name(other, name, search.text, term))


def _with_name(other: str, name: str, text: str, term: Node | SortKey) -> str | None:
    """Return the query with `other` for a term's name, its first word but for ``sort:`` and ``has:``; None if that is spelled oddly."""
    lead = _LEAD.match(text, term.start)
    at = text.find(name, lead.end() if lead else term.start, term.end)
    if at < 0:
        return None
    is_bare = not text[:at].endswith(("`", '"'))
    return f"{text[:at]}{quoted_name(other) if is_bare else other}{text[at + len(name) :]}"


def _likely(name: str, table: SnapshotTable) -> Iterator[str]:
    """Yield the names that are most like `name`; at its end may be a summary."""
    stem, _, summary = name.rpartition(".")
    if stem and summary in SUMMARIES and (near := table.near(stem)):
        yield f"{near}.{summary}"
    if near := table.near(name):
        yield near


def _is_had(name: str, table: SnapshotTable, below: np.ndarray) -> bool:
    column = table.column(name)
    return column is not None and bool((column.present & below).any())
