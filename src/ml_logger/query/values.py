"""Right-hand sides of comparisons: numbers with k, M, %, durations (2d, 3h) and dates. Knows no grammar."""

from __future__ import annotations

import datetime as dt
import re

from ml_logger.query.terms import Value

_NUMBER = re.compile(r"([+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(k|K|M|G|B|%|ms|s|m|min|h|d|w|y)?")
_WORDS = {"inf": float("inf"), "+inf": float("inf"), "-inf": float("-inf"), "nan": float("nan"), "true": 1.0, "false": 0.0}
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?:Z|[+-]\d\d:\d\d)?")

FACTORS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "%": 0.01}
SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31557600.0}


def read_value(text: str, *, quoted: bool = False) -> Value:
    """Return `text` as a value: a quoted one is only text, any other is also a number if it reads as one."""
    if quoted:
        return Value(text, quoted=True)
    if text.lower() in _WORDS:
        return Value(text, _WORDS[text.lower()])
    if (match := _NUMBER.fullmatch(text)) is not None:
        return _number(text, match[1], match[2] or "")
    seconds = _date(text)
    return Value(text) if seconds is None else Value(text, seconds, "time")


def read_number(text: str) -> float | None:
    """Return the number that `text` spells (10k, 1e-3), or None; dates and durations are none."""
    value = read_value(text)
    return value.number if not value.unit else None


def _number(text: str, digits: str, suffix: str) -> Value:
    number = float(digits.replace("_", ""))
    if suffix in SECONDS:
        return Value(text, number * SECONDS[suffix], "duration")
    if suffix == "%":
        return Value(text, number / 100)
    return Value(text, number * FACTORS[suffix])


def _date(text: str) -> float | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None
