"""The search language: text to a `Search`, or a `QuerySyntaxError` with the position and a suggestion.

Knows no runs: names are taken as written and resolved by `filter`. There is nothing to call and no attribute to
reach: a query is conditions over named values. Grammar in docs/reference/search.md::

    query   = or                                   or   = and { "or" and }
    and     = unary { ["and"] unary }              unary = "not" unary | "(" or ")" | "sort:" ["-"] name | condition
    condition = name op value | name "in" "[" values "]" | name ["not"] "exists" | name "~" regex | name ":" [op] value
              | name ("diverged" | "plateaued" | "spiked" [">" number ["sigma"]]) ["after" number] | number op name | text
"""

from __future__ import annotations

import difflib

import re2

from ml_logger.errors import QuerySyntaxError
from ml_logger.query.lexer import Token, tokens
from ml_logger.query.patterns import compile_pattern
from ml_logger.query.terms import (
    CURVES,
    STATUSES,
    And,
    Compare,
    Curve,
    Exists,
    Matches,
    Node,
    Not,
    OneOf,
    Or,
    Search,
    SortKey,
    Value,
    Words,
)
from ml_logger.query.values import read_number, read_value

MAX_DEPTH, MAX_TERMS, MAX_REGEX = 50, 300, 1000

KEYWORDS = ("and", "or", "not", "in", "exists", *CURVES)
_SPELLINGS = {"==": "=", "≤": "<=", "≥": ">=", "≠": "!=", "=~": "~"}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def parse(text: str) -> Search:
    """Return what `text` means; an empty text means every run. Raises `QuerySyntaxError`; never recurses deeper than 50."""
    return _Parser(text).search()


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0
        self.terms = 0
        self.sort: list[SortKey] = []

    # ── looking ──

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def is_word(self, *words: str) -> bool:
        return self.token.kind == "word" and self.token.text.lower() in words

    def is_mark(self, mark: str) -> bool:
        return self.token.kind == "mark" and self.token.text == mark

    def wrong(self, reason: str, token: Token | None = None, suggestion: str | None = None) -> QuerySyntaxError:
        return QuerySyntaxError(self.text, (token or self.token).start, reason, suggestion)

    # ── structure ──

    def search(self) -> Search:
        where = self.any_of() if self.token.kind != "end" else None
        if self.token.kind != "end":
            raise self.wrong(f"{self.token.text!r} is not expected here")
        return Search(self.text, where, tuple(self.sort))

    def any_of(self) -> Node | None:
        first = self.token
        items = [self.all_of()]
        while self.is_word("or"):
            self.take()
            items.append(self.all_of())
        if len(items) == 1:
            return items[0]
        if any(item is None for item in items):
            raise self.wrong("'or' needs a condition on both sides", first)
        return Or(tuple(item for item in items if item is not None), start=first.start, end=self.tokens[self.at - 1].end)

    def all_of(self) -> Node | None:
        first = self.token
        items = [self.unary()]
        while not (self.token.kind == "end" or self.is_mark(")") or self.is_word("or")):
            if self.is_word("and"):
                self.take()
            items.append(self.unary())
        kept = tuple(item for item in items if item is not None)
        if len(kept) < 2:
            return kept[0] if kept else None
        return And(kept, start=first.start, end=self.tokens[self.at - 1].end)

    def unary(self) -> Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.wrong(f"nested deeper than {MAX_DEPTH}")
        try:
            return self.negated() if self.is_word("not") else self.grouped() if self.is_mark("(") else self.leaf()
        finally:
            self.depth -= 1

    def negated(self) -> Node:
        first = self.take()
        item = self.unary()
        if item is None:
            raise self.wrong("'not' needs a condition", first)
        return Not(item, start=first.start, end=item.end)

    def grouped(self) -> Node | None:
        first = self.take()
        node = self.any_of()
        if not self.is_mark(")"):
            raise self.wrong("this parenthesis is not closed", first, ")")
        self.take()
        return node

    # ── conditions ──

    def leaf(self) -> Node | None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise self.wrong(f"more than {MAX_TERMS} conditions")
        if self.token.kind not in ("word", "name", "string"):
            raise self.wrong(self.unexpected())
        if self.is_word("and", "or", "in"):
            raise self.wrong(f"a condition is expected before {self.token.text!r}; write it in quotes to look for the word")
        return self.condition(self.take())

    def unexpected(self) -> str:
        return "a condition is expected here" if self.token.kind == "end" else f"{self.token.text!r} is not expected here"

    def condition(self, name: Token) -> Node | None:
        if self.is_mark(":"):
            return self.field(name)
        if self.token.kind == "op":
            return self.comparison(name)
        if self.is_word("in") and self.peek().text == "[":
            self.take()
            return OneOf(name.text, self.values(), start=name.start, end=self.tokens[self.at - 1].end)
        if self.is_word("not") and self.peek().kind == "word" and self.peek().text.lower() in ("in", "exists"):
            return self.not_so(name)
        if self.is_word("exists"):
            return Exists(name.text, start=name.start, end=self.take().end)
        if self.is_word(*CURVES):
            return self.curve(name)
        return Words(name.text, start=name.start, end=name.end)

    def not_so(self, name: Token) -> Node:
        self.take()
        node = self.condition(name)
        if not isinstance(node, (OneOf, Exists)):
            raise self.wrong("a list in brackets is expected after 'in'", suggestion="[")
        return Not(node, start=name.start, end=node.end)

    def field(self, name: Token) -> Node | None:
        self.take()
        if name.text.lower() == "sort":
            return self.sort_key()
        if name.text.lower() == "has":
            wanted = self.name_of(self.take())
            return Exists(wanted.text, start=name.start, end=wanted.end)
        if self.token.kind == "regex":
            return self.pattern(name)
        if self.token.kind == "op":
            return self.comparison(name)
        if self.is_mark("["):
            return OneOf(name.text, self.values(), start=name.start, end=self.tokens[self.at - 1].end)
        return self.compared(name, ":", self.value())

    def comparison(self, name: Token) -> Node:
        sign = self.take()
        op = _SPELLINGS.get(sign.text, sign.text)
        if op in ("~", "!~"):
            node = self.pattern(name)
            return node if op == "~" else Not(node, start=name.start, end=node.end)
        token = self.token
        value = self.value()
        if name.kind == "word" and read_number(name.text) is not None and value.number is None and not value.quoted:
            return self.between(name, op, token)
        return self.compared(name, op, value)

    def between(self, low: Token, op: str, name: Token) -> Node:
        """Read ``1e-4 < lr`` and ``1e-4 < lr < 1e-2``."""
        first = Compare(name.text, _FLIPPED[op], read_value(low.text), start=low.start, end=name.end)
        if self.token.kind != "op" or self.token.text not in ("<", "<=", ">", ">=", "≤", "≥"):
            return first
        second = self.comparison(name)
        return And((first, second), start=low.start, end=second.end)

    def compared(self, name: Token, op: str, value: Value) -> Node:
        if name.text == "status" and op in ("=", ":", "!=") and value.text.lower() not in STATUSES:
            near = difflib.get_close_matches(value.text.lower()[:40], STATUSES, 1, 0.3)
            raise self.wrong(f"a status is one of {', '.join(STATUSES)}", self.tokens[self.at - 1], near[0] if near else STATUSES[0])
        if name.text in ("created", "updated") and value.number is None:
            raise self.wrong("a duration (2d, 3h) or a date (2030-12-31) is expected", self.tokens[self.at - 1], "2d")
        return Compare(name.text, op, value, start=name.start, end=self.tokens[self.at - 1].end)

    def pattern(self, name: Token) -> Node:
        token = self.take()
        if token.kind not in ("regex", "string", "word", "name"):
            raise self.wrong("a regular expression is expected", token, "/…/")
        if len(token.text) > MAX_REGEX:
            raise self.wrong(f"a regular expression has at most {MAX_REGEX} characters", token)
        try:
            compile_pattern(token.text)
        except re2.error as error:
            reason = error.args[0] if error.args else "not understood"
            raise self.wrong(f"bad regular expression: {_readable(reason)}", token) from None
        return Matches(name.text, token.text, start=name.start, end=token.end)

    def curve(self, name: Token) -> Node:
        kind = self.take().text.lower()
        sigma, after = 5.0, 0.0
        if kind == "spiked" and self.token.kind == "op" and self.token.text in (">", ">=", "≥"):
            self.take()
            sigma = self.number()
            if self.is_word("sigma", "σ"):
                self.take()
        if self.is_word("after"):
            self.take()
            after = self.number()
        return Curve(name.text, kind, sigma, after, start=name.start, end=self.tokens[self.at - 1].end)

    def sort_key(self) -> None:
        while True:
            token = self.name_of(self.take())
            descending = token.kind == "word" and token.text.startswith("-")
            name = token.text[1:] if descending else token.text
            if descending and not name and self.token.kind in ("name", "string") and self.token.start == token.end:
                name = self.take().text
            self.sort.append(SortKey(name or token.text, descending and bool(name), start=token.start, end=self.tokens[self.at - 1].end))
            if not self.is_mark(","):
                return
            self.take()

    # ── values ──

    def name_of(self, token: Token) -> Token:
        if token.kind not in ("word", "name", "string"):
            raise self.wrong("a name is expected", token)
        return token

    def number(self) -> float:
        token = self.take()
        number = read_number(token.text)
        if number is None or token.kind != "word":
            raise self.wrong("a number is expected", token, "10k")
        return number

    def value(self) -> Value:
        token = self.take()
        if token.kind == "string":
            return read_value(token.text, quoted=True)
        if token.kind not in ("word", "name") or token.text.lower() in ("and", "or", "not"):
            raise self.wrong("a value is expected", token)
        text = token.text
        while self.is_mark(":") and self.token.start == self.tokens[self.at - 1].end and self.peek().kind == "word":
            text += self.take().text + self.take().text
        return read_value(text)

    def values(self) -> tuple[Value, ...]:
        first = self.take()
        found: list[Value] = []
        while not self.is_mark("]"):
            if self.token.kind == "end":
                raise self.wrong("this list is not closed", first, "]")
            found.append(self.value())
            if self.is_mark(","):
                self.take()
        self.take()
        return tuple(found)


def _readable(reason: object) -> str:
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
