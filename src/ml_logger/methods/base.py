"""What every family of methods shares: the session, and how names become keys. Knows no destination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

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
        return self.session.key(*(str(part) for part in parts if part))


def as_params(value: Any) -> Any:
    """Return what a user gives as parameters as nested dicts: namespaces, dataclasses, pydantic, OmegaConf, plain objects.

    Anything that is none of these is returned as it is.
    """
    if isinstance(value, Mapping):
        return {str(key): as_params(item) for key, item in value.items()}
    if isinstance(value, (str, bytes, int, float, complex, list, tuple, set, frozenset, type(None))):
        return value
    for convert in (_omegaconf, _pydantic, _dataclass, _proto, _namespace):
        found = convert(value)
        if found is not None:
            return {str(key): as_params(item) for key, item in found.items()}
    return value


def _omegaconf(value: Any) -> Mapping[str, Any] | None:
    if type(value).__module__.partition(".")[0] != "omegaconf":
        return None
    from omegaconf import OmegaConf

    found = OmegaConf.to_container(value, resolve=True)
    return found if isinstance(found, dict) else None


def _pydantic(value: Any) -> Mapping[str, Any] | None:
    dump = getattr(type(value), "model_dump", None)
    return dump(value) if callable(dump) else None


def _dataclass(value: Any) -> Mapping[str, Any] | None:
    fields = getattr(type(value), "__dataclass_fields__", None)
    return {name: getattr(value, name) for name in fields} if fields is not None and not isinstance(value, type) else None


def _proto(value: Any) -> Mapping[str, Any] | None:
    """Read the classes of params_proto, which hold their parameters as class attributes."""
    if not isinstance(value, type) or "params_proto" not in {base.__module__.partition(".")[0] for base in type.mro(value)} | {
        type(value).__module__.partition(".")[0]
    }:
        return None
    found = dict(vars(value))
    return {name: item for name, item in found.items() if not name.startswith("_") and not callable(item)}


def _namespace(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, type) or callable(value) or type(value).__module__.partition(".")[0] in ("numpy", "torch", "jax", "jaxlib"):
        return None
    try:
        found = vars(value)
    except TypeError:
        return None
    return {name: item for name, item in found.items() if not name.startswith("_")}


def flatten(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of all leaves; an empty dict is a leaf."""
    for key, value in nested.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{name}.")
        else:
            yield name, value
