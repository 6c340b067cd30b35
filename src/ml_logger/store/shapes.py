"""Which parameters and metrics each run has: runs of one sweep have the same names, so each set of names is kept once. Knows no value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy

import numpy as np

from ml_logger.store.base import ColumnInfo

PARAM, METRIC = "param", "metric"
_WORD = re.compile("[a-z0-9_]+")
Name = tuple[str, str, bool]
"""(kind, name, whether it is a number in this run)."""


class Shapes:
    """The set of names of each run, by position."""

    def __init__(self) -> None:
        """Know no run; number 0 is the shape of a run without any name."""
        self._codes: dict[Name, int] = {}
        self._names: list[Name] = []
        self._words: list[str] = []
        """The words of each name, a blank before each; none of a name that is not searched for."""
        self._numbers: dict[bytes, int] = {b"": 0}
        self.sets: list[np.ndarray] = [np.zeros(0, np.int32)]
        self._of = np.zeros(0, np.int32)
        self._last: tuple[tuple[Name, ...], int] = ((), 0)

    def number(self, names: Iterable[Name]) -> int:
        """Return the number of a set of names, the same for equal sets."""
        listed = tuple(names)
        if listed != self._last[0]:  # runs of a sweep come one after the other
            self._last = listed, self._set_number(listed)
        return self._last[1]

    def _set_number(self, names: tuple[Name, ...]) -> int:
        codes = np.array(sorted({self._code(name) for name in names}), np.int32)
        key = codes.tobytes()
        found = self._numbers.setdefault(key, len(self.sets))
        if found == len(self.sets):
            self.sets.append(codes)
        return found

    def _code(self, name: Name) -> int:
        code = self._codes.setdefault(name, len(self._names))
        if code == len(self._names):
            self._names.append(name)
            kind, text, numeric = name
            self._words.append(" ".join(["", *_WORD.findall(text.lower())]) if numeric and kind == PARAM and text.isascii() else "")
        return code

    def names(self, number: int) -> list[Name]:
        """Return the names of a set."""
        return [self._names[code] for code in self.sets[number].tolist()]

    def put(self, at: int, number: int) -> None:
        """Say which set the run at a position has."""
        if at >= len(self._of):
            self._of = np.concatenate([self._of, np.zeros(max(at + 1, 2 * len(self._of)) - len(self._of), np.int32)])
        self._of[at] = number

    def at(self, at: int) -> int:
        """Return the number of the set of the run at a position."""
        return int(self._of[at]) if at < len(self._of) else 0

    def only(self, keep: np.ndarray) -> Shapes:
        """Return the shapes of the runs at the positions `keep`; the sets, which only ever grow, are shared."""
        found = copy(self)
        found._of = np.array([self.at(at) for at in keep.tolist()], np.int32)  # noqa: SLF001 - of the same class
        return found

    def with_word(self, word: str, n: int) -> np.ndarray:
        """Tell of each of the first `n` runs whether `word`, casefolded, begins a word in the name of a parameter that is a number.

        Told of plain letters, digits and underscores only: how others fold is for an index to say. Cost: 0.1 µs a name.
        """
        found = np.zeros(n, bool)
        if _WORD.fullmatch(word):
            has = np.array([f" {word}" in words for words in self._words] or [False], bool)
            of_set = np.array([bool(has[codes].any()) for codes in self.sets])
            known = of_set[self._of[:n]]
            found[: len(known)] = known
        return found

    def columns(self, chosen: np.ndarray) -> list[ColumnInfo]:
        """Return the names that the runs in the mask have, sorted, and how many have each. Cost: O(runs + names of their sets)."""
        used = np.bincount(self._of[: len(chosen)][chosen[: len(self._of)]], minlength=1)
        runs = np.zeros(len(self._names), np.int64)
        for number in np.flatnonzero(used).tolist():
            runs[self.sets[number]] += used[number]
        found: dict[tuple[str, str], tuple[int, bool]] = {}
        for code in np.flatnonzero(runs).tolist():
            kind, name, numeric = self._names[code]
            before, is_numeric = found.get((kind, name), (0, False))
            found[kind, name] = before + int(runs[code]), is_numeric or numeric
        return [ColumnInfo(name, kind, count, numeric) for (kind, name), (count, numeric) in sorted(found.items())]
