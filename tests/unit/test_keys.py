"""Names are parsed once, and what file systems would merge or misuse is refused with its position."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_logger import keys
from ml_logger.errors import InvalidKeyError


@pytest.mark.parametrize(
    ("prefix", "parts", "key"),
    [
        ("a/b", ["c"], "a/b/c"),
        ("a/b", ["/c"], "c"),
        ("a/b", ["../c"], "a/c"),
        ("a/b", ["..", "..", "c"], "c"),
        ("", ["x//y/"], "x/y"),
        ("a", ["./b!", "c (1)"], "a/b!/c (1)"),
    ],
)
def test_resolve(prefix: str, parts: list[str], key: str) -> None:
    assert keys.resolve(prefix, *parts) == key


@pytest.mark.parametrize(
    "bad",
    [
        *("../x", "a\x00b", "a\\b", "a/./b", "a/../b", "//etc/passwd", "trailing.", "blank ", " blank", "e\u0301"),
        *("CON", "com1.txt", "x" * 256, "a/" * 40, "\u202egnp.exe", "a\nb"),
    ],
)
def test_bad_names_are_refused(bad: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        keys.parse(bad)
    assert caught.value.key
    assert caught.value.reason


def test_the_position_is_named() -> None:
    with pytest.raises(InvalidKeyError, match="character 4"):
        keys.parse("abc/\x07")


@given(st.text(max_size=30))
def test_parsing_is_stable_and_never_escapes(text: str) -> None:
    try:
        parts = keys.parse(text)
    except InvalidKeyError:
        return
    assert keys.parse("/".join(parts)) == parts
    assert ".." not in parts
    assert keys.clean(text) == "/".join(parts)


@pytest.mark.parametrize(
    ("key", "pattern", "inside"),
    [
        ("alice/x", "alice/**", True),
        ("alice", "alice/**", True),
        ("alice2/x", "alice/**", False),
        ("ALICE/x", "alice/**", False),
        ("bob", "**", True),
        ("alice/x", "alice", False),
        ("alice", "alice", True),
    ],
)
def test_scopes_go_by_parts(key: str, pattern: str, inside: bool) -> None:
    assert keys.in_scope(key, pattern) is inside


@pytest.mark.parametrize(
    ("key", "reserved"), [("a/run.json", True), ("a/m.mlog", True), (".ml-logger/x", True), ("a/b.txt", False), ("", False)]
)
def test_reserved_names(key: str, reserved: bool) -> None:
    assert keys.is_reserved(key) is reserved
