"""Data in files: pickles, JSON, YAML, CSV, NumPy, HDF5 – saved, appended, and loaded back without running anything."""

from __future__ import annotations

import datetime as dt
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ml_logger.errors import CorruptFrameError, MissingExtraError, NotFoundError, UnsupportedValueError
from ml_logger.formats.values import as_array
from ml_logger.methods import pickles
from ml_logger.methods.base import Methods
from ml_logger.records import File


class DataMethods(Methods):
    """Objects in files."""

    __slots__ = ()

    def _save(self, data: bytes, *keys: str, append: bool = False, kind: str = "data") -> str:
        path = self._key(*keys)
        self.session.emit(File(path, data=data, append=append, kind=kind))
        return path

    def _load(self, keys: tuple[str, ...], *, strict: bool = False) -> bytes | None:
        """Return all bytes of a file, None if it is missing, or `NotFoundError` if `strict`."""
        try:
            return b"".join(self.session.read(self._key(*keys)))
        except NotFoundError:
            if strict:
                raise
            return None

    # ── pickles ──────────────────────────────────────────────────────────────────────────────────────────────────

    def save_pkl(self, data: Any, *keys: str, path: str | None = None, append: bool = False, use_dill: bool = False) -> str:
        """Pickle `data` to a file (default `data.pkl`), or with `append` behind what is there; return its path."""
        names = (*keys, *([path] if path else [] if keys else ["data.pkl"]))
        return self._save(pickles.dumps(data, self._key(*names), use_dill=use_dill), *names, append=append)

    def log_data(self, data: Any, path: str | None = None, overwrite: bool = False) -> str:
        """Append `data` as a pickle to `path` (default `data.pkl`), or replace the file."""
        return self.save_pkl(data, path=path or "data.pkl", append=not overwrite)

    def load_pkl(
        self,
        *keys: str,
        start: int | None = None,
        stop: int | None = None,
        tries: int = 1,
        delay: float = 1,
        strict: bool = False,
        trust: bool = False,
    ) -> list[Any] | None:
        """Return all objects in a stream of pickles (`metrics.pkl` gives the rows), or those from `start` to `stop`.

        A missing file gives None, or `NotFoundError` with `strict`; with `tries`, it is waited for, `delay` s each time.
        What this user saved comes back as it was: each pickle carries a proof. From others only plain data is read, without running
        anything; what is not plain becomes a placeholder that names its type. `trust=True` runs whatever is in the file.
        """
        for attempt in range(max(tries, 1)):
            data = self._load(keys, strict=strict and attempt + 1 == tries)
            if data is not None:
                return list(pickles.iter_loads(io.BytesIO(data), self._key(*keys), trust=trust))[start:stop]
            if attempt + 1 < tries:
                time.sleep(delay)
        return None

    def iload_pkl(self, *keys: str, key: str | None = None, trust: bool = False) -> Iterator[Any]:
        """Yield the objects in a stream of pickles one by one, without holding the file in memory; raises `NotFoundError`."""
        name = self._key(*keys, key)
        return pickles.iter_loads(io.BufferedReader(_Stream(self.session.read(name))), name, trust=trust)

    # ── text formats ─────────────────────────────────────────────────────────────────────────────────────────────

    def save_json(self, data: Any, *keys: str, path: str | None = None, file: str | None = None, **options: Any) -> str:
        """Write `data` as JSON; NumPy values become numbers and lists. `file` is another name of `path`."""
        names = _names(keys, path, file)
        return self._save(_json(data, self._key(*names), **options).encode(), *names)

    def load_json(self, *keys: str, strict: bool = False) -> Any:
        """Return what a JSON file holds; None if it is missing or damaged, unless `strict`."""
        data = self._load(keys, strict=strict)
        try:
            with _damage(self._key(*keys), ValueError):
                return None if data is None else json.loads(data)
        except CorruptFrameError:
            if strict:
                raise
            return None

    def log_jsonl(self, data: Any, *keys: str, path: str | None = None, key: str | None = None) -> str:
        """Append `data` as one line of JSON; `key` is another name of `path`."""
        names = _names(keys, path, key)
        return self._save(_json(data, self._key(*names)).encode() + b"\n", *names, append=True)

    save_jsonl = log_jsonl

    def load_jsonl(
        self, *keys: str, start: int | None = None, stop: int | None = None, tries: int = 1, delay: float = 1, strict: bool = False
    ) -> list[Any] | None:
        """Return the lines of a JSON-lines file from `start` to `stop`; empty lines and `//` comments are left out; None if missing."""
        for attempt in range(max(tries, 1)):
            data = self._load(keys, strict=strict and attempt + 1 == tries)
            if data is not None:
                return _json_lines(data, self._key(*keys))[start:stop]
            if attempt + 1 < tries:
                time.sleep(delay)
        return None

    def save_yaml(self, data: Any, *keys: str, path: str | None = None, file: str | None = None, **options: Any) -> str:
        """Write `data` as YAML, plain types only. `file` is another name of `path`."""
        names = _names(keys, path, file)
        with _unsupported(self._key(*names), data):
            text = _yaml("save_yaml").safe_dump(_yaml_plain(data), **{"sort_keys": False, "allow_unicode": True, **options})
        return self._save(text.encode(), *names)

    def load_yaml(self, *keys: str, strict: bool = False) -> Any:
        """Return what a YAML file holds, plain types only, or a list of its documents if it has several; None if it is missing."""
        data = self._load(keys, strict=strict)
        yaml = _yaml("load_yaml")
        with _damage(self._key(*keys), yaml.YAMLError, ValueError):
            found = list(yaml.safe_load_all(data or b""))
        return found if len(found) > 1 else found[0] if found else None

    def save_csv(self, data: Any, *keys: str, path: str | None = None, **options: Any) -> str:
        """Write a DataFrame, a dict of columns or a list of rows as CSV."""
        names, is_columns = _names(keys, path), isinstance(data, dict) and any(map(_is_column, data.values()))
        if not hasattr(data, "to_csv") and not _is_column(data):
            raise UnsupportedValueError(self._key(*names), type(data).__name__, "give a DataFrame, a dict of columns, or a list of rows")
        with _unsupported(self._key(*names), data):
            rows = [data] if isinstance(data, dict) and data and not is_columns else data
            frame: Any = data if hasattr(data, "to_csv") else _pandas("save_csv").DataFrame(rows)
            text = frame.to_csv(**{"index": False, **options})
        return self._save(text.encode(), *names)

    def load_csv(self, *keys: str, strict: bool = False, **options: Any) -> Any:
        """Return a CSV file as a DataFrame, an empty one without columns; None if it is missing."""
        data = self._load(keys, strict=strict)
        if data is None:
            return None
        pandas = _pandas("load_csv")
        if not data.strip():
            return pandas.DataFrame()
        with _damage(self._key(*keys), ValueError):
            return pandas.read_csv(io.BytesIO(data), **options)

    def save_text(self, text: str, *keys: str, path: str | None = None) -> str:
        """Write text as UTF-8."""
        if not isinstance(text, str):
            raise UnsupportedValueError(self._key(*keys, path), type(text).__name__, "give a text; upload_buffer takes bytes")
        return self._save(text.encode("utf-8", "replace"), *keys, *([path] if path else []))

    def load_text(self, *keys: str, strict: bool = False) -> str | None:
        """Return a file as text; None if it is missing."""
        data = self._load(keys, strict=strict)
        return None if data is None else data.decode("utf-8", "replace")

    # ── arrays ───────────────────────────────────────────────────────────────────────────────────────────────────

    def save_np(self, array: Any, *keys: str, path: str | None = None) -> str:
        """Write one array as .npy; object arrays are refused."""
        import numpy as np

        out, names = io.BytesIO(), _names(keys, path)
        np.save(out, _array(array, self._key(*names)), allow_pickle=False)
        return self._save(out.getvalue(), *names)

    save_npy = save_np

    def save_npz(self, *keys: str, path: str | None = None, **arrays: Any) -> str:
        """Write several named arrays as .npz."""
        import numpy as np

        out = io.BytesIO()
        np.savez_compressed(out, **{name: _array(array, name) for name, array in arrays.items()})
        return self._save(out.getvalue(), *keys, *([path] if path else []))

    def load_np(self, *keys: str, strict: bool = False) -> Any:
        """Return an .npy array, or an .npz as a dict of arrays; None if it is missing. Pickled objects are refused."""
        import numpy as np

        data = self._load(keys, strict=strict)
        if data is None:
            return None
        with _damage(self._key(*keys), ValueError, EOFError, OSError):
            if not data.startswith((b"\x93NUMPY", b"PK")):
                raise ValueError("it is no .npy or .npz file")
            found = np.load(io.BytesIO(data), allow_pickle=False)
            return dict(found) if hasattr(found, "files") else found

    load_npy = load_np
    load_npz = load_np

    def save_h5(self, *keys: str, path: str | None = None, **arrays: Any) -> str:
        """Write named arrays as HDF5."""
        out = io.BytesIO()
        with _h5py("save_h5").File(out, "w") as file:
            for name, array in arrays.items():
                file[name] = _array(array, name)
        return self._save(out.getvalue(), *keys, *([path] if path else []))

    def load_h5(self, *keys: str, strict: bool = False) -> Any:
        """Return arrays of an HDF5 file as a dict: all (`group/name`), or those behind a colon (`load_h5("f.h5:a,b")`); None if missing."""
        *above, last = keys
        name, _, wanted = last.partition(":")
        data = self._load((*above, name), strict=strict)
        if data is None:
            return None
        h5py = _h5py("load_h5")
        with _damage(self._key(*above, name), OSError), h5py.File(io.BytesIO(data), "r") as file:
            there: list[str] = []
            file.visititems(lambda key, item: there.append(key) if hasattr(item, "dtype") else None)
            asked = wanted.split(",") if wanted else there
            if missing := [key for key in asked if key not in there]:
                raise NotFoundError(f"{missing[0]} in {name}", f"there are {', '.join(sorted(there))}")
            return {key: file[key][()] for key in asked}


_YAML_TYPES = (str, bool, int, float, bytes, dt.date, dt.datetime, type(None))


def _names(keys: tuple[str, ...], *named: str | None) -> tuple[str, ...]:
    """Return the parts of a name, given by position or by one of several keywords."""
    return (*keys, *(name for name in named if name))


class _Stream(io.RawIOBase):
    """A readable file over pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


@contextmanager
def _damage(path: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn what a library says of a damaged file into our error, which names the file."""
    try:
        yield
    except kinds as error:
        raise CorruptFrameError(path, getattr(error, "pos", 0), f"{type(error).__name__}: {str(error)[:300]}") from error


@contextmanager
def _unsupported(path: str, data: Any) -> Iterator[None]:
    """Turn what a library says of data that it cannot write into our error, which names the file and the type."""
    try:
        yield
    except (TypeError, ValueError, RecursionError) as error:
        raise UnsupportedValueError(path, type(data).__name__, str(error)[:300]) from error


def _is_column(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes))


def _array(value: Any, name: str) -> Any:
    with _unsupported(name, value):
        array = as_array(value)
    if array.dtype.hasobject:
        raise UnsupportedValueError(name, "array of objects", "save it with save_pkl")
    return array


def _json(data: Any, path: str, **options: Any) -> str:
    try:
        return json.dumps(data, **{"default": _jsonable, **options})
    except (TypeError, ValueError, RecursionError) as error:
        raise UnsupportedValueError(path, type(data).__name__, str(error)) from error


def _json_lines(data: bytes, path: str) -> list[Any]:
    found: list[Any] = []
    at = 0
    for number, raw in enumerate(data.splitlines(keepends=True), 1):
        line = raw.strip()
        if line and not line.startswith(b"//"):
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise CorruptFrameError(path, at, f"line {number}: {error}") from error
        at += len(raw)
    return found


def _yaml_plain(value: Any) -> Any:
    """Return `value` in types that YAML has: keys and dates stay what they are."""
    if isinstance(value, dict):
        return {key if isinstance(key, (str, int, float, type(None))) else str(key): _yaml_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_yaml_plain(item) for item in value]
    return value if type(value) in _YAML_TYPES else _yaml_plain(_jsonable(value))


def _jsonable(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (float, int, str)):  # numpy.float64 and the like have gone above; a subclass of the user's own
        return float(value) if isinstance(value, float) else int(value) if isinstance(value, int) else str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON or YAML")


def _optional(module: str, extra: str) -> Callable[[str], Any]:
    def load(what: str) -> Any:
        from importlib import import_module

        try:
            return import_module(module)
        except ImportError:
            raise MissingExtraError(extra, what) from None

    return load


_yaml, _pandas, _h5py = _optional("yaml", "yaml"), _optional("pandas", "pandas"), _optional("h5py", "h5")
