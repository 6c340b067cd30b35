"""The body of `POST /v1/ingest`: inflated within bounds, cut into one part for each writer. Opens no file and keeps nothing.

A body is zstd of frames: for each writer a MARK, then the frames of its journal's bytes [lo, hi). See docs/formats/wire.md.
"""

from __future__ import annotations

import re
import threading
from typing import NamedTuple

import msgspec
import zstandard
from msgspec import Struct

from ml_logger import keys
from ml_logger.errors import MlLoggerError, RejectedError
from ml_logger.formats import frames, messages
from ml_logger.formats.messages import Block, Clear, File, Header, Mark, Message, Op, Params, Text
from ml_logger.records import Archive, Copy, Move

_local = threading.local()
_ALWAYS = 4 << 20
"""A batch of this size is taken however well it compresses."""
_WRITER = re.compile("[0-9a-f]{32}")
_HOST = re.compile("[^A-Za-z0-9_.-]")

EFFECTS = (Params, Text, File, Clear, Op)
"""Messages that change plain files beside the journal."""
_OPERATIONS = {"move": Move, "copy": Copy, "archive": Archive}


class Limits(Struct, frozen=True):
    """Bounds of what is taken in; sizes in bytes, times in seconds."""

    wire: int = 8 << 20
    inflated: int = 32 << 20
    ratio: int = 200
    queued: int = 64 << 20
    block_rows: int = 1 << 20
    checkpoint_s: float = 20.0
    busy_retry_s: float = 1.0
    full_retry_s: float = 30.0


class Effect(NamedTuple):
    """A message that changes plain files, and its sequence."""

    sequence: int
    message: Message


class Part(NamedTuple):
    """What one writer sent: its mark, its header if this is its first batch, and frames as they will lie in its file.

    `last` is the highest sequence and `effects` are the messages, in order, that change plain files. The header is not in `data`.
    """

    mark: Mark
    header: tuple[int, Header] | None
    data: bytes
    last: int
    records: int
    effects: list[Effect]
    ended: bool
    gaps: int = 0


def inflated_size(body: bytes, limits: Limits) -> int:
    """Return how many bytes `body` says it inflates to; raises `RejectedError`: 413 if that is too large, 400 if it is no zstd frame."""
    try:
        size = zstandard.frame_content_size(body)
    except zstandard.ZstdError as error:
        raise RejectedError(f"the body is no zstd frame: {error}", 400) from error
    if size > (allowed := _allowed(body, limits)):
        raise RejectedError(f"the batch inflates to {size} bytes; {allowed} are allowed", 413)
    if size < 0:
        raise RejectedError("the zstd frame does not declare its size", 400)
    return size


def inflate(body: bytes, limits: Limits) -> bytes:
    """Return the inflated `body`, whose `inflated_size` has been allowed; raises `RejectedError` (400) if it is no whole zstd frame."""
    try:
        if not hasattr(_local, "zstd"):
            _local.zstd = zstandard.ZstdDecompressor()  # making one costs more than inflating a small batch
        return _local.zstd.decompress(body, max_output_size=_allowed(body, limits), allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise RejectedError(f"the body is no zstd frame: {error}", 400) from error


def _allowed(body: bytes, limits: Limits) -> int:
    return min(limits.inflated, max(_ALWAYS, len(body) * limits.ratio))


def parse(raw: bytes, limits: Limits) -> list[Part]:
    """Return the parts of an inflated body; raises `RejectedError` (400) that names the byte of what is wrong."""
    parts: list[_Builder] = []
    scanner = frames.Scanner(raw)
    for item in scanner:
        if isinstance(item, frames.Damage):
            raise RejectedError(f"byte {item.offset}: {item.reason}", 400)
        message = _decode(item)
        if isinstance(message, Mark):
            parts.append(_Builder(message, item))
        elif not parts:
            raise RejectedError(f"byte {item.offset}: frames before the first mark", 400)
        else:
            parts[-1].add(item, message, limits)
    if scanner.end != len(raw) or not parts:
        raise RejectedError(f"byte {scanner.end}: the batch ends inside a frame" if raw else "the batch is empty", 400)
    return [part.build(raw) for part in parts]


def kept_bytes(parts: list[Part]) -> int:
    """Return how much memory `parts` take until they are committed: their frames, and each text once more."""
    texts = (effect.message.text for part in parts for effect in part.effects if isinstance(effect.message, Text))
    return sum(len(part.data) for part in parts) + sum(map(len, texts))


def file_name(header: Header) -> str:
    """Return the name of the journal of `header`'s writer."""
    host = _HOST.sub("-", header.host)[:64].strip(".-") or "host"
    return f"metrics.{host}-{header.rank}-{header.writer}{keys.JOURNAL_SUFFIX}"


class _Builder:
    """Collects the frames behind one mark."""

    def __init__(self, mark: Mark, frame: frames.Frame) -> None:
        if not _WRITER.fullmatch(mark.writer) or not 0 <= mark.lo < mark.hi < 1 << 63:
            raise RejectedError(f"byte {frame.offset}: a mark names writer {mark.writer[:40]!r} and bytes {mark.lo} to {mark.hi}", 400)
        try:
            if keys.run_key(mark.run) != mark.run:
                raise RejectedError(f"run {mark.run[:80]!r} is no run's name", 400)
        except MlLoggerError as error:
            raise RejectedError(str(error), 400) from error
        self.mark = mark
        self.header: tuple[int, Header] | None = None
        self.start = self.end = frame.offset + frames.HEAD_SIZE + len(frame.payload)
        self.skip = (self.start, self.start)
        self.last, self.records = frame.sequence, 0
        self.effects: list[Effect] = []
        self.ended = False
        self.gaps = 0

    def add(self, frame: frames.Frame, message: Message | None, limits: Limits) -> None:
        self.end = frame.offset + frames.HEAD_SIZE + len(frame.payload)
        self.last = max(self.last, frame.sequence)
        self.records += message.n if isinstance(message, Block) else 1
        if isinstance(message, Header):
            self._take_header(frame, message)
        elif isinstance(message, EFFECTS):
            if isinstance(message, Op):
                _check_operation(frame, message)
            self.effects.append(Effect(frame.sequence, message))
        elif isinstance(message, Block):
            _check_block(message, limits)
        self.ended = isinstance(message, messages.End)
        self.gaps += isinstance(message, messages.Gap)

    def _take_header(self, frame: frames.Frame, header: Header) -> None:
        if header.writer != self.mark.writer or frame.offset != self.start:
            raise RejectedError(f"byte {frame.offset}: a header that is not the first frame, or of another writer", 400)
        self.header = frame.sequence, header
        self.skip = (self.start, self.end)

    def build(self, raw: bytes) -> Part:
        data = raw[self.skip[1] : self.end]
        return Part(self.mark, self.header, data, self.last, self.records, self.effects, self.ended, self.gaps)


def _decode(frame: frames.Frame) -> Message | None:
    try:
        return messages.decode(frame.payload)
    except ValueError as error:
        raise RejectedError(f"byte {frame.offset}: {error}", 400) from error


def _check_operation(frame: frames.Frame, message: Op) -> None:
    try:
        if message.verb in _OPERATIONS:
            msgspec.convert(message.args, _OPERATIONS[message.verb])
    except msgspec.ValidationError as error:
        raise RejectedError(f"byte {frame.offset}: {message.verb}: {error}", 400) from error


def _check_block(block: Block, limits: Limits) -> None:
    """Refuse blocks that would inflate to more than a batch may: they are opened later, by whoever folds or reads them."""
    try:
        size = zstandard.frame_content_size(block.data)
    except zstandard.ZstdError as error:
        raise RejectedError(f"a block is no zstd frame: {error}", 400) from error
    if not 0 <= size <= limits.inflated or not 0 < block.n <= limits.block_rows:
        raise RejectedError(f"a block of {block.n} rows and {size} bytes is not allowed", 413)
