"""What a search means: the tree that `language` makes of a query, with positions. Knows neither text nor runs.

Search
├─ where: And · Or · Not · Compare · OneOf · Matches · Exists · Curve · Words   (or None: every run)
└─ sort: SortKey, most important first
"""

from __future__ import annotations

from typing import Literal, Union

from msgspec import Struct

CURVES = ("diverged", "spiked", "plateaued")
STATUSES = ("running", "completed", "errored", "paused", "lost")
FIELDS = (
    "name", "key", "status", "host", "tag", "notes", "created", "updated", "duration", "points", "writers", "attempts", "archived", "uuid",
)  # fmt: skip
"""Names that every run has, whatever was logged."""

SUMMARIES = ("last", "min", "max", "first", "n", "bad", "last_step", "argmin", "argmax")
OF_JOB = "job."
"""Parameters that begin so are what the job wrote of itself (when it ended, and how): nothing is grouped or explained by them."""
"""``loss.min``: fields of `MetricSummary`; a bare metric name means ``last``."""

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", ":")
"""Values of `Compare.op`."""


class Value(Struct, frozen=True):
    """A right-hand side: its text, its number if it reads as one, and what the number counts (seconds of age, or a date)."""

    text: str
    number: float | None = None
    unit: Literal["", "duration", "time"] = ""
    quoted: bool = False


class Term(Struct, frozen=True, kw_only=True):
    """Base of all nodes; `start` and `end` are character offsets in the query."""

    start: int = 0
    end: int = 0


class And(Term, frozen=True):
    """All of `items` hold."""

    items: tuple[Node, ...]


class Or(Term, frozen=True):
    """Any of `items` holds."""

    items: tuple[Node, ...]


class Not(Term, frozen=True):
    """`item` does not hold."""

    item: Node


class Compare(Term, frozen=True):
    """``name op value``; a run without the name does not match. ``:`` is ``=``, or "contains" for name, key, notes and host."""

    name: str
    op: str
    value: Value


class OneOf(Term, frozen=True):
    """``name in [values]``."""

    name: str
    values: tuple[Value, ...]


class Matches(Term, frozen=True):
    """``name ~ "pattern"``: a regular expression (RE2) found anywhere in the text."""

    name: str
    pattern: str


class Exists(Term, frozen=True):
    """The run has the parameter or metric."""

    name: str


class Curve(Term, frozen=True):
    """A property of the whole curve: diverged, spiked (above `sigma`), plateaued; only steps from `after` count."""

    name: str
    kind: str
    sigma: float = 5.0
    after: float = 0.0


class Words(Term, frozen=True):
    """Free text, looked for in name, parameters, tags and notes."""

    text: str


Node = Union[And, Or, Not, Compare, OneOf, Matches, Exists, Curve, Words]  # noqa: UP007 - evaluated at run time


class SortKey(Term, frozen=True):
    """Order by `name`; runs without it come last either way."""

    name: str
    descending: bool = False


class Search(Struct, frozen=True):
    """A whole query."""

    text: str
    where: Node | None = None
    sort: tuple[SortKey, ...] = ()


def leaves(node: Node | None) -> list[Node]:
    """Return the conditions of `node` from left to right, without And, Or and Not."""
    if node is None:
        return []
    if isinstance(node, (And, Or)):
        return [leaf for item in node.items for leaf in leaves(item)]
    return leaves(node.item) if isinstance(node, Not) else [node]


def written(node: Node | None, text: str) -> str:
    """Return `node` as a query again; conditions are spelled as in `text`, which it was parsed from."""
    if isinstance(node, And):
        return " and ".join(_grouped(item, text) for item in node.items)
    if isinstance(node, Or):
        return " or ".join(_grouped(item, text) for item in node.items)
    if isinstance(node, Not) and node.start < node.item.start:
        return f"not {_grouped(node.item, text)}"
    return "" if node is None else text[node.start : node.end]


def _grouped(node: Node, text: str) -> str:
    return f"({written(node, text)})" if isinstance(node, (And, Or)) else written(node, text)
