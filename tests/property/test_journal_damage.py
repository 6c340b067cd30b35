"""A journal cut or flipped at every byte gives back every frame that is undamaged, with the values that were logged."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_logger.formats import frames, messages
from ml_logger.formats.frames import Frame
from ml_logger.logger import ML_Logger
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.rundir import RunDir

CALLS = 6


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small journal of rows, parameters and text, as `log` wrote it."""
    root = tmp_path_factory.mktemp("root")
    logger = ML_Logger(root=str(root), prefix="run")
    logger.log_params(Args={"lr": 0.1}, silent=True)
    for i in range(CALLS):
        logger.log(step=i, loss=i / 8, name="x", silent=True)
    logger.log_line("text")
    logger.close()
    return next((root / "run").glob("*.mlog")).read_bytes()


def whole_frames(data: bytes) -> list[tuple[int, int, bytes]]:
    """Return (offset, end, payload) of each frame of an undamaged journal."""
    found = [item for item in frames.Scanner(data, len(frames.MAGIC)) if isinstance(item, Frame)]
    return [(frame.offset, frame.offset + frames.HEAD_SIZE + len(frame.payload), bytes(frame.payload)) for frame in found]


def test_a_cut_loses_only_what_is_behind_it(journal: bytes) -> None:
    whole = whole_frames(journal)
    assert len(whole) == CALLS + 6  # header, parameters, their table as text, keys, rows, text, end
    for size in range(len(frames.MAGIC), len(journal)):
        found = [bytes(item.payload) for item in frames.Scanner(journal[:size], len(frames.MAGIC)) if isinstance(item, Frame)]
        assert found == [payload for _, end, payload in whole if end <= size]


def test_a_flipped_byte_costs_one_frame(journal: bytes) -> None:
    whole = whole_frames(journal)
    for place in range(len(frames.MAGIC), len(journal)):
        damaged = bytearray(journal)
        damaged[place] ^= 0x41
        found = [bytes(item.payload) for item in frames.Scanner(bytes(damaged), len(frames.MAGIC)) if isinstance(item, Frame)]
        assert found == [payload for start, end, payload in whole if not start <= place < end]


def test_rows_around_the_damage_are_read_with_the_right_values(journal: bytes, tmp_path: Path) -> None:
    logged = [{"step": i, "loss": i / 8, "name": "x"} for i in range(CALLS)]
    keys_end = next(end for _, end, payload in whole_frames(journal) if isinstance(messages.decode(payload), messages.Keys))
    last = whole_frames(journal)[-1][0]  # a damaged last frame may as well be one that is being written
    place = tmp_path / "run" / "metrics.h-0-u.mlog"
    place.parent.mkdir()
    for at in range(keys_end, last, 7):
        damaged = bytearray(journal)
        damaged[at] ^= 0xFF
        place.write_bytes(damaged)
        run = RunDir(SafeRoot(tmp_path), "run").refresh()
        rows = run.rows()
        assert all(row in logged for row in rows)
        assert len(rows) >= CALLS - 1
        assert len(run.problems) == 1
        assert place.name in run.problems[0]
