"""Writes plain values as pickles that the standard library alone can read. Imports no `pickle` and runs nothing.

Protocol 2 opcodes for None, bool, int, float, str, bytes, list, tuple, dict and set; anything else is written as its
JSON-ready form or its text, so that an old reader never needs a class of ours. NumPy arrays become nested lists.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from ml_logger.formats.values import jsonable

_PROTO, _STOP = b"\x80\x02", b"."
_BATCH = 1000


def dumps(value: Any) -> bytes:
    """Return `value` as one pickle; several behind one another are a stream, as earlier releases wrote it."""
    out: list[bytes] = [_PROTO]
    _write(value, out)
    out.append(_STOP)
    return b"".join(out)


def _write(value: Any, out: list[bytes]) -> None:
    writer = _WRITERS.get(type(value))
    if writer is not None:
        writer(value, out)
    elif isinstance(value, dict):
        _dict(value, out)
    elif isinstance(value, (list, tuple)):
        _list(value, out)
    elif isinstance(value, str):
        _text(str.__str__(value), out)
    else:
        _write(_plain(value), out)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    found = jsonable(value)
    return next(iter(found.values())) if isinstance(found, dict) and len(found) == 1 else found


def _int(value: int, out: list[bytes]) -> None:
    if -(1 << 31) <= value < 1 << 31:
        out.append(b"J" + struct.pack("<i", value))
        return
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    out.append(b"\x8a" + bytes([len(data)]) + data if len(data) < 256 else b"\x8b" + struct.pack("<i", len(data)) + data)


def _text(value: str, out: list[bytes]) -> None:
    data = value.encode("utf-8", "surrogatepass")
    out.append(b"X" + struct.pack("<I", len(data)) + data)


def _bytes(value: bytes, out: list[bytes]) -> None:
    # protocol 3's opcode; readers take opcodes of any protocol they know
    out.append(b"B" + struct.pack("<I", len(value)) + value)


def _dict(value: dict[Any, Any], out: list[bytes]) -> None:
    out.append(b"}")
    items = list(value.items())
    for start in range(0, len(items), _BATCH):
        out.append(b"(")
        for key, item in items[start : start + _BATCH]:
            _write(key, out)
            _write(item, out)
        out.append(b"u")


def _list(value: Iterable[Any], out: list[bytes]) -> None:
    out.append(b"]")
    items = list(value)
    for start in range(0, len(items), _BATCH):
        out.append(b"(")
        for item in items[start : start + _BATCH]:
            _write(item, out)
        out.append(b"e")


def _tuple(value: tuple[Any, ...], out: list[bytes]) -> None:
    out.append(b"(")
    for item in value:
        _write(item, out)
    out.append(b"t")


_WRITERS: dict[type, Any] = {
    type(None): lambda _, out: out.append(b"N"),
    bool: lambda value, out: out.append(b"\x88" if value else b"\x89"),
    int: _int,
    float: lambda value, out: out.append(b"G" + struct.pack(">d", value)),
    str: _text,
    bytes: _bytes,
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: lambda value, out: _list(sorted(value, key=repr), out),
}
