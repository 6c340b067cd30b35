"""Answers between our own client and server: msgpack with every value bit for bit and of its own type. Knows no question.

Browsers get JSON (`values.jsonable`), which has no arrays, no bytes and no integers beyond 2**53; a client that says
`Accept: application/vnd.ml-logger.answer` gets this.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.msgpack import Ext

from ml_logger.formats import values

MEDIA_TYPE = "application/vnd.ml-logger.answer"

S = TypeVar("S", bound=Struct)


def encode(answer: Struct) -> bytes:
    """Return `answer` as msgpack; values that have a meaning of their own travel as the extensions of `values.py`."""
    return msgspec.msgpack.encode(_plain(answer))


def decode(body: bytes | bytearray | memoryview, kind: type[S]) -> S:
    """Return the answer in `body`; raises `ValueError` if it is none of this kind. Nothing in it is executed."""
    found = msgspec.msgpack.decode(body, ext_hook=lambda code, data: Ext(code, bytes(data)))
    return msgspec.convert(values.revive(found), kind, builtin_types=(bytes, bytearray))


def _plain(value: Any) -> Any:
    """Turn structs into dicts and everything else into msgpack's types, without the limits that hold for logged values."""
    if isinstance(value, Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if type(value) is dict:
        return {str(key): _plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [_plain(item) for item in value]
    if type(value) in (str, bytes):
        return value
    if isinstance(value, values.Unsupported):
        return Ext(values.UNSUPPORTED, str(value).encode("utf-8", "replace"))
    return values.plain(value)
