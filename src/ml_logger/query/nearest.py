"""The nearest looser query of one that finds nothing: what the typed one would find, it finds too, and at least one run. Knows no store.

In this order: a name that no run has is put right; a bound goes out to the nearest value that a run has; the condition of an
`and` that fewest runs meet is left out; an equality becomes the nearest one (alone) or gets it as an alternative.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from ml_logger.errors import QuerySyntaxError
from ml_logger.query.complete import quoted_name
from ml_logger.query.filter import CONTAINS, Column, matching
from ml_logger.query.language import KEYWORDS, parse
from ml_logger.query.lexer import Token, tokens
from ml_logger.query.table import SnapshotTable
from ml_logger.query.terms import And, Compare, Curve, Exists, Node, Not, OneOf, Or, Search, Value, leaves, written
from ml_logger.query.values import SECONDS

MOST_LEAVES, MOST_WORDS = 20, 2000
"""So many conditions are tried, and so many texts compared (10 µs each)."""
_ORDER = ("<", "<=", ">", ">=")
_LOOSE = {"<": "<=", ">": ">="}
_STRICT = {"<=": "<", ">=": ">", "≤": "<", "≥": ">"}
_ALIKE = 0.5
"""A text that need only be contained is put right if one of the runs is this much like it (of 1)."""


def nearest(search: Search, table: SnapshotTable, among: np.ndarray, instead: list[str]) -> str | None:
    """Return the nearest query that finds a run in `among` where `search` finds none; None if only no condition at all does.

    `instead` are queries with unknown names put right, which come first. What is returned is implied by `search`, but for
    those and for a lone equality, which has no neighbour that is. Cost: a few passes over each condition's column.
    """
    if search.where is None or not among.any():
        return None
    loosened = _Loosened(search, table, among)
    return loosened.best(instead) or loosened.found()


class _Loosened:
    """One query without a match; masks of its conditions are made once."""

    def __init__(self, search: Search, table: SnapshotTable, among: np.ndarray) -> None:
        self.search, self.table, self.among = search, table, among
        self.masks: dict[int, np.ndarray] = {}
        keys = ",".join(search.text[key.start : key.end] for key in search.sort)
        self.order = f" sort:{keys}" if keys else ""

    def found(self) -> str | None:
        """Loosen a bound, else leave out a condition and try again; at last look for other values of what is left."""
        where = self.without_curves()
        while True:
            if where is not self.search.where and self.mask(where).any():
                return self.best([written(where, self.search.text) + self.order])
            if (wider := self.best(self.widened(where))) is not None:
                return wider
            shorter = self.shortened(where)
            if shorter is None:
                return self.best(self.alternatives(where)) or self.best(self.existing(where))
            where = shorter

    def best(self, texts: list[str]) -> str | None:
        """Return the one that finds the fewest runs, but at least one."""
        counted = [(self.count(text), text) for text in dict.fromkeys(texts)]
        return min(((count, text) for count, text in counted if count), default=(0, None))[1]

    def count(self, text: str) -> int:
        """Return how many runs a query finds; none if it cannot be read, or shows other runs, archived or not, than the typed one."""
        try:
            where = parse(text).where
        except QuerySyntaxError:
            return 0
        if where is None or _is_of_archived(where) != _is_of_archived(self.search.where):
            return 0
        return int(matching(where, self.table, self.among).sum())

    def mask(self, node: Node | bool) -> np.ndarray:
        """Tell of each run whether `node` holds for it."""
        if isinstance(node, bool):
            return self.among if node else np.zeros_like(self.among)
        if isinstance(node, And):
            return np.logical_and.reduce([self.mask(item) for item in node.items])
        if isinstance(node, Or):
            return np.logical_or.reduce([self.mask(item) for item in node.items])
        if isinstance(node, Not):
            return self.among & ~self.mask(node.item)
        if id(node) not in self.masks:
            self.masks[id(node)] = matching(node, self.table, self.among)
        return self.masks[id(node)]

    # ── conditions left out ──

    def without_curves(self) -> Node:
        """Leave out what is asked of whole curves, if something else is left: it would have to be read for many runs."""
        where: Node | bool | None = self.search.where
        for leaf, positive in _signed(self.search.where):
            if isinstance(leaf, Curve) and where is not None and not isinstance(where, bool):
                where = _with(where, leaf, positive)
        assert self.search.where is not None
        return self.search.where if where is None or isinstance(where, bool) else where

    def shortened(self, where: Node) -> Node | None:
        """Leave out the condition that fewest runs meet; of those, if any, after which something is found."""
        found: list[tuple[bool, int, int, int, int, Node]] = []
        for at, (leaf, positive) in enumerate(_signed(where)[:MOST_LEAVES]):
            rest = where if getattr(leaf, "name", "") == "archived" else _with(where, leaf, positive)
            if isinstance(rest, bool) or rest is where:
                continue
            met = int(self.mask(leaf if positive else Not(leaf)).sum())
            count = int(self.mask(rest).sum())
            found.append((not count, met, self.hope(leaf), count, -at, rest))
        return min(found, key=lambda one: one[:5])[5] if found else None

    def hope(self, leaf: Node) -> int:
        """Return how well `leaf` could be loosened, if it were kept: a bound best, text and unknown names not at all."""
        if self.table.column(getattr(leaf, "name", "")) is None:
            return 0
        return 3 if isinstance(leaf, Compare) and leaf.op in _ORDER else 2 if isinstance(leaf, (Compare, OneOf)) else 1

    # ── bounds ──

    def widened(self, where: Node) -> list[str]:
        """Return the query with one bound moved out to the nearest value of a run that meets the rest."""
        found = []
        for leaf, positive in _signed(where)[:MOST_LEAVES]:
            if not isinstance(leaf, Compare) or leaf.op not in _ORDER:
                continue
            bound = self.bound(leaf, self.mask(_with(where, leaf, positive)), outward=positive)
            if bound is not None:
                found.append(self.replaced(where, leaf, _respelled(leaf, self.search.text, bound, _LOOSE if positive else _STRICT)))
        return found

    def bound(self, leaf: Compare, runs: np.ndarray, *, outward: bool) -> str | None:
        """Return the bound that lets the nearest of `runs` in, or under a `not` out of the condition."""
        column, value = self.table.column(leaf.name), leaf.value
        if column is None or value.number is None or value.quoted:
            return None
        numbers = column.numbers[runs]
        if leaf.name in ("created", "updated") and value.unit == "duration":
            numbers = self.table.now - numbers
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            return None
        is_upper = leaf.op in ("<", "<=")
        return _spelled_like(value, float(numbers.min() if is_upper == outward else numbers.max()), up=is_upper == outward)

    def replaced(self, where: Node, leaf: Node, text: str) -> str:
        """Return the query with `text` for one condition; nothing else is spelled anew as long as nothing was left out."""
        whole = self.search.text
        if where is self.search.where:
            return whole[: leaf.start] + text + whole[leaf.end :]
        longer = f"{whole}\n{text}"
        other = _with(where, leaf, replace(leaf, start=len(whole) + 1, end=len(longer)))
        return "" if isinstance(other, bool) else written(other, longer) + self.order

    # ── other values ──

    def alternatives(self, where: Node) -> list[str]:
        """Return the query with the nearest value that a run has: in place of the only one, or besides."""
        whole = self.search.text
        found = []
        for item in where.items if isinstance(where, Or) else (where,):
            if isinstance(item, Compare) and item.op in ("=", ":"):
                value = self.near(item.name, item.value, _ALIKE if item.op == ":" and item.name in CONTAINS else 0.0)
                other = "" if value is None else _respelled(item, whole, _quoted_like(item, whole, value), {})
                if other:
                    is_alone = item is self.search.where
                    found.append(self.replaced(where, item, other) if is_alone else f"{written(where, whole)} or {other}{self.order}")
            elif isinstance(item, OneOf):
                piece = whole[item.start : item.end].removesuffix("]").rstrip(" ,")
                values = {self.near(item.name, value, 0.0) for value in item.values} - {None}
                found += [self.replaced(where, item, f"{piece}, {_bare(str(value))}]") for value in values]
        return found

    def near(self, name: str, value: Value, at_least: float) -> str | None:
        """Return the value of a run that is most like `value`, as text."""
        column = self.table.column(name)
        numbers = np.empty(0) if column is None else column.numbers[self.among]
        numbers = numbers[np.isfinite(numbers)]
        if value.number is not None and math.isfinite(value.number) and not value.quoted and not value.unit and len(numbers):
            number = float(numbers[np.argmin(np.abs(numbers - value.number))])
            return str(bool(number)).lower() if value.text.lower() in ("true", "false") and number in (0, 1) else _number(number)
        words = list(self.table.tags()) if name == "tag" else [] if column is None else _words(column, self.among)
        if len(words) > MOST_WORDS:
            words = [word for word in words if word[:1].lower() == value.text[:1].lower()][:MOST_WORDS]
        return next(iter(difflib.get_close_matches(value.text[:60], words, 1, at_least)), None)

    def existing(self, where: Node) -> list[str]:
        """Return the query with “exists” for what is asked of one parameter or metric."""
        found = []
        for item in where.items if isinstance(where, Or) else (where,):
            name = "" if isinstance(item, (Exists, Not)) else getattr(item, "name", "")
            if name and any(meaning.kind != "field" for meaning in self.table.meanings(name)):
                found.append(self.replaced(where, item, f"{quoted_name(name)} exists"))
        return found


def _is_of_archived(where: Node | None) -> bool:
    return any(getattr(leaf, "name", "") == "archived" for leaf in leaves(where))


def _signed(node: Node | None, *, positive: bool = True) -> list[tuple[Node, bool]]:
    """Return the conditions from left to right, each with whether the query finds more if it holds more often."""
    if node is None:
        return []
    if isinstance(node, (And, Or)):
        return [one for item in node.items for one in _signed(item, positive=positive)]
    return _signed(node.item, positive=not positive) if isinstance(node, Not) else [(node, positive)]


def _with(node: Node, leaf: Node, other: Node | bool) -> Node | bool:
    """Return `node` with `other` for `leaf`; what always or never holds is left out. What does not hold it stays the same object."""
    if node is leaf:
        return other
    if isinstance(node, Not):
        inner = _with(node.item, leaf, other)
        return not inner if isinstance(inner, bool) else node if inner is node.item else Not(inner, start=node.start, end=node.end)
    if not isinstance(node, (And, Or)):
        return node
    items = [_with(item, leaf, other) for item in node.items]
    if all(new is old for new, old in zip(items, node.items, strict=True)):
        return node
    decides = isinstance(node, Or)
    kept = tuple(item for item in items if not isinstance(item, bool))
    if any(item is decides for item in items) or not kept:
        return decides if any(item is decides for item in items) else not decides
    return kept[0] if len(kept) == 1 else type(node)(kept, start=node.start, end=node.end)


# ── spelling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parts(leaf: Compare, piece: str) -> tuple[Token, int, int]:
    """Return the operator of a comparison, and from where to where its value stands in `piece`."""
    found = tokens(piece)[:-1]
    at = next((i for i, token in enumerate(found) if token.kind == "op"), 1)
    sign, first, last = found[at], found[0], found[-1]
    is_flipped = first.text == leaf.value.text and last.text == leaf.name and first.text != leaf.name
    return (sign, first.start, first.end) if is_flipped else (sign, found[at + 1].start, len(piece))


def _respelled(leaf: Compare, text: str, value: str, signs: dict[str, str]) -> str:
    """Return a comparison as it is spelled in `text`, with another value and, if `signs` has one for it, another operator."""
    piece = text[leaf.start : leaf.end]
    sign, start, end = _parts(leaf, piece)
    changes = sorted([(sign.start, sign.end, signs.get(sign.text, sign.text)), (start, end, value)], reverse=True)
    for begin, stop, new in changes:
        piece = piece[:begin] + new + piece[stop:]
    return piece


def _quoted_like(leaf: Compare, text: str, value: str) -> str:
    """Return a value in the quotes of the typed one, if any, or in those it needs."""
    piece = text[leaf.start : leaf.end]
    _, start, _ = _parts(leaf, piece)
    mark = piece[start]
    return _in_quotes(value, mark) if mark in "\"'" else _bare(value)


def _bare(value: str) -> str:
    found = list(_tokens_or_none(value))
    is_word = len(found) == 1 and found[0].kind == "word" and value.lower() not in KEYWORDS
    return value if is_word else _in_quotes(value, '"')


def _tokens_or_none(text: str) -> Iterator[Token]:
    try:
        yield from tokens(text)[:-1]
    except QuerySyntaxError:
        return


def _in_quotes(value: str, mark: str) -> str:
    return mark + value.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


def _words(column: Column, among: np.ndarray) -> list[str]:
    return [column.words[code] for code in np.unique(column.codes[among]).tolist() if code >= 0]


def _spelled_like(value: Value, number: float, *, up: bool) -> str | None:
    """Return a bound in the typed unit; durations and dates are rounded, up or down, to whole ones."""
    to_whole = math.ceil if up else math.floor
    if value.unit == "duration":
        suffix = re.sub(r"[^a-z]", "", value.text)
        return f"{to_whole(number / SECONDS[suffix])}{suffix}" if suffix in SECONDS else None
    if value.unit == "time":
        try:
            return (dt.date(1970, 1, 1) + dt.timedelta(days=to_whole(number / SECONDS["d"]))).isoformat()
        except OverflowError:
            return None
    return _number(number)


def _number(number: float) -> str:
    return repr(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
