"""What earlier releases left – streams of pickled rows or parameters – as the journal that would say the same. Knows no file.

A journal made of the first n objects is the beginning of the one made of more, so that a file that grows is followed
like any other. Rows take their time from `__timestamp`, else from the file; their step as rows do today.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from ml_logger.errors import CorruptFrameError
from ml_logger.formats import frames, messages, values
from ml_logger.records import METRICS_TABLE, STEP_KEYS

PARAMETERS = "parameters.pkl"
ENDED_S = 86400.0
"""A file that did not change for so long has a writer that ended."""
_STAMP = "__timestamp"


def journal_of(name: str, run: str, objects: Iterable[Any], modified: float, now: float) -> bytes:
    """Return the bytes of a journal that says what `objects` in the file `name` of `run` said; damage ends it early."""
    writer = hashlib.sha256(f"{run}/{name}".encode()).hexdigest()[:32]
    found = [frames.MAGIC, frames.encode(1, messages.encode(messages.Header(writer, run, 0, "", 0, 0, modified, 0)))]
    said = _params(run, objects, modified) if name == PARAMETERS else _rows(objects, modified)
    sequence = 1
    try:
        for sequence, message in enumerate(said, 2):
            found.append(frames.encode(sequence, messages.encode(message)))
    except CorruptFrameError:
        pass  # what stands before the damage is read
    if now - modified > ENDED_S:
        found.append(frames.encode(sequence + 1, messages.encode(messages.End(modified))))
    return b"".join(found)


def _params(run: str, objects: Iterable[Any], modified: float) -> Iterator[messages.Message]:
    path = f"{run}/{PARAMETERS}" if run else PARAMETERS
    for found in objects:
        if isinstance(found, dict) and found:
            yield messages.Params(values.plain(found), path, modified)


def _rows(objects: Iterable[Any], modified: float) -> Iterator[messages.Message]:
    shapes: dict[tuple[str, ...], int] = {}
    number = 0
    for found in objects:
        for row in found if isinstance(found, list) else (found,):
            if not isinstance(row, dict) or not row:
                continue
            at = row.get(_STAMP)
            names = tuple(str(name) for name in row if name != _STAMP)
            if names not in shapes:
                shapes[names] = len(shapes) + 1
                yield messages.Keys(shapes[names], list(names), METRICS_TABLE)
            kept = [values.plain(value) for name, value in row.items() if name != _STAMP]
            time = at.timestamp() if isinstance(at, dt.datetime) else modified
            yield messages.RowPart(shapes[names], number, _step(dict(zip(names, kept, strict=True))), time, kept)
            number += 1


def _step(row: dict[str, Any]) -> int | None:
    name = next((key for key in STEP_KEYS if key in row), None)
    step = row[name] if name else None
    return step if type(step) is int else None
