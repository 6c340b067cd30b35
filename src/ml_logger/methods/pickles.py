"""Pickles with a proof of who wrote them, and how they are read back: the writer's own are obeyed, others only looked at.

Knows no session and no path in a root. A pickle that `dumps` makes begins with a constant that is thrown away at once:

    80 04  43 30 'mlpickle' | u64 length of the body | HMAC-SHA256 of the body under the user's key   30   body…
    PROTO  SHORT_BINBYTES of 48 bytes                                                                POP

so the standard library reads it like any other, and it may be appended, moved and copied. The key is in the user's
configuration directory, closed to others; without a key there is no proof, and plain data is all that comes back.
"""

from __future__ import annotations

import contextlib
import hmac
import io
import logging
import secrets
import struct
import sys
from collections.abc import Iterator
from typing import Any

from ml_logger import credentials, settings
from ml_logger.errors import CorruptFrameError, MissingExtraError, MlLoggerError, SettingsError, UnsupportedValueError
from ml_logger.formats import restricted_pickle

_HEAD = b"\x80\x04C\x30mlpickle"
_SIZE = len(_HEAD) + 8 + 32 + 1
_PURPOSE = b"ml-logger pickle 1\x00"
_UNREADABLE = (ValueError, TypeError, AttributeError, ImportError, LookupError, EOFError)


def dumps(data: Any, path: str, *, use_dill: bool = False) -> bytes:
    """Return `data` as a pickle of this user's; raises `UnsupportedValueError` that names `path` if it cannot be one."""
    body = _pickled(data, path, use_dill=use_dill)
    key = _key(make=True)
    if key is None or body[:2] != _HEAD[:2]:
        return body
    return _HEAD + struct.pack(">Q", len(body) - 2) + _proof(key, body[2:]) + b"0" + body[2:]


def iter_loads(file: Any, path: str, *, trust: bool = False) -> Iterator[Any]:
    """Yield the objects in a binary stream; raises `CorruptFrameError` at a damaged one.

    Objects with this user's proof are loaded by the standard library, the others as plain data (`formats/restricted_pickle.py`).
    With `trust` all are loaded by the standard library, which runs what they say.
    """
    if trust:
        logging.getLogger("ml_logger").info("running what the pickle %s says: trust=True", path)
        yield from _obeyed(file, path)
        return
    source, key = restricted_pickle.Source(file), _key(make=False)
    while head := source.peek(_SIZE):
        if len(head) < _SIZE or not head.startswith(_HEAD):
            yield restricted_pickle.next_object(source, path)
            continue
        source.read(_SIZE)
        body = source.read(struct.unpack_from(">Q", head, len(_HEAD))[0])
        proof = head[len(_HEAD) + 8 : -1]
        if key is not None and hmac.compare_digest(proof, _proof(key, body)):
            yield from _obeyed(io.BytesIO(_HEAD[:2] + body), path)
        else:
            yield from restricted_pickle.iter_loads(io.BytesIO(_HEAD[:2] + body), path)


def _pickled(data: Any, path: str, *, use_dill: bool) -> bytes:
    import pickle

    if use_dill:
        try:
            import dill
        except ImportError:
            raise MissingExtraError("dill", "use_dill=True") from None
        with pickling(path, data):
            return dill.dumps(data, protocol=4)
    with pickling(path, data, "; use_dill=True takes functions, too"):
        return pickle.dumps(data, protocol=4)


@contextlib.contextmanager
def pickling(path: str, data: Any, hint: str = "") -> Iterator[None]:
    """Turn what a library says of data that it cannot pickle into our error, which names the file and the type."""
    import pickle

    try:
        yield
    except MlLoggerError:
        raise
    except (pickle.PicklingError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UnsupportedValueError(path, type(data).__name__, f"{str(error)[:300]}{hint}") from error


def _obeyed(file: Any, path: str) -> Iterator[Any]:
    import pickle

    class Unpickler(pickle.Unpickler):
        """The standard library's, which also knows what dill calls the names of the program."""

        def find_class(self, module: str, name: str) -> Any:
            """Return what a pickle names."""
            return vars(sys.modules["__main__"]) if (module, name) == ("__builtin__", "__main__") else super().find_class(module, name)

    while True:
        try:
            yield Unpickler(file).load()  # the user's own, by proof or by word
        except EOFError:  # noqa: PERF203 - one object may hold megabytes
            return
        except (pickle.UnpicklingError, *_UNREADABLE) as error:
            raise CorruptFrameError(path, file.tell() if file.seekable() else 0, f"{type(error).__name__}: {error}") from error


def _proof(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + hmac.digest(key, body, "sha256"), "sha256")


def _key(*, make: bool) -> bytes | None:
    """Return the user's key; None if there is none and it is not, or cannot be, made: then nothing is proved."""
    place = settings.config_dir()
    path = place / "pickle.key"
    try:
        found = credentials.read_private(path)
        if found is None and make:
            credentials.private_dir(place)
            credentials.create_private(path, secrets.token_bytes(32))
            found = credentials.read_private(path)
    except (SettingsError, OSError):
        return None
    return found if found and len(found) == 32 else None
