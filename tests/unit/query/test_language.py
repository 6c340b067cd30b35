"""The search language: what the documented spellings mean, and what an error says."""

from __future__ import annotations

import pytest

from ml_logger.errors import QuerySyntaxError
from ml_logger.query.language import parse
from ml_logger.query.terms import And, Compare, Curve, Exists, Matches, Not, OneOf, Or, Words, leaves, written

WHOLE = (
    'lr < 1e-3 and optimizer == "adam" and eval/acc > 0.9 tag:baseline name:/ppo-.*/ status:running created:>2d "free text" sort:-eval/acc'
)


def test_the_whole_example() -> None:
    search = parse(WHOLE)
    assert isinstance(search.where, And)
    kinds = [type(leaf) for leaf in leaves(search.where)]
    assert kinds == [Compare, Compare, Compare, Compare, Matches, Compare, Compare, Words]
    created = search.where.items[6]
    assert isinstance(created, Compare)
    assert (created.name, created.op, created.value.number, created.value.unit) == ("created", ">", 172800.0, "duration")
    assert [(key.name, key.descending) for key in search.sort] == [("eval/acc", True)]
    assert WHOLE[created.start : created.end] == "created:>2d"


@pytest.mark.parametrize(
    ("text", "op", "number"),
    [
        ("x = 3", "=", 3),
        ("x == 3", "=", 3),
        ("x ≠ 3", "!=", 3),
        ("x>=10k", ">=", 1e4),
        ("x<1.5M", "<", 1.5e6),
        ("x: 50%", ":", 0.5),
        ("x<-.5", "<", -0.5),
    ],
)
def test_comparisons(text: str, op: str, number: float) -> None:
    node = parse(text).where
    assert isinstance(node, Compare)
    assert (node.name, node.op, node.value.number) == ("x", op, number)


def test_structure() -> None:
    assert isinstance(parse("a=1 or b=2 c=3").where, Or)
    assert isinstance(parse("(a=1 or b=2) and c=3").where, And)
    assert isinstance(parse("not (a=1 b=2)").where, Not)
    assert parse("").where is None
    assert parse("sort:a,-b").sort[1].descending
    assert parse("1e-4 < lr < 1e-2").where == parse("1e-4 < lr < 1e-2").where
    low, high = leaves(parse("1e-4 < lr < 1e-2").where)
    assert isinstance(low, Compare)
    assert isinstance(high, Compare)
    assert (low.op, low.value.number, high.op, high.value.number) == (">", 1e-4, "<", 1e-2)


def test_conditions_of_other_kinds() -> None:
    assert isinstance(parse("x in [1, 'two', three]").where, OneOf)
    assert isinstance(parse("x exists").where, Exists)
    assert isinstance(parse("has:x").where, Exists)
    assert isinstance(parse("x not in [1]").where, Not)
    assert isinstance(parse('x !~ "a.c"').where, Not)
    assert parse("loss spiked > 6 sigma after 10k").where == Curve("loss", "spiked", 6.0, 10_000.0, start=0, end=31)
    assert parse("acc plateaued").where == Curve("acc", "plateaued", start=0, end=13)
    name = parse("`a name, with: signs` > 1").where
    assert isinstance(name, Compare)
    assert name.name == "a name, with: signs"


@pytest.mark.parametrize(
    ("text", "position", "suggestion"),
    [
        ("lr <", 4, None), ("a or", 4, None), ("and", 0, None), ("a => 3", 2, ">="), ("a=1 && b=2", 4, "and"), ('x = "ab', 4, '"'),
        ("(a = 1", 0, ")"), ("a = 1)", 5, None), ("x in [1, 2", 5, "]"), ("name:/a", 5, "/"), ('name ~ "(b"', 7, None),
        ("status:runing", 7, "running"), ("created:>soon", 9, "2d"), ("loss spiked > big", 14, "10k"), ("!x", 0, "not"), ("x = ]", 4, None),
    ],
)  # fmt: skip
def test_errors_say_where(text: str, position: int, suggestion: str | None) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert (caught.value.position, caught.value.suggestion) == (position, suggestion)
    assert caught.value.reason


def test_nothing_can_be_called_or_reached() -> None:
    node = parse("__class__.__init__ = 1").where
    assert isinstance(node, Compare)
    assert node.name == "__class__.__init__"
    with pytest.raises(QuerySyntaxError):
        parse("exit()")


def test_limits_are_errors_and_not_crashes() -> None:
    for text in ("(" * 3000, "not " * 1000, "a=1 " * 1000, "x" * 5000, 'a ~ "' + "(a*)*" * 400 + '"', "x = " + "9" * 4000 + " or " * 90):
        with pytest.raises(QuerySyntaxError):
            parse(text)


def test_written_parses_to_the_same() -> None:
    text = 'not (a=1 or b in [1]) c ~ "x" 1 < d < 2 e not exists'
    again = written(parse(text).where, text)
    assert [type(leaf) for leaf in leaves(parse(again).where)] == [type(leaf) for leaf in leaves(parse(text).where)]
