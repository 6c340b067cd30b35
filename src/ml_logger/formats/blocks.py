"""Row parts into a BLOCK: the writing half of `columns.py`. Pure; no numpy, which a process that only logs never loads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from struct import pack, unpack
from typing import Any

import zstandard
from msgspec import msgpack

from ml_logger.formats.messages import Block, RowPart

_I64 = (-(1 << 63), (1 << 63) - 1)
_WORD = (1 << 64) - 1


def encode_block(sequences: Sequence[int], parts: Sequence[RowPart], level: int = 1) -> Block:
    """Return `parts` (all of one sid, at least one) as a BLOCK, 3 to 5 bytes a point; `level` is zstd's."""
    n = len(parts)
    times = unpack(f"<{n}q", pack(f"<{n}d", *[part.time for part in parts]))
    fields = [
        encode_column(sequences),
        encode_column([part.row for part in parts]),
        encode_column([part.step for part in parts]),
        ["t", _differences(times)],
        [encode_column(column) for column in zip(*[part.values for part in parts], strict=True)],
    ]
    return Block(parts[0].sid, n, zstandard.compress(msgpack.encode(fields), level))


def encode_column(values: Sequence[Any]) -> list[Any]:
    """Return one column as [tag, bytes or value]: see `columns.py`."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return ["f", _shuffle(pack(f"<{len(values)}d", *values))]
    if kinds == {int} and _I64[0] <= (least := min(values)) and (most := max(values)) <= _I64[1]:
        return ["c", values[0]] if least == most else ["i", _differences(values)]
    if len(kinds) == 1 and kinds <= {str, bool, type(None)} and len(set(values)) == 1:
        return ["c", values[0]]
    return ["m", msgpack.encode(values)]


def _differences(values: Sequence[int]) -> bytes:
    """Return each value less the one before it, as shuffled 64-bit words that wrap around."""
    words = [(value - before) & _WORD for before, value in zip(chain((0,), values), values)]  # noqa: B905 - one shorter
    return _shuffle(pack(f"<{len(words)}Q", *words))


def _shuffle(words: bytes) -> bytes:
    """Put all first bytes first, then all second bytes …: like bytes compress well together."""
    return b"".join([words[at::8] for at in range(8)])
