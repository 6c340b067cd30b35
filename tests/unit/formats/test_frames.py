"""A frame's head alone, and the limits of what is a frame; whole journals and damage are in tests/property."""

from __future__ import annotations

import pytest

from ml_logger.formats import frames
from ml_logger.formats.frames import Damage, Frame, Scanner, encode, sequence_at, size_at

FRAME = encode(7, b"payload")


@pytest.mark.parametrize("before", [b"", b"\x00", FRAME])
def test_a_head_says_size_and_sequence(before: bytes) -> None:
    at = len(before)
    assert size_at(before + FRAME, at) == len(FRAME) == frames.HEAD_SIZE + 7
    assert sequence_at(before + FRAME, at) == 7
    assert size_at(before + FRAME[: frames.HEAD_SIZE], at) == len(FRAME), "its payload may still be under way"
    assert sequence_at(before + FRAME[: frames.HEAD_SIZE], at) == 7


@pytest.mark.parametrize("data", [b"", FRAME[: frames.HEAD_SIZE - 1], b"x" + FRAME, FRAME[:3] + b"x" + FRAME[4:], bytes(40)])
def test_where_no_head_is_there_is_neither(data: bytes) -> None:
    assert size_at(data, 0) is None
    assert sequence_at(data, 0) is None


def test_a_payload_longer_than_the_most_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (frames.VERSION, frames.MAX_PAYLOAD) == (1, 256 * 1024 * 1024), "what other releases read by"
    monkeypatch.setattr(frames, "MAX_PAYLOAD", 7)
    scanned = Scanner(FRAME + encode(8, b"payload+") + FRAME)
    assert [type(found) for found in scanned] == [Frame, Damage, Frame]


def test_sequences_end_at_63_bits() -> None:
    most = (1 << 63) - 1
    assert [frame.sequence for frame in Scanner(encode(most, b"x")) if isinstance(frame, Frame)] == [most]
    assert list(Scanner(encode(most + 1, b"x"))) == []
    assert [str(found[2]) for found in Scanner(encode(most + 1, b"x") + FRAME) if isinstance(found, Damage)] == [
        f"sequence {most + 1} is out of range"
    ]


HURT = FRAME[:-1] + b"x"


@pytest.mark.parametrize(
    ("hurt", "reason"),
    [
        (b"x", "no sync marker"),
        (FRAME[1:], "no sync marker"),
        (HURT, "checksum differs"),
        (encode(1, bytes(1000))[: frames.HEAD_SIZE], "incomplete: 1000 bytes announced"),
        (frames.SYNC, "incomplete: 1179405761 bytes announced"),
        (frames.SYNC + HURT, "incomplete: 1179405761 bytes announced"),
    ],
)
@pytest.mark.parametrize("before", [b"", FRAME])
def test_damage_says_where_and_why(before: bytes, hurt: bytes, reason: str) -> None:
    at = len(before)
    scanner = Scanner(before + hurt + FRAME + FRAME[:-1], start=at)
    assert list(scanner) == [Damage(at, at + len(hurt), reason), Frame(at + len(hurt), 7, memoryview(b"payload"))]
    assert scanner.end == at + len(hurt) + len(FRAME), "a write that is under way is no damage"


def test_the_shortest_frame() -> None:
    scanner = Scanner(encode(0, b"") + encode(1, b""))
    assert [(frame.offset, frame.sequence) for frame in scanner if isinstance(frame, Frame)] == [(0, 0), (frames.HEAD_SIZE, 1)]
    assert scanner.end == 2 * frames.HEAD_SIZE
