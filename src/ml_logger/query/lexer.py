"""A query as tokens with positions. Knows characters, not grammar; every character is looked at a bounded number of times.

Words may hold any character but blanks, quotes, brackets, commas and the operators; what holds those is written in
backticks (a name) or quotes. A slash begins a regular expression only after ``:`` or ``~``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ml_logger.errors import QuerySyntaxError

MAX_QUERY = 4096
"""A longer query is refused."""

_MISTAKES = {"=>": ">=", "=<": "<=", "<>": "!=", "===": "==", "!==": "!=", "&&": "and", "||": "or"}

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<mistake>===|!==|=>|=<|<>|&&(?=\s|$)|\|\|(?=\s|$))
    |(?P<op>==|!=|<=|>=|=~|!~|<|>|=|~|≤|≥|≠)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<name>`[^`]+`)
    |(?P<mark>[()\[\],:])
    |(?P<word>[^\s"'`()\[\],<>=!~:]+)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Token(NamedTuple):
    """One token; `kind` is word, name, string, regex, op, mark or end, and `text` what it stands for."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text`, the last one of kind ``end``; raises `QuerySyntaxError` where none can begin."""
    if len(text) > MAX_QUERY:
        raise QuerySyntaxError(text[:80], MAX_QUERY, f"a query has at most {MAX_QUERY} characters")
    found: list[Token] = []
    at = 0
    while at < len(text):
        token = _regex_at(text, at, found) or _token_at(text, at)
        if token.kind != "blank":
            found.append(token)
        at = token.end
    return [*found, Token("end", "", len(text), len(text))]


def _regex_at(text: str, at: int, before: list[Token]) -> Token | None:
    if text[at] != "/" or not before or before[-1].text not in (":", "~", "=~", "!~"):
        return None
    match = _REGEX.match(text, at)
    if match is None:
        raise QuerySyntaxError(text, at, "this regular expression has no closing slash", "/")
    return Token("regex", match[1].replace("\\/", "/"), at, match.end())


def _token_at(text: str, at: int) -> Token:
    match = _TOKEN.match(text, at)
    if match is None:
        raise _no_token(text, at)
    kind = str(match.lastgroup)
    if kind == "mistake":
        raise QuerySyntaxError(text, at, f"{match[0]!r} is no operator", _MISTAKES[match[0]])
    return Token(kind, _meaning(kind, match[0]), at, match.end())


def _meaning(kind: str, raw: str) -> str:
    if kind == "string":
        return _ESCAPE.sub(r"\1", raw[1:-1])
    return raw[1:-1] if kind == "name" else raw


def _no_token(text: str, at: int) -> QuerySyntaxError:
    if text[at] in "\"'`":
        return QuerySyntaxError(text, at, "this quote is not closed", text[at])
    if text[at] == "!":
        return QuerySyntaxError(text, at, "'!' is no operator", "not")
    return QuerySyntaxError(text, at, f"{text[at]!r} is not expected here")
