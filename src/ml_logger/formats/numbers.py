"""Columns of 8-byte numbers as short blobs, back bit for bit. Pure; needs numpy and zstandard.

What people log is seldom 64 bits of noise: a learning rate stands still, a step counts, a loss was rounded or came from 32 bits.
Each blob takes the form that suits its numbers::

    00 | 8n bytes, shuffled                                    words as they are
    02 | u8 e | u8 w | i64 base | w·n bytes, shuffled           (base + u) / 10**e          u: integers of w bytes
    04 | u8 e | u8 w | i64 first, base | w·(n-1) bytes, …       the sum of such steps from `first` on, / 10**e

The tag plus 1: the shuffled bytes are compressed with zstd. Shuffled: all first bytes, then all second bytes, … With w = 0
nothing follows: all are the same, or evenly spaced. Integers have e = 0 and wrap around. See docs/formats/index.md.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from struct import Struct as Layout

import numpy as np
import zstandard

_WORDS, _SCALED, _STEPPED = 0, 2, 4
_SCALED_HEAD, _STEPPED_HEAD = Layout("<BBBq"), Layout("<BBBqq")
_MOST = (1 << 63) - 1
_SMALL = 256
"""Below so many bytes compression costs more than it saves."""
_MOST_DIGITS = 9
_LARGEST = 2.0**47
"""Scaled numbers beyond this take as much room as the words themselves."""
_POWERS = 10.0 ** np.arange(_MOST_DIGITS + 1)
_SAMPLE = 32
_kept = threading.local()


def pack(values: np.ndarray, level: int = 1) -> bytes:
    """Return float64 numbers as a blob; NaNs, infinities and −0 come back as they are."""
    return pack_all(values[None, :], level)[0]


def pack_all(columns: np.ndarray, level: int = 1) -> list[bytes]:
    """Return each row of a matrix of float64 numbers as a blob. Cost: 8 µs a row and 15 ns a number."""
    columns = np.ascontiguousarray(columns, "<f8")
    scaled, digits, integers = decimals(columns)
    found = dict(zip(scaled.tolist(), _packed(integers, digits, level), strict=True))
    words, head = columns.view("<u8"), bytes([_WORDS])
    return [found[at] if at in found else _squeezed(head, _shuffled(row, 8), level) for at, row in enumerate(words)]


def pack_integers(values: np.ndarray, level: int = 1) -> bytes:
    """Return int64 numbers as a blob."""
    return _packed(np.ascontiguousarray(values, "<i8")[None, :], np.zeros(1, "i8"), level)[0]


def unpack(blob: bytes, n: int) -> np.ndarray:
    """Return the `n` float64 numbers in a blob of `pack`; raises `ValueError` if it holds another count."""
    if blob[0] & ~1 == _WORDS:
        return _words(_bytes(blob, 1), n, 8).view("<f8")
    integers = unpack_integers(blob, n)
    return integers / _POWERS[blob[1]] if blob[1] else integers.astype("f8")


def unpack_integers(blob: bytes, n: int) -> np.ndarray:
    """Return the `n` int64 numbers in a blob of `pack_integers`; raises `ValueError` if it holds another count."""
    tag = blob[0] & ~1
    if tag == _SCALED:
        _, _, width, base = _SCALED_HEAD.unpack_from(blob)
        return _words(_bytes(blob, _SCALED_HEAD.size), n, width).view("<i8") + np.int64(base)
    if tag != _STEPPED:
        raise ValueError(f"blob with tag {blob[0]} holds no integers")
    _, _, width, first, base = _STEPPED_HEAD.unpack_from(blob)
    steps = np.empty(n, "<i8")
    steps[0] = first
    with np.errstate(over="ignore"):
        np.add(_words(_bytes(blob, _STEPPED_HEAD.size), n - 1, width).view("<i8"), np.int64(base), out=steps[1:])
    return np.cumsum(steps, out=steps)


def decimals(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (which rows of `columns` are integers / 10**e bit for bit, with e of at most 9 digits; their e; their integers)."""
    sample = columns[:, :: max(columns.shape[1] // _SAMPLE, 1), None]
    with np.errstate(invalid="ignore", over="ignore"):
        fits = ((_scaled(sample, _POWERS) / _POWERS).view("<i8") == sample.view("<i8")).all(axis=1)
        rows = np.flatnonzero(fits.any(axis=1))
        if not len(rows):
            return rows, rows, rows[:, None]
        digits = fits[rows].argmax(axis=1)
        powers = _POWERS[digits][:, None]
        scaled = _scaled(columns[rows], powers)
        exact = ((scaled / powers).view("<i8") == columns[rows].view("<i8")).all(axis=1) & (np.abs(scaled).max(axis=1) < _LARGEST)
    return rows[exact], digits[exact], scaled[exact].astype("<i8")


def _scaled(values: np.ndarray, powers: np.ndarray) -> np.ndarray:
    return np.rint(values * powers) + 0.0  # so that −0 is no 0


def _packed(integers: np.ndarray, digits: np.ndarray, level: int) -> list[bytes]:
    """Return rows of integers as they are, or as steps, whichever are closer together."""
    if integers.shape[1] < 2:
        return [
            _squeezed(_SCALED_HEAD.pack(_SCALED, e, 0, base), b"", level)
            for e, base in zip(digits.tolist(), integers.sum(axis=1).tolist(), strict=True)
        ]
    steps = np.diff(integers)  # wraps around, as the sum will
    is_stepped = (_scatter(steps) < _scatter(integers)) | (integers.shape[1] == 2)
    found: list[bytes] = [b""] * len(integers)
    for at, base, width, row in _narrowed(integers, np.flatnonzero(~is_stepped)):
        found[at] = _squeezed(_SCALED_HEAD.pack(_SCALED, digits[at], width, base), _shuffled(row, width), level)
    for at, base, width, row in _narrowed(steps, np.flatnonzero(is_stepped)):
        found[at] = _squeezed(_STEPPED_HEAD.pack(_STEPPED, digits[at], width, integers[at, 0], base), _shuffled(row, width), level)
    return found


def _narrowed(rows: np.ndarray, chosen: np.ndarray) -> Iterator[tuple[int, int, int, np.ndarray]]:
    """Yield (place, least number, bytes that the distances from it need, these distances) of the chosen rows."""
    if len(chosen) < len(rows):
        rows = rows[chosen]
    bases = rows.min(axis=1, initial=_MOST)
    distances = (rows - bases[:, None]).view("<u8")
    widths = ((most.bit_length() + 7) // 8 for most in distances.max(axis=1, initial=0).tolist())
    yield from zip(chosen.tolist(), bases.tolist(), widths, distances, strict=True)


def _scatter(integers: np.ndarray) -> np.ndarray:
    numbers = integers.astype("f8")
    return np.abs(numbers - numbers.mean(axis=1, keepdims=True)).sum(axis=1)


def _shuffled(words: np.ndarray, width: int) -> bytes:
    """Put all first bytes first, then all second bytes …: like bytes compress well together."""
    return np.ascontiguousarray(words.view("u1").reshape(-1, 8)[:, :width].T).tobytes()


def _squeezed(head: bytes, data: bytes, level: int) -> bytes:
    if len(data) >= _SMALL:
        short = zstandard.compress(data, level)
        if len(short) < len(data):
            return bytes([head[0] | 1]) + head[1:] + short
    return head + data


def _bytes(blob: bytes, start: int) -> bytes:
    """Decompress with one decompressor a thread: making one costs as much as a small column."""
    if not blob[0] & 1:
        return blob[start:]
    if not hasattr(_kept, "decompressor"):
        _kept.decompressor = zstandard.ZstdDecompressor()
    return bytes(_kept.decompressor.decompress(blob[start:]))


def _words(data: bytes, n: int, width: int) -> np.ndarray:
    """Return shuffled numbers of `width` bytes as 8-byte words."""
    if len(data) != n * width:
        raise ValueError(f"a column of {n} numbers has {len(data)} bytes")
    planes = np.frombuffer(data, "u1").reshape(width, n)
    words = np.empty((n, 8), "u1") if width == 8 else np.zeros((n, 8), "u1")
    for at in range(width):  # twice as quick as a copy of the transposed array
        words[:, at] = planes[at]
    return words.reshape(-1).view("<u8")
