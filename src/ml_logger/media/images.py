"""From arrays to pictures: shapes, ranges, grids, colour maps, and the bytes of an image file. Knows no logger."""

from __future__ import annotations

import io
import math
import struct
import zlib
from typing import Any

from ml_logger.errors import MissingExtraError, UnsupportedValueError

Normalize = Any
"""None, True or "individual" (each picture its own range), "grid" (all together), or (low, high)."""


def to_array(value: Any, key: str, what: str = "", hint: str = "give numbers, H×W, H×W×1, H×W×3 or H×W×4") -> Any:
    """Return `value` (NumPy, torch, JAX, TensorFlow, a list, a PIL image) as a NumPy array of numbers; errors begin with `what`."""
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise UnsupportedValueError(key, f"{what}{type(value).__name__}", f"give an array of numbers: {error}") from error
    if array.dtype.kind not in "buif":
        kind = f"array of {array.dtype}" if array.ndim else type(value).__name__
        raise UnsupportedValueError(key, what + kind, hint)
    return array


def to_stack(value: Any, key: str) -> Any:
    """Return pictures as N×H×W×C with C 1, 3 or 4; accepts N×H×W, N×H×W×C, and lists of such pictures of one size."""
    import numpy as np

    if isinstance(value, (list, tuple)):
        value = [to_array(item, key) for item in value]
        if len({item.shape for item in value}) > 1:
            raise UnsupportedValueError(key, "a list of pictures of different sizes", "give pictures of one size")
        value = np.stack(value) if value else np.zeros((0, 1, 1))
    stack = to_array(value, key)
    if stack.ndim == 3:
        stack = stack[..., None]
    if stack.ndim and not len(stack):
        raise UnsupportedValueError(key, "no picture", "give at least one")
    if stack.ndim != 4 or stack.shape[-1] not in (1, 3, 4) or 0 in stack.shape:
        raise UnsupportedValueError(key, f"an array of shape {stack.shape}", "pictures are N×H×W, N×H×W×1, ×3 or ×4")
    return stack


def to_pixels(stack: Any, key: str, normalize: Normalize = None, value_range: Any = (0, 1), dtype: Any = "uint8") -> Any:
    """Return N×H×W×C as unsigned integers of `dtype` (uint8 or uint16).

    Integers of that size are kept; booleans are black and white; floats are clipped to `value_range` and scaled;
    with `normalize` the pictures' own range is used instead. NaN becomes the lowest value.
    """
    import numpy as np

    target = np.dtype(dtype)
    if target not in (np.dtype("u1"), np.dtype("u2")):
        raise UnsupportedValueError(key, f"pixels of {target}", "dtype is uint8 or uint16")
    top = float(np.iinfo(target).max)
    if normalize is None and stack.dtype.kind in "ui" and not (stack.dtype.kind == "i" and stack.size and stack.min() < 0):
        if stack.dtype == target:
            return stack
        return (
            np.clip(stack, 0, top).astype(target)
            if stack.dtype.itemsize >= target.itemsize
            else (stack.astype(target) * 257).astype(target)
        )
    low, high = _range(stack.astype("f8"), key, normalize, value_range if stack.dtype.kind != "b" else (0, 1))
    span = np.where(high - low > 0, high - low, 1.0)
    scaled = np.clip(
        (np.nan_to_num(stack.astype("f8"), nan=float(np.min(low)), posinf=float(np.max(high)), neginf=float(np.min(low))) - low) / span,
        0,
        1,
    )
    return np.rint(scaled * top).astype(target)


def _range(stack: Any, key: str, normalize: Normalize, value_range: Any) -> tuple[Any, Any]:
    import numpy as np

    if normalize is None or normalize is False:
        low, high = value_range
    elif normalize is True or normalize == "individual":
        flat = np.where(np.isfinite(stack), stack, np.nan).reshape(len(stack), -1)
        low, high = np.fmin.reduce(flat, axis=1), np.fmax.reduce(flat, axis=1)
        return low.reshape(-1, 1, 1, 1), high.reshape(-1, 1, 1, 1)
    elif normalize == "grid":
        finite = stack[np.isfinite(stack)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    elif isinstance(normalize, (tuple, list)) and len(normalize) == 2:
        low, high = normalize
    else:
        raise UnsupportedValueError(key, f"normalize={normalize!r}", 'choose None, True, "individual", "grid" or (low, high)')
    return np.float64(low), np.float64(high)


def colored(pixels: Any, cmap: str | None, key: str) -> Any:
    """Return grey N×H×W×1 pixels in the colours of `cmap` (any of matplotlib's; gray and Greys need none)."""
    import numpy as np

    if cmap in (None, "gray", "grey") or pixels.shape[-1] != 1:
        return pixels
    top = np.iinfo(pixels.dtype).max
    if cmap in ("Greys", "gray_r", "binary"):
        return top - pixels
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtraError("plots", f"the colour map {cmap!r}") from None
    if cmap not in mpl.colormaps:
        raise UnsupportedValueError(key, f"cmap={cmap!r}", "that is no colour map of matplotlib")
    rgb = mpl.colormaps[cmap](pixels[..., 0] / top)[..., :3]
    return np.rint(rgb * top).astype(pixels.dtype)


def grid(stack: Any, key: str, n_rows: int | None = None, n_cols: int | None = None, background: float = 1) -> Any:
    """Return pictures N×H×W×C side by side as one, row by row; missing cells have the `background` (0 … 1)."""
    import numpy as np

    n, h, w, c = stack.shape
    for name, number in (("n_rows", n_rows), ("n_cols", n_cols)):
        if number is not None and number < 1:
            raise UnsupportedValueError(key, f"{name}={number}", "a grid has at least one row and one column")
    if n_rows is not None and n_cols is not None and n > n_rows * n_cols:
        raise UnsupportedValueError(key, f"{n} pictures for {n_rows * n_cols} cells", "give more rows or columns, or fewer pictures")
    if n_rows is None and n_cols is None:
        n_cols = math.ceil(math.sqrt(max(n, 1)))
    if n_cols is None:
        n_cols = math.ceil(max(n, 1) / max(int(n_rows or 1), 1))
    if n_rows is None:
        n_rows = math.ceil(max(n, 1) / max(n_cols, 1))
    top = np.iinfo(stack.dtype).max
    cells = np.full((n_rows * n_cols, h, w, c), round(background * top) if background <= 1 else min(background, top), stack.dtype)
    cells[:n] = stack
    return cells.reshape(n_rows, n_cols, h, w, c).transpose(0, 2, 1, 3, 4).reshape(n_rows * h, n_cols * w, c)


def encode(picture: Any, suffix: str, key: str) -> bytes:
    """Return H×W×C pixels as the bytes of an image file; `suffix` (png, jpg, webp, tif, bmp, gif …) chooses the format."""
    suffix = suffix.lower().lstrip(".")
    if picture.dtype.itemsize == 2:
        if suffix != "png":
            raise UnsupportedValueError(key, f"16 bits in a .{suffix} file", "use .png")
        return png(picture)
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("images", "saving pictures") from None
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    name = Image.registered_extensions().get(f".{suffix}")
    if name is None or name not in Image.SAVE:
        raise UnsupportedValueError(key, f"a .{suffix} file", "use png, jpg, webp, tif, bmp or gif")
    out = io.BytesIO()
    (image.convert("RGB") if name == "JPEG" and image.mode == "RGBA" else image).save(out, name)
    return out.getvalue()


def png(picture: Any) -> bytes:
    """Return H×W×C pixels of 8 or 16 bits as a PNG: 16 bits of colour are what image libraries for Python do not write."""
    h, w, c = picture.shape
    depth = 8 * picture.dtype.itemsize
    raw = picture.astype(picture.dtype.newbyteorder(">")).tobytes()
    stride = len(raw) // max(h, 1)
    lines = b"".join(b"\x00" + raw[at : at + stride] for at in range(0, len(raw), max(stride, 1)))
    header = struct.pack(">IIBBBBB", w, h, depth, {1: 0, 3: 2, 4: 6}[c], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + body
