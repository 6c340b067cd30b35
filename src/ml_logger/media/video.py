"""From frames to a video file, through ffmpeg's binary as a package ships it. Knows no logger.

Frames may be an array N×H×W[×C], a list, or a generator; they are streamed, so that one frame is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ml_logger.errors import MissingExtraError, UnsupportedValueError
from ml_logger.media.images import to_array

FORMATS = ("mp4", "gif", "webm", "mov", "mkv", "avi")
_CODECS = {"webm": "libvpx-vp9", "gif": "gif"}


def encode(frames: Iterable[Any], path: Path, key: str, fps: float = 20, **options: Any) -> int:
    """Write `frames` to `path` (its suffix is the format) and return how many there were.

    Frames are H×W, H×W×1, ×3 or ×4: uint8, bool, or floats in [0, 1] (from −1 on, negative ones are black). Odd sizes are
    padded by one pixel where the format needs even ones. Raises `UnsupportedValueError` that names the frame.
    """
    try:
        import imageio_ffmpeg
    except ImportError:
        raise MissingExtraError("video", "saving videos") from None
    suffix = path.suffix.lstrip(".").lower()
    if suffix not in FORMATS:
        raise UnsupportedValueError(key, f"a .{suffix} file", f"use {', '.join(FORMATS)}")
    prepared = _prepared(frames, key, even=suffix != "gif")
    first = next(prepared, None)
    if first is None:
        raise UnsupportedValueError(key, "a video without frames", "give at least one frame")
    size = (first.shape[1], first.shape[0])
    writer = imageio_ffmpeg.write_frames(str(path), size, fps=fps, **_options(suffix, options))
    count = 0
    try:
        writer.send(None)
        for frame in _chain(first, prepared):
            writer.send(frame)
            count += 1
    finally:
        writer.close()
    if not path.is_file() or not path.stat().st_size:
        raise UnsupportedValueError(key, f"{count} frames of {size[0]}×{size[1]}", "ffmpeg could not encode them")
    return count


def _options(suffix: str, options: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {"macro_block_size": 1, "ffmpeg_log_level": "error", **options}
    if suffix in _CODECS:
        chosen.setdefault("codec", _CODECS[suffix])
    if suffix == "gif":
        chosen.setdefault("pix_fmt_out", "rgb8")
        palette = "[0:v] split [a][b]; [a] palettegen [p]; [b][p] paletteuse"
        chosen.setdefault("output_params", ["-filter_complex", palette])
        chosen.pop("pix_fmt_out")
        chosen["pix_fmt_out"] = "pal8"
    elif suffix in ("mp4", "mov", "mkv"):
        chosen.setdefault("output_params", ["-preset", "medium", "-crf", "23", "-movflags", "+faststart"] if suffix == "mp4" else [])
        chosen.setdefault("quality", None)
    return chosen


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _prepared(frames: Iterable[Any], key: str, *, even: bool) -> Iterator[Any]:
    """Yield frames as H×W×3 uint8, contiguous, all of one size."""
    import numpy as np

    size: tuple[int, ...] | None = None
    for number, frame in enumerate(frames):
        picture = _frame(frame, key, number)
        size = size or picture.shape
        if picture.shape != size:
            raise UnsupportedValueError(
                key, f"frame {number} of {picture.shape[1]}×{picture.shape[0]}", f"all frames are {size[1]}×{size[0]}"
            )
        if even and (picture.shape[0] % 2 or picture.shape[1] % 2):
            picture = np.pad(picture, ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0)), mode="edge")
        yield np.ascontiguousarray(picture)


def _frame(frame: Any, key: str, number: int) -> Any:
    import numpy as np

    picture = to_array(frame, key)
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim != 3 or picture.shape[-1] not in (1, 3, 4) or 0 in picture.shape:
        raise UnsupportedValueError(key, f"frame {number} of shape {picture.shape}", "frames are H×W, H×W×1, ×3 or ×4")
    if picture.dtype.kind == "b":
        picture = picture.astype("u1") * 255
    elif picture.dtype.kind == "f":
        if not np.isfinite(picture).all() or picture.max() > 1 or picture.min() < -1:
            raise UnsupportedValueError(key, f"frame {number} with values outside of [-1, 1]", "scale floats to [0, 1], or give uint8")
        picture = np.rint(np.clip(picture, 0, 1) * 255).astype("u1")
    elif picture.dtype != np.uint8:
        if picture.min() < 0 or picture.max() > 255:
            raise UnsupportedValueError(key, f"frame {number} with values outside of 0 … 255", "give uint8, or floats in [0, 1]")
        picture = picture.astype("u1")
    return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture[..., :3]
