"""A spool that is full takes no more rows: they are counted, said and named by a gap; other records have a reserve; delivery makes room."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger.client import spool
from ml_logger.client.cap import RESERVE_BYTES, Cap, Room
from ml_logger.client.journal import Journal
from ml_logger.client.tails import punch
from ml_logger.formats import frames, messages


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    def places() -> Iterator[Path]:
        yield from (slot.path for slot in spool.slots_for("http://h:1", "run", str(tmp_path / "spool"), {}))

    journal = Journal("j.mlog", messages.Header("w", "run", 0, "host", 0, 1, 1.0), places, lambda *_: None, lambda _: None, spool.is_slot)
    yield journal
    journal.close()


class SmallCap(Cap):
    """One MiB for the journal, measured on the disk as the real one is."""

    def room(self, journal: Path) -> Room:
        used = spool.disk_bytes(journal)
        return Room((1 << 20) - used, used)


def fill(journal: Journal, rows: int, text: str = "x" * 10_000) -> None:
    shape = next((s for s in journal._shapes), None) or journal.shape("metrics.pkl", ("text",), ())
    for row in range(rows):
        journal.append_row(shape, row, None, time.time(), [text])


def gaps(path: Path) -> list[Any]:
    found = [item for item in frames.Scanner(path.read_bytes(), len(frames.MAGIC)) if isinstance(item, frames.Frame)]
    return [message for item in found if isinstance(message := messages.decode(item.payload), messages.Gap)]


def named(path: Path) -> int:
    """Return how many records the gaps of a journal name; each once."""
    lost = [number for gap in gaps(path) for number in range(gap.first, gap.last + 1)]
    assert len(set(lost)) == len(lost)
    return len(lost)


def test_who_is_killed_has_named_what_it_lost(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gap so far is written while rows are dropped: after 0, 1, 3, 7 … s, and each minute at last. 60 bytes each."""
    journal._cap = SmallCap()
    now = time.monotonic()
    monkeypatch.setattr("ml_logger.client.journal.monotonic", lambda: now)
    fill(journal, 150)
    assert journal.file is not None
    dropped = journal.dropped
    assert (named(journal.file.path), dropped > 30) == (1, True)
    now += 1.1
    fill(journal, 1)
    assert named(journal.file.path) == dropped + 1
    size = journal.file.size
    for _ in range(600):
        now += 1
        fill(journal, 1)
    assert named(journal.file.path) > dropped + 500
    assert journal.file.size - size < 2000


def test_rows_over_the_bound_are_counted_and_said(journal: Journal, capfd: pytest.CaptureFixture[str]) -> None:
    journal._cap = SmallCap()
    fill(journal, 300)  # 3 MB
    assert journal.dropped > 150
    assert journal.accepted == journal.journaled + journal.dropped == 300
    assert journal.file is not None
    assert journal.file.size < (1 << 20) + (128 << 10)
    said = capfd.readouterr().err.splitlines()
    assert [line.partition(": ")[2].partition(";")[0] for line in said] == [
        f"{journal.file.path.parent} holds 1 MiB that wait",
        "the spool is full: 1 record is lost so far",
    ]


def test_other_records_have_a_reserve_and_name_the_gap(journal: Journal) -> None:
    journal._cap = SmallCap()
    fill(journal, 150)
    dropped = journal.dropped
    assert dropped
    journal.append(messages.Params({"lr": 0.1}, "parameters.pkl", 1.0))
    assert journal.file is not None
    assert named(journal.file.path) == dropped
    assert {gap.reason for gap in gaps(journal.file.path)} == {"the spool is full"}
    for _ in range(300):
        journal.append(messages.Text("y" * 10_000, "outputs.log", False, 1.0))
    assert journal.file.size < (1 << 20) + RESERVE_BYTES + (128 << 10)
    assert journal.accepted == journal.journaled + journal.dropped == 451


def test_delivered_bytes_make_room(journal: Journal) -> None:
    journal._cap = SmallCap()
    fill(journal, 150)
    dropped = journal.dropped
    assert journal.file is not None
    if not punch(journal.file.path, 1 << 16, journal.file.size - (1 << 16)):
        pytest.skip("no holes in files here")
    journal._check_at = 0.0  # the next second
    fill(journal, 20)
    assert journal.dropped == dropped
    assert named(journal.file.path) == dropped - 1  # the first one was named in what was delivered


def test_the_spool_is_bounded_for_all_runs_together(tmp_path: Path) -> None:
    spools = str(tmp_path / "spool")
    mine, other, theirs = (next(spool.slots_for("http://h:1", run, spools, {})).path / "j.mlog" for run in ("run", "run", "another"))
    for path, size in ((mine, 9 << 20), (other, 3 << 20), (theirs, 5 << 20)):
        path.write_bytes(b"z" * size)
    room = Cap().room(mine)
    assert room.used >> 20 == 9
    assert abs(room.left - (spool.RUN_CAP_BYTES - (12 << 20))) < 1 << 16, "the run's two journals count, the other run's does not"
    assert spool.is_slot(mine.parent)
    assert not spool.is_slot(tmp_path)
