"""Every error this package raises, as one tree; knows nothing of files, wires or metrics.

MlLoggerError
├─ UsageError (ValueError)          InvalidKeyError · UnsupportedValueError (TypeError) · ArgumentError (TypeError) ·
│                                   StateMismatchError (RuntimeError) · SettingsError · QuerySyntaxError · ConflictError
├─ MissingExtraError (ImportError)
├─ NotFoundError (LookupError)
├─ TransportError (ConnectionError) ServerUnreachableError · ServerBusyError · AuthenticationError · RejectedError
├─ DeliveryError                     NotWrittenError (OSError)
└─ StoreError                       CorruptFrameError · StoreLockedError · IndexFaultError · IncompatibleFormatError

`log_*` raises only `UsageError`; `read_*` and `load_*` raise everything. The HTTP destination raises the class
that the directory destination would: `http_status` and `to_wire` / `from_wire` carry it over.
"""

from __future__ import annotations

from typing import Any, ClassVar


class MlLoggerError(Exception):
    """Base of all errors of this package."""

    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    @property
    def fields(self) -> dict[str, Any]:
        """Return the typed fields, JSON-ready, that `from_wire` needs to rebuild this error."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __reduce__(self) -> tuple[Any, ...]:
        """Let an error leave a worker process: a pool waits for ever for one that cannot be unpickled."""
        return _unpickled, (type(self), self.args, vars(self))


def _unpickled(kind: type[MlLoggerError], args: tuple[Any, ...], state: dict[str, Any]) -> MlLoggerError:
    error = kind.__new__(kind, *args)
    super(MlLoggerError, error).__init__(*args)  # an ImportError keeps its words apart
    vars(error).update(state)
    return error


class UsageError(MlLoggerError, ValueError):
    """The caller asked for something that cannot be meant."""

    http_status = 400


class InvalidKeyError(UsageError):
    """A path, run key or metric name is not allowed."""

    def __init__(self, key: str, reason: str, position: int | None = None) -> None:
        """Say which `key`, why, and at which character offset if one is to blame."""
        where = "" if position is None else f" at character {position}"
        super().__init__(f"invalid name {_shorten(key)!r}{where}: {reason}")
        self.key, self.reason, self.position = _shorten(key), reason, position


class UnsupportedValueError(UsageError, TypeError):
    """A value has a type that a `save_*` method cannot write."""

    def __init__(self, key: str, type_name: str, hint: str = "") -> None:
        """Name the key, the type that was given and what to do instead."""
        super().__init__(f"cannot save {key!r}: values of type {type_name} are not supported{hint and '; ' + hint}")
        self.key, self.type_name, self.hint = key, type_name, hint


class ArgumentError(UsageError, TypeError):
    """A method was called with an argument of a type that it does not take."""

    def __init__(self, method: str, argument: str, expected: str, type_name: str) -> None:
        """Name the method, its argument, the type that its signature says and the one that was given."""
        super().__init__(f"{method}() takes {argument} as {expected}, not as {type_name}")
        self.method, self.argument, self.expected, self.type_name = method, argument, expected, type_name


class StateMismatchError(UsageError, RuntimeError):
    """A saved `state_dict` is not that of the module it is loaded into; a `RuntimeError`, as torch raises."""

    def __init__(self, path: str, missing: list[str], unexpected: list[str], mismatched: list[str]) -> None:
        """Name the file, the names that it lacks or has beyond, those of another shape, and the way out."""
        named = {"missing in the file": missing, "unknown to the module": unexpected, "of another shape": mismatched}
        said = "; ".join(f"{what}: {_listed(names)}" for what, names in named.items() if names)
        super().__init__(f"{path} does not fit the module ({said}); matcher= chooses a value for each name of the module")
        self.path, self.missing, self.unexpected, self.mismatched = path, missing, unexpected, mismatched


def _listed(names: list[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


class SettingsError(UsageError):
    """A setting (environment variable, argument or flag) has a value that cannot be used."""

    def __init__(self, setting: str, value: str, reason: str) -> None:
        """Name the setting, the value found and what it should be."""
        super().__init__(f"{setting}={value!r}: {reason}")
        self.setting, self.value, self.reason = setting, value, reason


class QuerySyntaxError(UsageError):
    """A search query does not parse; `position` is the 0-based character offset of the bad token."""

    def __init__(self, text: str, position: int, reason: str, suggestion: str | None = None) -> None:
        """Say where in `text` and why; `suggestion` is a nearest valid word or None."""
        hint = f" (did you mean {suggestion!r}?)" if suggestion else ""
        super().__init__(f"{reason} at character {position}{hint}")
        self.text, self.position, self.reason, self.suggestion = text, position, reason, suggestion


class ConflictError(UsageError):
    """What was to be replaced is no longer what the caller had read: someone else changed it meanwhile."""

    http_status = 409

    def __init__(self, what: str) -> None:
        """Name what was to be replaced."""
        super().__init__(f"{what} was changed by someone else meanwhile; read it again before you replace it")
        self.what = what


class MissingExtraError(MlLoggerError, ImportError):
    """An optional dependency is needed and not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        """Name the extra to install and what it was needed for."""
        super().__init__(f"{needed_for} needs an optional dependency: pip install 'ml-logger[{extra}]'")
        self.extra, self.needed_for = extra, needed_for


class NotFoundError(MlLoggerError, LookupError):
    """A run, file or metric does not exist."""

    http_status = 404

    def __init__(self, what: str, hint: str = "") -> None:
        """Name what was looked for, and where to look instead."""
        super().__init__(f"not found: {what}{hint and ' (' + hint + ')'}")
        self.what, self.hint = what, hint


class TransportError(MlLoggerError, ConnectionError):
    """A server could not be talked to."""

    http_status = 502
    retryable = True


class ServerUnreachableError(TransportError):
    """No answer from the server: refused, timed out, name or certificate not accepted."""

    def __init__(self, url: str, reason: str) -> None:
        """Name the server and the reason."""
        super().__init__(f"no answer from {url}: {reason}")
        self.url, self.reason = url, reason


class ServerBusyError(TransportError):
    """The server asked to come back later (429, 503, 507); `retry_after_s` is in seconds."""

    http_status = 503

    def __init__(self, reason: str, retry_after_s: float = 1.0, status: int = 503) -> None:
        """Say why and when to try again."""
        super().__init__(f"the server is busy: {reason}; try again in {retry_after_s:g} s")
        self.reason, self.retry_after_s, self.status = reason, retry_after_s, status


class AuthenticationError(TransportError):
    """The server wants a token, or a better one."""

    http_status = 401
    retryable = False

    def __init__(self, reason: str, status: int = 401) -> None:
        """Say what is wrong with the token and how to get one; `status` is 401 or 403."""
        super().__init__(reason)
        self.reason, self.status = reason, status


class RejectedError(TransportError):
    """The server understood the request and refuses it for good."""

    http_status = 422
    retryable = False

    def __init__(self, reason: str, status: int = 422) -> None:
        """Say what the server refused and why."""
        super().__init__(f"the server refused: {reason}")
        self.reason, self.status = reason, status


class DeliveryError(MlLoggerError):
    """`flush(timeout=…)` or a read ended before everything was delivered; nothing is lost."""

    http_status = 504
    retryable = True

    def __init__(self, pending: int, where: str, reason: str = "") -> None:
        """Say how many records wait, and in which spool."""
        super().__init__(f"{pending} records wait in {where}{reason and ' (' + reason + ')'}; nothing is lost")
        self.pending, self.where, self.reason = pending, where, reason


class NotWrittenError(DeliveryError, OSError):
    """A file could not be put in its place, nor anywhere where it could wait: a full disk, a read-only directory."""

    http_status = 507

    def __init__(self, path: str, place: str, reason: str) -> None:
        """Name the file, the place that does not take it, and what the system says."""
        super(DeliveryError, self).__init__(f"cannot write {path} in {place}: {reason}")
        self.path, self.place, self.reason = path, place, reason


class StoreError(MlLoggerError):
    """Something on the disk is not as it should be."""


class CorruptFrameError(StoreError):
    """Bytes that are no frame; readers skip and count them, and raise only where asked to be strict."""

    def __init__(self, path: str, offset: int, reason: str) -> None:
        """Name file, byte offset and reason."""
        super().__init__(f"{path}: damaged at byte {offset}: {reason}")
        self.path, self.offset, self.reason = path, offset, reason


class StoreLockedError(StoreError):
    """Another process holds the lock that this operation needs."""

    http_status = 409

    def __init__(self, path: str, holder: str = "") -> None:
        """Name the lock and who holds it."""
        super().__init__(f"{path} is in use{holder and ' by ' + holder}")
        self.path, self.holder = path, holder


class IndexFaultError(StoreError):
    """The index could not be read or written. It is derived: what it should hold is read again from the runs, nothing is lost."""

    http_status = 503
    retryable = True

    def __init__(self, path: str, reason: str) -> None:
        """Name the index and what the system said."""
        super().__init__(f"the index {path} cannot be used just now ({reason}); it is being mended")
        self.path, self.reason = path, reason


class IncompatibleFormatError(StoreError):
    """A file was written by a newer version; it is left untouched."""

    def __init__(self, path: str, found: int, supported: int) -> None:
        """Name the file, the version found and the newest one understood."""
        super().__init__(f"{path}: format {found} is newer than this version understands ({supported}); please upgrade")
        self.path, self.found, self.supported = path, found, supported


def to_wire(error: MlLoggerError) -> dict[str, Any]:
    """Return `error` as a JSON-ready dict `{error, message, …fields}`, the body of every HTTP error answer."""
    return {"error": type(error).__name__, "message": str(error), **error.fields}


def from_wire(body: dict[str, Any]) -> MlLoggerError:
    """Rebuild the error that `to_wire` wrote; an unknown class becomes a `RejectedError` with its message."""
    fields = {name: value for name, value in body.items() if name not in ("error", "message")}
    cls = _by_name().get(str(body.get("error")))
    try:
        return cls(**fields) if cls and fields else (cls or RejectedError)(str(body.get("message", "")))
    except TypeError:
        return RejectedError(str(body.get("message", "")))


def _by_name() -> dict[str, type[MlLoggerError]]:
    found: dict[str, type[MlLoggerError]] = {}
    todo: list[type[MlLoggerError]] = [MlLoggerError]
    while todo:
        cls = todo.pop()
        found[cls.__name__] = cls
        todo += cls.__subclasses__()
    return found


def _shorten(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
