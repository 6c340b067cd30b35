"""Journal bytes become batches that say the same, wherever they are cut."""

from __future__ import annotations

import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ml_logger.client.packing import LARGE_FILE, Packer, body_of
from ml_logger.formats import columns, frames, messages
from ml_logger.formats.messages import Block, Clear, File, Header, Keys, Mark, Params, RowPart

HEADER = Header("a" * 32, "run", 0, "h", 0, 1, 0.0)


def journal(found: list[messages.Message]) -> bytes:
    return frames.MAGIC + b"".join(frames.encode(n, messages.encode(m)) for n, m in enumerate(found, 1))


def unpacked(data: bytes) -> list[tuple[int, messages.Message]]:
    """Return (sequence, message) of frames, blocks opened, in the order of sequences."""
    out: list[tuple[int, messages.Message]] = []
    for item in frames.Scanner(data):
        assert isinstance(item, frames.Frame)
        message = messages.decode(item.payload)
        assert message is not None
        out += columns.parts_of(message) if isinstance(message, Block) else [(item.sequence, message)]
    return sorted(out, key=lambda pair: pair[0])


rows = st.builds(
    lambda sid, row, step, values: RowPart(sid, row, step, row * 0.5, values),
    st.integers(1, 3), st.integers(0, 100), st.none() | st.integers(-5, 5), st.lists(st.floats(allow_nan=False), min_size=2, max_size=2),
)  # fmt: skip
others = st.sampled_from([Keys(1, ["a", "b"]), Params({"a": 1}, "p", 0.0), Clear("x", 1, 0.0), messages.Text("t", "o", False, 0.0)])


@given(st.lists(rows | others, min_size=1, max_size=60), st.integers(0, 20), st.data())
def test_batches_say_what_the_journal_says(found: list[messages.Message], most: int, data: st.DataObject) -> None:
    raw = journal([HEADER, *found])
    packer, at, got = Packer(), 0, []
    while at < len(raw):
        stop = data.draw(st.integers(at + 1, len(raw)))
        batch = packer.pack(raw[at:stop], at, final=False, most=most)
        if batch is None:
            batch = packer.pack(raw[at:], at, final=False, most=most)
        assert batch is not None
        assert batch.lo == at < batch.hi
        assert batch.damaged == 0
        sequences = [item.sequence for item in frames.Scanner(batch.frames) if isinstance(item, frames.Frame)]
        assert sequences == sorted(sequences)
        got += unpacked(batch.frames)
        assert batch.last == got[-1][0]
        at = batch.hi
    assert got == list(enumerate([HEADER, *found], 1))


def test_interleaved_tables_become_one_block_each() -> None:
    found = [HEADER, Keys(1, ["a"]), Keys(2, ["b"])] + [RowPart(1 + n % 2, n, n, 0.0, [float(n)]) for n in range(100)]
    batch = Packer().pack(journal(found), 0, final=False)
    assert batch is not None
    kinds = [type(messages.decode(item.payload)) for item in frames.Scanner(batch.frames) if isinstance(item, frames.Frame)]
    assert kinds == [Header, Keys, Keys, Block, Block]
    assert (batch.records, batch.frames_taken) == (100, 103)


def test_a_large_file_begins_a_batch() -> None:
    small, large = File("a", "0" * 64, 10, 0.0), File("b", "1" * 64, LARGE_FILE + 1, 0.0)
    raw = journal([HEADER, small, large, small])
    packer = Packer()
    first = packer.pack(raw, 0, final=False)
    assert first is not None
    assert [file.path for _, file in first.files] == ["a"]
    second = packer.pack(raw[first.hi :], first.hi, final=False)
    assert second is not None
    assert [(sequence, file.path) for sequence, file in second.files] == [(3, "b"), (4, "a")]


def test_torn_end_and_damage() -> None:
    raw = journal([HEADER, Params({}, "p", 0.0)])
    torn = raw + frames.encode(9, messages.encode(HEADER))[:-3]
    waiting = Packer().pack(torn, 0, final=False)
    assert waiting is not None
    assert (waiting.hi, waiting.damaged) == (len(raw), 0)
    final = Packer().pack(torn, 0, final=True)
    assert final is not None
    assert (final.hi, final.damaged) == (len(torn), len(torn) - len(raw))
    damaged = bytearray(raw + frames.encode(3, messages.encode(HEADER)))
    damaged[len(raw) - 1] ^= 1
    batch = Packer().pack(bytes(damaged), 0, final=False)
    assert batch is not None
    assert batch.damaged > 0
    assert batch.hi == len(damaged)


def test_the_body_is_a_mark_and_the_frames() -> None:
    batch = Packer().pack(journal([HEADER, Params({}, "p", 0.0)]), 0, final=False)
    assert batch is not None
    raw = zstandard.decompress(body_of(batch, 100, HEADER, b"", 5.0))
    first = next(iter(frames.Scanner(raw)))
    assert isinstance(first, frames.Frame)
    assert (first.sequence, messages.decode(first.payload)) == (2, Mark("a" * 32, 0, 100, 100 + batch.hi, "run", 5.0))
