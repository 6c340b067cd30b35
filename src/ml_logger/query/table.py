"""The runs of a snapshot as the table that `filter` and `complete` look at: what a name means. Knows no text of a query.

A name is a field, a parameter, a metric, a summary of a metric (`loss.min`), or the end of such a name (`lr` for `Args.lr`).
Where several names end so, each run's own counts; a run that has several of them shows the shortest.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ml_logger.answers import Column as ColumnOfAnswer
from ml_logger.query.filter import Column
from ml_logger.query.patterns import compile_pattern, found_in
from ml_logger.query.terms import FIELDS, SUMMARIES, Curve
from ml_logger.store.base import ColumnInfo, Snapshot

Curves = Callable[[str, Curve, np.ndarray], np.ndarray]
"""(metric, predicate, positions) → a flag for each position."""

MOST_ENDINGS = 8
"""So many names with the same end are looked at."""
MOST_COMPARED = 2000
"""Of more names than these only those with the same first letter are compared with an unknown one: 10 µs each."""


class Meaning(NamedTuple):
    """What a name stands for: kind is field, param or metric; `summary` is that of a metric."""

    kind: str
    name: str
    summary: str = "last"


class SnapshotTable:
    """A snapshot, with names as users write them. Columns are looked up once.

    Runs that are added meanwhile are no part of it: everything has the length that the snapshot had at first.
    """

    def __init__(self, snapshot: Snapshot, now: float, names: list[ColumnInfo] | None = None, curves: Curves | None = None) -> None:
        """Look at `snapshot`, whose `names` may be known, at the time `now` (for ages); `curves` answers curve predicates."""
        self.snapshot, self.now, self._curves = snapshot, now, curves
        self._size = len(snapshot)
        self._listed = snapshot.names() if names is None else names
        self._columns: dict[str, Column | None] = {}

    def __len__(self) -> int:
        """Return how many runs there are."""
        return self._size

    def below(self, prefix: str) -> np.ndarray:
        """Tell of each run whether its key is `prefix` or lies below it."""
        return self.snapshot.below(prefix.strip("/"))[: self._size]

    def within(self, prefix: str) -> SnapshotTable:
        """Return all runs with names as those below `prefix` have them: what runs elsewhere have hides no shorter name there."""
        if not prefix.strip("/"):
            return self
        table = SnapshotTable(self.snapshot, self.now, self.snapshot.names(self.below(prefix)), self._curves)
        table._size = self._size
        return table

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {"param": set(), "metric": set()}
        for info in self._listed:
            found.setdefault(info.kind, set()).add(info.name)
        return found

    def meanings(self, name: str) -> list[Meaning]:
        """Return what `name` can stand for, the likeliest first; [] if no run has it."""
        if name.lower() in FIELDS:
            return [Meaning("field", name.lower())]
        stem, _, summary = name.rpartition(".")
        for kind in ("param", "metric"):
            if name in self._names[kind]:
                return [Meaning(kind, name)]
        metric_stem = stem if summary in SUMMARIES else ""
        if metric_stem in self._names["metric"]:
            return [Meaning("metric", metric_stem, summary)]
        found = [Meaning(kind, full) for kind in ("param", "metric") for full in self._ending(kind, name)]
        if not found and metric_stem:
            found = [Meaning("metric", full, summary) for full in self._ending("metric", metric_stem)]
        return found[:MOST_ENDINGS]

    def _ending(self, kind: str, name: str) -> list[str]:
        ends = (f".{name}", f"/{name}")
        return sorted((full for full in self._names[kind] if full.endswith(ends)), key=lambda full: (len(full), full))

    def column(self, name: str) -> Column | None:
        """Return the values that `name` means over all runs, or None if no run has it."""
        if name not in self._columns:
            found = [column for meaning in self.meanings(name) if (column := self._stored(meaning)) is not None]
            self._columns[name] = _first_present(found)
        return self._columns[name]

    def exact(self, kind: str, name: str) -> Column | None:
        """Return the column of just this parameter or metric (its last value)."""
        return self._stored(Meaning(kind, name))

    def _stored(self, meaning: Meaning) -> Column | None:
        if meaning.kind == "field":
            found = self.snapshot.field(meaning.name)
        elif meaning.kind == "param":
            found = self.snapshot.param(meaning.name)
        else:
            found = self.snapshot.metric(meaning.name, meaning.summary)
        if found is None:
            return None
        codes = found.codes[: self._size].copy()  # before `words` is looked at: it may only grow
        return Column(found.numbers[: self._size], codes, found.words, found.present[: self._size])

    def tagged(self, tag: str, *, pattern: bool = False) -> np.ndarray:
        """Tell of each run whether it has `tag`, or one that the regular expression finds."""
        if not pattern:
            return self.snapshot.tagged(tag)[: self._size]
        search = compile_pattern(tag)
        masks = [self.snapshot.tagged(name)[: self._size] for name in self.snapshot.tags() if found_in(search, name)]
        return np.logical_or.reduce(masks) if masks else np.zeros(len(self), bool)

    def containing(self, text: str) -> np.ndarray:
        """Tell of each run whether the words of `text` are found in it."""
        return self.snapshot.containing(text)[: self._size]

    def curved(self, curve: Curve, among: np.ndarray) -> np.ndarray:
        """Tell of each run in `among` whether its curve is so."""
        found = np.zeros(len(self), bool)
        left = among
        for meaning in self.meanings(curve.name):
            if meaning.kind == "metric" and self._curves is not None:
                positions = np.flatnonzero(left)
                found[positions] |= self._curves(meaning.name, curve, positions)
                left = left & ~found
        return found

    def columns(self, chosen: np.ndarray | None = None) -> list[ColumnOfAnswer]:
        """Return all parameters and metrics, or those of the runs in the mask, with the number of runs that have them."""
        listed = self._listed if chosen is None else self.snapshot.names(chosen)
        return [ColumnOfAnswer(c.name, "metric" if c.kind == "metric" else "param", c.runs, c.numeric) for c in listed]

    def tags(self) -> dict[str, int]:
        """Return all tags with the number of runs that have them."""
        return self.snapshot.tags()

    def near(self, name: str) -> str | None:
        """Return the known name that is most like `name`, if one is."""
        known = [*self._names["param"], *self._names["metric"]]
        if len(known) > MOST_COMPARED:
            known = [full for full in known if full[:1].lower() == name[:1].lower()][:MOST_COMPARED]
        ends = {full.rpartition(".")[2].rpartition("/")[2] for full in known}
        found = difflib.get_close_matches(name[:60], sorted({*known, *ends}), 1, 0.6)
        return found[0] if found else None


def _first_present(columns: list[Column]) -> Column | None:
    """Return one column that shows, for each run, the first of `columns` that the run has."""
    if len(columns) < 2:
        return columns[0] if columns else None
    numbers, codes, words, present = columns[0]
    words = list(words)
    for other in columns[1:]:
        take = other.present & ~present
        shifted = np.where(other.codes >= 0, other.codes + len(words), -1)
        numbers, codes = np.where(take, other.numbers, numbers), np.where(take, shifted, codes)
        words += other.words
        present = present | other.present
    return Column(numbers, codes, words, present)
