"""Makes `root/`, a directory of format 1 as it must stay readable. Run it only for a new format: `python tests/golden/make_root.py`."""

from __future__ import annotations

import json
from pathlib import Path

from ml_logger.formats import frames, messages
from ml_logger.formats.blocks import encode_block
from ml_logger.formats.values import plain

RUN = Path(__file__).parent / "root" / "alice" / "golden"
WRITER = "0123456789abcdef0123456789abcdef"
TIME = 1_700_000_000.25
ROWS = [[0.5, 0], [float("nan"), 1], [float("inf"), -2], [1e-300, 2**62]]


def journal() -> list[messages.Message]:
    """Return one message of each kind that a writer or a server puts into a journal, in order."""
    block = [messages.RowPart(1, 5 + n, 50 + n, TIME + 5 + n, [0.25 * n, n]) for n in range(8)]
    return [
        messages.Header(WRITER, "alice/golden", 1, "host", 0, 42, TIME, version="0.1"),
        messages.Params({"lr": 0.1, "model": {"hidden": 64, "name": "mlp"}}, "alice/golden/parameters.pkl", TIME),
        messages.Keys(1, ["loss", "count"]),
        messages.Keys(2, ["note"]),
        *(messages.RowPart(1, row, 10 * row, TIME + row, values) for row, values in enumerate(ROWS)),
        messages.RowPart(2, 3, None, TIME + 3.5, ["a word"]),
        messages.RowPart(1, 3, 30, TIME + 3.75, [-1.5, 7]),
        messages.Text("hello\n", "alice/golden/outputs.log", False, TIME + 4),
        messages.Gap(12, 13, "a disk was full", TIME + 4.5),
        encode_block(range(20, 28), block),
        messages.Params({"big": plain(2**70), "lr": 0.2}, "alice/golden/parameters.pkl", TIME + 20),
        messages.File("alice/golden/weights.bin", "0" * 64, 3, TIME + 21, step=50),
        messages.Status("completed", TIME + 22),
        messages.Mark(WRITER, 1, 0, 4096, "alice/golden", TIME + 23),
        messages.End(TIME + 24),
    ]


def main() -> None:
    """Write the run; between two frames lie four bytes of damage."""
    RUN.mkdir(parents=True, exist_ok=True)
    data = frames.MAGIC
    for number, message in enumerate(journal(), 1):
        sequence = number if number < 14 else number + 14
        data += frames.encode(20 if isinstance(message, messages.Block) else sequence, messages.encode(message))
        if isinstance(message, messages.Text):
            data += b"\xde\xad\xbe\xef"
    (RUN / f"metrics.host-0-{WRITER}.mlog").write_bytes(data)
    (RUN / "run.json").write_text(json.dumps({"uuid": "f" * 32, "created": TIME, "host": "host"}))


if __name__ == "__main__":
    main()
