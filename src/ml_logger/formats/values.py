"""Values: from what a caller logged to plain msgpack, and back, bit for bit. Imports numpy only to read arrays back.

Plain are None, bool, int of 64 bits, float, str, bytes, list and dict with str keys. Everything else that has a
meaning of its own becomes an extension (code, payload)::

    1 integer beyond 64 bits    two's complement, little-endian        5 complex       two little-endian f64
    2 numpy array               msgpack [dtype, shape, bytes]           6 set           msgpack list
    3 Decimal                   its digits                              7 cut off       msgpack [what, length, head]
    4 date, time, datetime      msgpack [type, ISO 8601]                8 unsupported   the type's qualified name

An unsupported type is stored as its name: `__str__` and `__repr__` of a stranger are never called.
"""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.msgpack import Ext

BIG_INT, ARRAY, DECIMAL, DATE, COMPLEX, SET, CUT, UNSUPPORTED = range(1, 9)

MAX_TEXT = 1 << 20
"""Characters of a logged string (or bytes) that are kept; the rest is cut off with a mark."""
MAX_ITEMS = 65_536
"""Elements of a logged list, dict or array that are kept."""
MAX_INT_BYTES = 1785
"""Of an integer that is kept: Python writes no longer one (4,300 digits) as text."""
MAX_DEPTH = 32

EXACT = frozenset({float, int, bool, str, type(None)})
"""Types that need no conversion (an int or str may still be too large)."""

_INT_MIN, _INT_MAX = -(1 << 63), (1 << 64) - 1
_DATES = (dt.datetime, dt.date, dt.time)
_NO_NUMPY_TYPE, _NO_NUMPY_NAME = ("torch.bfloat16", "torch.float8"), ("bfloat16", "float8")


class Unsupported(str):
    """The placeholder that a reader sees for a value that could not be stored: the name of its type."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show it as what it is, not as a string."""
        return f"<unsupported {self!s}>"


def plain(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return `value` as plain msgpack types and `Ext`; never raises for a hostile object and never calls its `__str__`.

    NumPy and other zero-dimensional arrays (anything with `shape == ()` and `item()`) become Python scalars, arrays
    become extension 2, mappings become dicts with str keys. Cost: 0.1 µs for a scalar, linear in kept elements. `above` are the
    ids of what holds `value`: a list that holds itself ends there.
    """
    kind = type(value)
    if kind is float or kind is bool or value is None:
        return value
    if kind is int:
        return value if _INT_MIN <= value <= _INT_MAX else _big_int(value)
    if kind is str:
        return _text(value)
    try:
        return _composite(value, above)
    except Exception:  # noqa: BLE001 - a stranger's object may raise anything, and logging must go on
        return unsupported(value)


def unsupported(value: Any) -> Ext:
    """Return the placeholder that names the type of `value`."""
    kind = type(value)
    return Ext(UNSUPPORTED, f"{kind.__module__}.{kind.__qualname__}"[:200].encode("utf-8", "replace"))


def is_unsupported(value: Any) -> bool:
    """Tell whether `plain` gave up on a value."""
    return isinstance(value, Ext) and value.code == UNSUPPORTED


def _text(value: str) -> Any:
    if len(value) > MAX_TEXT:
        return Ext(CUT, msgspec.msgpack.encode(["str", len(value), _valid(value[:MAX_TEXT])]))
    return _valid(value)


def _valid(value: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot carry."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _big_int(value: int) -> Ext:
    size = value.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        return Ext(UNSUPPORTED, f"int of {value.bit_length()} bits".encode())
    return Ext(BIG_INT, value.to_bytes(size, "little", signed=True))


def _composite(value: Any, above: tuple[int, ...]) -> Any:
    if len(above) > MAX_DEPTH or id(value) in above:
        return unsupported(value)
    above = (*above, id(value))
    if isinstance(value, (bytes, bytearray)):
        return bytes(value) if len(value) <= MAX_TEXT else Ext(CUT, msgspec.msgpack.encode(["bytes", len(value), bytes(value[:MAX_TEXT])]))
    if isinstance(value, (list, tuple)):
        return _items("list", value, len(value), above)
    if isinstance(value, Mapping):
        return _mapping(value, above)
    if hasattr(type(value), "item") and hasattr(type(value), "shape"):
        return _array(value, above)
    return _scalar(value, above)


def _items(what: str, value: Any, length: int, above: tuple[int, ...]) -> Any:
    kept = [plain(item, above) for item in value[:MAX_ITEMS]]
    return kept if length <= MAX_ITEMS else Ext(CUT, msgspec.msgpack.encode([what, length, kept]))


def _mapping(value: Mapping[Any, Any], above: tuple[int, ...]) -> Any:
    return {
        _valid(key if type(key) is str else str(key) if isinstance(key, (str, int, float)) else type(key).__name__): plain(item, above)
        for _, (key, item) in zip(range(MAX_ITEMS), value.items(), strict=False)
    }


def as_array(value: Any) -> Any:
    """Return a NumPy array of anything that quacks like one; what NumPy has no type for (bfloat16, 8-bit floats) becomes float32."""
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype).startswith(_NO_NUMPY_TYPE) else value
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "V" and array.dtype.name.startswith(_NO_NUMPY_NAME) else array


def _array(value: Any, above: tuple[int, ...]) -> Any:
    """Convert anything that quacks like an array: NumPy, torch, JAX, TensorFlow."""
    if tuple(value.shape) == ():
        scalar = value.item()
        return unsupported(value) if type(scalar) is type(value) else plain(scalar, above)
    array = as_array(value)
    if array.dtype.hasobject or array.size > MAX_ITEMS:
        return plain(array.ravel()[:MAX_ITEMS].tolist(), above) if array.dtype.hasobject else _cut_array(array)
    return Ext(ARRAY, _array_bytes(array))


def _array_bytes(array: Any) -> bytes:
    return msgspec.msgpack.encode([array.dtype.str, list(array.shape), array.tobytes()])


def _cut_array(array: Any) -> Ext:
    head = Ext(ARRAY, _array_bytes(array.ravel()[:MAX_ITEMS]))
    return Ext(CUT, msgspec.msgpack.encode([f"array{list(array.shape)}", array.size, head]))


def _scalar(value: Any, above: tuple[int, ...]) -> Any:
    if isinstance(value, Decimal):
        return Ext(DECIMAL, str(value).encode())
    if isinstance(value, _DATES):
        return Ext(DATE, msgspec.msgpack.encode([next(t.__name__ for t in _DATES if isinstance(value, t)), value.isoformat()]))
    if isinstance(value, complex):
        return Ext(COMPLEX, struct.pack("<2d", value.real, value.imag))
    if isinstance(value, (set, frozenset)):
        return Ext(SET, msgspec.msgpack.encode([plain(item, above) for item in list(value)[:MAX_ITEMS]]))
    if isinstance(value, float):  # the base class's own method: a subclass may lie
        return float.__pos__(value)
    if isinstance(value, int):
        return plain(int.__pos__(value), above)
    if isinstance(value, str):
        return plain(str.__add__(value, ""), above)
    return unsupported(value)


def revive(value: Any) -> Any:
    """Turn what `messages.decode` gave into Python objects: the inverse of `plain`. What is malformed becomes `Unsupported`."""
    if type(value) is list:
        return [revive(item) for item in value]
    if type(value) is dict:
        return {key: revive(item) for key, item in value.items()}
    return _revived(value) if isinstance(value, Ext) else value


def _revived(ext: Ext) -> Any:
    try:
        return _from_ext(ext)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, struct.error) as error:
        return Unsupported(f"a malformed value of type {ext.code}: {type(error).__name__}")


def _from_ext(ext: Ext) -> Any:
    data = bytes(ext.data)
    if ext.code == BIG_INT:
        return int.from_bytes(data, "little", signed=True) if len(data) <= MAX_INT_BYTES else Unsupported(f"int of {len(data)} bytes")
    if ext.code == ARRAY:
        return _read_array(data)
    if ext.code == DECIMAL:
        return Decimal(data.decode())
    if ext.code == DATE:
        name, text = msgspec.msgpack.decode(data)
        return getattr(dt, name).fromisoformat(text) if name in ("datetime", "date", "time") else Unsupported(name)
    if ext.code == COMPLEX:
        return complex(*struct.unpack("<2d", data))
    if ext.code == SET:
        return set(revive(_decode(data)))
    if ext.code == CUT:
        what, length, head = _decode(data)
        return Unsupported(f"{what} of {length}, cut off: {head if isinstance(head, str) else ''}")
    return Unsupported(data.decode("utf-8", "replace"))


def _decode(data: bytes) -> Any:
    return msgspec.msgpack.decode(data, ext_hook=lambda code, view: Ext(code, bytes(view)))


def _read_array(data: bytes) -> Any:
    import numpy as np

    dtype, shape, raw = msgspec.msgpack.decode(data)
    kind = np.dtype(dtype)
    return Unsupported(dtype) if kind.hasobject else np.frombuffer(raw, kind).reshape(shape).copy()


def jsonable(value: Any) -> Any:
    """Return `value` (revived) as strict JSON: non-finite floats as {"$f": "nan"}, integers beyond 2**53 as {"$i": "…"}."""
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$f": repr(value)}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -(1 << 53) <= value <= 1 << 53 else {"$i": str(value)}
    if isinstance(value, str):
        return str(value) if not isinstance(value, Unsupported) else {"$unsupported": str(value)}
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return _json_tagged(value)


def _json_tagged(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: jsonable(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, (bytes, bytearray)):
        return {"$b": bytes(value).hex()}
    if isinstance(value, Decimal):
        return {"$d": str(value)}
    if isinstance(value, _DATES):
        return {"$t": value.isoformat()}
    if isinstance(value, complex):
        return {"$c": [jsonable(value.real), jsonable(value.imag)]}
    if isinstance(value, (set, frozenset)):
        return {"$set": [jsonable(item) for item in value]}
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return jsonable(value.tolist())
    return {"$unsupported": type(value).__name__}
