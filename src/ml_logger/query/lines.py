"""Pages of lines of a text file of any size, by an index of offsets that grows with the file. Knows no run and no path.

The index holds the offset of every 1,024th line, found by counting newlines once; after that a page costs the read of
at most 1,024 lines more than it shows. A filter looks at whole blocks and touches only lines with a match; it looks at
the text that a terminal would show, so colours do not hide a word from it.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from threading import Lock
from typing import BinaryIO

import numpy as np
import re2

from ml_logger.answers import LogPage
from ml_logger.errors import QuerySyntaxError
from ml_logger.query.patterns import compile_pattern

EVERY = 1024
BLOCK = 1 << 20
MAX_LINE = 1 << 16
"""Bytes of a line that are shown; the rest is cut off with an ellipsis."""
MAX_PAGE = 100_000
_KEPT_INDEXES = 64
_PROOF = 64
_NEWLINE = 10
_MAX_MARKS = 100
_ESCAPES = re.compile(rb"\x1b\[[0-9;:]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f]")
"""What a terminal does not show; `math/ansi.ts` of the dashboard drops the same."""
_SIGNS = frozenset("\\.^$*+?()[]{}|")

_Finder = Callable[[bytes, int], "tuple[int, int] | None"]


class LineIndex:
    """Offsets of every `EVERY`-th line of the first `size` bytes; `lines` counts the newlines in them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.offsets = [0]
        self.lines = 0
        self.size = 0
        self.proof = b""

    def grow(self, file: BinaryIO, size: int) -> None:
        """Take in what the file has gained; a file that shrank or changed before its end is counted again."""
        if size < self.size or self._tail(file) != self.proof:
            self.offsets, self.lines, self.size = [0], 0, 0
        file.seek(self.size)
        while self.size < size and (block := file.read(min(BLOCK, size - self.size))):
            self._count(block)
        self.proof = self._tail(file)

    def _tail(self, file: BinaryIO) -> bytes:
        start = max(0, self.size - _PROOF)
        file.seek(start)
        return file.read(self.size - start)

    def _count(self, block: bytes) -> None:
        newlines = np.flatnonzero(np.frombuffer(block, "u1") == _NEWLINE)
        first = -self.lines % EVERY or EVERY  # newlines until the next line to note begins
        self.offsets += (self.size + 1 + newlines[first - 1 :: EVERY]).tolist()
        self.lines += len(newlines)
        self.size += len(block)


class LineIndexes:
    """The indexes of files looked at last, by an identity that the caller gives; safe from several threads."""

    def __init__(self, kept: int = _KEPT_INDEXES) -> None:
        """Keep at most `kept` of them."""
        self._kept = kept
        self._found: OrderedDict[object, LineIndex] = OrderedDict()
        self._lock = Lock()

    def page(self, identity: object, file: BinaryIO, size: int, start: int, limit: int, *, match: str = "") -> LogPage:
        """Answer `ReadLog` for `file`: lines from `start`, or the last `limit` with start −1; only those that `match`."""
        limit = max(0, min(limit, MAX_PAGE))
        if match:
            return _matching_page(file, size, start, limit, _finder(match))
        with self._lock:
            index = self._found.setdefault(identity, LineIndex())
            self._found.move_to_end(identity)
            while len(self._found) > self._kept:
                self._found.popitem(last=False)
            index.grow(file, size)
            return _plain_page(index, file, size, start, limit)


def _finder(match: str) -> _Finder:
    """Return what finds `match` in bytes from an offset on: (start, end) or None; plain text is found without RE2."""
    if not set(match) & _SIGNS:
        literal = match.encode("utf-8", "replace")
        return lambda text, at: (start, start + len(literal)) if (start := text.find(literal, at)) >= 0 else None
    try:
        search = compile_pattern(f"(?m){match}").search
        compile_pattern(match)  # so that an error names the caller's own text
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise QuerySyntaxError(match, 0, f"bad regular expression: {text}") from None
    return lambda text, at: None if (hit := search(text, at)) is None else hit.span()


def _plain_page(index: LineIndex, file: BinaryIO, size: int, start: int, limit: int) -> LogPage:
    total = index.lines + int(_is_open(file, size))
    first = max(0, total - limit) if start < 0 else min(start, total)
    count = min(limit, total - first)
    if not count:
        return LogPage([], [], total, size)
    noted = min(first // EVERY, len(index.offsets) - 1)
    lines = _lines(file, index.offsets[noted], size)
    skipped = first - noted * EVERY
    texts = [_shown(line) for number, line in zip(range(skipped + count), lines, strict=False) if number >= skipped]
    return LogPage(texts, list(range(first, first + len(texts))), total, size)


def _is_open(file: BinaryIO, size: int) -> bool:
    """Tell whether the file ends in a line without a newline."""
    if not size:
        return False
    file.seek(size - 1)
    return file.read(1) not in (b"\n", b"")


def _lines(file: BinaryIO, offset: int, size: int) -> Iterator[bytes]:
    for block in _blocks(file, offset, size):
        yield from block.removesuffix(b"\n").split(b"\n")


def _blocks(file: BinaryIO, offset: int, size: int) -> Iterator[bytes]:
    """Yield pieces that end with a line; a line is cut when it is longer than a block."""
    rest: list[bytes] = []
    file.seek(offset)
    while offset < size and (block := file.read(min(BLOCK, size - offset))):
        offset += len(block)
        cut = block.rfind(b"\n") + 1
        if cut:
            yield b"".join([*rest, block[:cut]])
            rest = [block[cut:]]
        else:
            rest = [*rest[:1], b"" if rest and len(rest[0]) > MAX_LINE else block]
    if any(rest):
        yield b"".join(rest)


def _shown(line: bytes) -> str:
    text = line[:MAX_LINE].decode("utf-8", "replace").rstrip("\r")
    return text if len(line) <= MAX_LINE else text + "…"


def _matching_page(file: BinaryIO, size: int, start: int, limit: int, find: _Finder) -> LogPage:
    kept: deque[tuple[int, bytes]] = deque(maxlen=limit if start < 0 else None)
    total = 0
    for found in _matching_lines(file, size, find):
        if start < 0 or start <= total < start + limit:
            kept.append(found)
        total += 1
    marks = [_marks(line[:MAX_LINE], find) for _, line in kept]
    return LogPage([_shown(line) for _, line in kept], [number for number, _ in kept], total, size, marks)


def _marks(line: bytes, find: _Finder) -> list[int]:
    """Return where a line matches, in what a terminal shows of it: what was written after the last carriage return."""
    text = _ESCAPES.sub(b"", line.rstrip(b"\r").rpartition(b"\r")[2])
    marks: list[int] = []
    at = 0
    while len(marks) < 2 * _MAX_MARKS and at < len(text) and (span := find(text, at)) is not None:
        if span[1] > span[0]:
            marks += [_units(text[: span[0]]), _units(text[: span[1]])]
        at = max(span[1], at + 1)
    return marks


def _units(text: bytes) -> int:
    return len(text.decode("utf-8", "replace").encode("utf-16-le")) // 2


def _matching_lines(file: BinaryIO, size: int, find: _Finder) -> Iterator[tuple[int, bytes]]:
    """Find matches in whole blocks; one that reaches over the end of its line is asked again of the line alone."""
    number = 0
    for raw in _blocks(file, 0, size):
        block = _ESCAPES.sub(b"", raw) if b"\x1b" in raw else raw
        lines = None if block is raw else raw.split(b"\n")
        first, at, seen = number, 0, 0
        while at < len(block) and (span := find(block, at)) is not None:
            begin = block.rfind(b"\n", at, span[0]) + 1 or at
            end = block.find(b"\n", span[0])
            end = len(block) if end < 0 else end
            if span[1] <= end or find(block[begin:end], 0) is not None:
                number += block.count(b"\n", seen, begin)
                seen = begin
                yield number, block[begin:end] if lines is None else lines[number - first]
            at = end + 1
        number += block.count(b"\n", seen)
