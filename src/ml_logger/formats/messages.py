"""The messages inside frames: msgpack arrays whose first element is the kind. Knows no file and no clock.

The numbers are part of the format and never reused; unknown kinds are skipped and kept by readers, and fields may be
added at the end of a message. See docs/formats/messages.md. Record structs (`records.py`) are what a caller means;
these are what is written.
"""

from __future__ import annotations

from typing import Annotated, Any, Union

import msgspec
from msgspec import Meta, Struct

Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""What arrays of rows can hold; msgpack's own integers go up to 2**64 - 1."""


class Header(Struct, array_like=True, tag=0):
    """First message of a journal: who writes. `attempt` None means that the server decides it.

    `origin` is what `run.json` shall say of the place the run came from (user, python, platform, command); only a server needs it.
    """

    writer: str
    run: str
    epoch: Int64
    host: str
    rank: Int64
    pid: Int64
    created: float
    attempt: Int64 | None = None
    launch: str = ""
    version: str = ""
    run_uuid: str = ""
    origin: dict[str, Any] = {}


class Keys(Struct, array_like=True, tag=1):
    """Names of the values of later rows with the same `sid`, and the table they belong to; repeated every MiB."""

    sid: int
    names: list[str]
    table: str = "metrics.pkl"


class RowPart(Struct, array_like=True, tag=2):
    """One call: values in the order of their KEYS. `step` None: the row number serves as step. Time in s, UTC."""

    sid: int
    row: Int64
    step: Int64 | None
    time: float
    values: list[Any]


class Block(Struct, array_like=True, tag=3):
    """`n` row parts of one `sid` as compressed columns (`formats/columns.py`)."""

    sid: int
    n: int
    data: bytes


class Params(Struct, array_like=True, tag=4):
    """Nested parameters to merge into those of the run."""

    values: dict[str, Any]
    path: str
    time: float


class Text(Struct, array_like=True, tag=5):
    """Text appended to (or, with `overwrite`, put in place of) a file of the run."""

    text: str
    path: str
    overwrite: bool
    time: float


class File(Struct, array_like=True, tag=6):
    """A file was put at `path` (a key under the root); its bytes are the blob named by `sha256` (hex)."""

    path: str
    sha256: str
    size: Int64
    time: float
    step: Int64 | None = None
    kind: str = "file"
    append: bool = False
    meta: dict[str, Any] = {}


class Status(Struct, array_like=True, tag=7):
    """A step in the life of the run."""

    status: str
    time: float
    details: dict[str, Any] = {}


class Signal(Struct, array_like=True, tag=8):
    """A command to the run, or its answer (`seen` names the signal's id)."""

    name: str
    value: Any
    seen: str | None
    time: float


class Clear(Struct, array_like=True, tag=9):
    """`target` (a key under the root: file, directory or table of rows) was removed; rows up to `up_to` are gone."""

    target: str
    up_to: Int64
    time: float


class Gap(Struct, array_like=True, tag=10):
    """Records with the sequences `first` … `last` are missing, and why."""

    first: Int64
    last: Int64
    reason: str
    time: float


class End(Struct, array_like=True, tag=11):
    """The writer closed its journal; nothing follows."""

    time: float
    reason: str = ""


class Op(Struct, array_like=True, tag=12):
    """A change of files at the destination: move, copy or archive, with its arguments by name."""

    verb: str
    args: dict[str, Any]
    time: float


class Mark(Struct, array_like=True, tag=13):
    """The frames between this and the neighbouring mark are bytes [lo, hi) of the writer's own journal.

    On the wire it stands before them, in a server's file after them: what follows the last mark was not acknowledged.
    """

    writer: str
    epoch: Int64
    lo: Int64
    hi: Int64
    run: str
    time: float


Message = Union[  # noqa: UP007 - msgspec reads it at run time
    Header, Keys, RowPart, Block, Params, Text, File, Status, Signal, Clear, Gap, End, Op, Mark
]

_LAST_KIND = 13
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message, ext_hook=lambda code, data: msgspec.msgpack.Ext(code, bytes(data)))


def encode(message: Message) -> bytes:
    """Return the payload of `message`; its values must be plain (`formats/values.py`)."""
    return _encoder.encode(message)


def decode(payload: bytes | memoryview) -> Message | None:
    """Return the message in `payload`, or None for a kind that this version does not know.

    Values outside msgpack's own types stay `msgspec.msgpack.Ext` until `values.revive` turns them into objects.
    Raises `ValueError` for a payload that is no message at all.
    """
    try:
        return _known(payload)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _known(payload: bytes | memoryview) -> Message | None:
    try:
        return _decoder.decode(payload)
    except msgspec.ValidationError:
        if _is_newer_kind(payload):
            return None
        raise


def _is_newer_kind(payload: bytes | memoryview) -> bool:
    fields = msgspec.msgpack.decode(payload)
    return isinstance(fields, list) and bool(fields) and isinstance(fields[0], int) and fields[0] > _LAST_KIND
