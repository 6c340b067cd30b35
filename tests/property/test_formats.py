"""Frames, messages, values and columns give back what went in, and survive damage."""

from __future__ import annotations

import datetime as dt
import json
import math
import struct
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_logger.formats import blocks, columns, frames, messages, values

FLOATS = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
SCALARS = st.none() | st.booleans() | FLOATS | st.integers(-(2**200), 2**200) | st.text(max_size=20) | st.binary(max_size=20)
TAGGED = st.decimals(allow_nan=False) | st.datetimes() | st.dates() | st.times() | st.complex_numbers(allow_nan=False)
PLAIN = st.recursive(
    SCALARS | TAGGED, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4), max_leaves=12
)


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are equal bit for bit, and of the same type."""
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


@given(PLAIN)
def test_values_come_back(value: Any) -> None:
    part = messages.RowPart(1, 2, None, 3.0, [values.plain(value)])
    back = messages.decode(messages.encode(part))
    assert isinstance(back, messages.RowPart)
    assert same(values.revive(back.values[0]), value)


@given(PLAIN)
def test_json_is_strict(value: Any) -> None:
    text = json.dumps(values.jsonable(value), allow_nan=False)
    assert json.loads(text) is not None or value is None


def test_json_tags() -> None:
    tagged = values.jsonable({"a": math.nan, "b": -math.inf, "c": 2**53 + 1, "d": 2**53, "e": -0.0, "f": True})
    assert tagged == {"a": {"$f": "nan"}, "b": {"$f": "-inf"}, "c": {"$i": "9007199254740993"}, "d": 2**53, "e": -0.0, "f": True}
    assert math.copysign(1, tagged["e"]) == -1


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (np.float32(0.1), float(np.float32(0.1))),
        (np.int64(-3), -3),
        (np.bool_(True), True),
        (np.float64("-inf"), -math.inf),
        ((1, 2), [1, 2]),
        (type("F", (float,), {})(2.5), 2.5),
        (type("F", (float,), {})(-0.0), -0.0),
        (type("I", (int,), {})(2**70), 2**70),
        (type("S", (str,), {"__str__": None})("a"), "a"),
        ({1: "a"}, {"1": "a"}),
        ({3, 1}, {1, 3}),
    ],
)
def test_relatives_become_plain(value: Any, back: Any) -> None:
    assert same(values.revive(values.plain(value)), back) or values.revive(values.plain(value)) == back


@pytest.mark.parametrize("dtype", ["<f4", "<f2", ">i2", "u1", "?", "<c16", "S3", "<U2", "M8[s]"])
def test_arrays_come_back(dtype: str) -> None:
    array = np.arange(6).astype(dtype).reshape(2, 3)
    back = values.revive(values.plain(array))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


class Hostile:
    """An object that raises at every question."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __float__ = __eq__ = __hash__ = __iter__ = __len__ = __str__  # type: ignore[assignment]


def test_strangers_are_named_and_never_asked() -> None:
    recursive: list[Any] = []
    recursive.append(recursive)
    assert values.is_unsupported(values.plain(Hostile()))
    assert values.revive(values.plain(Hostile())).endswith("Hostile")
    assert values.plain(recursive)
    assert values.is_unsupported(values.plain(object()))
    assert repr(values.revive(values.plain(object()))) == "<unsupported builtins.object>"


def test_too_large_is_cut_with_a_mark() -> None:
    for value in (
        "x" * (values.MAX_TEXT + 1),
        b"x" * (values.MAX_TEXT + 1),
        list(range(values.MAX_ITEMS + 1)),
        np.zeros(values.MAX_ITEMS + 1),
    ):
        back = values.revive(values.plain(value))
        assert isinstance(back, values.Unsupported)
        assert "cut off" in back


def test_lone_surrogates_are_replaced() -> None:
    assert values.revive(values.plain("a\ud800b")) == "a?b"


# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────

PAYLOADS = st.lists(st.binary(max_size=60) | st.just(frames.SYNC * 3) | st.just(frames.encode(7, b"inner")), min_size=1, max_size=6)


def journal(payloads: list[bytes]) -> bytes:
    return frames.MAGIC + b"".join(frames.encode(i, p) for i, p in enumerate(payloads))


def read(data: bytes) -> list[tuple[int, bytes]]:
    return [(f.sequence, bytes(f.payload)) for f in frames.Scanner(data, len(frames.MAGIC)) if isinstance(f, frames.Frame)]


@given(PAYLOADS)
def test_frames_come_back(payloads: list[bytes]) -> None:
    scanner = frames.Scanner(journal(payloads), len(frames.MAGIC))
    assert [bytes(f.payload) for f in scanner if isinstance(f, frames.Frame)] == payloads
    assert scanner.end == len(journal(payloads))


@given(PAYLOADS, st.data())
def test_a_cut_journal_gives_every_whole_frame(payloads: list[bytes], data: st.DataObject) -> None:
    whole = journal(payloads)
    cut = data.draw(st.integers(len(frames.MAGIC), len(whole)))
    ends, end = [], len(frames.MAGIC)
    for payload in payloads:
        end += frames.HEAD_SIZE + len(payload)
        ends.append(end)
    assert read(whole[:cut])[: sum(e <= cut for e in ends)] == [(i, p) for i, p in enumerate(payloads) if ends[i] <= cut]


def test_every_flipped_byte_costs_one_frame_at_most() -> None:
    payloads = [bytes([i]) * (i + 3) for i in range(6)]
    whole = journal(payloads)
    for position in range(len(frames.MAGIC), len(whole)):
        for mask in (0x01, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[position] ^= mask
            found = read(bytes(damaged))
            assert len(found) == len(payloads) - 1
            assert all(item in list(enumerate(payloads)) for item in found)


def test_damage_is_named() -> None:
    whole = journal([b"a" * 10, b"b" * 10, b"c" * 10])
    damaged = bytearray(whole)
    damaged[len(frames.MAGIC) + frames.HEAD_SIZE + 2] ^= 1
    first = next(iter(frames.Scanner(bytes(damaged), len(frames.MAGIC))))
    assert first == frames.Damage(8, 8 + frames.HEAD_SIZE + 10, "checksum differs")


# ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────

VALUE = FLOATS | st.integers(-(2**63), 2**64 - 1) | st.booleans() | st.none() | st.text(max_size=4)


@st.composite
def row_parts(draw: st.DrawFn) -> list[messages.RowPart]:
    n, width = draw(st.integers(1, 12)), draw(st.integers(0, 4))
    kinds = [draw(st.sampled_from([VALUE, FLOATS, st.integers(-(2**63), 2**63 - 1), st.just(3), st.just("a")])) for _ in range(width)]
    step = st.none() | st.integers(-(2**63), 2**63 - 1)
    return [messages.RowPart(5, draw(st.integers(0, 2**40)), draw(step), draw(FLOATS), [draw(kind) for kind in kinds]) for _ in range(n)]


@given(row_parts())
def test_blocks_come_back(parts: list[messages.RowPart]) -> None:
    sequences = list(range(100, 100 + len(parts)))
    block = messages.decode(messages.encode(blocks.encode_block(sequences, parts)))
    assert isinstance(block, messages.Block)
    back = columns.parts_of(block)
    assert [seq for seq, _ in back] == sequences
    for (_, a), b in zip(back, parts, strict=True):
        assert (a.sid, a.row, a.step) == (b.sid, b.row, b.step)
        assert same(a.time, b.time)
        assert same(a.values, b.values)


def test_a_lying_block_is_refused() -> None:
    good = blocks.encode_block([0], [messages.RowPart(1, 0, 0, 0.0, [1.0])])
    for n in (2, 1000):
        with pytest.raises(ValueError, match=r"\d"):
            columns.decode_block(messages.Block(1, n, good.data))
    with pytest.raises(ValueError, match="bytes"):
        columns.decode_block(messages.Block(1, 1, b"no zstd at all"))


def test_blocks_are_small() -> None:
    rng = np.random.default_rng(0)
    loss = np.cumsum(rng.normal(size=(1000, 9)).round(3), axis=0)
    parts = [messages.RowPart(1, i, i, 1.7e9 + i * 0.01, [*row, i]) for i, row in enumerate(loss.tolist())]
    assert len(blocks.encode_block(range(1000), parts).data) / 10_000 < 7


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_newer_kind_is_skipped_and_nonsense_is_refused() -> None:
    assert messages.decode(msgspec.msgpack.encode([99, "from", "the future"])) is None
    for nonsense in (msgspec.msgpack.encode({"no": "message"}), b"\xc1"):
        with pytest.raises(ValueError):
            messages.decode(nonsense)


def test_fields_may_be_added_at_the_end() -> None:
    longer = msgspec.msgpack.encode([11, 5.0, "bye", "a field of tomorrow"])
    assert messages.decode(longer) == messages.End(5.0, "bye")


def test_dates_and_decimals_keep_their_kind() -> None:
    for value in (Decimal("1.10"), dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone.utc)):
        assert same(values.revive(values.plain(value)), value)
