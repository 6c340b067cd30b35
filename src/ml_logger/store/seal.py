"""Sealing: the journal of a writer that is done, rewritten as large BLOCK frames. Knows no index and no server.

Every record keeps its sequence and its value, bit for bit: what was written is read back and compared before it takes the
journal's place (temp file, sync, rename). A journal that is damaged, alive, or would not get smaller stays as it is.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from msgspec import structs

from ml_logger import keys
from ml_logger.formats import blocks, columns, frames, messages
from ml_logger.formats.messages import Block, Clear, End, Header, Keys, Mark, Message, RowPart
from ml_logger.safe_fs import SafeRoot

SILENT_S = 86_400.0
"""A writer without END is done when its lock is free and it wrote nothing for so long."""
MAX_ROWS = 8192
"""Rows in a block."""
_LEVEL = 9


class Sealed(NamedTuple):
    """A journal, its bytes before and after; equal, with the `reason`, if it stays as it is."""

    key: str
    before: int
    after: int
    reason: str = ""


def seal_below(root: SafeRoot, key: str = "", *, served: bool = True) -> Iterator[Sealed]:
    """Seal all journals at or below `key` that can be; see `seal`."""
    for entry in list(root.walk(key)):
        if not entry.is_dir and entry.name.endswith(keys.JOURNAL_SUFFIX):
            yield seal(root, entry.key, served=served)


def seal(root: SafeRoot, key: str, *, served: bool = True, now: float | None = None) -> Sealed:
    """Rewrite one journal if its writer is done. `served` False leaves journals alone that a server may be writing.

    Cost: a few µs a row, and memory for the journal's bytes twice.
    """
    with root.open_read(key) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return Sealed(key, size, size, "its writer is alive")
        data = file.read()
        stat = os.fstat(file.fileno())
        found = _records(data)
        reason = found if isinstance(found, str) else _refusal(found, stat.st_mtime, time.time() if now is None else now, served=served)
        if reason or isinstance(found, str):
            return Sealed(key, size, size, reason)
        packed = _packed(found)
        if len(packed) >= len(data):
            return Sealed(key, size, size, "as small as it gets")
        if _fingerprint(_records(packed)) != _fingerprint(found):
            return Sealed(key, size, size, "the new file would differ")
        _replace(root, key, file, data, packed)
        os.utime(root.path(key), ns=(stat.st_atime_ns, stat.st_mtime_ns), follow_symlinks=False)
        return Sealed(key, size, len(packed))


def _records(data: bytes) -> list[tuple[int, bytes]] | str:
    """Return (sequence, payload) of all frames, or why that is impossible without loss."""
    if not data.startswith(frames.MAGIC):
        return "not a journal of this version"
    scanner = frames.Scanner(data, len(frames.MAGIC))
    found: list[tuple[int, bytes]] = []
    for item in scanner:
        if isinstance(item, frames.Damage):
            return f"damaged at byte {item.offset}; `ml-logger fsck --repair` mends it"
        found.append((item.sequence, bytes(item.payload)))
    return found if scanner.end == len(data) else f"incomplete at byte {scanner.end}; `ml-logger fsck --repair` mends it"


def _refusal(found: list[tuple[int, bytes]], modified: float, now: float, *, served: bool) -> str:
    """Return why a whole journal is not to be sealed, or ""."""
    try:
        last = [messages.decode(payload) for _, payload in found[-2:]]
    except ValueError as error:
        return f"its end cannot be read: {error}"
    is_marked = any(isinstance(message, Mark) for message in last)
    if is_marked and not served:
        return "a server is writing here"
    if is_marked and not isinstance(last[-1], Mark):
        return "it holds records that were not acknowledged"
    ended = any(isinstance(message, End) for message in last)
    return "" if ended or now - modified > SILENT_S else "its writer may go on"


def _packed(found: list[tuple[int, bytes]]) -> bytes:
    out = _Out()
    for sequence, payload in found:
        out.add(sequence, payload, messages.decode(payload))
    return out.finish()


class _Out:
    """Gathers rows by their names until something comes that must not change places with them."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = [frames.MAGIC]
        self._waiting: list[tuple[int, bytes]] = []
        self._rows: dict[int, list[tuple[int, RowPart]]] = {}
        self._keys: dict[int, tuple[str, list[str]]] = {}
        self._seen: set[int] = set()
        self._marks: dict[tuple[str, int], tuple[int, Mark]] = {}

    def add(self, sequence: int, payload: bytes, message: Message | None) -> None:
        """Take in one frame; one whose sequence came before is a duplicate."""
        if isinstance(message, Mark):
            known = self._marks.pop((message.writer, message.epoch), None)  # put in again: the newest stays last
            first = min(known[1].lo, message.lo) if known else message.lo
            self._marks[message.writer, message.epoch] = (sequence, structs.replace(message, lo=first))
        elif isinstance(message, RowPart):
            self._row(sequence, message)
        elif isinstance(message, Block):
            for number, part in columns.parts_of(message):
                self._row(number, part)
        elif sequence not in self._seen:
            self._seen.add(sequence)
            self._other(sequence, payload, message)

    def _row(self, sequence: int, part: RowPart) -> None:
        if sequence in self._seen:
            return
        self._seen.add(sequence)
        rows = self._rows.setdefault(part.sid, [])
        if rows and len(rows[-1][1].values) != len(part.values):
            self._flush()
            rows = self._rows.setdefault(part.sid, [])
        rows.append((sequence, part))
        if len(rows) >= MAX_ROWS:
            self._flush()

    def _other(self, sequence: int, payload: bytes, message: Message | None) -> None:
        is_new_name = isinstance(message, Keys) and self._keys.get(message.sid, ("", [])) != (message.table, message.names)
        if isinstance(message, Keys):
            self._keys[message.sid] = (message.table, message.names)
        if is_new_name or message is None or isinstance(message, (Header, Clear)):
            self._flush()
        self._waiting.append((sequence, payload))

    def _flush(self) -> None:
        for rows in self._rows.values():
            if rows[0][1].values:
                block = blocks.encode_block([sequence for sequence, _ in rows], [part for _, part in rows], _LEVEL)
                self._waiting.append((rows[0][0], messages.encode(block)))
            else:
                self._waiting += [(sequence, messages.encode(part)) for sequence, part in rows]
        self._pieces += [frames.encode(sequence, payload) for sequence, payload in sorted(self._waiting, key=lambda item: item[0])]
        self._rows, self._waiting = {}, []

    def finish(self) -> bytes:
        """Return the whole file; the marks of a server come last, one a writer."""
        self._flush()
        marks = [frames.encode(sequence, messages.encode(mark)) for sequence, mark in self._marks.values()]
        return b"".join([*self._pieces, *marks])


def _fingerprint(found: list[tuple[int, bytes]] | str) -> dict[int, int]:
    """Return sequence → hash of each record, however it is packed; marks aside, and the first of duplicates."""
    known: dict[int, int] = {}
    for sequence, payload in found if isinstance(found, list) else ():
        message = messages.decode(payload)
        if isinstance(message, Block):
            for number, part in columns.parts_of(message):
                known.setdefault(number, hash(messages.encode(part)))
        elif isinstance(message, RowPart):
            known.setdefault(sequence, hash(messages.encode(message)))
        elif not isinstance(message, Mark):
            known.setdefault(sequence, hash(payload))
    return known


def _replace(root: SafeRoot, key: str, old: BinaryIO, data: bytes, packed: bytes) -> None:
    """Put the new file in the old one's place; what a writer that came back added meanwhile goes behind it."""
    with root.create(key, durable=True) as file:
        file.write(packed)
    old.seek(len(data))
    if late := old.read():
        root.append(key, late)
