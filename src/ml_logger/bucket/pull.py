"""What others put into the bucket comes into the mirror: names of all, bytes of what questions need. Changes nothing at the bucket."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import BinaryIO

from ml_logger import keys
from ml_logger.bucket.here import BLOCK
from ml_logger.bucket.ledger import Row
from ml_logger.bucket.mirror import Mirror, each, is_carried, mark_of
from ml_logger.bucket.objects import Thing
from ml_logger.bucket.pieces import Part, end_of, journal_of, missing, piece_of
from ml_logger.errors import InvalidKeyError, NotFoundError

AT_ONCE_BYTES = 1 << 20
"""Files of these kinds and up to this size are fetched when they are seen: questions look into them."""
_AT_ONCE = (".json", ".pkl", ".yml", ".yaml", ".md")
_TRIES = 3


def pull(mirror: Mirror, folder: str = "", *, deep: bool = True) -> None:
    """Bring `folder` in the mirror up to date (without `deep`, only the files that lie directly in it).

    Raises `TransportError`. Costs a request for each thousand names, and one for each journal that grew and each small file that is new.
    """
    before = {key: row for key, row in mirror.ledger.rows(folder).items() if deep or "/" not in keys_below(key, folder)}
    things = {thing.key: thing for thing in mirror.objects.list(folder, deep=deep) if is_carried(thing.key)}
    journals: dict[str, list[Thing]] = {}
    files: list[Thing] = []
    for key, thing in things.items():
        if piece := piece_of(key):
            journals.setdefault(piece[0], []).append(thing)
        elif (row := before.get(key)) is None or row.thing.etag != thing.etag:
            files.append(thing)
    grown = [(name, pieces) for name, pieces in journals.items() if _has_news(mirror, name, pieces, before)]
    each(lambda item: _pull_journal(mirror, *item, before), grown)
    each(lambda thing: _pull_file(mirror, thing), files)
    _drop(mirror, [row for key, row in before.items() if key not in things], set(journals))


def keys_below(key: str, folder: str) -> str:
    """Return `key` as it is seen from `folder`."""
    return key[len(folder) + 1 :] if folder else key


# ── journals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _has_news(mirror: Mirror, journal: str, pieces: list[Thing], before: dict[str, Row]) -> bool:
    """Tell whether the bucket has more of a journal than the mirror; never of one that is written on this machine."""
    is_here = mirror.files.exists(journal)
    if mirror.ledger.is_own(journal) and (is_here or any(piece.key in before for piece in pieces)):
        return False
    return not is_here or any(piece.key not in before or before[piece.key].thing.etag != piece.etag for piece in pieces)


def _pull_journal(mirror: Mirror, journal: str, pieces: list[Thing], before: dict[str, Row]) -> None:
    """Bring one journal up to date; pieces that are put together meanwhile are looked for again."""
    with mirror.locked(journal):
        for left in reversed(range(_TRIES)):
            try:
                _join(mirror, journal, pieces, before)
            except NotFoundError:  # noqa: PERF203 - three tries, not a hot loop
                if not left:
                    raise
                folder = journal.rpartition("/")[0]
                pieces = [thing for thing in mirror.objects.list(folder, deep=False) if journal_of(thing.key) == journal]
                if not pieces:
                    return
            else:
                return


def _join(mirror: Mirror, journal: str, pieces: list[Thing], before: dict[str, Row]) -> None:
    found = mirror.files.stat(journal)
    have = found.st_size if found is not None else 0
    if end_of(pieces) < have or any(_was_rewritten(piece, before.get(piece.key)) for piece in pieces):
        have = 0
    if have:
        fd = mirror.files.open_update(journal)
        with os.fdopen(fd, "r+b") as file:
            _write(mirror, file, missing(pieces, have))
    else:
        with mirror.files.create(journal) as fresh:
            _write(mirror, fresh, missing(pieces, 0))
    for piece in pieces:
        mirror.ledger.put(piece)


def _was_rewritten(piece: Thing, row: Row | None) -> bool:
    """Tell whether a piece is not a longer one of what it was."""
    return row is not None and row.thing.etag != piece.etag and piece.size <= row.thing.size


def _write(mirror: Mirror, file: BinaryIO, parts: Iterable[Part]) -> None:
    for part in parts:
        file.seek(part.at)
        for at in range(part.start, part.stop, BLOCK):
            data, _ = mirror.objects.get(part.thing.key, at, min(at + BLOCK, part.stop))
            file.write(data)


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pull_file(mirror: Mirror, thing: Thing) -> None:
    """Take over one object, unless the local file has changed too and is still to be carried."""
    with mirror.locked(thing.key), contextlib.suppress(InvalidKeyError, NotFoundError):
        row, mark = mirror.ledger.row(thing.key), mirror.mark(thing.key)
        if (mark is not None and (row is None or row.mark != mark)) or mirror.files.is_dir(thing.key):
            return
        if thing.size == 0:
            with mirror.files.create(thing.key) as file:
                mirror.ledger.put(thing, mark_of(os.fstat(file.fileno())))
        elif thing.size <= AT_ONCE_BYTES and (thing.key.endswith(_AT_ONCE) or thing.key.startswith(f"{keys.HOME}/")):
            mirror.fill(thing.key, thing.key)
        else:
            mirror.make_hollow(thing)


# ── what is gone ─────────────────────────────────────────────────────────────────────────────────────────────────


def _drop(mirror: Mirror, rows: list[Row], journals: set[str]) -> None:
    """Remove from the mirror what was at the bucket and is no more, unless it was changed here."""
    for row in rows:
        key = row.thing.key
        journal = journal_of(key)
        with mirror.locked(journal or key):
            if mirror.ledger.row(key) != row:
                continue  # it was put again since we looked
            mirror.ledger.forget([key])
            if journal in journals or (journal and mirror.ledger.is_own(journal)):
                continue
            if journal or mirror.mark(key) == row.mark:
                mirror.files.delete(journal or key)
                mirror.prune(journal or key)
