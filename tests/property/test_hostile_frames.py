"""Frames whose checksums are right and whose contents are not: a reader names them and goes on, whatever a writer put there."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import Ext

import ml_logger
from ml_logger.formats import columns, frames, messages, values
from ml_logger.store.journals import JournalReader

WHOLE = st.sampled_from([0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)])
REAL = st.sampled_from([0.0, 1.5, math.nan, math.inf, -math.inf, 1e300, 5e-324])
EXT = st.builds(Ext, st.integers(-3, 12), st.binary(max_size=12))
LEAF = WHOLE | REAL | st.text(max_size=5) | st.binary(max_size=9) | st.none() | st.booleans() | EXT
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(0, 3), inner, max_size=2),
    max_leaves=5,
)
PACKED = st.lists(LEAF, max_size=3).map(msgspec.msgpack.encode)
COLUMN = st.tuples(st.sampled_from("cmdkwfitx"), VALUE | PACKED | st.binary(min_size=24, max_size=24)).map(list) | VALUE
BODY = st.tuples(COLUMN, COLUMN, COLUMN, COLUMN, st.lists(COLUMN, max_size=3)).map(list) | VALUE


def block_of(body: Any) -> bytes:
    return zstandard.compress(msgspec.msgpack.encode(body))


ROW = st.tuples(st.just(2), st.integers(1, 2), WHOLE, WHOLE | st.none(), REAL, st.lists(VALUE, min_size=2, max_size=2))
KEYS = st.tuples(st.just(1), st.integers(1, 2), st.just(["loss", "acc"]), st.just("metrics.pkl"))
BLOCK = st.tuples(st.just(3), st.integers(1, 2), st.just(3), BODY.map(block_of))
ANY = st.tuples(st.integers(0, 20)).flatmap(lambda kind: st.lists(VALUE, max_size=8).map(lambda rest: [*kind, *rest]))
PAYLOAD = (ROW | KEYS | BLOCK | ANY).map(msgspec.msgpack.encode) | st.binary(max_size=20)
SEQUENCE = st.integers(1, 40) | st.sampled_from([0, 2**63 - 1, 2**63, 2**64 - 1])


@given(st.lists(st.tuples(SEQUENCE, PAYLOAD), max_size=12))
def test_nothing_is_raised_for_what_is_in_a_file(found: list[tuple[int, bytes]]) -> None:
    reader = JournalReader("journal")
    for parts in reader.poll(io.BytesIO(frames.MAGIC + b"".join(frames.encode(*frame) for frame in found))):
        if not isinstance(parts, tuple) or not hasattr(parts, "steps"):
            continue
        for column in (parts.sequences, parts.rows, parts.steps, parts.times, *parts.values):
            assert len(column) == len(parts)
            values.jsonable([values.revive(value) for value in column])


ONE, REAL_ONE = ["c", 1], ["c", 1.0]
MALFORMED = {
    "no array": 5,
    "no columns": [1] * 5,
    "a map": {"a": 1},
    "no list": [["m", b"\x05"]] * 4 + [[]],
    "no values": [ONE, ONE, ONE, REAL_ONE, 5],
    "beyond 64 bits": [["c", 2**63]] * 4 + [[]],
    "no bytes": [["f", 5]] * 4 + [[]],
    "a map of numbers": [["k", {0: 1}]] * 4 + [[]],
    "a negative sequence": [["c", -1], ONE, ONE, REAL_ONE, []],
    "half a row": [ONE, ["c", 1.5], ONE, REAL_ONE, []],
    "a step of 2**64 - 1": [ONE, ONE, ["m", msgspec.msgpack.encode([2**64 - 1])], REAL_ONE, []],
    "a step that is text": [ONE, ONE, ["c", "x"], REAL_ONE, []],
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_block_is_a_value_error(body: Any) -> None:
    with pytest.raises(ValueError):
        columns.decode_block(messages.Block(1, 1, block_of(body)))


@given(EXT)
def test_a_malformed_value_is_a_marked_placeholder(ext: Ext) -> None:
    values.jsonable(values.revive(ext))


def test_one_writer_out_of_order_stops_no_other(tmp_path: Path) -> None:
    """Before, such a row made the whole root unreadable."""
    logger = ml_logger.ML_Logger("good", root=str(tmp_path))
    logger.log(step=1, loss=0.5, silent=True)
    logger.close()
    (tmp_path / "odd").mkdir()
    rows = [[1, 1, ["loss"], "metrics.pkl"], [2, 1, 0, 2**64 - 1, 1.0, [1.0]], [2, 1, 1, 7, 1.0, [2.0]], [3, 1, 1, block_of([5])]]
    data = frames.MAGIC + b"".join(frames.encode(1 + n, msgspec.msgpack.encode(row)) for n, row in enumerate(rows))
    (tmp_path / "odd" / "metrics.h-0-u.mlog").write_bytes(data)
    runs = ml_logger.open(tmp_path)
    assert {row["key"]: row["loss"] for row in runs.table()} == {"good": 0.5, "odd": 2.0}
    assert [column.tolist() for column in runs.series("odd", "loss")] == [[7], [2.0]]


def test_a_number_too_long_to_be_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logger = ml_logger.ML_Logger("run", root=str(tmp_path))
    logger.log(step=1, fits=10**4298, long=2**20_000, silent=True)
    logger.close()
    assert "int of 20001 bits cannot be logged; a placeholder is kept" in capfd.readouterr().err
    (row,) = ml_logger.open(tmp_path).table()
    assert (row["fits"], str(row["long"])) == (10**4298, "int of 20001 bits")
    assert np.all(ml_logger.open(tmp_path).series("run", "fits")[0] == [1])
