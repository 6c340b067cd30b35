"""What could stand at a place in a query: names, operators and values with counts and histograms. Knows no store."""

from __future__ import annotations

import re
from typing import Protocol

import numpy as np

from ml_logger.answers import Column as ColumnInfo
from ml_logger.answers import Completion
from ml_logger.query.filter import Column, RunTable
from ml_logger.query.terms import CURVES, FIELDS, STATUSES

MOST = 50
BINS = 20
_WORD = re.compile(r"[^\s\"'`()\[\],<>=!~:]*$")
_END_OF_WORD = re.compile(r"[^\s\"'`()\[\],<>=!~:]*")
_AFTER_OPERATOR = re.compile(r"([^\s\"'()\[\],<>=!~:`]+|`[^`]+`)\s*(?:==|!=|<=|>=|=~|!~|=|<|>|~|:|≤|≥|≠)\s*$")
_IN_LIST = re.compile(r"([^\s\"'()\[\],<>=!~:`]+|`[^`]+`)\s+in\s*\[[^\]]*$", re.IGNORECASE)
_AFTER_WORD = re.compile(r"([^\s\"'()\[\],<>=!~:`]+|`[^`]+`)\s+$")
_NEEDS_QUOTES = re.compile(r"[\s\"'`()\[\],<>=!~:]|^(and|or|not|in|exists)$", re.IGNORECASE)

_FIRST_FIELDS = ("name", "status", "tag", "created", "sort")
OPERATORS = ("<", "<=", ">", ">=", "=", "!=", "~", "in [", "exists")


class NamedTable(RunTable, Protocol):
    """A `RunTable` that can tell its names."""

    def columns(self) -> list[ColumnInfo]:
        """Return all parameters and metrics with the number of runs that have them."""
        ...

    def tags(self) -> dict[str, int]:
        """Return all tags with the number of runs that have them."""
        ...


def complete(text: str, position: int, table: NamedTable) -> list[Completion]:
    """Return at most 50 suggestions for the word around character `position` of `text`, the likeliest first."""
    position = max(0, min(position, len(text)))
    word = _WORD.search(text[:position])
    assert word is not None
    start = word.start()
    rest = _END_OF_WORD.match(text, position)
    end = rest.end() if rest else position
    found = _suggested(text[:start], word[0], table)
    return [Completion(c.text, c.kind, start, end, c.runs, c.histogram, c.low, c.high) for c in found[:MOST]]


def _suggested(before: str, word: str, table: NamedTable) -> list[Completion]:
    if (match := _AFTER_OPERATOR.search(before) or _IN_LIST.search(before)) is not None:
        name = match[1].strip("`")
        return _sort_names(word, table) if name.lower() == "sort" else _values(name, word, table)
    if (match := _AFTER_WORD.search(before)) is not None and _is_name(before, match, table):
        return _operators(match[1].strip("`"), word, table)
    return _names(word, table)


def _is_name(before: str, match: re.Match[str], table: NamedTable) -> bool:
    """Tell whether the word before is a name that waits for an operator, not a value."""
    return _AFTER_OPERATOR.search(before[: match.start()]) is None and table.column(match[1].strip("`")) is not None


def _operators(name: str, word: str, table: NamedTable) -> list[Completion]:
    shapes = CURVES if any(c.name.endswith(name) and c.kind == "metric" for c in table.columns()) else ()
    return [Completion(text, "operator", 0, 0) for text in (*OPERATORS, *shapes, "and", "or") if text.startswith(word)]


def _names(word: str, table: NamedTable) -> list[Completion]:
    listed = [(column.name, column.kind, column.runs) for column in table.columns()]
    listed += [(name, "field", len(table)) for name in (*FIELDS, "sort", "has") if word or name in _FIRST_FIELDS]
    wanted = word.casefold()
    near = [(_nearness(name.casefold(), wanted), -runs, name, kind, runs) for name, kind, runs in listed if wanted in name.casefold()]
    return [Completion(_spelled(name, kind), kind, 0, 0, runs) for _, _, name, kind, runs in sorted(near)]


def _nearness(name: str, wanted: str) -> int:
    """Rank a beginning before the beginning of a part, and that before anything else."""
    if name.startswith(wanted):
        return 0
    return 1 if any(part.startswith(wanted) for part in re.split(r"[./_]", name)) else 2


def _spelled(name: str, kind: str) -> str:
    if kind == "field":
        return name if name in ("created", "updated", "duration", "points", "writers", "attempts") else f"{name}:"
    return quoted_name(name)


def quoted_name(name: str) -> str:
    """Return a parameter's or metric's name as a query spells it."""
    return f"`{name}`" if _NEEDS_QUOTES.search(name) else name


def _sort_names(word: str, table: NamedTable) -> list[Completion]:
    sign = "-" if word.startswith("-") else ""
    found = _names(word.removeprefix("-"), table)
    return [Completion(sign + c.text.rstrip(":"), c.kind, 0, 0, c.runs) for c in found if c.text not in ("sort:", "has:")]


def _values(name: str, word: str, table: NamedTable) -> list[Completion]:
    if name == "status":
        counts = _word_counts(table.column("status"))
        return [Completion(status, "value", 0, 0, counts.get(status, 0)) for status in STATUSES if status.startswith(word)]
    if name == "tag":
        return _by_count(table.tags(), word)
    if name == "has":
        return [c for c in _names(word, table) if c.kind != "field"]
    column = table.column(name)
    if column is None:
        return []
    numbers = column.numbers[np.isfinite(column.numbers)]
    texts = _by_count(_word_counts(column), word)
    return [*_numbers(numbers, word), *texts] if len(numbers) else texts


def _by_count(counts: dict[str, int], word: str) -> list[Completion]:
    near = sorted((-runs, text) for text, runs in counts.items() if word.casefold() in text.casefold())
    return [Completion(_quoted(text), "value", 0, 0, -runs) for runs, text in near[:MOST]]


def _quoted(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _word_counts(column: Column | None) -> dict[str, int]:
    if column is None or not column.words:
        return {}
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.words))
    return {word: int(n) for word, n in zip(column.words, counts, strict=True) if n}


def _numbers(numbers: np.ndarray, word: str) -> list[Completion]:
    """Return the range with its histogram first, then each value if they are few."""
    low, high = float(numbers.min()), float(numbers.max())
    counts = np.histogram(numbers, BINS, (low, high))[0].tolist() if high > low and np.isfinite(high - low) else [len(numbers)]
    span = Completion("", "range", 0, 0, len(numbers), counts, low, high)
    values, runs = np.unique(numbers, return_counts=True)
    few = [(f"{value:g}", value, int(n)) for value, n in zip(values[:MOST], runs[:MOST], strict=True)]
    shown = [text if float(text) == value else repr(float(value)) for text, value, _ in few]
    return [span, *(Completion(text, "value", 0, 0, n) for text, (_, _, n) in zip(shown, few, strict=True) if text.startswith(word))]
