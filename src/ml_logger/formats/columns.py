"""A BLOCK as columns: the reading half of `blocks.py`. Pure; needs numpy and zstandard.

A block holds the parts of one `sid`: their sequences, rows, steps, times, then one column per name::

    data = zstd(msgpack([seqs, rows, steps, times, [column, …]]))        column = [tag, bytes or value]

    "c"  one value, n times                 "f"  float64, bytes shuffled
    "i"  int64, differences, shuffled       "t"  float64 read as int64, then as "i"
    "m"  msgpack list of n values           "d"  float64, "k"  int64, "w"  float64 read as int64: blobs of `numbers.py`

The last three are what sealing writes: 2 to 4 bytes a point. Every value comes back bit for bit and with its type: a column is "f"
or "d" only if all its values are floats. See docs/formats/columns.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
import zstandard
from msgspec.msgpack import Ext

from ml_logger.formats import blocks, numbers
from ml_logger.formats.messages import Block, RowPart

MAX_INFLATED = 256 << 20
"""A block that announces more bytes than this is refused."""
MAX_ROWS = 1 << 20
"""So is one of more rows."""
_LEVEL = 3
"""Of zstd, for what is sealed."""


class Columns(NamedTuple):
    """A block, decoded. `values[j]` is a float64 or int64 array of n, or a list of n plain values (not yet revived)."""

    sid: int
    sequences: np.ndarray
    rows: np.ndarray
    steps: np.ndarray | list[int | None]
    times: np.ndarray
    values: list[np.ndarray | list[Any]]


def decode_block(block: Block) -> Columns:
    """Return the columns of `block`; raises `ValueError` if its data is damaged, malformed or larger than MAX_INFLATED."""
    if not 0 < block.n <= MAX_ROWS:
        raise ValueError(f"a block of {block.n} rows is not allowed")
    try:
        return _columns_of(block)
    except (TypeError, LookupError, OverflowError) as error:  # a frame whose checksum is right, from a writer that is wrong
        raise ValueError(f"a block's columns are malformed: {error}") from error


def _columns_of(block: Block) -> Columns:
    sequences, rows, steps, times, columns = _unpack(_inflate(block.data))
    n = block.n
    return Columns(
        block.sid,
        _whole(_decode(sequences, n), least=0).view("<u8"),
        _whole(_decode(rows, n), least=-(1 << 63)),
        _whole_or_none(_decode(steps, n)),
        np.asarray(_decode(times, n), "<f8"),
        [_decode(column, n) for column in columns],
    )


def _whole(column: np.ndarray | list[Any], least: int) -> np.ndarray:
    if not isinstance(column, np.ndarray) or column.dtype != np.int64 or bool((column < least).any()):
        raise ValueError(f"a block's sequences and rows are whole numbers ≥ {least}")
    return column


def _whole_or_none(column: np.ndarray | list[Any]) -> np.ndarray | list[int | None]:
    if isinstance(column, np.ndarray):
        return _whole(column, least=-(1 << 63))
    if not all(step is None or (type(step) is int and -(1 << 63) <= step < 1 << 63) for step in column):
        raise ValueError("a block's steps are whole numbers or none")
    return column


def seal_block(found: Columns) -> Block:
    """Return columns as a BLOCK in the shortest form. Cost: 30 ns a number."""
    fields = [
        _sealed(found.sequences.astype("<i8")),
        _sealed(found.rows),
        _sealed(found.steps),
        ["w", numbers.pack_integers(np.ascontiguousarray(found.times, "<f8").view("<i8"), _LEVEL)],
        [_sealed(column) for column in found.values],
    ]
    return Block(found.sid, len(found.rows), zstandard.compress(msgspec.msgpack.encode(fields), _LEVEL))


def _sealed(column: np.ndarray | list[Any]) -> list[Any]:
    if isinstance(column, list):
        return blocks.encode_column(column)
    if column.dtype.kind == "f":
        return ["d", numbers.pack(np.ascontiguousarray(column, "<f8"), _LEVEL)]
    return ["k", numbers.pack_integers(column, _LEVEL)]


def parts_of(block: Block) -> list[tuple[int, RowPart]]:
    """Return the row parts of `block` with their sequences, as they were before `blocks.encode_block`."""
    columns = decode_block(block)
    values = zip(*(_listed(column) for column in columns.values), strict=True) if columns.values else [()] * block.n
    heads = zip(columns.sequences.tolist(), columns.rows.tolist(), _listed(columns.steps), columns.times.tolist(), values, strict=True)
    return [(seq, RowPart(block.sid, row, step, time, list(part))) for seq, row, step, time, part in heads]


def _listed(column: np.ndarray | list[Any]) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else column


def _decode(column: list[Any], n: int) -> np.ndarray | list[Any]:
    tag, data = column
    if tag == "c":
        return np.full(n, data, "<i8") if type(data) is int else [data] * n
    if tag == "m":
        found = _unpack(data)
        if len(found) != n:
            raise ValueError(f"{len(found)} values in a column of {n}")
        return found
    if tag == "d":
        return numbers.unpack(data, n)
    if tag in ("k", "w"):
        integers = numbers.unpack_integers(data, n)
        return integers if tag == "k" else integers.view("<f8")
    raw = np.frombuffer(data, "u1")
    if raw.size != 8 * n or tag not in ("f", "i", "t"):
        raise ValueError(f"column {tag!r} has {raw.size} bytes for {n} values")
    planes, bytes_ = raw.reshape(8, n), np.empty((n, 8), "u1")
    for at in range(8):  # twice as quick as a copy of the transposed array
        bytes_[:, at] = planes[at]
    words = bytes_.reshape(-1)
    if tag == "f":
        return words.view("<f8")
    sums = np.cumsum(words.view("<i8"), dtype="<i8")  # wraps around as the differences did
    return sums if tag == "i" else sums.view("<f8")


def _unpack(data: bytes) -> Any:
    return msgspec.msgpack.decode(data, ext_hook=lambda code, view: Ext(code, bytes(view)))


def _inflate(data: bytes) -> bytes:
    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= MAX_INFLATED:
            raise ValueError(f"a block of {size} bytes is not allowed")
        return zstandard.decompress(data, max_output_size=MAX_INFLATED)
    except zstandard.ZstdError as error:
        raise ValueError(f"a block's bytes are damaged: {error}") from error
