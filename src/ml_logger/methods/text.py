"""Text: printed lines and appended files. Every text is a record in the journal; the plain file follows from it."""

from __future__ import annotations

import pprint as pretty
import textwrap
from typing import Any

from ml_logger.console import paint, text_of
from ml_logger.methods.base import Methods
from ml_logger.records import Text


class TextMethods(Methods):
    """Lines for people."""

    __slots__ = ()

    def print(
        self,
        *args: Any,
        sep: str = " ",
        end: str = "\n",
        flush: bool = True,
        file: str | None = None,
        color: str | None = None,
        dedent: bool = False,
    ) -> None:
        """Print to stdout (in `color`, on a terminal) and append the plain text to `file`, by default `outputs.log`."""
        del flush
        text = sep.join(map(text_of, args))
        if dedent:
            text = textwrap.dedent(text).lstrip()
        printer = self.session.printer
        printer.text(paint(text, color, enabled=printer.color) + end)
        self.session.emit(Text(text + end, self._key(file or "outputs.log")))

    def log_line(
        self, *args: Any, sep: str = " ", end: str = "\n", flush: bool = True, file: str | None = None, color: str | None = None
    ) -> None:
        """Append a line to `file` (default `outputs.log`) without printing it."""
        del flush, color
        self.session.emit(Text(sep.join(map(text_of, args)) + end, self._key(file or "outputs.log")))

    def log_text(self, text: str | None, filename: str | None = None, dedent: bool = False, overwrite: bool = False, **_: Any) -> None:
        """Append `text` to `filename` (default `outputs.log`) as UTF-8, or put it in its place; None does nothing."""
        if text is None:
            return
        content = textwrap.dedent(text_of(text)).lstrip() if dedent else text_of(text)
        self.session.emit(Text(content, self._key(filename or "outputs.log"), overwrite))

    def pprint(self, value: Any = "", indent: int = 1, width: int = 80, depth: int | None = None, **options: Any) -> None:
        """Print `value` pretty, and keep it as `print` does."""
        self.print(pretty.pformat(value, indent=indent, width=width, depth=depth), **options)

    def flush_print_buffer(self, file: str | None = None) -> None:
        """Do nothing: text is in the journal already. Kept for callers of earlier versions."""
