"""Sealing keeps every value and every sequence, makes journals small, and leaves alone what is alive, damaged or a server's."""

from __future__ import annotations

import io
import math
import os
import time
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from ml_logger import ML_Logger
from ml_logger.formats import frames, messages
from ml_logger.formats.blocks import encode_block
from ml_logger.formats.messages import Block, End, Header, Keys, Mark, RowPart
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.journals import JournalReader
from ml_logger.store.rundir import RunDir
from ml_logger.store.seal import SILENT_S, seal, seal_below
from ml_logger.store.seal_packing import fingerprint
from ml_logger.store.sqlite import open_store

ODD = [math.nan, math.inf, -0.0, 5e-324, 2**200, -(2**63), True, None, "text", Decimal("1.10"), [1, 2.5, "x"], {"a": {"b": 1}}]


def log_run(root: Path, steps: int = 3000, *, close: bool = True) -> ML_Logger:
    logger = ML_Logger("run", root=root)
    logger.log_params(Args={"lr": 0.1}, silent=True)
    for step in range(steps):
        logger.log(step=step, loss=round(1 / (step + 1), 4), acc=step / 4, silent=True)
        if step % 500 == 0:
            logger.log(odd=ODD[step // 500 % len(ODD)], silent=True)
            logger.log_line("at", step)
    if close:
        logger.close()
    return logger


def log_odd(root: Path) -> None:
    logger = ML_Logger("odd", root=root)
    for step in range(40):
        logger.log(step=step, v=ODD[step % len(ODD)], silent=True)
    logger.close()


def journal_of(root: Path, run: str = "run") -> str:
    (found,) = (root / run).glob("*.mlog")
    return f"{run}/{found.name}"


def content(root: Path, run: str = "run") -> str:
    found = RunDir(SafeRoot(root), run).refresh()
    assert found.problems == []
    others = [(sequence, message) for log, sequence, message in found.messages(object) if not isinstance(message, Keys)]
    return repr((found.rows(), found.params(), others))


def test_every_value_stays_and_a_point_takes_few_bytes(tmp_path: Path) -> None:
    log_run(tmp_path)
    log_odd(tmp_path)
    before = content(tmp_path), content(tmp_path, "odd")
    sizes = {item.key: item for item in seal_below(SafeRoot(tmp_path))}
    assert (content(tmp_path), content(tmp_path, "odd")) == before
    done = sizes[journal_of(tmp_path)]
    assert done.reason == ""
    assert done.after == os.path.getsize(tmp_path / done.key)
    assert done.after < 4 * 2 * 3000 < done.before
    again = seal(SafeRoot(tmp_path), done.key)
    assert again.reason == "as small as it gets"


@pytest.mark.parametrize("indexed", [0, 1, 2])
def test_the_index_neither_loses_nor_doubles_a_point(tmp_path: Path, indexed: int) -> None:
    """Indexed before sealing, half-indexed, and not at all: the answers are the same."""
    logger = log_run(tmp_path, 700, close=False)
    if indexed:
        with open_store(tmp_path) as store:
            assert len(store.snapshot()) == 1
    for step in range(700, 1500):
        logger.log(step=step, loss=0.5, silent=True)
    logger.close()
    with open_store(tmp_path) as store:
        if indexed < 2:
            store.close()
        assert seal(SafeRoot(tmp_path), journal_of(tmp_path)).reason == ""
        if indexed == 2:
            store.refresh()
            assert sum(len(chunk.steps) for chunk in store.read("loss")) == 1500
    with open_store(tmp_path) as store:
        assert sorted(step for chunk in store.read("loss") for step in chunk.steps.tolist()) == list(range(1500))
        assert store.snapshot().rows([0])[0].metrics["loss"].n == 1500
        assert store.snapshot().rows([0])[0].status == "completed"


def test_what_is_alive_or_may_go_on_stays(tmp_path: Path) -> None:
    logger = log_run(tmp_path, 200, close=False)
    root, key = SafeRoot(tmp_path), journal_of(tmp_path)
    before = (tmp_path / key).read_bytes()
    assert seal(root, key).reason == "its writer is alive"
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead" / "metrics.h-0-u.mlog").write_bytes(before)
    dead = "dead/metrics.h-0-u.mlog"
    assert seal(root, dead).reason == "its writer may go on"
    assert (tmp_path / dead).read_bytes() == before
    assert seal(root, dead, now=time.time() + SILENT_S + 60).reason == ""
    assert (tmp_path / key).read_bytes() == before
    logger.close()


@pytest.mark.parametrize("harm", ["flip", "cut", "future"])
def test_damaged_and_newer_journals_stay(tmp_path: Path, harm: str) -> None:
    log_run(tmp_path, 200)
    place = tmp_path / journal_of(tmp_path)
    data = bytearray(place.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 0xFF
    elif harm == "cut":
        del data[-3:]
    else:
        data[7] += 1
    place.write_bytes(data)
    assert seal(SafeRoot(tmp_path), journal_of(tmp_path)).reason
    assert place.read_bytes() == data


def test_a_writer_that_comes_back_goes_on_in_the_sealed_file(tmp_path: Path) -> None:
    logger = log_run(tmp_path, 300)
    assert seal(SafeRoot(tmp_path), journal_of(tmp_path)).reason == ""
    logger.log(step=300, loss=7.0, silent=True)
    logger.close()
    rows = RunDir(SafeRoot(tmp_path), "run").refresh().rows()
    assert [row["step"] for row in rows if "loss" in row] == list(range(301))


def test_the_journal_of_a_server_keeps_its_offset(tmp_path: Path) -> None:
    """Many small blocks with marks between, duplicates among them: one block and one mark, the offset is the last one's."""
    pieces = [messages.encode(Header("u", "run", 0, "h", 0, 1, 1.0)), messages.encode(Keys(1, ["v"]))]
    out = [frames.MAGIC, *(frames.encode(number, payload) for number, payload in enumerate(pieces))]
    for batch in range(20):
        for number in range(10):
            row = 10 * batch + number
            out += [frames.encode(2 + row, messages.encode(RowPart(1, row, row, 1.0 + row, [row / 2])))] * (1 + row % 2)
        out.append(frames.encode(11 + 10 * batch, messages.encode(Mark("u", 0, 100 * batch, 100 * batch + 100, "run", 1.0))))
    end = frames.encode(500, messages.encode(End(9.0)))
    last = frames.encode(500, messages.encode(Mark("u", 0, 2000, 2050, "run", 1.0)))
    place = tmp_path / "run" / "metrics.h-0-u.mlog"
    place.parent.mkdir()
    place.write_bytes(b"".join([*out, end, last]))
    root, key = SafeRoot(tmp_path), "run/metrics.h-0-u.mlog"
    assert seal(root, key, served=False).reason == "a server is writing here"
    rows = RunDir(root, "run").refresh().rows()
    assert seal(root, key).reason == ""
    assert RunDir(root, "run").refresh().rows() == rows
    found = [messages.decode(item.payload) for item in frames.Scanner(place.read_bytes(), 8) if isinstance(item, frames.Frame)]
    assert [type(message) for message in found] == [Header, Keys, Block, End, Mark]
    assert isinstance(found[-1], Mark)
    assert (found[-1].lo, found[-1].hi) == (0, 2050)
    place.write_bytes(b"".join([*out, end]))
    assert seal(root, key).reason == "it holds records that were not acknowledged"


def test_names_that_change_under_a_number_stay_with_their_rows(tmp_path: Path) -> None:
    """A number given anew: rows before and after belong to their own names, sealed or not."""
    pieces = [messages.encode(Header("u", "run", 0, "h", 0, 1, 1.0))]
    for name in ("a", "b"):
        pieces.append(messages.encode(Keys(1, [name])))
        pieces += [messages.encode(RowPart(1, 100 * (name == "b") + row, row, 1.0, [float(row)])) for row in range(50)]
    pieces.append(messages.encode(End(9.0)))
    place = tmp_path / "run" / "metrics.h-0-u.mlog"
    place.parent.mkdir()
    place.write_bytes(frames.MAGIC + b"".join(frames.encode(number, payload) for number, payload in enumerate(pieces, 1)))
    expected = [{"a": float(row)} for row in range(50)] + [{"b": float(row)} for row in range(50)]
    assert RunDir(SafeRoot(tmp_path), "run").refresh().rows() == expected
    assert seal(SafeRoot(tmp_path), "run/metrics.h-0-u.mlog").reason == ""
    assert RunDir(SafeRoot(tmp_path), "run").refresh().rows() == expected
    with place.open("rb") as file:
        assert sum(1 for _ in JournalReader("x").poll(file)) == 4  # header, two sets of columns, end


def test_any_other_value_is_seen() -> None:
    """The check that a new file has to pass: the same records in another packing are the same, one bit is not."""
    rows = [(7 + n, RowPart(1, n, n if n % 5 else None, 1.0 + n, [n / 3, n, "x" if n % 7 else 2.0])) for n in range(50)]
    head = [(1, Header("u", "run", 0, "h", 0, 1, 1.0)), (2, Keys(1, ["a", "b", "c"]))]

    def sum_of(found: list[tuple[int, messages.Message]]) -> tuple[int, int]:
        data = frames.MAGIC + b"".join(frames.encode(sequence, messages.encode(message)) for sequence, message in found)
        return fingerprint(io.BytesIO(data), len(data), lambda: None)

    blocks = [(7, encode_block(*zip(*rows[:20], strict=True))), (27, encode_block(*zip(*rows[20:], strict=True)))]
    whole = sum_of([*head, *rows])
    assert whole == sum_of([*head, *blocks]) == sum_of([*head, *reversed(rows)]) == sum_of([*head, *rows, rows[3]])
    for at, values in ((3, [1.0, 4, "x"]), (3, [1, 3, "x"]), (3, [1.0, 3.0, "x"]), (3, [1.0, 3, "y"]), (0, [-0.0, 0, 2.0])):
        changed = list(rows)
        changed[at] = (rows[at][0], structs.replace(rows[at][1], values=values))
        assert sum_of([*head, *changed]) != whole, values
    for field, value in (("row", 90), ("step", 90), ("step", None), ("time", 90.0), ("sid", 2)):
        changed = list(rows)
        changed[9] = (rows[9][0], structs.replace(rows[9][1], **{field: value}))
        assert sum_of([*head, *changed]) != whole, field
    assert sum_of([*head, *rows[1:]]) != whole
    assert sum_of([*head[:1], (2, Keys(1, ["a", "b", "d"])), *rows]) != whole
