"""Arguments of a wrong type: the error names method, argument and both types; what is right, or not known, is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import ArgumentError, UnsupportedValueError, UsageError
from ml_logger.methods.arguments import fits, names_wrong_arguments

WRONG: dict[str, tuple[Callable[[ML_Logger], Any], str]] = {
    "a text for a number": (lambda log: log.every("x"), "every() takes n as int | None, not as str"),  # type: ignore[arg-type]
    "a text for seconds": (lambda log: log.flush(timeout="x"), "flush() takes timeout as float | None, not as str"),  # type: ignore[arg-type]
    "a number for a dict": (lambda log: log.job_started(job=3), "job_started() takes job as dict[str, Any] | None, not as int"),  # type: ignore[arg-type]
    "a number for a text": (lambda log: log.alert("lost", 3), "alert() takes text as str, not as int"),  # type: ignore[arg-type]
    "a list for a name": (lambda log: log.start(["a"]), "start() takes keys as str, not as list"),  # type: ignore[arg-type]
    "a list of numbers": (lambda log: log.make_video([1], "a.mp4"), "make_video() takes files as str | list[str], not as list"),  # type: ignore[list-item]
    "of a static method": (lambda log: log.now(3), "now() takes fmt as str | None, not as int"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_argument_is_named(tmp_path: Any, call: Callable[[ML_Logger], Any], message: str) -> None:
    log = ML_Logger("arguments", root=tmp_path)
    with pytest.raises(ArgumentError) as caught:
        call(log)
    assert str(caught.value) == message
    assert isinstance(caught.value, UsageError)
    assert isinstance(caught.value, TypeError), "code that expects Python's own error catches it"
    assert caught.value.__cause__ is not None, "what Python said is there too"


def test_an_error_of_our_own_stays_and_so_does_one_of_the_user(tmp_path: Any) -> None:
    log = ML_Logger("arguments", root=tmp_path)
    with pytest.raises(UnsupportedValueError):
        log.log_images(3, "a.png")  # type: ignore[arg-type]

    def own() -> None:
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$"):
        log.memoize(own)()
    with pytest.raises(TypeError, match="unexpected keyword"):
        log.every(many=3)  # type: ignore[call-arg]


def test_types_that_are_not_known_explain_nothing() -> None:
    @names_wrong_arguments
    class Odd:
        def of_a_checker(self, value: OnlyForCheckers) -> Any:  # type: ignore[name-defined]  # noqa: F821
            return value + 1

    with pytest.raises(TypeError, match="can only concatenate") as caught:
        Odd().of_a_checker("x")
    assert not isinstance(caught.value, ArgumentError)


@pytest.mark.parametrize(
    ("value", "annotation", "right"),
    [
        (1, float, True),
        (np.float32(1), float, True),
        (np.int64(1), int, True),
        (1.5, int, False),
        (None, int | None, True),
        (None, None, True),
        (3, None, False),
        ("x", Any, True),
        (["a"], list[str] | str, True),
        (["a", 1], list[str], False),
        (["a"], dict[str, Any], False),
        (print, Callable[..., Any], True),
        ("x", Literal["a", "b"], True),
    ],
)
def test_fits(value: Any, annotation: Any, right: bool) -> None:
    assert fits(value, annotation) is right
