"""Columns of 8-byte numbers as short blobs, back bit for bit. Pure; needs numpy and zstandard.

What people log is seldom 64 bits of noise: a learning rate stands still, a step counts, a loss was rounded or came from 32 bits.
Each blob takes the form that suits its numbers::

    00 | 8n bytes, shuffled                                    words as they are
    02 | u8 e | u8 w | i64 base | w·n bytes, shuffled           (base + u) / 10**e          u: integers of w bytes
    04 | u8 e | u8 w | i64 first, base | w·(n-1) bytes, …       the sum of such steps from `first` on, / 10**e

Shuffled: all first bytes, then all second bytes, … With the tag plus 1 each of these planes is a piece of its own, u32 length and
bytes: one byte if all are the same, n as they are, else compressed with zstd. With w = 0 nothing follows: all numbers are the same,
or evenly spaced. Integers have e = 0 and wrap around. See docs/formats/index.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from struct import Struct as Layout

import numpy as np
import zstandard

_WORDS, _SCALED, _STEPPED = 0, 2, 4
_SCALED_HEAD, _STEPPED_HEAD = Layout("<BBBq"), Layout("<BBBqq")
_LENGTH = Layout("<I")
_ONE = _LENGTH.pack(1)
_LAYOUTS = {_SCALED: _SCALED_HEAD, _STEPPED: _STEPPED_HEAD}
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
    """Return float64 numbers as a blob; NaNs, infinities and −0 come back as they are. `level` is zstd's; 0 leaves it out."""
    return pack_all(values[None, :], level)[0]


def pack_all(columns: np.ndarray, level: int = 1) -> list[bytes]:
    """Return each row of a matrix of float64 numbers as a blob. Cost: 8 µs a row and 15 ns a number."""
    columns = np.ascontiguousarray(columns, "<f8")
    scaled, digits, integers = decimals(columns)
    found = dict(zip(scaled.tolist(), _packed(integers, digits, level), strict=True))
    words, head = columns.view("<u8"), bytes([_WORDS])
    return [found[at] if at in found else _squeezed(head, _shuffled(row, 8), len(row), level) for at, row in enumerate(words)]


def pack_integers(values: np.ndarray, level: int = 1) -> bytes:
    """Return int64 numbers as a blob."""
    return _packed(np.ascontiguousarray(values, "<i8")[None, :], np.zeros(1, "i8"), level)[0]


def unpack(blob: bytes, n: int) -> np.ndarray:
    """Return the `n` float64 numbers in a blob of `pack`; raises `ValueError` if it is none, or holds another count."""
    if blob[:1] and blob[0] & ~1 == _WORDS:
        return _words(blob, 1, n, 8).view("<f8")
    integers = unpack_integers(blob, n)
    if blob[1] > _MOST_DIGITS:
        raise ValueError(f"numbers of {blob[1]} digits")
    return integers / _POWERS[blob[1]] if blob[1] else integers.astype("f8")


def unpack_integers(blob: bytes, n: int) -> np.ndarray:
    """Return the `n` int64 numbers in a blob of `pack_integers`; raises `ValueError` if it is none, or holds another count."""
    tag = blob[0] & ~1 if blob else -1
    layout = _LAYOUTS.get(tag)
    if layout is None or len(blob) < layout.size:
        raise ValueError(f"a blob with tag {tag} and {len(blob)} bytes holds no integers")
    _, _, width, first, *step = layout.unpack_from(blob)
    if tag == _SCALED:
        return _words(blob, layout.size, n, width).view("<i8") + np.int64(first)
    steps = np.empty(n, "<i8")
    steps[0] = first
    np.add(_words(blob, layout.size, n - 1, width).view("<i8"), np.int64(step[0]), out=steps[1:])
    return np.cumsum(steps, out=steps)


def halves(blob: bytes, n: int) -> tuple[bytes, bytes]:
    """Return what compresses well beside other blobs – the head and the highest plane – and the rest; `whole` joins them."""
    size = _head_size(blob)
    plane = n - (blob[0] == _STEPPED)
    if blob[0] & 1 or len(blob) < size + plane:
        return blob, b""
    return blob[:size] + blob[len(blob) - plane :], blob[size : len(blob) - plane]


def whole(top: bytes, rest: bytes) -> bytes:
    """Return the blob of `halves`."""
    size = _head_size(top)
    return top[:size] + rest + top[size:]


def _head_size(blob: bytes) -> int:
    layout = _LAYOUTS.get(blob[0] & ~1)
    return layout.size if layout else 1


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
        return [_SCALED_HEAD.pack(_SCALED, e, 0, base) for e, base in zip(digits.tolist(), integers.sum(axis=1).tolist(), strict=True)]
    steps = np.diff(integers)  # wraps around, as the sum will
    is_stepped = (_scatter(steps) < _scatter(integers)) | (integers.shape[1] == 2)
    found: list[bytes] = [b""] * len(integers)
    for at, base, width, row in _narrowed(integers, np.flatnonzero(~is_stepped)):
        head = _SCALED_HEAD.pack(_SCALED, digits[at], width, base)
        found[at] = _squeezed(head, _shuffled(row, width), len(row), level)
    for at, base, width, row in _narrowed(steps, np.flatnonzero(is_stepped)):
        head = _STEPPED_HEAD.pack(_STEPPED, digits[at], width, integers[at, 0], base)
        found[at] = _squeezed(head, _shuffled(row, width), len(row), level)
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


def _squeezed(head: bytes, data: bytes, n: int, level: int) -> bytes:
    """Return a blob of `data`, planes of n bytes each: as it is, or in pieces where that is shorter."""
    if level and len(data) >= _SMALL:
        compress = _compressor(level)
        pieces = b"".join([_piece(data[at : at + n], compress) for at in range(0, len(data), n)])
        if len(pieces) < len(data):
            return bytes([head[0] | 1]) + head[1:] + pieces
    return head + data


def _piece(plane: bytes, compress: Callable[[bytes], bytes]) -> bytes:
    if plane.count(plane[:1]) == len(plane):
        return _ONE + plane[:1]
    short = compress(plane)
    piece = short if len(short) < len(plane) else plane
    return _LENGTH.pack(len(piece)) + piece


def _compressor(level: int) -> Callable[[bytes], bytes]:
    """Return a compressor of this thread: making one costs as much as a short column."""
    found = _kept.__dict__.setdefault("compressors", {})
    if level not in found:
        found[level] = zstandard.ZstdCompressor(level).compress
    return found[level]


def _words(blob: bytes, start: int, n: int, width: int) -> np.ndarray:
    """Return n shuffled numbers of `width` bytes, which begin at `start`, as 8-byte words."""
    if width > 8:
        raise ValueError(f"numbers of {width} bytes")
    words = np.empty((n, 8), "u1") if width == 8 else np.zeros((n, 8), "u1")
    if not blob[0] & 1:
        if len(blob) - start != n * width:
            raise ValueError(f"a column of {n} numbers has {len(blob) - start} bytes")
        planes = np.frombuffer(blob, "u1", n * width, start).reshape(width, n)
        for at in range(width):  # twice as quick as a copy of the transposed array
            words[:, at] = planes[at]
        return words.reshape(-1).view("<u8")
    for at in range(width):
        size = _LENGTH.unpack_from(blob, start)[0] if start + 4 < len(blob) else len(blob)
        piece, start = blob[start + 4 : start + 4 + size], start + 4 + size
        if start > len(blob):
            raise ValueError(f"a column of {n} numbers ends too early")
        words[:, at] = piece[0] if size == 1 else np.frombuffer(piece if size == n else _inflated(piece, n), "u1")
    return words.reshape(-1).view("<u8")


def _inflated(piece: bytes, n: int) -> bytes:
    if not hasattr(_kept, "decompressor"):
        _kept.decompressor = zstandard.ZstdDecompressor()
    try:
        if zstandard.frame_content_size(piece) == n:
            return bytes(_kept.decompressor.decompress(piece))
    except zstandard.ZstdError as error:
        raise ValueError(f"a column's bytes are damaged: {error}") from error
    raise ValueError(f"a column of {n} numbers has a plane of another length")
