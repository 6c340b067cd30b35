"""The keys of all runs as one text, searched in one pass of NumPy: a loop over 100,000 keys takes longer than a key on a keyboard may.

Knows no run but by its position.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class KeyText:
    """Texts by position, letter case ignored; grows at its end."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        """Hold `keys`, by position."""
        self._bytes, self._starts = np.zeros(0, np.uint8), np.zeros(0, np.int64)
        self._counts = np.zeros(256, np.int64)
        self._new = list(keys)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self._starts) + len(self._new)

    def add(self, key: str) -> None:
        """Put one more key behind the others."""
        self._new.append(key)

    def containing(self, word: str) -> np.ndarray:
        """Tell of each key whether `word`, which is casefolded and holds no line break, is in it. Cost: 10 to 25 ns a key of 20 bytes."""
        if self._new:
            self._join()
        found = np.zeros(len(self), bool)
        found[np.searchsorted(self._starts, self._places(_encoded(word)), "right") - 1] = True
        return found

    def _places(self, word: np.ndarray) -> np.ndarray:
        """Return where `word` stands: where its rarest byte does, and of these where the others do."""
        if not len(word) or not len(self._bytes):
            return np.arange(len(self._bytes))
        rarest, *others = np.argsort(self._counts[word], kind="stable").tolist()
        at = np.flatnonzero(self._bytes == word[rarest]) - rarest
        at = at[(at >= 0) & (at <= len(self._bytes) - len(word))]
        for other in others:
            at = at[self._bytes[at + other] == word[other]]
        return at

    def _join(self) -> None:
        """Take over the keys that were added."""
        lines = [f"{key.casefold()}\n" for key in self._new]
        more = _encoded("".join(lines))
        lengths = [len(line) if line.isascii() else len(_encoded(line)) for line in lines]
        ends = len(self._bytes) + np.cumsum(lengths, dtype=np.int64)
        self._starts = np.concatenate([self._starts, ends - lengths])
        self._bytes = np.concatenate([self._bytes, more])
        self._counts += np.bincount(more, minlength=256)
        self._new = []


def _encoded(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
