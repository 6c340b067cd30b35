"""One name's values over all runs: numbers, or texts as numbers of words, in arrays that grow. Knows no run and no name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from ml_logger.formats import values as plain_values
from ml_logger.store.base import StoredColumn

VALUE_BYTES = 13
"""What one value takes: a float64, an int32 and a flag."""


class MutableColumn:
    """Values by position, changed in place and grown as needed."""

    def __init__(self, size: int) -> None:
        """Make room for `size` runs, all without a value."""
        self.numbers = np.full(size, np.nan)
        self.codes = np.full(size, -1, np.int32)
        self.present = np.zeros(size, bool)
        self.words: list[str] = []
        self._word_codes: dict[str, int] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of all values, those of long texts not counted."""
        return VALUE_BYTES * len(self.present) + 150 * len(self.words)

    def put(self, at: int, value: Any) -> None:
        """Set the value at a position: a number, a text, None for nothing; anything else as its JSON."""
        if at >= len(self.present):
            self._grow(max(at + 1, 2 * len(self.present)))
        self.present[at], self.numbers[at], self.codes[at] = value is not None, np.nan, -1
        if isinstance(value, (bool, int, float)):
            self.numbers[at] = _to_float(value)
        elif value is not None:
            text = value if isinstance(value, str) else json.dumps(plain_values.jsonable(value), ensure_ascii=False)
            self.codes[at] = self._code(text)

    def put_numbers(self, at: np.ndarray, numbers: Iterable[float]) -> None:
        """Set numbers at positions below the size, all at once."""
        self.numbers[at], self.present[at], self.codes[at] = list(numbers), True, -1

    def put_texts(self, at: np.ndarray, texts: Iterable[str]) -> None:
        """Set texts at positions below the size, all at once."""
        self.codes[at], self.present[at], self.numbers[at] = [self._code(text) for text in texts], True, np.nan

    def _code(self, text: str) -> int:
        code = self._word_codes.setdefault(text, len(self.words))
        if code == len(self.words):
            self.words.append(text)
        return code

    def _grow(self, size: int) -> None:
        more = size - len(self.present)
        self.numbers = np.concatenate([self.numbers, np.full(more, np.nan)])
        self.codes = np.concatenate([self.codes, np.full(more, -1, np.int32)])
        self.present = np.concatenate([self.present, np.zeros(more, bool)])

    def view(self, n: int) -> StoredColumn:
        """Return the first `n` values."""
        if n > len(self.present):
            self._grow(n)
        return StoredColumn(self.numbers[:n], self.codes[:n], self.words, self.present[:n])

    def only(self, keep: np.ndarray) -> MutableColumn:
        """Return a column of the values at the positions `keep`; the words, which only ever grow, are shared."""
        found = MutableColumn(0)
        whole = self.view(max(len(self.present), int(keep.max(initial=-1)) + 1))
        found.numbers, found.codes, found.present = whole.numbers[keep], whole.codes[keep], whole.present[keep]
        found.words, found._word_codes = self.words, self._word_codes
        return found


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
