"""From rows, columns or a DataFrame to the text of a .csv. Knows no logger."""

from __future__ import annotations

import csv
import io
from typing import Any

from ml_logger.errors import UnsupportedValueError


def csv_of(rows: Any, key: str, columns: list[str] | None = None) -> tuple[str, int]:
    """Return the text and the count of rows; `rows` is a list of dicts or of lists, a dict of columns, or a DataFrame."""
    try:
        columns, lines = _lines(rows, columns)
    except (TypeError, ValueError) as error:
        raise UnsupportedValueError(key, type(rows).__name__, f"a table is a list of rows or a dict of equal columns: {error}") from error
    out = io.StringIO()
    writer = csv.writer(out)
    if columns:
        writer.writerow(columns)
    writer.writerows(lines)
    return out.getvalue(), len(lines)


def _lines(rows: Any, columns: list[str] | None) -> tuple[list[str] | None, list[Any]]:
    if hasattr(rows, "to_dict"):
        columns, rows = columns or [str(name) for name in rows.columns], rows.to_dict("records")
    if isinstance(rows, dict):
        columns, rows = list(rows), list(zip(*rows.values(), strict=True))
    lines = list(rows)
    if any(isinstance(line, (str, bytes)) for line in lines):
        raise TypeError("a row is a dict or a list")
    if lines and all(isinstance(line, dict) for line in lines):
        columns = columns or list(dict.fromkeys(name for line in lines for name in line))
        lines = [[line.get(name, "") for name in columns] for line in lines]
    return columns, [list(line) for line in lines]
