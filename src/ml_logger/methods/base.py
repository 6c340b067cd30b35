"""What every family of methods shares: the session, and how names become keys. Knows no destination."""

from __future__ import annotations

import contextlib
import enum
import operator
import os
import types
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ml_logger.errors import InvalidKeyError

if TYPE_CHECKING:
    from ml_logger.session import Session


class Methods:
    """A family of methods over one session; families have no state and no `__init__` of their own."""

    __slots__ = ("session",)

    def __init__(self, session: Session) -> None:
        """Work on `session`; a family works alone: `MetricMethods(session).log(a=1)`."""
        self.session = session

    def _key(self, *parts: str | None) -> str:
        """Return the key of a file that `parts` name from the current prefix; None parts are dropped."""
        return self.session.key(*map(as_name, parts))


def as_name(part: Any) -> str:
    """Return a part of a name as text: texts, paths and integers are names, None is none; raises `InvalidKeyError` for all else."""
    if isinstance(part, str):
        return part
    if part is None:
        return ""
    if isinstance(part, os.PathLike):
        return str(os.fspath(part))
    if not isinstance(part, bool):
        with contextlib.suppress(TypeError):  # no integer; an array says so only when it is asked
            return str(operator.index(part))
    raise InvalidKeyError(type(part).__name__, "a name is a text or a path")


MAX_DEPTH = 32
"""Levels of parameters within parameters that are kept."""


def as_params(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return what a user gives as parameters as nested dicts: namespaces, dataclasses, pydantic, OmegaConf, plain objects.

    Paths, enumerations, types and functions become their text; anything else that is none of these is returned as it is.
    What holds itself ends in the name of its type; `above` are the ids of what holds `value`.
    """
    if id(value) in above or len(above) > MAX_DEPTH:
        return f"<{type(value).__name__}>" if not isinstance(value, _PLAIN) else value
    inner = partial(as_params, above=(*above, id(value)))
    if type(value).__module__.partition(".")[0] == "omegaconf":
        value = _omegaconf(value)
    if isinstance(value, Mapping):
        found = _public(value) if "__module__" in value else value  # the vars() of a class
        return {str(key): inner(item) for key, item in found.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return inner(value._asdict())  # type: ignore[attr-defined]
    if isinstance(value, (list, tuple)):
        return [inner(item) for item in value] if any(map(_is_config, value)) else value
    if isinstance(value, _PLAIN):
        return value
    for convert in (_pydantic, _dataclass, _proto, _namespace):
        found = convert(value)
        if found:
            return {str(key): inner(item) for key, item in found.items()}
    return _leaf(value)


_PLAIN = (str, bytes, int, float, complex, set, frozenset, type(None))


def _is_config(value: Any) -> bool:
    return not isinstance(value, (*_PLAIN, list, tuple)) and not hasattr(type(value), "dtype")


def _leaf(value: Any) -> Any:
    """Return the text of a value whose type promises a harmless one, and lists and numbers for arrays."""
    if hasattr(type(value), "tolist") and hasattr(type(value), "shape"):
        with contextlib.suppress(TypeError, ValueError, RuntimeError):  # an array that is on no device, or that is being traced
            return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, enum.Enum):
        return value.value if isinstance(value.value, _PLAIN) else value.name
    if isinstance(value, (type, *_NO_PARAMS)):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', getattr(value, '__name__', ''))}".removeprefix(
            "builtins."
        )
    kind = type(value)
    is_name = kind.__module__.partition(".")[0] in ("numpy", "torch", "jax", "jaxlib") and not hasattr(kind, "item")
    return str(value) if is_name else value


def _omegaconf(value: Any) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.to_container(value, resolve=True)


def _pydantic(value: Any) -> Mapping[str, Any] | None:
    """Return the fields of a model, or the defaults of a model's class."""
    if isinstance(value, type):
        fields: Any = getattr(value, "model_fields", None)
        is_model = isinstance(fields, Mapping) and hasattr(value, "model_dump")
        return (
            {name: None if f.is_required() else f.get_default(call_default_factory=True) for name, f in fields.items()}
            if is_model
            else None
        )
    dump: Any = getattr(type(value), "model_dump", None)
    return dump(value) if callable(dump) else None  # pyright: ignore[reportReturnType]


def _dataclass(value: Any) -> Mapping[str, Any] | None:
    fields = getattr(type(value), "__dataclass_fields__", None)
    return {name: getattr(value, name) for name in fields} if fields is not None and not isinstance(value, type) else None


def _public(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is a parameter among the attributes of a class or an object; params_proto keeps what was set later beside them."""
    found = {**found, **found.get("__proto_overrides__", {})}
    return {name: item for name, item in found.items() if not name.startswith("_") and not isinstance(item, _NO_PARAMS)}


_NO_PARAMS = (types.FunctionType, types.MethodType, classmethod, staticmethod, property, types.ModuleType, types.BuiltinFunctionType)


def _proto(value: Any) -> Mapping[str, Any] | None:
    """Read params_proto: classes that hold their parameters as attributes, and functions that hold them as defaults."""
    families = {kind.__module__.partition(".")[0] for kind in (type(value), *(type.mro(value) if isinstance(value, type) else ()))}
    if "params_proto" not in families:
        return None
    if isinstance(value, type):
        return _public(vars(value))
    return {**value._defaults, **value._overrides} if hasattr(value, "_defaults") and hasattr(value, "_overrides") else None  # noqa: SLF001


def _namespace(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, type):
        return _public(vars(value)) if value.__module__ != "builtins" and _public(vars(value)) else None
    if callable(value) or type(value).__module__.partition(".")[0] in ("numpy", "torch", "jax", "jaxlib"):
        return None
    try:
        found = vars(value)
    except TypeError:
        return None
    return _public(found)


def flatten(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of all leaves; an empty dict is a leaf."""
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{name}.")
        else:
            yield name, value
