"""An argument of a wrong type is named as such. Looked at only after a call has failed, so that a right call costs nothing."""

from __future__ import annotations

import functools
import inspect
import numbers
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from ml_logger.errors import ArgumentError, MlLoggerError

C = TypeVar("C", bound=type)

AS_THEY_ARE = frozenset({"log", "log_caller"})
"""The one is called a million times, the other looks at the frame that called it."""


def names_wrong_arguments(cls: C) -> C:
    """Let the public methods of `cls` raise `ArgumentError` where Python's own error would speak of what is inside them."""
    for name in dir(cls):
        found = inspect.getattr_static(cls, name)
        if name.startswith("_") or name in AS_THEY_ARE:
            continue
        if isinstance(found, types.FunctionType):
            setattr(cls, name, _explained(found))
        elif isinstance(found, staticmethod):
            setattr(cls, name, staticmethod(_explained(found.__func__)))
    return cls


def _explained(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except (TypeError, AttributeError) as error:
            wrong = None if isinstance(error, MlLoggerError) else _misfit(method, args, kwargs)
            if wrong is None:
                raise
            raise wrong from error

    return call


def _misfit(method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> ArgumentError | None:
    """Return what is to be said of the first argument that is not what the signature says; None if there is none."""
    try:
        signature = inspect.signature(method, eval_str=True)
        given = signature.bind(*args, **kwargs).arguments
    except (NameError, TypeError):  # a type that is only there for checkers; arguments of other names
        return None
    for name, value in given.items():
        kind = signature.parameters[name].kind
        values = value if kind is inspect.Parameter.VAR_POSITIONAL else value.values() if kind is inspect.Parameter.VAR_KEYWORD else [value]
        for one in values:
            if not fits(one, signature.parameters[name].annotation):
                return ArgumentError(method.__name__, name, str(method.__annotations__[name]), type(one).__name__)
    return None


def fits(value: Any, annotation: Any) -> bool:
    """Return whether `value`, and each item of a list, is of the type that `annotation` says; a type that is not known fits."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if annotation is None or annotation is Any:
        return annotation is Any or value is None
    kind = origin or annotation
    if not isinstance(kind, type) or kind is inspect.Parameter.empty:
        return True
    if kind is float:
        return isinstance(value, numbers.Real)
    if isinstance(value, list) and len(inner) == 1:
        return issubclass(list, kind) and all(fits(one, inner[0]) for one in value)
    return hasattr(value, "__index__") if kind is int else isinstance(value, kind)
