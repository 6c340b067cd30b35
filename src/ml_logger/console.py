"""What is printed: tables of metrics and parameters, and colours. Pure but for the stream that a `Printer` writes to, and stderr.

Tables look as the README draws them: box characters, keys centred with `_` as a blank, columns that grow. Colours are
emitted on a terminal or when forced (FORCE_COLOR is the caller's to read), never into files.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

COLORS = {
    "grey": "30", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36", "white": "37",
    "black": "30", "gray": "90", "brown": "33", "purple": "35", "light_grey": "37", "dark_grey": "90",
}  # fmt: skip
_MIN_WIDTH = 20


def say(text: str) -> None:
    """Tell the user one line on stderr; a closed stderr is no reason to fail."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(f"ml-logger: {text}", file=sys.stderr, flush=True)  # noqa: T201 - this is how the user hears of it


class Color:
    """A value with a colour and a formatter, for printing; what is logged is the value alone."""

    __slots__ = ("color", "formatter", "value")

    def __init__(self, value: Any, color: str | None = None, formatter: Callable[[Any], Any] | None = None) -> None:
        """Show `value` as `formatter(value)` (default: `str`) in `color`, a name of `COLORS` or None."""
        self.value, self.color, self.formatter = value, color, formatter

    def __str__(self) -> str:
        """Return the text, without colour."""
        return str(self.formatter(self.value) if callable(self.formatter) else self.value)

    def __repr__(self) -> str:
        """Show what it is made of."""
        return f"Color({self.value!r}, {self.color!r})"


def percent(value: float) -> str:
    """Return 0.85 as `85.0%`."""
    return f"{value * 100:.1f}%"


def ms(value: float) -> str:
    """Return seconds as milliseconds: 0.0123 as `12.3ms`."""
    return f"{value * 1000:.1f}ms"


def sec(value: float) -> str:
    """Return seconds as `1.200s`."""
    return f"{value:.3f}s"


def _shade(name: str) -> Callable[..., Color]:
    def colored(value: Any, formatter: Callable[[Any], Any] | None = None) -> Color:
        return Color(value, name, formatter)

    colored.__name__ = name
    colored.__doc__ = f"Return `value` for printing in {name}, formatted by `formatter`."
    return colored


red, green, yellow, brown, gray, grey = map(_shade, ("red", "green", "yellow", "brown", "gray", "grey"))
blue, magenta, cyan, white = map(_shade, ("blue", "magenta", "cyan", "white"))


def default(value: Any, formatter: Callable[[Any], Any] | None = None) -> Color:
    """Return `value` for printing without a colour, formatted by `formatter`."""
    return Color(value, None, formatter)


def plain(value: Any) -> Any:
    """Return what is logged of a value: a `Color` gives up its value."""
    return value.value if isinstance(value, Color) else value


def paint(text: str, color: str | None, *, enabled: bool) -> str:
    """Return `text` in `color` if colours are enabled and the name is known."""
    code = COLORS.get(color or "")
    return f"\x1b[{code}m{text}\x1b[0m" if enabled and code else text


def text_of(value: Any) -> str:
    """Return what `str` says of an argument of `print`; a value whose `__str__` raises is named by its type."""
    return _asked(value, lambda: str(value))


def _asked(value: Any, question: Callable[[], str]) -> str:
    try:
        return question()
    except Exception:  # noqa: BLE001 - a formatter, or a stranger's object, may raise anything, and logging must go on
        return f"<{type(value).__name__}>"


def to_text(value: Any) -> str:
    """Return a cell: floats with three decimals, arrays short, a `Color` by its formatter, the rest as `str`."""
    return f"{value:.3f}" if isinstance(value, float) else _safe(value)


def _safe(value: Any, depth: int = 0) -> str:
    """Return the text of a value, cut off after a thousand characters; a stranger is named by its type and not asked."""
    may_be_asked = isinstance(value, Color) or type(value).__module__ in _HARMLESS
    text = _asked(value, lambda: str(value) if may_be_asked else _container(value, depth))
    return (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…").replace("\n", " ")


_LONGEST = 1000
_HARMLESS = {"datetime", "decimal", "fractions", "pathlib", "uuid", "enum"}


def _container(value: Any, depth: int) -> str:
    kind = type(value)
    if hasattr(kind, "dtype") and hasattr(kind, "shape"):
        return _array_text(value)
    if kind in (list, tuple, set, frozenset, dict) and depth < 4:
        begin, end = {list: "[]", tuple: "()", set: "{}", dict: "{}"}.get(kind, ("frozenset({", "})"))
        if kind is dict:
            inner = _beginning(f"{_quoted(k, depth)}: {_quoted(v, depth)}" for k, v in value.items())
        else:
            inner = _beginning(_quoted(item, depth) for item in value)
        more = ["…"] if len(value) > len(inner) else []
        return f"{begin}{', '.join(inner + more)}{',' if kind is tuple and len(inner) == 1 else ''}{end}"
    if isinstance(value, str):
        return str.__str__(value[: _LONGEST + 1])
    return str(value) if kind.__module__ == "builtins" and depth < 4 and isinstance(value, _SCALARS) else f"<{kind.__name__}>"


def _beginning(texts: Iterable[str]) -> list[str]:
    """Return the first texts: a hundred, or as many as are shown. A list may hold itself, and would have any number of them."""
    kept: list[str] = []
    length = 0
    for text in itertools.islice(texts, 100):
        kept.append(text)
        length += len(text)
        if length > _LONGEST:
            break
    return kept


_SCALARS = (int, float, complex, bytes, type(None), type, range)


def _quoted(value: Any, depth: int) -> str:
    return repr(value[:_LONGEST]) if type(value) is str else _safe(value, depth + 1)


def _array_text(value: Any) -> str:
    if tuple(value.shape) == ():
        return to_text(value.item())
    import numpy as np

    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    return np.array2string(array, precision=3, separator=",", suppress_small=True, threshold=20).replace("\n", "")


def _width(cells: list[str]) -> int:
    longest = max(map(columns_of, cells), default=0)
    return _MIN_WIDTH if longest <= _MIN_WIDTH else longest + 2


def columns_of(text: str) -> int:
    """Return how many columns of a terminal `text` takes: two for a wide letter, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def _centered(text: str, width: int) -> str:
    """Return `text` in the middle of `width` columns, as `format` puts it."""
    free = max(0, width - columns_of(text))
    return f"{' ' * (free // 2)}{text}{' ' * (free - free // 2)}"


def metrics_table(row: Mapping[str, Any], *, color: bool = False) -> str:
    """Return a row of metrics as a table of two columns, ending with a newline."""
    names = [str(name).replace("_", " ") for name in row]
    cells = [to_text(value) for value in row.values()]
    left, right = _width(names), _width(cells)
    shades = [value.color if isinstance(value, Color) else None for value in row.values()]
    lines = [
        f"│{_centered(name, left)}│{paint(_centered(cell, right), shade, enabled=color)}│"
        for name, cell, shade in zip(names, cells, shades, strict=True)
    ]
    rule = f"\n├{'─' * left}┼{'─' * right}┤\n"
    return f"╒{'═' * left}╤{'═' * right}╕\n{rule.join(lines)}\n╘{'═' * left}╧{'═' * right}╛\n"


def params_table(sections: Mapping[str, Any], *, color: bool = False) -> str:
    """Return sections of parameters as the README draws them, ending with a newline; a section that is no dict is one line."""
    keys = [str(key) for section in sections.values() if isinstance(section, Mapping) for key in section]
    longest = max(map(columns_of, keys), default=0)
    left = _MIN_WIDTH if longest <= _MIN_WIDTH else longest + 1
    title_width = max(_MIN_WIDTH, longest)
    lines: list[str] = []
    for number, (name, section) in enumerate(sections.items()):
        lines.append(f"{'═' * left}{'╧' if number else '═'}{'═' * 21}")
        lines.append(paint(_centered(name, title_width), "yellow", enabled=color))
        if isinstance(section, Mapping):
            lines.append(f"{'─' * left}┬{'─' * 21}")
            gap = " " * (left - title_width)
            lines += [f"{_centered(str(key), title_width)}{gap}│ {_param_text(value):<20}" for key, value in section.items()]
        else:
            lines.append(_param_text(section))
    return "\n".join([*lines, f"{'═' * left}╧{'═' * 21}"]) + "\n" if lines else ""


def _param_text(value: Any) -> str:
    return to_text(value) if isinstance(value, Color) else _safe(value)


def peek_table(columns: Mapping[str, list[Any]], length: int) -> str:
    """Return the first `length` rows of stored metrics, columns at least 15 wide, as the README draws them."""
    if not columns:
        return ""
    shown = {name: [to_text(v) if not isinstance(v, float) else f"{v:g}" for v in values[:length]] for name, values in columns.items()}
    widths = {name: max(15, len(name), *map(len, cells or [""])) for name, cells in shown.items()}
    lines = ["|".join(f"{name:^{widths[name]}}" for name in shown), "┿".join("━" * widths[name] for name in shown)]
    lines += (
        "|".join(f"{(cells[number] if number < len(cells) else ''):^{widths[name]}}" for name, cells in shown.items())
        for number in range(max(map(len, shown.values()), default=0))
    )
    return "\n".join(line.rstrip() for line in lines) + "\n"


class Printer:
    """Prints ended rows, ten tables at once and ten a second at most; the last one always, with the count of those left out."""

    def __init__(
        self, stream: Callable[[], TextIO] = lambda: sys.stdout, color: bool | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write to what `stream()` returns at the time; `color` None means: if that is a terminal."""
        self._stream, self._color, self._clock = stream, color, clock
        self._tokens, self._at = 10.0, clock()
        self._held: dict[str, Any] | None = None
        self._skipped = 0

    @property
    def color(self) -> bool:
        """Tell whether colours are emitted."""
        if self._color is not None:
            return self._color
        try:
            return self._stream().isatty()
        except (ValueError, AttributeError):  # closed, or no stream at all
            return False

    def row(self, shown: dict[str, Any]) -> None:
        """Print a row now, or hold it back until there is room or it is the last."""
        now = self._clock()
        self._tokens, self._at = min(10.0, self._tokens + 10 * (now - self._at)), now
        if self._tokens >= 1:
            self._tokens -= 1
            self._print(shown)
        else:
            self._skipped += self._held is not None
            self._held = shown

    def flush(self) -> None:
        """Print the row that is held back."""
        if self._held is not None:
            held, self._held = self._held, None
            self._print(held)

    def _print(self, shown: dict[str, Any]) -> None:
        self._skipped += self._held is not None
        self._held = None
        note = f"({self._skipped} more rows were logged, and not shown)\n" if self._skipped else ""
        self._skipped = 0
        self.text(note + metrics_table(shown, color=self.color))

    def text(self, text: str) -> None:
        """Write `text` as it is; a closed or broken stdout is no reason to fail."""
        stream = self._stream()
        with contextlib.suppress(OSError, ValueError, AttributeError):
            try:
                stream.write(text)
            except UnicodeEncodeError:
                stream.write(text.encode("ascii", "replace").decode())
            stream.flush()
