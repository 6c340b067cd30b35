"""Videos of every kind of frame and format, encoded before they are sent; a bad frame is named."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import UnsupportedValueError

Fails = Callable[..., Exception]


RNG = np.random.default_rng(7)


def files_logged(logger: ML_Logger) -> list[dict[str, Any]]:
    """Return what the journal says of files: path, step, kind, size, meta."""
    from ml_logger.queries import ReadRecords

    records = logger.session.ask(ReadRecords(logger.session.run)).records
    return [record.data for record in records if record.kind == "file"]


def decoded(data: bytes, suffix: str, folder: Path) -> tuple[np.ndarray, float]:
    """Return the frames of a video, and frames a second, as ffmpeg itself reads them."""
    import imageio_ffmpeg

    path = folder / f"check.{suffix}"
    path.write_bytes(data)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    said = re.search(rb"Stream.*Video.* (\d+)x(\d+).* ([\d.]+) fps", done.stderr)
    assert said, done.stderr
    return np.frombuffer(done.stdout, "u1").reshape(-1, int(said[2]), int(said[1]), 3), float(said[3])


def test_s22_s45_a_video_of_five_frames(logger: ML_Logger, tmp_path: Path) -> None:
    face = np.repeat(np.repeat(RNG.integers(0, 256, (6, 8, 3), "u1"), 8, 0), 8, 1)
    assert logger.save_video([face] * 5, "videos/face.mp4") == logger.session.key("videos/face.mp4")
    logger.log_video([face] * 5, "logged")
    for name in ("videos/face.mp4", "logged.mp4"):
        frames, fps = decoded(logger.load_file(name).getvalue(), "mp4", tmp_path)
        assert (frames.shape, fps) == ((5, 48, 64, 3), 20)
        assert np.abs(frames.astype(int) - face).mean() < 20


def im(x: int, y: int) -> np.ndarray:
    canvas = np.zeros((200, 200))
    for i in range(200):
        for j in range(200):
            if x - 5 < i < x + 5 and y - 5 < j < y + 5:
                canvas[i, j] = 1
    return canvas


def test_s43_s44_videos_are_encoded_before_they_are_sent(logger: ML_Logger) -> None:
    frames = [im(100 + i, 80) for i in range(20)]
    logger.log_video(frames, "test_video.mp4")
    size = len(logger.load_file("test_video.mp4").getvalue())
    assert sum(frame.nbytes for frame in frames) / size >= 2000
    (file,) = files_logged(logger)
    assert file["size"] == size  # what went over the wire is the encoded file


def kinds_of_frames() -> Iterator[Any]:
    ramp = np.linspace(0, 1, 3 * 32 * 48).reshape(3, 32, 48)
    yield pytest.param(ramp, id="float64")
    yield pytest.param(ramp.astype("f4"), id="float32")
    yield pytest.param((ramp * 255).astype("u1"), id="uint8")
    yield pytest.param(ramp > 0.5, id="bool")
    yield pytest.param((ramp * 255).astype("i8"), id="int64")
    yield pytest.param(ramp[..., None], id="one channel")
    yield pytest.param(np.stack([ramp] * 3, -1), id="colour")
    yield pytest.param(np.stack([ramp] * 4, -1), id="alpha")
    yield pytest.param(list(ramp), id="list")
    yield pytest.param((frame for frame in ramp), id="generator")


@pytest.mark.parametrize("frames", list(kinds_of_frames()))
def test_frames_of_every_kind(tmp_path: Path, frames: Any) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    logger.save_video(frames, "a.mp4")
    found, _ = decoded(logger.load_file("a.mp4").getvalue(), "mp4", tmp_path)
    assert found.shape == (3, 32, 48, 3)
    assert found[0].mean() + 20 < found[2].mean()


@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif", "mov"])
@pytest.mark.parametrize("shape", [(33, 47), (1, 1), (2, 3)])
def test_formats_and_odd_sizes(tmp_path: Path, suffix: str, shape: tuple[int, int]) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    logger.save_video(np.full((4, *shape, 3), 128, "u1"), f"a.{suffix}", fps=10)
    found, fps = decoded(logger.load_file(f"a.{suffix}").getvalue(), suffix, tmp_path)
    assert fps == pytest.approx(10, abs=0.1)
    assert len(found) == 4
    assert abs(found.shape[1] - shape[0]) <= 1
    assert abs(found.shape[2] - shape[1]) <= 1
    assert abs(float(found.mean()) - 128) < 6


def test_gifs_repeat(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path)
    logger.save_video(RNG.integers(0, 256, (3, 16, 16, 3), "u1"), "a", format="gif")
    assert b"NETSCAPE2.0" in logger.load_file("a.gif").getvalue()


def test_videos_that_cannot_be(tmp_path: Path, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path)
    good = np.zeros((4, 4, 3))
    for frames, named in (
        ([good, good, np.zeros((4, 6, 3))], "frame 2"),
        ([good, np.full((4, 4), 3.0)], "frame 1"),
        ([good, np.full((4, 4, 3), np.nan)], "frame 1"),
        ([np.zeros((4, 4, 5))], "frame 0"),
        ([good, "text"], "frame 1"),
        ([], "without frames"),
        (5, "frames"),
    ):
        error = fails(logger.save_video, frames, "bad.mp4")
        assert type(error) is UnsupportedValueError
        assert named in str(error), named
    assert ".xyz" in str(fails(logger.save_video, [good], "bad.xyz"))
    assert not logger.glob("bad*")


def test_make_video_works_here(logger: ML_Logger, tmp_path: Path) -> None:
    for n in range(3):
        logger.save_image(np.full((16, 16, 3), 60 * n + 60, "u1"), f"frames/{n:02d}.png")
    assert logger.make_video("frames/*.png", "up.mp4") == logger.session.key("up.mp4")
    logger.make_video("*.png", "down.mp4", wd="frames", order="descending")
    logger.make_video(["frames/02.png", "frames/00.png"], "listed.mp4")
    for name, levels in (("up", [60, 120, 180]), ("down", [180, 120, 60]), ("listed", [180, 60])):
        found, _ = decoded(logger.load_file(f"{name}.mp4").getvalue(), "mp4", tmp_path)
        assert [round(float(frame.mean()) / 20) * 20 for frame in found] == levels
    assert logger.make_video("none/*.png", "none.mp4") is None
