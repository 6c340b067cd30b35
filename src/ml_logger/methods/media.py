"""Pictures, videos, figures, sounds and tables: encoded here, on the client, then stored as files of the run."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ml_logger.console import say
from ml_logger.errors import MissingExtraError, UnsupportedValueError
from ml_logger.media import images, sound, table, video
from ml_logger.methods.base import Methods, as_name
from ml_logger.queries import Glob
from ml_logger.records import File

MOST_NAMES = 1000
"""The steps of so many media are remembered, to tell of those that are replaced."""
_ORDERS = ("ascending", 1, "descending", -1)


class MediaMethods(Methods):
    """What people look at."""

    __slots__ = ()

    def _put_media(self, key: str, data: bytes, kind: str, step: int | None, meta: dict[str, Any] | None = None) -> str:
        path = self._key(key)
        self._tell_if_replaced(path, key, step)
        self.session.emit(File(path, data=data, kind=kind, step=step, meta=meta or {}))
        return path

    def _tell_if_replaced(self, path: str, key: str, step: int | None) -> None:
        """Say, once a name, that what was saved under it for another step is replaced: who gives steps expects to see all of them."""
        if step is None:
            return
        steps: dict[str, int | None] = self.session.state.setdefault("media_steps", {})
        before = steps.setdefault(path, step)
        if len(steps) > MOST_NAMES:  # who gives each step a name of its own has a million of them
            steps.pop(next(iter(steps)), None)
        if before is None or before == step:
            return
        steps[path] = None  # told
        stem, dot, suffix = key.rpartition(".")
        each = f"{stem}-{{step}}{dot}{suffix}" if dot else f"{key}-{{step}}"
        say(f"{key} of step {step} replaces that of step {before}; to keep each put the step into the name: f'{each}'")

    # ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────

    def save_images(
        self,
        stack: Any,
        key: str,
        n_rows: int | None = None,
        n_cols: int | None = None,
        cmap: str | None = None,
        normalize: images.Normalize = None,
        value_range: Any = (0, 1),
        background: float = 1,
        dtype: Any = "uint8",
        step: int | None = None,
        **_: Any,
    ) -> str:
        """Save pictures N×H×W[×1, ×3, ×4] as one grid at `key` (no suffix: .png) and return its path.

        Floats are scaled from `value_range`, or from their own range with `normalize` (True, "individual", "grid" or
        (low, high)); integers are kept. `cmap` colours grey pictures. `step` places it in the media view; default: the open row's.
        """
        key = as_name(key)
        pixels = images.to_pixels(images.to_stack(stack, key), key, normalize, value_range, dtype)
        picture = images.grid(images.colored(pixels, cmap, key), key, n_rows, n_cols, background)
        key = key if Path(key).suffix else f"{key}.png"
        data = images.encode(picture, Path(key).suffix, key)
        return self._put_media(key, data, "image", step, {"width": picture.shape[1], "height": picture.shape[0]})

    def save_image(
        self,
        image: Any,
        key: str,
        cmap: str | None = None,
        normalize: images.Normalize = None,
        value_range: Any = (0, 1),
        dtype: Any = "uint8",
        step: int | None = None,
        **_: Any,
    ) -> str:
        """Save one picture H×W, H×W×1, ×3 or ×4 at `key`; options as for `save_images`."""
        key = as_name(key)
        array = images.to_array(image, key)
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[-1] not in (1, 3, 4)) or 0 in array.shape:
            first = "; channels that come first are moved by transpose(1, 2, 0)" if array.ndim == 3 and array.shape[0] in (1, 3, 4) else ""
            raise UnsupportedValueError(key, f"an array of shape {array.shape}", f"a picture is H×W, H×W×1, H×W×3 or H×W×4{first}")
        return self.save_images(array[None], key, 1, 1, cmap, normalize, value_range, dtype=dtype, step=step)

    log_image = save_image
    log_images = save_images

    # ── videos ───────────────────────────────────────────────────────────────────────────────────────────────────

    def save_video(
        self, frames: Iterable[Any], key: str, format: str | None = None, fps: float = 20, step: int | None = None, **options: Any
    ) -> str:
        """Save frames (an array N×H×W[×C], a list or a generator) as a video at `key` and return its path.

        The suffix (mp4, gif, webm, mov; default mp4), or `format`, chooses the container. Frames are uint8, bool or floats in [0, 1].
        It is encoded before it is stored or sent. `options`: codec, bitrate, crf, preset, pixelformat, quality, output_params.
        """
        key = as_name(key)
        suffix = (format or Path(key).suffix or "mp4").lstrip(".")
        key = key if Path(key).suffix else f"{key}.{suffix}"
        path = self._key(key)
        with tempfile.TemporaryDirectory(prefix="ml-logger-") as folder:
            target = Path(folder) / f"video.{suffix}"
            count = video.encode(frames, target, key, fps, **options)
            self._tell_if_replaced(path, key, step)
            self.session.emit(File(path, source=str(target), kind="video", step=step, meta={"frames": count, "fps": fps}))
        return path

    log_video = save_video

    def make_video(
        self, files: str | list[str], key: str, wd: str | None = None, order: Any = "ascending", fps: float = 20, **options: Any
    ) -> str | None:
        """Make a video at `key` from stored pictures: a glob or a list of paths, in `order` (ascending, descending, 1, −1).

        Collected, encoded and stored by this process; None if no file matches.
        """
        base = self._key(wd) if wd else self._key()
        if not isinstance(files, (str, list, tuple)):
            raise UnsupportedValueError(key, type(files).__name__, "files is a glob, or a list of paths")
        if order not in _ORDERS:
            raise UnsupportedValueError(key, f"order={order!r}", f"choose {', '.join(map(str, _ORDERS))}")
        names = self.session.ask(Glob(files, base)).keys or [] if isinstance(files, str) else list(files)
        names = sorted(names, reverse=order in _ORDERS[2:]) if isinstance(files, str) or order in _ORDERS[2:] else names
        if not names:
            return None
        return self.save_video((self._picture(base, name) for name in names), key, fps=fps, **options)

    def _picture(self, base: str, name: str) -> Any:
        import numpy as np

        try:
            from PIL import Image
        except ImportError:
            raise MissingExtraError("images", "reading pictures") from None
        path = f"{base}/{name}" if base and not name.startswith("/") else name
        data = b"".join(self.session.read(path))
        try:
            return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise UnsupportedValueError(path, "this file", "it is no picture that can be read") from error

    # ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────

    def save_pyplot(
        self,
        path: str = "plot.png",
        fig: Any = None,
        format: str | None = None,
        close: bool = True,
        step: int | None = None,
        **options: Any,
    ) -> str:
        """Save a matplotlib figure (default: the current one) at `path` in any format that matplotlib has, and close it.

        Without a suffix it becomes a .png. `options` go to `Figure.savefig`.
        """
        path, plt = as_name(path), _pyplot("saving figures")
        figure = plt.gcf() if fig is None else fig
        if not hasattr(figure, "savefig"):
            raise UnsupportedValueError(path, type(figure).__name__, "fig= takes a matplotlib figure")
        path = path if Path(path).suffix else f"{path}.{format or 'png'}"
        out, kind = io.BytesIO(), (format or Path(path).suffix.lstrip(".")).lower()
        known = figure.canvas.get_supported_filetypes()
        if kind not in known:
            raise UnsupportedValueError(path, f"a .{kind} file", f"matplotlib writes {', '.join(sorted(known))}")
        figure.savefig(out, format=kind, **options)
        if close:
            plt.close(figure)
        return self._put_media(path, out.getvalue(), "figure", step)

    def savefig(
        self, key: str, fig: Any = None, format: str | None = None, close: bool = True, step: int | None = None, **options: Any
    ) -> str:
        """Save a figure: see `save_pyplot`."""
        return self.save_pyplot(key, fig, format, close, step, **options)

    @staticmethod
    def plt2data(fig: Any = None) -> Any:
        """Return a matplotlib figure (default: the current one) as an array H×W×3, uint8."""
        import numpy as np

        figure = _pyplot("plt2data").gcf() if fig is None else fig
        if not hasattr(figure, "canvas"):
            raise UnsupportedValueError("fig", type(figure).__name__, "give a matplotlib figure")
        figure.canvas.draw()
        width, height = figure.canvas.get_width_height(physical=True)
        return np.frombuffer(figure.canvas.buffer_rgba(), np.uint8).reshape(height, width, 4)[..., :3].copy()

    # ── sounds, tables, pages ────────────────────────────────────────────────────────────────────────────────────

    def log_audio(self, samples: Any, key: str, rate: int = 16000, step: int | None = None) -> str:
        """Save sound, N or N×channels, floats in [−1, 1] or int16, as a .wav at `key`; `rate` is in samples a second."""
        key = as_name(key)
        data, seconds = sound.wav(samples, rate, key)
        suffix = Path(key).suffix.lower()
        if suffix in _OTHER_SOUNDS:
            raise UnsupportedValueError(key, f"a {suffix} file", "sounds are saved as .wav")
        key = key if suffix == ".wav" else f"{key}.wav"
        return self._put_media(key, data, "audio", step, {"rate": rate, "seconds": seconds})

    save_audio = log_audio

    def log_table(self, rows: Any, key: str, columns: list[str] | None = None, step: int | None = None) -> str:
        """Save a table (a list of dicts or of lists, a dict of columns, a DataFrame) as a .csv at `key`."""
        key = as_name(key)
        text, count = table.csv_of(rows, key, columns)
        key = key if Path(key).suffix else f"{key}.csv"
        return self._put_media(key, text.encode("utf-8", "replace"), "table", step, {"rows": count})

    save_table = log_table

    def log_html(self, html: Any, key: str, step: int | None = None) -> str:
        """Save a page (text, or a plotly figure) at `key`; the dashboard shows it in a sandbox."""
        key = as_name(key)
        text = html.to_html(include_plotlyjs=True) if hasattr(html, "to_html") else str(html)
        key = key if Path(key).suffix else f"{key}.html"
        return self._put_media(key, text.encode("utf-8", "replace"), "html", step)


_OTHER_SOUNDS = {".mp3", ".ogg", ".oga", ".opus", ".flac", ".m4a", ".aac", ".aif", ".aiff"}


def _pyplot(what: str) -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise MissingExtraError("plots", what) from None
    return plt
