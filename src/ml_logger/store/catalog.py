"""The catalog in RAM: fields and names of all runs, and the columns that were asked for, kept current as runs change.

Knows the database only to load what it did not see change. Positions are handed out in the order in which runs were found.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from ml_logger.answers import MetricSummary, RunRow
from ml_logger.formats import values as plain_values
from ml_logger.store.base import ColumnInfo, StoredColumn
from ml_logger.store.columns import MutableColumn
from ml_logger.store.database import Database, decode
from ml_logger.store.documents import FRONT
from ml_logger.store.full_text import Followed, FullText
from ml_logger.store.shapes import Name, Shapes

FIELDS = ("name", "key", "status", "host", "created", "updated", "duration", "points", "attempts", "writers", "notes", "archived")
SUMMARIES = ("n", "bad", "last", "text", "low", "high", "first", "last_step", "argmin", "argmax")
_SUMMARY_NAMES = {"min": "low", "max": "high"}
MOST_PREFIXES, MOST_ROWS = 64, 4096
MOST_COLUMN_BYTES = 128 << 20
"""Columns in RAM; others are loaded again when they are asked for."""


class _Front(msgspec.Struct):
    """The part of a run's document that a page of runs shows: at most FRONT parameters and summaries."""

    params: dict[str, Any]
    summaries: dict[str, list[Any]]


def _revived(code: int, data: memoryview) -> Any:
    return plain_values.revive(msgspec.msgpack.Ext(code, bytes(data)))


_decode_front = msgspec.msgpack.Decoder(_Front, ext_hook=_revived).decode


class Head(msgspec.Struct, gc=False):
    """The fields of a run that a table shows, but for its key; the last three are what users keep with it."""

    uuid: str = ""
    status: str = "running"
    created: float = 0.0
    updated: float = 0.0
    host: str = ""
    points: int = 0
    writers: int = 1
    attempts: int = 1
    notes: str = ""
    archived: bool = False
    tags: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds between the first record and the newest."""
        return max(self.updated - self.created, 0.0) if self.created else 0.0


_HEAD_FIELDS = ("status", "host", "created", "updated", "duration", "points", "attempts", "writers")
_decode_head = msgspec.msgpack.Decoder(Head).decode


class Catalog:
    """Fields, names and columns of all runs; a `Snapshot` for the engine. Run ids rise with positions."""

    def __init__(self, database: Database) -> None:
        """Load the fields of all runs that the index knows."""
        self.database = database
        self.version = 0
        self.keys: list[str] = []
        self.heads: list[Head] = []
        self.live: dict[int, Any] = {}
        self._ids = np.zeros(0, np.int64)
        self._at: dict[str, int] = {}
        self._kept: dict[int, tuple[frozenset[str], str]] = {}
        self._fields = {name: MutableColumn(0) for name in FIELDS if name != "key"}
        self._columns: OrderedDict[tuple[str, str], MutableColumn] = OrderedDict()
        self._below: OrderedDict[str, np.ndarray] = OrderedDict()
        self._rows: OrderedDict[tuple[int, tuple[str, ...] | None], tuple[RunRow, int]] = OrderedDict()
        self._changes: list[int] = []
        self.shapes = Shapes()
        self._text = FullText(database, self.shapes, self._places)
        self._load()

    def _load(self) -> None:
        texts: dict[str, str] = {}
        shapes = {number: self.shapes.number(self.database.shape_names(blob)) for number, blob in self.database.shapes()}
        for number, key, blob, shape in self.database.query("SELECT id, key, head, shape FROM run ORDER BY id"):
            head = _decode_head(blob)
            head.status, head.host = texts.setdefault(head.status, head.status), texts.setdefault(head.host, head.host)
            self.shapes.put(self._add(number, key, head), shapes.get(shape, 0))

    def __len__(self) -> int:
        """Count the runs."""
        return len(self.keys)

    @property
    def ids(self) -> np.ndarray:
        """The ids of the runs, by position."""
        return self._ids[: len(self.keys)]

    def next_id(self) -> int:
        """Return a number that no run has had."""
        return int(self._ids[len(self) - 1]) + 1 if self.keys else 1

    def position(self, key: str) -> int | None:
        """Return the position of the run `key`."""
        return self._at.get(key)

    def add(self, number: int, key: str, head: dict[str, Any]) -> int:
        """Add a run, or change the fields of a known one; return its position."""
        at = self._at.get(key)
        if at is None:
            return self._add(number, key, Head(**head))
        for name, value in head.items():
            setattr(self.heads[at], name, value)
        self._show(at)
        return at

    def _add(self, number: int, key: str, head: Head) -> int:
        at = self._at[key] = len(self.keys)
        if at >= len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros(max(64, len(self._ids)), np.int64)])
        self._ids[at] = number
        self.keys.append(key)
        self._text.add(key)
        self.heads.append(head)
        self._changes.append(0)
        self._fields["name"].put(at, key.rpartition("/")[2] or key)
        self._fields["archived"].put(at, value=False)
        self._show(at)
        return at

    def _show(self, at: int) -> None:
        head = self.heads[at]
        self._changes[at] += 1
        for name in _HEAD_FIELDS:
            self._fields[name].put(at, getattr(head, name))

    def set_kept(self, at: int, kept: dict[str, Any]) -> None:
        """Take over what users keep with a run: tags, notes, archived."""
        head = self.heads[at]
        head.notes, head.archived, head.tags = (
            kept.get("notes") or "",
            bool(kept.get("archived")),
            tuple(sorted(set(kept.get("tags") or ()))),
        )
        self._changes[at] += 1
        self._kept.pop(at, None)
        if head.notes or head.tags:
            self._kept[at] = frozenset(head.tags), f"{head.notes} {' '.join(head.tags)}".casefold()
        self._fields["notes"].put(at, head.notes or None)
        self._fields["archived"].put(at, head.archived)

    def without(self, gone: set[str]) -> Catalog:
        """Return a catalog without the runs with these keys; this one stays as it is, for whoever is looking at it."""
        found = copy(self)
        keep = np.array([at for at, key in enumerate(self.keys) if key not in gone], np.int64)
        places = {old: new for new, old in enumerate(keep.tolist())}
        found.keys, found.heads = [self.keys[at] for at in places], [self.heads[at] for at in places]
        found._ids, found._at = self._ids[keep], {key: at for at, key in enumerate(found.keys)}  # noqa: SLF001 - of the same class
        found._kept = {places[at]: kept for at, kept in self._kept.items() if at in places}  # noqa: SLF001
        found._fields = {name: column.only(keep) for name, column in self._fields.items()}
        found._columns = OrderedDict((name, column.only(keep)) for name, column in self._columns.items())  # noqa: SLF001
        found._below, found._rows, found._changes = OrderedDict(), OrderedDict(), [0] * len(found.keys)  # noqa: SLF001
        found.shapes = self.shapes.only(keep)
        found._text = FullText(self.database, found.shapes, found._places, found.keys)  # noqa: SLF001
        ids = set(found.ids.tolist())
        found.live = {number: run for number, run in self.live.items() if number in ids}
        return found

    def set_names(self, at: int, names: Iterable[Name]) -> None:
        """Say which parameters and metrics a run has; columns of those it has no more lose their value."""
        before, now = self.shapes.at(at), self.shapes.number(names)
        self.shapes.put(at, now)
        for kind, name, _ in set(self.shapes.names(before)) - set(self.shapes.names(now)):
            for (column_kind, column_name), column in self._columns.items():
                if column_name == name and (column_kind == "param") == (kind == "param"):
                    column.put(at, None)

    def changed(self, at: int, params: dict[str, Any] | None, summaries: dict[str, MetricSummary]) -> None:
        """Bring the columns that were asked for up to date with a run."""
        self._changes[at] += 1
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
        known = self._below.pop(prefix, np.zeros(0, bool))
        if len(known) < len(self):
            start = prefix + "/"
            more = [key == prefix or key.startswith(start) for key in self.keys[len(known) :]]
            known = np.concatenate([known, np.array(more, bool)])
        self._below[prefix] = known
        if len(self._below) > MOST_PREFIXES:
            self._below.popitem(last=False)
        return known.copy()

    def field(self, name: str) -> StoredColumn | None:
        """Return a field's column, or None if there is no such field."""
        n = len(self)
        if name == "key":
            return StoredColumn(np.full(n, np.nan), np.arange(n, dtype=np.int32), self.keys, np.ones(n, bool))
        if name == "uuid":
            uuids = [head.uuid for head in self.heads[:n]]
            return StoredColumn(np.full(n, np.nan), np.arange(n, dtype=np.int32), uuids, np.array([uuid != "" for uuid in uuids], bool))
        return self._fields[name].view(n) if name in self._fields else None

    def param(self, name: str) -> StoredColumn | None:
        """Return a parameter's column, loaded the first time: about 0.5 µs a run."""
        return self._column("param", name, self._load_param)

    def metric(self, name: str, summary: str = "last") -> StoredColumn | None:
        """Return a summary of a metric over all runs, loaded the first time: about 0.5 µs a run."""
        return self._column(summary, name, self._load_metric)

    def _column(self, kind: str, name: str, load: Callable[[str, str], MutableColumn]) -> StoredColumn | None:
        """Return a column, loaded if it is not in RAM; those that were not asked for lately are let go of."""
        column = self._columns.pop((kind, name), None) or load(name, kind)
        self._columns[kind, name] = column
        while len(self._columns) > 1 and sum(known.nbytes for known in self._columns.values()) > MOST_COLUMN_BYTES:
            self._columns.popitem(last=False)
        return column.view(len(self)) if column.present.any() else None

    def _load_param(self, name: str, _: str) -> MutableColumn:
        number = self.database.name_id(name)
        rows = [] if number is None else self.database.query("SELECT run, number, coalesce(text, value) FROM param WHERE name=?", (number,))
        column = self._filled(rows)
        for at, live in self._live_at():
            column.put(at, live.flat_params().get(name))
        return column

    def _load_metric(self, name: str, summary: str) -> MutableColumn:
        number, field = self.database.name_id(name), _SUMMARY_NAMES.get(summary, summary)
        text = "text" if field == "last" else "NULL"
        sql = f"SELECT run, {field}, {text} FROM summary WHERE metric=?"  # noqa: S608 - from a list
        column = self._filled(self.database.query(sql, (number,)) if number is not None and field in SUMMARIES else [])
        for at, live in self._live_at():
            if name in live.summaries:
                column.put(at, getattr(live.summaries[name].answer(), summary, None))
        return column

    def _filled(self, rows: list[tuple[Any, ...]]) -> MutableColumn:
        """Return a column of (run, number or None, text, blob or None): a number or a text as it is, else what the blob holds."""
        column = MutableColumn(len(self))
        places, known = self._places([row[0] for row in rows])
        plain = known & np.array([row[1] is not None for row in rows], bool)
        column.put_numbers(places[plain], [rows[at][1] for at in np.flatnonzero(plain).tolist()])
        is_text = known & ~plain & np.array([isinstance(row[2], str) for row in rows], bool)
        column.put_texts(places[is_text], [rows[at][2] for at in np.flatnonzero(is_text).tolist()])
        for at in np.flatnonzero(known & ~plain & ~is_text).tolist():
            if rows[at][2] is not None:
                column.put(int(places[at]), plain_values.revive(decode(rows[at][2])))
        return column

    def _places(self, runs: list[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of runs by id, and which of them are known."""
        wanted, ids = np.asarray(runs, np.int64), self.ids
        if len(ids) and int(ids[-1] - ids[0]) == len(ids) - 1:  # no run was ever taken out: nothing is to be looked for
            return wanted - ids[0], (wanted >= ids[0]) & (wanted <= ids[-1])
        places = np.searchsorted(ids, wanted)
        known = places < len(ids)
        known[known] = ids[places[known]] == wanted[known]
        return places, known

    def _live_at(self) -> Iterator[tuple[int, Any]]:
        """Yield (position, run) of the runs that are followed."""
        for live in list(self.live.values()):
            if (at := self._at.get(live.key)) is not None:
                yield at, live

    def tagged(self, tag: str) -> np.ndarray:
        """Tell of each run whether it has `tag`."""
        found = np.zeros(len(self), bool)
        found[[at for at, (tags, _) in self._kept.items() if tag in tags and at < len(self)]] = True
        return found

    def tags(self) -> dict[str, int]:
        """Return all tags, and how many runs have each."""
        return dict(Counter(tag for tags, _ in self._kept.values() for tag in tags))

    def containing(self, text: str) -> np.ndarray:
        """Tell of each run whether every word of `text` is in its key, tags or notes, or begins a word of its parameters."""
        followed = (Followed(at, live.key, self.heads[at].host, live.flat_params()) for at, live in self._live_at() if at < len(self))
        return self._text.containing(text, self._kept, followed)

    def names(self, chosen: np.ndarray | None = None) -> list[ColumnInfo]:
        """Return the parameters and metrics of all runs, or of those in the mask, and how many have each."""
        return self.shapes.columns(np.ones(len(self), bool) if chosen is None else chosen)

    def names_of(self, runs: Iterable[int]) -> list[ColumnInfo]:
        """Return the parameters and metrics of the runs with these ids."""
        chosen, (places, known) = np.zeros(len(self), bool), self._places(list(runs))
        chosen[places[known]] = True
        return self.names(chosen)

    def rows(self, positions: Iterable[int], columns: list[str] | None = None) -> list[RunRow]:
        """Return runs as table rows, with all parameters and metrics (at most 200 of each), or those named in `columns`.

        A row is the same object as long as its run does not change; it is not to be changed.
        """
        places = list(positions)
        wanted = None if columns is None else tuple(columns)
        missing = [at for at in places if self._rows.get((at, wanted), (None, -1))[1] != self._changes[at]]
        ids = self.ids[missing].tolist()
        shown = self._shown(ids, columns) if columns != [] else {}  # who wants keys alone needs no document
        found = {at: self._row(at, *shown.get(number, ({}, {}))) for at, number in zip(missing, ids, strict=True)}
        found.update((at, self._rows.pop((at, wanted))[0]) for at in dict.fromkeys(places) if at not in found)
        self._rows.update(((at, wanted), (row, self._changes[at])) for at, row in found.items())
        while len(self._rows) > MOST_ROWS:
            self._rows.popitem(last=False)
        return [found[at] for at in places]

    def _row(self, at: int, params: dict[str, Any], summaries: dict[str, MetricSummary]) -> RunRow:
        key, head = self.keys[at], self.heads[at]
        return RunRow(
            key, key.rpartition("/")[2] or key, head.uuid, head.status, head.created, head.updated, head.host, params, summaries,
            list(head.tags), head.notes, head.points, head.writers, head.attempts, head.archived, head.duration,
        )  # fmt: skip

    def _shown(self, runs: list[int], columns: list[str] | None) -> dict[int, Shown]:
        """Return what rows show of runs, by their ids."""
        found: dict[int, Shown] = {}
        stored = [run for run in runs if run not in self.live]
        wide: list[int] = []
        wanted = None if columns is None else dict.fromkeys(columns)
        for run, blob in self.database.fronts(stored):
            front = _decode_front(blob)
            found[run] = (
                _chosen(front.params, wanted),
                {name: MetricSummary(*line) for name, line in _chosen(front.summaries, wanted).items()},
            )
            if max(len(front.params), len(front.summaries)) >= FRONT:
                wide.append(run)
        if wide and wanted is not None:
            self._add_wide(found, wide, wanted)
        for run in runs:
            if (live := self.live.get(run)) is not None:
                summaries = {name: summary.answer() for name, summary in _chosen(live.summaries, wanted).items()}
                found[run] = _chosen(live.flat_params(), wanted), summaries
        return found

    def _add_wide(self, found: dict[int, Shown], runs: list[int], wanted: Iterable[str]) -> None:
        """Look up what is not in the front of documents of very many names."""
        for name in wanted:
            for run, number, blob in self.database.params_of(name, runs):
                found[run][0][name] = number if blob is None else plain_values.revive(decode(blob))
            for run, last, text, *line in self.database.summaries_of(name, runs):
                found[run][1][name] = MetricSummary(last if text is None else plain_values.revive(decode(text)), *line)


Shown = tuple[dict[str, Any], dict[str, MetricSummary]]
"""Parameters and metrics of a row."""


def _chosen(items: dict[str, Any], wanted: dict[str, None] | None) -> dict[str, Any]:
    """Return the wanted ones among named things, or the first ones."""
    if wanted is not None:
        return (
            {name: items[name] for name in wanted if name in items}
            if len(wanted) < len(items)
            else {n: v for n, v in items.items() if n in wanted}
        )
    return items if len(items) <= FRONT else dict(islice(items.items(), FRONT))
