"""What changed in the mirror goes to the bucket: files old or new, then deletions. Knows no journal that is being written.

A key is *touched* in the ledger before and after it changes, and clean again when the bucket has what the disk has; so a
process may die anywhere, and the next one goes on.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator

from ml_logger.bucket.here import BLOCK
from ml_logger.bucket.ledger import NO_MARK, Dirty, Mark, Row
from ml_logger.bucket.mirror import Mirror, each, is_carried, mark_of
from ml_logger.bucket.objects import Thing
from ml_logger.bucket.pieces import journal_of, piece_of
from ml_logger.errors import NotFoundError, ServerUnreachableError
from ml_logger.formats import pickle_writer, restricted_pickle
from ml_logger.safe_fs import OLDER

HOLLOW_BYTES = 8 << 20
"""A file of this size or more, once it was put, leaves the disk."""
TEXT, PARAMS = "text", "params"
"""Kinds of files that several machines change: what they put is merged."""
_MOST_MERGED = 64 << 20
_SMALL_BYTES = 1 << 20
_CALM_BYTES = 256 << 10
_BYTES_A_SECOND = 64 << 10
"""A text of more than `_CALM_BYTES` is put again so seldom that it costs no more than this."""
_TRIES = 8


def settle(mirror: Mirror, *, hurry: bool = True, large: bool = True) -> None:
    """Carry all that was touched by any process of this machine; raises `TransportError`, and what was not carried stays dirty.

    Without `hurry`, long texts that were put a short while ago wait; without `large`, files that take a while are left to others.
    """
    todo = [dirty for dirty in mirror.ledger.dirty() if dirty.key not in mirror.writing and (hurry or _is_due(mirror, dirty))]
    if not large:
        todo = [dirty for dirty in todo if (mirror.mark(dirty.key) or NO_MARK)[1] <= _SMALL_BYTES]
    if not todo:
        return
    there = {dirty.key: mirror.ledger.rows(dirty.key) for dirty in todo}
    files = [(key, dirty.kind) for dirty in todo for key in _files(mirror, dirty.key)]
    older = [item for item in files if item[0].startswith(f"{OLDER}/")]
    _carry_all(mirror, older)  # first: they may be copies of what is about to be replaced
    _carry_all(mirror, [item for item in files if not item[0].startswith(f"{OLDER}/")])
    for dirty in todo:
        _drop(mirror, there[dirty.key])
        mirror.ledger.clean(dirty)


def _carry_all(mirror: Mirror, files: list[tuple[str, str]]) -> None:
    """Carry files: small ones several at a time, as most of it is waiting; large ones one after the other, as they are held in memory."""
    small = {item for item in files if (mark := mirror.mark(item[0])) is not None and mark[1] <= _SMALL_BYTES}
    each(lambda item: _carry(mirror, *item), small)
    for item in files:
        if item not in small:
            _carry(mirror, *item)


def waiting(mirror: Mirror) -> tuple[int, int]:
    """Return how many files wait to be carried, and how many bytes they have."""
    count = size = 0
    for dirty in mirror.ledger.dirty():
        for key in _files(mirror, dirty.key):
            mark, row = mirror.mark(key), mirror.ledger.row(key)
            if mark is not None and (row is None or row.mark != mark) and not piece_of(key):
                count, size = count + 1, size + mark[1]
    return count, size


def _is_due(mirror: Mirror, dirty: Dirty) -> bool:
    row = mirror.ledger.row(dirty.key) if dirty.kind == TEXT else None
    return row is None or row.thing.size <= _CALM_BYTES or time.time() - row.thing.modified > row.thing.size / _BYTES_A_SECOND


def _files(mirror: Mirror, key: str) -> Iterator[str]:
    """Yield the files that `key` names: itself, or all below it."""
    if not mirror.files.is_dir(key):
        yield from (name for name in (key,) if is_carried(name) and mirror.files.exists(name))
        return
    for entry in list(mirror.files.walk(key, hidden=True)):
        if not entry.is_dir and is_carried(entry.key):
            yield entry.key


def _carry(mirror: Mirror, key: str, kind: str) -> None:
    """Let the bucket have what the disk has at `key`."""
    if piece_of(key):
        carry_journal(mirror, key)
        return
    with mirror.locked(key):
        mark, row = mirror.mark(key), mirror.ledger.row(key)
        if mark is None or (row is not None and row.mark == mark):
            return
        source = mirror.ledger.equal_to(mark)
        if source is not None and source != key:
            _copy(mirror, key, source, mark)
        elif mirror.ledger.hollow(mark) is not None:
            return
        elif kind and mark[1] <= _MOST_MERGED:
            _put_merged(mirror, key, kind, row)
        else:
            _put(mirror, key, mark)


def _copy(mirror: Mirror, key: str, source: str, mark: Mark) -> None:
    """Copy inside of the store what was moved here; put it again if that is gone and the bytes are here."""
    is_hollow = mirror.ledger.hollow(mark) is not None
    try:
        thing = mirror.objects.copy(source, key)
    except NotFoundError:
        if is_hollow:
            raise
        _put(mirror, key, mark)
        return
    if is_hollow:
        mirror.ledger.set_hollow(mark, key)
    mirror.ledger.put(thing, mark)


def _put(mirror: Mirror, key: str, mark: Mark) -> None:
    path = str(mirror.files.path(key))
    if mark[1] > BLOCK:
        thing = mirror.objects.put_file(key, path)
    else:
        with mirror.files.open_read(key) as file:
            mark, data = mark_of(os.fstat(file.fileno())), file.read()
        put = mirror.objects.put(key, data)
        assert put is not None, "nothing was asked of what is there"
        thing = put
    thing = thing._replace(modified=thing.modified or time.time())
    mirror.ledger.put(thing, mark)
    if mark[1] >= HOLLOW_BYTES:
        mirror.make_hollow(thing, instead=mark)


# ── files that several machines change ───────────────────────────────────────────────────────────────────────────


def _put_merged(mirror: Mirror, key: str, kind: str, row: Row | None) -> None:
    """Put a text or parameters if nobody else did since; else put what both say."""
    with mirror.files.open_read(key) as file:
        mark, data = mark_of(os.fstat(file.fileno())), file.read()
    there, base = row.thing if row else None, row.thing.size if row else 0
    for _ in range(_TRIES):
        put = mirror.objects.put(key, data, instead=there, create=there is None)
        if put is not None:
            mirror.ledger.put(put._replace(modified=time.time()), mark)
            return
        there = mirror.objects.head(key)
        if there is None:
            continue
        theirs = mirror.objects.get(key, 0, there.size)[0] if there.size else b""
        with mirror.names:
            data = _merged(kind, theirs, mirror.files.read_bytes(key), base)
            base = len(theirs)
            with mirror.files.create(key) as fresh:
                fresh.write(data)
                fresh.flush()
                mark = mark_of(os.fstat(fresh.fileno()))
    raise ServerUnreachableError(mirror.objects.url, f"{key} is changed by others all the time")


def _merged(kind: str, theirs: bytes, ours: bytes, base: int) -> bytes:
    """Return what both say; the first `base` bytes of a text are what both had."""
    if kind == TEXT:
        return theirs + ours[base:]
    both: dict[str, object] = {}
    for data in (theirs, ours):
        for found in restricted_pickle.iter_loads(io.BytesIO(data), PARAMS):
            _deepen(both, found if isinstance(found, dict) else {})
    return pickle_writer.dumps(both)


def _deepen(into: dict[str, object], nested: dict[str, object]) -> None:
    for name, value in nested.items():
        have = into.get(name)
        if isinstance(value, dict) and isinstance(have, dict):
            _deepen(have, value)
        else:
            into[name] = value


# ── journals at rest ─────────────────────────────────────────────────────────────────────────────────────────────


def carry_journal(mirror: Mirror, key: str, *, whole: bool = False) -> None:
    """Put a journal that nobody writes as one object, and delete its other pieces; one that is written here is the carrier's.

    With `whole` also one that was written here.
    """
    with mirror.locked(key):
        pieces = {name: row for name, row in mirror.ledger.rows(key.rpartition("/")[0]).items() if journal_of(name) == key}
        mark = mirror.mark(key)
        if mark is None or (not whole and (pieces or mirror.ledger.is_own(key))):
            return
        thing = mirror.objects.put_file(key, str(mirror.files.path(key)))
        mirror.ledger.put(thing)
        others = [name for name in pieces if name != key]
        mirror.objects.delete(others)
        mirror.ledger.forget(others)


# ── what was removed ─────────────────────────────────────────────────────────────────────────────────────────────


def _drop(mirror: Mirror, rows: dict[str, Row]) -> None:
    """Delete from the bucket what was there and is gone from the disk."""
    gone = [key for key in rows if not mirror.files.exists(journal_of(key) or key)]
    mirror.objects.delete(gone)
    mirror.ledger.forget(gone)


def put_once(mirror: Mirror, key: str) -> Thing | None:
    """Put the small local file `key` if the bucket has none; None if there was one, which then takes the local one's place."""
    with mirror.locked(key):
        if mirror.ledger.row(key) is not None:
            return None
        with mirror.files.open_read(key) as file:
            mark, data = mark_of(os.fstat(file.fileno())), file.read()
        thing = mirror.objects.put(key, data, create=True)
        if thing is None:
            mirror.fill(key, key)
        else:
            mirror.ledger.put(thing, mark)
        return thing
