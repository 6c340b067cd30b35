"""A `Search` over typed columns: which runs match, and in what order. Knows no store: a `RunTable` gives it columns.

Every condition is one pass over a NumPy column; text is dictionary-encoded, so that a regular expression looks at each
distinct text once. Curve predicates cost reads and are asked last, only of the runs that the rest has left.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from ml_logger.query.patterns import compile_pattern, found_among, wildcard
from ml_logger.query.terms import And, Compare, Curve, Exists, Matches, Node, Not, OneOf, Or, SortKey, Value, Words

CONTAINS = ("name", "key", "notes", "host")
"""For these, ``:`` means "contains", letter case ignored."""

_TIMES = ("created", "updated")
_CLOSE = 1e-9


class Column(NamedTuple):
    """One name's values over all runs: a number, or a text as its index in `words`, or neither.

    `numbers` is NaN and `codes` −1 where there is none; `present` tells a logged NaN from nothing. Booleans are 0 and 1.
    """

    numbers: np.ndarray
    codes: np.ndarray
    words: list[str]
    present: np.ndarray


class RunTable(Protocol):
    """What `filter` needs to know of the runs: n of them, numbered 0 … n − 1."""

    now: float

    def __len__(self) -> int:
        """Return how many runs there are."""
        ...

    def column(self, name: str) -> Column | None:
        """Return the column that `name` means (a field, parameter, metric, summary or unique suffix), or None."""
        ...

    def tagged(self, tag: str, *, pattern: bool = False) -> np.ndarray:
        """Tell of each run whether it has `tag` (or, with `pattern`, one that the regular expression finds)."""
        ...

    def containing(self, text: str) -> np.ndarray:
        """Tell of each run whether the words of `text` are found in it."""
        ...

    def curved(self, curve: Curve, among: np.ndarray) -> np.ndarray:
        """Tell of each run in the mask `among` whether its curve is so; False elsewhere."""
        ...


def matching(node: Node | None, table: RunTable, among: np.ndarray | None = None) -> np.ndarray:
    """Return a mask of the runs in `among` (all if None) that `node` holds for. Cost: about 0.1 ms a condition and 100,000 runs."""
    among = np.ones(len(table), bool) if among is None else among
    if node is None:
        return among
    if isinstance(node, And):
        for item in sorted(_words_together(node), key=_expensive):
            among = matching(item, table, among)
        return among
    if isinstance(node, Or):
        found = np.zeros(len(table), bool)
        for item in sorted(node.items, key=_expensive):
            found |= matching(item, table, among & ~found)
        return found
    if isinstance(node, Not):
        return among & ~matching(node.item, table, among)
    if isinstance(node, Curve):
        return table.curved(node, among) & among
    return among & _holds(node, table)


def _words_together(node: And) -> list[Node]:
    """Return the conditions with all free text as one: looked for together, frequent words cost nothing."""
    texts = [item.text for item in node.items if isinstance(item, Words)]
    rest: list[Node] = [item for item in node.items if not isinstance(item, Words)]
    return [Words(" ".join(texts)), *rest] if texts else rest


def _expensive(node: Node) -> bool:
    if isinstance(node, (And, Or)):
        return any(map(_expensive, node.items))
    return _expensive(node.item) if isinstance(node, Not) else isinstance(node, Curve)


def _holds(node: Node, table: RunTable) -> np.ndarray:
    if isinstance(node, Words):
        return table.containing(node.text)
    assert isinstance(node, (Compare, OneOf, Matches, Exists))
    if node.name == "tag":
        return _tag_holds(node, table)
    column = table.column(node.name)
    if column is None:
        return np.zeros(len(table), bool)
    if isinstance(node, Exists):
        return column.present
    if isinstance(node, Matches):
        return _has_word(column, _found_by(node.pattern, column.words))
    if isinstance(node, OneOf):
        return np.logical_or.reduce([_equal(column, value) for value in node.values] or [np.zeros(len(table), bool)])
    return _compared(node, column, table)


def _tag_holds(node: Compare | OneOf | Matches | Exists, table: RunTable) -> np.ndarray:
    if isinstance(node, Exists):
        return table.tagged("", pattern=True)
    if isinstance(node, Matches):
        return table.tagged(node.pattern, pattern=True)
    if isinstance(node, OneOf):
        return np.logical_or.reduce([table.tagged(value.text) for value in node.values] or [np.zeros(len(table), bool)])
    if "*" in node.value.text and not node.value.quoted:
        return table.tagged(wildcard(node.value.text), pattern=True)
    found = table.tagged(node.value.text)
    return ~found if node.op == "!=" else found


def _compared(node: Compare, column: Column, table: RunTable) -> np.ndarray:
    value, op = node.value, node.op
    if node.name in _TIMES and value.unit == "duration" and value.number is not None:
        column = column._replace(numbers=table.now - column.numbers)
    if op in ("=", ":", "!="):
        same = _contains(node.name, column, value) if op == ":" else _equal(column, value)
        return same if op != "!=" else column.present & ~same
    found = np.zeros(len(table), bool)
    if value.number is not None:
        found |= _ordered(column.numbers, op, value.number)
    if value.number is None or value.quoted:
        found |= _has_word(column, [bool(_ordered(np.array(word), op, np.array(value.text))) for word in column.words])
    return found


def _ordered(left: np.ndarray, op: str, right: float | np.ndarray) -> np.ndarray:
    function = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[op]
    return function(left, right)


def _contains(name: str, column: Column, value: Value) -> np.ndarray:
    if "*" in value.text and not value.quoted:
        return _has_word(column, _found_by("(?i)" + wildcard(value.text), column.words))
    if name in CONTAINS:
        wanted = value.text.casefold()
        return _has_word(column, [wanted in word.casefold() for word in column.words])
    return _equal(column, value)


def _equal(column: Column, value: Value) -> np.ndarray:
    """Compare typed: a quoted value equals only text, a bare one the number it reads as, or the same text."""
    same = _has_word(column, [word == value.text for word in column.words])
    if value.number is None or value.quoted:
        return same
    if np.isnan(value.number):
        return same | (column.present & np.isnan(column.numbers) & (column.codes < 0))
    if np.isinf(value.number):
        return same | (column.numbers == value.number)
    return same | (np.abs(column.numbers - value.number) <= _CLOSE * abs(value.number))


def _has_word(column: Column, wanted: list[bool]) -> np.ndarray:
    """Tell of each run whether its text is one of the wanted words (a flag for each word); code −1 is never wanted."""
    return np.array([*wanted, False])[column.codes]


def _found_by(pattern: str, words: list[str]) -> list[bool]:
    return found_among(compile_pattern(pattern), words)


def ordered(chosen: np.ndarray, keys: tuple[SortKey, ...], table: RunTable, top: int | None = None) -> np.ndarray:
    """Return the run numbers in the mask `chosen`, in the order of `keys`, then newest first; those without a value last.

    At most `top` of them, which is quicker: only these are put in order.
    """
    index = np.flatnonzero(chosen)
    ranks: list[np.ndarray] = []
    for key in (*keys, SortKey("created", descending=True)):
        if (column := table.column(key.name)) is not None:
            rank = _rank(column, index)
            missing = np.isnan(rank)
            ranks += [np.where(missing, np.inf, -rank if key.descending else rank), missing]  # infinity, too, is a value
    if ranks and top is not None and 0 < top < len(index):
        near = _smallest(ranks[0], top)
        index, ranks = index[near], [rank[near] for rank in ranks]
    found = index[np.lexsort((-index, *reversed(ranks)))]
    return found if top is None else found[:top]


def _smallest(rank: np.ndarray, top: int) -> np.ndarray:
    """Return where the `top` smallest are, with all ties of the last one."""
    border = np.partition(rank, top - 1)[top - 1]
    return np.flatnonzero(rank <= border)


def _rank(column: Column, index: np.ndarray) -> np.ndarray:
    """Return what to sort by: numbers as they are, then text in alphabetical order."""
    numbers = column.numbers[index]
    codes = column.codes[index]
    if not column.words or (codes < 0).all():
        return numbers
    place = np.empty(len(column.words) + 1)
    place[np.argsort(np.array(column.words, object), kind="stable")] = np.arange(len(column.words))
    finite = numbers[np.isfinite(numbers)]
    above = finite.max() + 1 if len(finite) else 0.0
    return np.where(codes >= 0, above + place[codes], numbers)
