"""Pictures and text in a notebook: `show`, `imshow`, `text`. Needs IPython; knows no run."""

from __future__ import annotations

import base64
import html
from typing import Any

from ml_logger.errors import MissingExtraError
from ml_logger.media import images


def show(*pictures: Any, titles: list[str] | None = None, height: int = 128) -> Any:
    """Show pictures (arrays H×W[×C]) side by side, with titles under them."""
    names = titles or [""] * len(pictures)
    cells = [_cell(picture, title, height) for picture, title in zip(pictures, names, strict=True)]
    return _display(f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(cells)}</div>')


def imshow(picture: Any, title: str = "", height: int = 256) -> Any:
    """Show one picture."""
    return show(picture, titles=[title], height=height)


def text(*lines: Any) -> Any:
    """Show lines of text, nothing in them being taken for HTML."""
    return _display("<br>".join(html.escape(str(line)) for line in lines))


def _cell(picture: Any, title: str, height: int) -> str:
    pixels = images.to_pixels(images.to_stack(images.to_array(picture, "picture")[None], "picture"), "picture")
    data = base64.b64encode(images.encode(pixels[0], "png", "picture")).decode()
    picture_tag = f'<img height="{height}" style="image-rendering:pixelated" src="data:image/png;base64,{data}">'
    return f"<figure style='margin:0'>{picture_tag}<figcaption>{html.escape(title)}</figcaption></figure>"


def _display(markup: str) -> Any:
    try:
        from IPython.display import HTML, display  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError("notebook", "showing pictures in a notebook") from None
    return display(HTML(markup))
