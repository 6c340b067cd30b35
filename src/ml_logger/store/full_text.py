"""Which runs a free word finds: it is in their key or in what users keep with them, or begins a word of their parameters.

Knows runs by position. Keys and names are searched in RAM, values in the index; what single words found there is remembered
until such a text changes, for a word is asked again with every key that is typed behind it, and whenever a run has logged.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ml_logger.store.database import Database
from ml_logger.store.documents import search_text
from ml_logger.store.key_text import KeyText
from ml_logger.store.shapes import Shapes

MOST_WORDS = 64
"""So many words are remembered, a byte a run each."""

Places = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Ids of runs → their positions, and which of them are known."""


class Followed(NamedTuple):
    """A run that is followed, whose text the index may not have yet."""

    at: int
    key: str
    host: str
    params: dict[str, Any]


class FullText:
    """Free words over the runs of a catalog."""

    def __init__(self, database: Database, shapes: Shapes, places: Places, keys: Iterable[str] = ()) -> None:
        """Search the runs with these `keys`, by position."""
        self._database, self._shapes, self._places = database, shapes, places
        self._keys = KeyText(keys)
        self._found: OrderedDict[str, tuple[int, np.ndarray]] = OrderedDict()
        self._texts: dict[int, tuple[Followed, str]] = {}

    def add(self, key: str) -> None:
        """Take in one more run, behind the others."""
        self._keys.add(key)

    def containing(self, text: str, kept: Mapping[int, tuple[frozenset[str], str]], followed: Iterable[Followed]) -> np.ndarray:
        """Tell of each run whether all words of `text` are found in it; `kept` holds (tags, casefolded text) by position."""
        plain = text.encode("utf-8", "replace").decode().replace('"', " ").replace("\0", " ")
        texts = self._texts_of(followed)
        found, logged = np.ones(len(self._keys), bool), []
        for word in dict.fromkeys(plain.casefold().split()):
            inside = self._inside(word, kept, texts)
            if not inside.any():
                logged.append(word)
            elif not inside.all():
                found &= inside | self._logged([word])
        return found & self._logged(logged) if logged else found

    def _texts_of(self, followed: Iterable[Followed]) -> dict[int, str]:
        """Return the texts of runs by position; one is made anew only when its parameters are others."""
        known, self._texts = self._texts, {}
        for run in followed:
            before = known.get(run.at)
            is_same = before is not None and before[0].params is run.params and before[0].host == run.host
            self._texts[run.at] = before if before and is_same else (run, search_text(run.key, run.host, run.params).casefold())
        return {at: text for at, (_, text) in self._texts.items()}

    def _inside(self, word: str, kept: Mapping[int, tuple[frozenset[str], str]], texts: dict[int, str]) -> np.ndarray:
        """Tell of each run whether RAM alone tells that `word` is found in it."""
        found = self._keys.containing(word)
        begins = re.compile(r"(?<!\w)" + re.escape(word)).search
        found[[at for at, (_, of_users) in kept.items() if word in of_users]] = True
        found[[at for at, text in texts.items() if word in text and begins(text)]] = True
        return found if found.all() else found | self._shapes.with_word(word, len(found))

    def _logged(self, words: list[str]) -> np.ndarray:
        """Tell of each run whether the index has all `words` in its text; new ones are asked together, which makes frequent ones cheap."""
        found, new = np.ones(len(self._keys), bool), []
        for word in words:
            version, mask = self._found.get(word, (None, found))
            if version == self._database.words_version:
                found[: len(mask)] &= mask
                found[len(mask) :] = False  # of runs that came since the index knows no text yet
            else:
                new.append(word)
        return found & self._asked(new) if new else found

    def _asked(self, words: list[str]) -> np.ndarray:
        places, known = self._places(self._database.with_words(words))
        found = np.zeros(len(self._keys), bool)
        found[places[known]] = True
        if len(words) == 1 and self._database.writable:  # else another process may change the texts
            self._found[words[0]] = self._database.words_version, found
            if len(self._found) > MOST_WORDS:
                self._found.popitem(last=False)
        return found
