"""The catalog in RAM: fields of all runs, and the columns that were asked for, kept current as runs change.

Knows the database only to load a column the first time. Positions are handed out in the order in which runs were found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from ml_logger.answers import MetricSummary, RunRow
from ml_logger.formats import values as plain_values
from ml_logger.store.base import ColumnInfo, StoredColumn
from ml_logger.store.database import Database, decode

FIELDS = ("name", "key", "status", "host", "created", "updated", "duration", "points", "attempts", "writers", "notes", "archived")
SUMMARIES = ("n", "bad", "last", "text", "low", "high", "first", "last_step", "argmin", "argmax")
_SUMMARY_NAMES = {"min": "low", "max": "high"}
MAX_COLUMNS = 200


class MutableColumn:
    """One name's values over all runs, changed in place and grown as needed."""

    def __init__(self, size: int) -> None:
        """Make room for `size` runs, all without a value."""
        self.numbers = np.full(size, np.nan)
        self.codes = np.full(size, -1, np.int32)
        self.present = np.zeros(size, bool)
        self.words: list[str] = []
        self._word_codes: dict[str, int] = {}

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


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


class _Document(msgspec.Struct):
    """What a table shows of a run's document."""

    params: dict[str, Any]
    summaries: dict[str, list[Any]]


def _revived(code: int, data: memoryview) -> Any:
    return plain_values.revive(msgspec.msgpack.Ext(code, bytes(data)))


_document_decoder = msgspec.msgpack.Decoder(_Document, ext_hook=_revived)


class Catalog:
    """Fields and columns of all runs; a `Snapshot` for the engine."""

    def __init__(self, database: Database) -> None:
        """Load the fields of all runs that the index knows."""
        self.database = database
        self.version = 0
        self.keys: list[str] = []
        self._ids: list[int] = []
        self._at: dict[str, int] = {}
        self._place: dict[int, int] = {}
        self._kept_texts: dict[int, str] = {}
        self._fields = {name: MutableColumn(0) for name in FIELDS}
        self._columns: dict[tuple[str, str], MutableColumn] = {}
        self._tags: dict[int, frozenset[str]] = {}
        self.heads: list[dict[str, Any]] = []
        self.live: dict[int, Any] = {}
        for number, key, head in database.query("SELECT id, key, head FROM run ORDER BY id"):
            self.add(number, key, decode(head))

    def __len__(self) -> int:
        """Count the runs."""
        return len(self.keys)

    @property
    def ids(self) -> np.ndarray:
        """The ids of the runs, by position."""
        return np.array(self._ids, np.int64)

    def position(self, key: str) -> int | None:
        """Return the position of the run `key`."""
        return self._at.get(key)

    def add(self, number: int, key: str, head: dict[str, Any]) -> int:
        """Add a run, or change the fields of a known one; return its position."""
        at = self._at.get(key)
        if at is None:
            at = self._at[key] = len(self.keys)
            self._place[number] = at
            self.keys.append(key)
            self._ids.append(number)
            self.heads.append({})
        self.heads[at].update(head)
        fields = {"key": key, "name": key.rpartition("/")[2] or key, **self.heads[at]}
        fields["duration"] = (fields.get("updated") or 0.0) - (fields.get("created") or 0.0)
        for name in FIELDS:
            if name in fields:
                self._fields[name].put(at, fields[name])
        return at

    def set_kept(self, at: int, kept: dict[str, Any]) -> None:
        """Take over what users keep with a run: tags, notes, archived."""
        self._tags[at] = frozenset(kept.get("tags") or ())
        self.heads[at].update(notes=kept.get("notes") or "", archived=bool(kept.get("archived")), tags=sorted(self._tags[at]))
        self._kept_texts[at] = f"{kept.get('notes') or ''} {' '.join(self._tags[at])}".casefold()
        self._fields["notes"].put(at, kept.get("notes") or None)
        self._fields["archived"].put(at, bool(kept.get("archived")))

    def changed(self, at: int, params: dict[str, Any] | None, summaries: dict[str, MetricSummary]) -> None:
        """Bring the columns that were asked for up to date with a run."""
        for (kind, name), column in self._columns.items():
            if kind == "param":
                if params is not None:
                    column.put(at, params.get(name))
            elif name in summaries:
                column.put(at, getattr(summaries[name], kind))

    # ── Snapshot ─────────────────────────────────────────────────────────────────────────────────────────────────

    def below(self, prefix: str) -> np.ndarray:
        """Tell of each run whether its key is `prefix` or lies below it."""
        if not prefix:
            return np.ones(len(self), bool)
        start = prefix + "/"
        return np.array([key == prefix or key.startswith(start) for key in self.keys], bool)

    def field(self, name: str) -> StoredColumn | None:
        """Return a field's column, or None if there is no such field."""
        return self._fields[name].view(len(self)) if name in self._fields else None

    def param(self, name: str) -> StoredColumn | None:
        """Return a parameter's column, loaded the first time."""
        if ("param", name) not in self._columns:
            number = self.database.name_id(name)
            column = MutableColumn(len(self))
            at = self._place
            rows = [] if number is None else self.database.query("SELECT run, value FROM param WHERE name=?", (number,))
            for run, blob in rows:
                if run in at:
                    column.put(at[run], plain_values.revive(decode(blob)))
            for run, live in list(self.live.items()):
                if run in at:
                    column.put(at[run], live.flat_params().get(name))
            self._columns["param", name] = column
        column = self._columns["param", name]
        return column.view(len(self)) if column.present.any() else None

    def metric(self, name: str, summary: str = "last") -> StoredColumn | None:
        """Return a summary of a metric over all runs, loaded the first time."""
        if (summary, name) not in self._columns:
            self._columns[summary, name] = self._load_metric(name, summary)
        column = self._columns[summary, name]
        return column.view(len(self)) if column.present.any() else None

    def _load_metric(self, name: str, summary: str) -> MutableColumn:
        number, column = self.database.name_id(name), MutableColumn(len(self))
        field = _SUMMARY_NAMES.get(summary, summary)
        at = self._place
        if number is not None and field in SUMMARIES:
            text = "text" if field == "last" else "NULL"
            for run, value, blob in self.database.query(f"SELECT run, {field}, {text} FROM summary WHERE metric=?", (number,)):  # noqa: S608 - from a list
                if run in at:
                    column.put(at[run], value if blob is None else plain_values.revive(decode(blob)))
        for run, live in list(self.live.items()):
            if run in at and name in live.summaries:
                column.put(at[run], getattr(live.summaries[name].answer(), summary, None))
        return column

    def tagged(self, tag: str) -> np.ndarray:
        """Tell of each run whether it has `tag`."""
        found = np.zeros(len(self), bool)
        found[[at for at, tags in self._tags.items() if tag in tags and at < len(self)]] = True
        return found

    def tags(self) -> dict[str, int]:
        """Return all tags, and how many runs have each."""
        counts: dict[str, int] = {}
        for tags in self._tags.values():
            for tag in tags:
                counts[tag] = counts.get(tag, 0) + 1
        return counts

    def containing(self, text: str) -> np.ndarray:
        """Tell of each run whether all words of `text`, or their beginnings, are in its name, tags, notes or parameters."""
        found = np.zeros(len(self), bool)
        words = " ".join(f'"{word}"*' for word in text.replace('"', " ").split())
        if not words:
            return ~found
        at = self._place
        hits = self.database.query("SELECT rowid FROM words WHERE words MATCH ?", (words,))
        found[[at[run] for (run,) in hits if run in at]] = True
        needles = text.casefold().split()
        for run, live in list(self.live.items()):
            if run in at:
                haystack = search_text(live.key, self.heads[at[run]], live.flat_params()).casefold()
                found[at[run]] = all(needle in haystack for needle in needles)
        for place, kept in self._kept_texts.items():
            if len(kept) > 1 and all(needle in kept for needle in needles):
                found[place] = True
        return found

    def names(self) -> list[ColumnInfo]:
        """Return all parameters and metrics, and how many runs have each."""
        counts: dict[tuple[str, str], list[int]] = {}
        for number, runs, numeric in self.database.query("SELECT name, count(*), count(number) FROM param GROUP BY name"):
            counts["param", self.database.name_of(number)] = [runs, numeric]
        for number, runs, numeric in self.database.query("SELECT metric, count(*), count(low) + sum(bad > 0) FROM summary GROUP BY metric"):
            counts["metric", self.database.name_of(number)] = [runs, numeric]
        for live in list(self.live.values()):
            for kind, name, numeric in live.unsaved_names():
                entry = counts.setdefault((kind, name), [0, 0])
                entry[0] += 1
                entry[1] += numeric
        return [ColumnInfo(name, kind, runs, numeric > 0) for (kind, name), (runs, numeric) in sorted(counts.items())]

    def rows(self, positions: Iterable[int], columns: list[str] | None = None) -> list[RunRow]:
        """Return runs as table rows, with all parameters and metrics (at most 200 of each), or those named in `columns`."""
        places = list(positions)
        documents = self._documents([self._ids[at] for at in places])
        return [self._row(at, *documents.get(self._ids[at], ({}, {})), columns) for at in places]

    def _row(self, at: int, params: dict[str, Any], summaries: dict[str, MetricSummary], columns: list[str] | None) -> RunRow:
        head = self.heads[at]
        if columns is not None:
            params = {name: params[name] for name in columns if name in params}
            summaries = {name: summaries[name] for name in columns if name in summaries}
        elif max(len(params), len(summaries)) > MAX_COLUMNS:
            params, summaries = dict(islice(params.items(), MAX_COLUMNS)), dict(islice(summaries.items(), MAX_COLUMNS))
        key = self.keys[at]
        known = {name: head[name] for name in RunRow.__struct_fields__ if name in head}
        row = RunRow(key=key, name=key.rpartition("/")[2] or key, params=params, metrics=summaries, **known)
        row.duration = max(row.updated - row.created, 0.0) if row.created else 0.0
        return row

    def _documents(self, runs: list[int]) -> dict[int, tuple[dict[str, Any], dict[str, MetricSummary]]]:
        """Return parameters and summaries of runs by their ids."""
        found: dict[int, tuple[dict[str, Any], dict[str, MetricSummary]]] = {}
        stored = json.dumps([run for run in runs if run not in self.live])
        for run, blob in self.database.query("SELECT id, doc FROM run WHERE id IN (SELECT value FROM json_each(?))", (stored,)):
            document = _document_decoder.decode(blob)
            found[run] = document.params, {name: MetricSummary(*fields) for name, fields in document.summaries.items()}
        for run in runs:
            if (live := self.live.get(run)) is not None:
                found[run] = live.flat_params(), {name: summary.answer() for name, summary in live.summaries.items()}
        return found


def search_text(key: str, head: dict[str, Any], params: dict[str, Any]) -> str:
    """Return the text of a run that words are searched in."""
    words = [key, key.replace("/", " ").replace("-", " ").replace("_", " "), str(head.get("host", ""))]
    words += [f"{name} {value}" for name, value in params.items() if isinstance(value, (str, bool, int, float))]
    return " ".join(words)[:100_000]
