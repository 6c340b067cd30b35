"""From frames to a video file, through ffmpeg's binary as a package ships it. Knows no logger.

Frames may be an array N×H×W[×C], a list, or a generator; they are streamed, so that one frame is in memory at a time.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ml_logger.errors import MissingExtraError, UnsupportedValueError, UsageError
from ml_logger.media.images import to_array

_TO_YUV = ("-vf", "format=yuv420p")
_H264 = ("-c:v", "libx264", "-preset", "medium", "-crf", "23", *_TO_YUV)
FORMATS = {
    "mp4": (*_H264, "-movflags", "+faststart"),
    "mov": _H264,
    "mkv": _H264,
    "avi": _H264,
    "webm": ("-c:v", "libvpx-vp9", "-crf", "31", "-b:v", "0", "-row-mt", "1", *_TO_YUV),
    "gif": ("-filter_complex", "[0:v]split[a][b];[a]palettegen[p];[b][p]paletteuse", "-loop", "0"),
}
"""Suffixes and how ffmpeg is told to write them."""

_OPTIONS = {"codec": "-c:v", "bitrate": "-b:v", "crf": "-crf", "preset": "-preset", "pixelformat": "-pix_fmt"}
_NOT_NEEDED = {"macro_block_size", "ffmpeg_log_level", "mode"}


def encode(frames: Iterable[Any], path: Path, key: str, fps: float = 20, **options: Any) -> int:
    """Write `frames` to `path` (its suffix is the format) and return how many there were.

    Frames are H×W, H×W×1, ×3 or ×4: uint8, bool, or floats in [0, 1] (from −1 on, negative ones are black). Odd sizes are
    padded by one pixel where the format needs even ones. `options`: codec, bitrate, crf, preset, pixelformat, quality (0 … 10),
    output_params (a list for ffmpeg). Raises `UnsupportedValueError` that names the frame.
    """
    suffix = path.suffix.lstrip(".").lower()
    if suffix not in FORMATS:
        raise UnsupportedValueError(key, f"a .{suffix} file", f"use {', '.join(FORMATS)}")
    if not 0 < fps < 1e4:
        raise UnsupportedValueError(key, f"fps={fps!r}", "give frames a second")
    prepared = _prepared(frames, key, even=suffix != "gif")
    first = next(prepared, None)
    if first is None:
        raise UnsupportedValueError(key, "a video without frames", "give at least one frame")
    size = f"{first.shape[1]}x{first.shape[0]}"
    source = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", f"{fps:g}", "-i", "-")
    command = [_ffmpeg(), "-y", "-v", "error", *source, "-an", *FORMATS[suffix], *_chosen(options), str(path)]
    return _run(command, itertools.chain((first,), prepared), key)


def _ffmpeg() -> str:
    try:
        import imageio_ffmpeg
    except ImportError:
        raise MissingExtraError("video", "saving videos") from None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _run(command: list[str], frames: Iterator[Any], key: str) -> int:
    """Feed frames to ffmpeg; what it complains of, or a bad frame, ends it."""
    count = 0
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as ffmpeg,  # noqa: S603
    ):
        assert ffmpeg.stdin is not None
        try:
            for frame in frames:
                ffmpeg.stdin.write(frame.data)
                count += 1
            ffmpeg.stdin.close()
        except BrokenPipeError:
            _shut(ffmpeg.stdin)  # it has ended, and has said why
        except BaseException:
            ffmpeg.kill()
            _shut(ffmpeg.stdin)
            raise
        if ffmpeg.wait() != 0:
            said.seek(0)
            reason = said.read(2000).decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise UnsupportedValueError(key, f"a video whose frame {count} could not be encoded", reason)
    return count


def _shut(pipe: Any) -> None:
    """Close a pipe that nobody reads any more."""
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


def _chosen(options: dict[str, Any]) -> list[str]:
    """Return ffmpeg's arguments for what the caller chose; raises `UsageError` for an option that there is not."""
    more = [str(item) for item in options.pop("output_params", None) or ()]
    quality = options.pop("quality", None)
    if quality is not None:
        options.setdefault("crf", round(51 - 5.1 * float(quality)))
    unknown = set(options) - set(_OPTIONS) - _NOT_NEEDED
    if unknown:
        raise UsageError(f"save_video has no option {min(unknown)!r}; there are {', '.join(_OPTIONS)}, quality and output_params")
    pairs = [(_OPTIONS[name], str(value)) for name, value in options.items() if name in _OPTIONS and value is not None]
    return [*itertools.chain.from_iterable(pairs), *more]


def _prepared(frames: Iterable[Any], key: str, *, even: bool) -> Iterator[Any]:
    """Yield frames as H×W×3 uint8, contiguous, all of one size."""
    import numpy as np

    size: tuple[int, ...] = ()
    try:
        numbered = enumerate(frames)
    except TypeError:
        raise UnsupportedValueError(key, type(frames).__name__, "frames are an array N×H×W[×C], a list or a generator") from None
    for number, frame in numbered:
        picture = _frame(frame, key, number)
        size = size or tuple(picture.shape)
        if tuple(picture.shape) != size:
            raise UnsupportedValueError(
                key, f"frame {number} of {picture.shape[1]}×{picture.shape[0]}", f"all frames are {size[1]}×{size[0]}"
            )
        if even and (picture.shape[0] % 2 or picture.shape[1] % 2):
            picture = np.pad(picture, ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0)), mode="edge")
        yield np.ascontiguousarray(picture)


def _frame(frame: Any, key: str, number: int) -> Any:
    import numpy as np

    picture = to_array(frame, key, f"frame {number}, ")
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim != 3 or picture.shape[-1] not in (1, 3, 4) or 0 in picture.shape:
        raise UnsupportedValueError(key, f"frame {number} of shape {picture.shape}", "frames are H×W, H×W×1, ×3 or ×4")
    if picture.dtype.kind == "b":
        picture = picture.astype("u1") * 255
    elif picture.dtype.kind == "f":
        if not np.isfinite(picture).all():
            raise UnsupportedValueError(key, f"frame {number} with NaN or infinite values", "give finite numbers in [0, 1], or uint8")
        if picture.max() > 1 or picture.min() < -1:
            raise UnsupportedValueError(key, f"frame {number} with values outside of [-1, 1]", "scale floats to [0, 1], or give uint8")
        picture = np.rint(np.clip(picture, 0, 1) * 255).astype("u1")
    elif picture.dtype != np.uint8:
        if picture.min() < 0 or picture.max() > 255:
            raise UnsupportedValueError(key, f"frame {number} with values outside of 0 … 255", "give uint8, or floats in [0, 1]")
        picture = picture.astype("u1")
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture[..., :3]
