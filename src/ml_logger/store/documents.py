"""What the index keeps of a run beside its points: fields, parameters, summaries, words, and where reading its journals stopped.

Knows no question. The `front` of a document is what a page of runs shows; it is small however many names a run has.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ml_logger.formats import values as plain_values
from ml_logger.store.database import Database, decode, encode, inflated, squeezed
from ml_logger.store.live import LiveRun, LiveWriter
from ml_logger.store.shapes import METRIC, PARAM, Name
from ml_logger.store.summaries import LiveSummary

FRONT = 200
"""So many parameters and so many summaries are in the front of a document."""
_PLAIN = {bool, int, float, str, type(None)}
_FIELDS = ("last", "low", "high", "first", "n", "bad", "last_step", "argmin", "argmax")


def names_of(run: LiveRun) -> list[Name]:
    """Return the parameters and metrics that a run has now."""
    found = [(PARAM, name, isinstance(value, (bool, int, float))) for name, value in run.flat_params().items()]
    return found + [(METRIC, name, summary.numeric) for name, summary in run.summaries.items()]


def save_run(database: Database, run: LiveRun, now: float) -> None:
    """Write what is known of a run. To be called in a transaction."""
    head, flat = run.head(now), run.flat_params()
    lines = {name: [getattr(summary, field) for field in _FIELDS] for name, summary in run.summaries.items()}
    settled = {name: list(summary.settled_fields()) for name, summary in run.summaries.items() if summary.open}
    front = {"params": dict(islice(flat.items(), FRONT)), "summaries": dict(islice(lines.items(), FRONT))}
    rest = {
        "nested": run.params, "attempt": run.attempt, "status": run.status, "status_time": run.status_time, "files": run.files,
        "summaries": {name: lines[name] for name in islice(lines, FRONT, None) if not _is_told(lines[name])},
        "settled": settled,
        "attempts": {name: summary.attempt for name, summary in run.summaries.items() if summary.attempt},
    }  # fmt: skip
    is_new = not database.query("SELECT 1 FROM document WHERE run=?", (run.id,))
    shape = database.shape_id(names_of(run))
    database.query("INSERT OR REPLACE INTO run VALUES (?,?,?,?)", (run.id, run.key, encode(plain_values.plain(head)), shape))
    is_plain = {*map(type, flat.values()), *(type(value) for line in (*lines.values(), *settled.values()) for value in line)} <= _PLAIN
    blobs = squeezed(_packed(front, is_plain=is_plain)), squeezed(_packed(rest, is_plain=is_plain))
    database.query("INSERT OR REPLACE INTO document VALUES (?,?,?)", (run.id, *blobs))
    if is_new or run.dirty_params:
        _save_params(database, run.id, flat)
        database.put_words(run.id, search_text(run.key, str(head["host"]), flat))
    if run.dirty_summaries:
        _save_summaries(database, run)
    run.dirty_params = run.dirty_summaries = False


def _is_told(line: list[Any]) -> bool:
    """Tell whether a row of `summary` says exactly what a line of _FIELDS does: zero may have a sign, other numbers are no floats."""
    return all(type(value) is float and value and math.isfinite(value) for value in line[:4])


def _packed(document: dict[str, Any], *, is_plain: bool) -> bytes:
    """Return a document as msgpack; nearly all hold nothing but numbers and texts, and need not be looked through."""
    if is_plain:
        with contextlib.suppress(OverflowError, UnicodeError):
            return encode(document)
    return encode(plain_values.plain(document))


def save_writer(database: Database, run: LiveRun, writer: LiveWriter) -> None:
    """Write where reading a journal stopped. To be called in a transaction."""
    saved = writer.saved()
    state = encode(
        {**saved, "keys": squeezed(encode(saved["keys"])), "size": -1 if writer.tail.count else writer.size}
    )  # -1: the open row is loaded at the next start
    database.query("INSERT OR REPLACE INTO writer VALUES (?,?,?,?)", (writer.id, run.id, writer.journal, state))


def load_writer(number: int, journal: str, state: bytes) -> LiveWriter:
    """Return a writer as `save_writer` saved it."""
    saved = decode(state)
    return LiveWriter.restored(number, journal, {**saved, "keys": decode(inflated(saved["keys"]))})


def load_run(database: Database, number: int, key: str) -> LiveRun:
    """Return a run as it was saved, to go on with it."""
    run = LiveRun(number, key)
    for blobs in database.query("SELECT front, rest FROM document WHERE run=?", (number,)):
        front, rest = (plain_values.revive(decode(inflated(blob))) for blob in blobs)
        run.params, run.attempt = rest["nested"], rest["attempt"]
        run.status, run.status_time, run.files = rest["status"], rest["status_time"], rest["files"]
        lines = {**front["summaries"], **rest["summaries"]}
        for name, line in (*lines.items(), *_told(database, number, lines)):
            summary = run.summaries[name] = LiveSummary(rest["attempts"].get(name, 0))
            for field, value in zip(_FIELDS, line, strict=True):
                setattr(summary, field, value)
            summary.numeric = summary.low is not None or summary.bad > 0 or summary.n == 0
        for name, line in rest["settled"].items():
            for field, value in zip(LiveSummary.FIELDS, line, strict=True):
                setattr(run.summaries[name], field, value)
    for writer, journal, state in database.query("SELECT id, journal, state FROM writer WHERE run=?", (number,)):
        restored = run.writers[journal] = load_writer(writer, journal, state)
        if restored.tail.count:  # the open row is in the saved tail: it was not settled
            run.summarise(restored, restored.tail.parts)
    run.changed_metrics.clear()
    return run


def _told(database: Database, run: int, known: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield (metric, line of _FIELDS) of a run's metrics that are in `summary` alone."""
    if len(known) >= FRONT:
        for name in database.metrics_of(run):
            if name not in known:
                yield from ((name, [last, *line]) for _, last, _, *line in database.summaries_of(name, [run]))


def search_text(key: str, host: str, params: dict[str, Any]) -> str:
    """Return the text of a run that words are searched in."""
    words = [key, key.replace("/", " ").replace("-", " ").replace("_", " "), host]
    words += [f"{name} {value}" for name, value in params.items() if isinstance(value, (str, bool, int, float))]
    return " ".join(words)[:100_000]


def _save_params(database: Database, run: int, flat: dict[str, Any]) -> None:
    rows = [(database.name_id(name, make=True), run, *_param_fields(value)) for name, value in flat.items()]
    database.many("INSERT OR REPLACE INTO param VALUES (?,?,?,?,?)", rows)


def _param_fields(value: Any) -> tuple[float | None, str | None, bytes | None]:
    """Return a value as number, text and blob: the blob only where the others do not say it exactly."""
    kind = type(value)
    number = _real(value)
    if kind is float and number is not None:
        return number, None, None
    return number, value if isinstance(value, str) else None, encode(plain_values.plain(value))


def _save_summaries(database: Database, run: LiveRun) -> None:
    """Write the summaries of a run."""
    rows = [_summary_row(database.name_id(name, make=True), run.id, summary) for name, summary in run.summaries.items()]
    database.many("INSERT OR REPLACE INTO summary VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)


def _summary_row(metric: int | None, run: int, s: LiveSummary) -> tuple[Any, ...]:
    number = _real(s.last)
    text = None if isinstance(s.last, float) and number is not None else encode(plain_values.plain(s.last))
    return (metric, run, s.n, s.bad, number, text, s.low, s.high, _real(s.first), s.last_step, s.argmin, s.argmax)


def _real(value: Any) -> float | None:
    """Return a number as SQLite keeps it, None for what is none, NaN and integers beyond floats."""
    if not isinstance(value, (bool, int, float)) or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return None
    try:
        return float(value)
    except OverflowError:
        return None
