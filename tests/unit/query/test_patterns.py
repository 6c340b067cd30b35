"""Globs as a shell reads them, in linear time."""

from __future__ import annotations

import time

import pytest

from ml_logger.errors import InvalidKeyError
from ml_logger.query.patterns import GlobPattern, compile_pattern, found_among, found_in, wildcard


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("*.pkl", "metrics.pkl", True), ("*.pkl", "a/metrics.pkl", False), ("**/*.pkl", "metrics.pkl", True),
        ("**/*.pkl", "a/b/m.pkl", True),
        ("a/**", "a/b/c", True), ("a/*/c", "a/b/c", True), ("a/?", "a/b", True), ("a/?", "a/bc", False), ("[ab].x", "a.x", True),
        ("[!ab].x", "a.x", False), ("[a-c]*", "cat", True), ("*", ".hidden", False), (".*", ".hidden", True),
        ("**", "a/.git/x", False),
        ("run!(1)", "run!(1)", True), ("[[]", "[", True), ("a[[]]b", "a[]b", True), ("**/a/**/b", "a/b", True), ("*a*b*", "xxaxxbxx", True),
        ("[z-a]", "z", False), ("é*", "étude", True),
    ],
)  # fmt: skip
def test_globs(pattern: str, key: str, expected: bool) -> None:
    assert GlobPattern(pattern).matches(key) is expected


def test_double_star_without_recursion_is_one_part() -> None:
    assert not GlobPattern("**/x", recursive=False).matches("a/b/x")
    assert GlobPattern("**/x", recursive=False).matches("a/x")


def test_hostile_globs_are_quick() -> None:
    start = time.perf_counter()
    assert not GlobPattern("*" * 50 + "b").matches("a" * 200)
    assert not GlobPattern("*a" * 50 + "b").matches("a" * 200)
    assert not GlobPattern("**/a/" * 30 + "b").matches("/".join("a" * 30))
    assert time.perf_counter() - start < 0.5
    with pytest.raises(InvalidKeyError):
        GlobPattern("**/*/" * 50)


def test_wildcards_in_search_values() -> None:
    search = compile_pattern(wildcard("ppo-*v1.0")).search
    assert search("ppo-fast-v1.0")
    assert not search("ppo-v1x0")
    assert not search("a ppo-v1.0 b")


@pytest.mark.parametrize("pattern", ["a", "^a", "7$", "^$", "", r"\s", "[^x]*5", r"(?s)^ru.*-1.$", r"\bx", "é", "(?i)RUN-1$", "a$|^b"])
def test_many_texts_at_once_are_as_one_by_one(pattern: str) -> None:
    words = [f"run-{i}" for i in range(300)] + ["a", "", "x y", "étude", "b", "xa"]
    compiled = compile_pattern(pattern)
    assert found_among(compiled, words) == [found_in(compiled, word) for word in words]
    assert found_among(compiled, [*words, "two\nlines"])[-1] == found_in(compiled, "two\nlines")
