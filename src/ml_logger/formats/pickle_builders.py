"""Values rebuilt from what an old pickle says of them, by code of ours: dates, decimals, arrays, sets. Knows no opcode.

Each builder gets the arguments of the constructor and the state, and raises `ValueError`, `TypeError`, `IndexError` or
`KeyError` for anything that is not as its class writes it.
"""

from __future__ import annotations

import collections
import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

from ml_logger.formats.values import Unsupported

FAULTS = (ValueError, TypeError, IndexError, KeyError, OverflowError, decimal.DecimalException)
"""What a builder may raise."""


def hashable(value: Any) -> Any:
    """Return `value`, or a placeholder if it cannot be a key."""
    try:
        hash(value)
    except TypeError:
        return Unsupported(type(value).__name__)
    return value


def _text_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("latin-1")


def _datetime(args: list[Any], _: Any) -> Any:
    if args and isinstance(args[0], (bytes, str)):
        b = _text_bytes(args[0])
        month = b[2] & 0x7F
        value = dt.datetime(b[0] << 8 | b[1], month, b[3], b[4], b[5], b[6], b[7] << 16 | b[8] << 8 | b[9], fold=b[2] >> 7)  # noqa: DTZ001
        return value.replace(tzinfo=args[1]) if len(args) > 1 and isinstance(args[1], dt.tzinfo) else value
    return dt.datetime(*args)  # noqa: DTZ001


def _date(args: list[Any], _: Any) -> Any:
    if len(args) == 1:
        b = _text_bytes(args[0])
        return dt.date(b[0] << 8 | b[1], b[2], b[3])
    return dt.date(*args)


def _time(args: list[Any], _: Any) -> Any:
    if isinstance(args[0], (bytes, str)):
        b = _text_bytes(args[0])
        return dt.time(b[0] & 0x7F, b[1], b[2], b[3] << 16 | b[4] << 8 | b[5])
    return dt.time(*args)


def _dtype(args: list[Any], state: Any) -> Any:
    import numpy as np

    found = np.dtype(str(args[0]))
    order = state[1] if isinstance(state, tuple) and len(state) > 1 and isinstance(state[1], str) else "|"
    if found.hasobject:
        raise ValueError("object arrays hold anything")
    return found.newbyteorder("<" if order == "<" else ">") if order in ("<", ">") else found


def _array(args: list[Any], state: Any) -> Any:
    import numpy as np

    del args
    _, shape, dtype, fortran, data = state
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise TypeError("no plain dtype")
    return np.frombuffer(_text_bytes(data), dtype).reshape(shape, order="F" if fortran else "C").copy()


def _array_from_buffer(args: list[Any], _: Any) -> Any:
    import numpy as np

    data, dtype, shape, order = args
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise TypeError("no plain dtype")
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy()


def _scalar(args: list[Any], _: Any) -> Any:
    import numpy as np

    dtype, data = args
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise TypeError("no plain dtype")
    return np.frombuffer(_text_bytes(data), dtype)[0]


BUILDERS: dict[str, Callable[[list[Any], Any], Any]] = {
    "collections.OrderedDict": lambda a, _: collections.OrderedDict((hashable(key), value) for key, value in _ordered_pairs(a)),
    "datetime.datetime": _datetime,
    "datetime.date": _date,
    "datetime.time": _time,
    "datetime.timedelta": lambda a, _: dt.timedelta(*a),
    "datetime.timezone": lambda a, _: dt.timezone(*a),
    "decimal.Decimal": lambda a, _: decimal.Decimal(str(a[0])),
    "_codecs.encode": lambda a, _: str(a[0]).encode({"latin1": "latin-1", "latin-1": "latin-1", "utf-8": "utf-8"}[str(a[1])]),
    "numpy.dtype": _dtype,
    "numpy._core.multiarray._reconstruct": _array,
    "numpy.core.multiarray._reconstruct": _array,
    "numpy._core.numeric._frombuffer": _array_from_buffer,
    "numpy.core.numeric._frombuffer": _array_from_buffer,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.multiarray.scalar": _scalar,
    **{f"{module}.{name}": make for module in ("builtins", "__builtin__") for name, make in {
        "set": lambda a, _: set(map(hashable, a[0] if a else ())),
        "frozenset": lambda a, _: frozenset(map(hashable, a[0] if a else ())),
        "bytearray": lambda a, _: bytearray(_text_bytes(a[0])) if a else bytearray(),
        "bytes": lambda a, _: bytes(a[0]) if a else b"",
        "complex": lambda a, _: complex(*a),
    }.items()},
}  # fmt: skip


def _ordered_pairs(args: list[Any]) -> list[Any]:
    """Return the pairs of an OrderedDict: given as one list of pairs, or set one by one."""
    together = len(args) == 1 and isinstance(args[0], list) and all(isinstance(pair, (list, tuple)) for pair in args[0])
    return args[0] if together and args[0] and len(args[0][0]) == 2 else args
