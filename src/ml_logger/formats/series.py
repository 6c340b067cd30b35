"""The body of an answer to `GetSeries`: a JSON header, then float64 columns. Knows no store and no chart.

::

    u32 length of the header | header: SeriesHeader as JSON, padded with blanks so that what follows is 8-byte aligned
    for each series in order:  x f64[n], mean f64[n]   and unless it is exact   min f64[n], max f64[n], count f64[n]

Little-endian. NaN where no value was finite. See docs/formats/series.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ml_logger.answers import SeriesHeader, SeriesInfo

MEDIA_TYPE = "application/vnd.ml-logger.series"
POINT_COLUMNS, BUCKET_COLUMNS = 2, 5

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(SeriesHeader)


def columns_of(info: SeriesInfo) -> int:
    """Return how many columns the series has in the body."""
    return POINT_COLUMNS if info.exact else BUCKET_COLUMNS


def encode(header: SeriesHeader, arrays: Sequence[np.ndarray]) -> memoryview:
    """Return the body; `arrays` are the columns of all series in order, each of its series' length n."""
    assert len(arrays) == sum(map(columns_of, header.series)), "one array for each column"
    text = _encoder.encode(header)
    text += b" " * (-(len(text) + 4) % 8)
    body = np.empty(4 + len(text) + 8 * sum(map(len, arrays)), "u1")  # NumPy asks for large pages: half the time of joined bytes
    body[: 4 + len(text)] = np.frombuffer(len(text).to_bytes(4, "little") + text, "u1")
    if arrays:
        np.concatenate(arrays, out=body[4 + len(text) :].view("<f8"))
    return body.data


def decode(body: bytes | bytearray | memoryview) -> tuple[SeriesHeader, list[np.ndarray]]:
    """Return the header and the columns as views of `body`; raises `ValueError` if the two do not fit together."""
    view = memoryview(body)
    start = 4 + int.from_bytes(view[:4], "little")
    header = _decoder.decode(view[4:start])
    arrays: list[np.ndarray] = []
    for info in header.series:
        for _ in range(columns_of(info)):
            if start + 8 * info.n > len(view):
                raise ValueError(f"the body ends inside series {info.key!r}")
            arrays.append(np.frombuffer(view, "<f8", info.n, start))
            start += 8 * info.n
    if start != len(view):
        raise ValueError(f"{len(view) - start} bytes are left over")
    return header, arrays
