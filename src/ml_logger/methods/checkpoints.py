"""Checkpoints: torch modules and tensors, and variables of any framework as a plain dict of arrays. Safe to load by default."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ml_logger import elsewhere
from ml_logger.errors import (
    CorruptFrameError,
    MissingExtraError,
    NotFoundError,
    StateMismatchError,
    UnsupportedValueError,
)
from ml_logger.formats import restricted_pickle
from ml_logger.methods.base import Methods
from ml_logger.methods.pickles import pickling
from ml_logger.queries import Glob
from ml_logger.records import File


class CheckpointMethods(Methods):
    """Weights."""

    __slots__ = ()

    def _put_written(self, path: str, write: Callable[[Any], None], kind: str = "checkpoint") -> str:
        """Store what `write` puts into a local temporary file: streamed from there, so that memory holds it once."""
        fd, temp = tempfile.mkstemp(prefix="ml-logger-")
        try:
            with os.fdopen(fd, "wb") as file:
                write(file)
            self.session.emit(File(path, source=temp, kind=kind))
        finally:
            os.unlink(temp)
        return path

    def _fetched(self, key: str) -> Any:
        """Return an open temporary file (deleted when closed) with the bytes of `key`; raises `NotFoundError`."""
        file = tempfile.TemporaryFile(prefix="ml-logger-")  # noqa: SIM115 - the caller closes it
        try:
            for piece in self.session.read(key):
                file.write(piece)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    # ── torch ────────────────────────────────────────────────────────────────────────────────────────────────────

    def save_torch(self, obj: Any, *keys: str, path: str | None = None, tries: int = 1, backup: float = 0.0) -> str:
        """Save anything that `torch.save` takes, and return its path."""
        del tries, backup  # a save is in place or in the spool when this returns: there is nothing to try again
        torch = _torch("save_torch")
        key = self._key(*keys, path)
        with pickling(key, obj):
            return self._put_written(key, lambda file: torch.save(obj, file))

    torch_save = save_torch

    def load_torch(self, *keys: str, path: str | None = None, map_location: Any = None, trust: bool = False, **options: Any) -> Any:
        """Return what `torch.save` wrote, tensors and plain containers only; raises `NotFoundError`.

        `trust=True` (or `weights_only=False`) also runs the code that a file may hold: use it only for files you wrote yourself.
        """
        torch = _torch("load_torch")
        weights_only = options.pop("weights_only", not trust)
        key = self._key(*keys, path)
        with self._fetched(key) as file, _damage(key, weights_only=weights_only):
            return torch.load(file, map_location=map_location, weights_only=weights_only, **options)

    torch_load = load_torch

    def torch_jit_save(self, module: Any, *keys: str, path: str | None = None) -> str:
        """Save a scripted module."""
        torch = _torch("torch_jit_save")
        if not isinstance(module, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
            raise UnsupportedValueError(self._key(*keys, path), type(module).__name__, "give a scripted one: torch.jit.script(module)")
        return self._put_written(self._key(*keys, path), lambda file: torch.jit.save(module, file))

    save_torch_jit = torch_jit_save

    def torch_jit_load(self, *keys: str, path: str | None = None, map_location: Any = None, **options: Any) -> Any:
        """Return a scripted module; raises `NotFoundError`."""
        torch = _torch("torch_jit_load")
        key = self._key(*keys, path)
        with self._fetched(key) as file, _damage(key, weights_only=False):
            return torch.jit.load(io.BytesIO(file.read()), map_location=map_location, **options)

    load_torch_jit = torch_jit_load

    def save_module(self, module: Any, path: str = "weights.pkl", **_: Any) -> str:
        """Save the `state_dict` of a torch module (of the wrapped one, for DataParallel); a .safetensors path in that format."""
        inner = getattr(module, "module", module) if type(module).__name__.endswith("DataParallel") else module
        _need(module, "state_dict", path)
        state = inner.state_dict()
        if not path.endswith(".safetensors"):
            return self.save_torch(state, path)
        safetensors = _safetensors("saving .safetensors")
        tensors = {name: value.contiguous().cpu() for name, value in state.items()}
        return self._put_written(self._key(path), lambda file: file.write(safetensors.save(tensors)))

    def read_state_dict(self, path: str = "weights.pkl", wd: str | None = None, map_location: Any = "cpu") -> dict[str, Any]:
        """Return a saved `state_dict`; of several files that match a glob, the last by name. Raises `NotFoundError`."""
        key = self._newest(path, wd)
        if not key.endswith(".safetensors"):
            return self.load_torch(key if key.startswith(("//", *elsewhere.SCHEMES)) else f"/{key}", map_location=map_location)
        safetensors = _safetensors("loading .safetensors")
        with self._fetched(key) as file, _damage(key, weights_only=False):
            return safetensors.load(file.read())

    def load_module(
        self,
        module: Any,
        path: str = "weights.pkl",
        wd: str | None = None,
        matcher: Callable[..., Any] | None = None,
        map_location: Any = "cpu",
        **_: Any,
    ) -> Any:
        """Load a saved `state_dict` into `module`; of several files that match a glob, the last by name.

        `matcher(d, key, patch)` gives the value for each `key` of the module: `d` is its own state, `patch` what was loaded.
        Raises `NotFoundError`, and `StateMismatchError` (a `RuntimeError`) that names what does not fit.
        """
        _need(module, "load_state_dict", path)
        patch = self.read_state_dict(path, wd, map_location)
        if matcher is not None:
            own = module.state_dict()
            patch = {name: matcher(own, name, patch) for name in own}
        try:
            return module.load_state_dict(patch)
        except RuntimeError as error:
            raise _mismatch(self._key(wd, path), module.state_dict(), patch) or error from error

    def _newest(self, path: str, wd: str | None) -> str:
        if not any(letter in path for letter in "*?["):
            return self.session.key(*(part for part in (wd, path) if part))
        base = self._key(wd)
        names = self.session.ask(Glob(path.lstrip("/"), "" if path.startswith("/") else base)).keys or []
        if not names:
            raise NotFoundError(f"checkpoint {path}", "no file matches")
        return names[-1] if path.startswith("/") or not base else f"{base}/{names[-1]}"

    # ── variables of any framework ───────────────────────────────────────────────────────────────────────────────

    def save_variables(
        self, variables: Any, path: str = "variables.pkl", keys: Iterable[str] | None = None, namespace: str | None = None
    ) -> str:
        """Save variables as a pickled plain dict name → array: a dict, or a list of TensorFlow, Keras or JAX variables.

        A name loses its `:0`; in a dict of dicts (JAX) it is the path, `dense/kernel`.
        `namespace` is a folder: `save_variables(vs, "v.pkl", namespace="checkpoints")`.
        """
        if not isinstance(variables, Iterable):
            raise UnsupportedValueError(path, type(variables).__name__, "give a dict of arrays, or a list of variables with names")
        named = _leaves(variables) if isinstance(variables, Mapping) else zip(keys or map(_name_of, variables), variables, strict=True)
        arrays = {str(name).removesuffix(":0"): _array_of(value, path) for name, value in named}
        import pickle

        return self._put_written(self._key(namespace, path), lambda file: pickle.dump(arrays, file, protocol=4))

    def load_variables(self, path: str = "variables.pkl", variables: Any = None, namespace: str | None = None) -> dict[str, Any]:
        """Return saved variables as a dict of arrays; with `variables`, also assign them (by name, `assign` or `load`)."""
        with self._fetched(self._key(namespace, path)) as file:
            arrays = restricted_pickle.loads(file.read(), path)
        for variable in variables or ():
            name = _name_of(variable).removesuffix(":0")
            if name not in arrays:
                raise NotFoundError(f"variable {name} in {path}")
            variable.assign(arrays[name])
        return arrays


def _need(module: Any, method: str, path: str) -> None:
    if not hasattr(module, method):
        raise UnsupportedValueError(path, type(module).__name__, f"give a torch module, or what has {method}()")


def _mismatch(path: str, own: Mapping[str, Any], patch: Mapping[str, Any]) -> StateMismatchError | None:
    """Return what does not fit between a module's own state and a loaded one; None if that is something else."""
    shapes = {name: (tuple(own[name].shape), tuple(patch[name].shape)) for name in own if name in patch and hasattr(own[name], "shape")}
    mismatched = [f"{name} {there} in place of {here}" for name, (here, there) in shapes.items() if here != there]
    missing, unexpected = [name for name in own if name not in patch], [name for name in patch if name not in own]
    return StateMismatchError(path, missing, unexpected, mismatched) if missing or unexpected or mismatched else None


@contextlib.contextmanager
def _damage(path: str, *, weights_only: bool) -> Iterator[None]:
    """Turn what torch says of a damaged or unsafe file into our error, which names the file and the way out."""
    import pickle

    try:
        yield
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)|[Uu]nsupported (?!operand)\w+ (\S+)", str(error))
        what = f"it holds more than tensors ({found[1] or found[2]})" if found else "it is no checkpoint"
        hint = "; trust=True runs what is in it: only for files that you wrote yourself" if weights_only else ""
        raise CorruptFrameError(path, 0, what + hint) from error
    except (RuntimeError, EOFError, ValueError, KeyError, struct.error) as error:
        raise CorruptFrameError(path, 0, f"{type(error).__name__}: {str(error)[:300]}") from error
    except Exception as error:  # its class is only there if safetensors is
        if type(error).__name__ != "SafetensorError":
            raise
        raise CorruptFrameError(path, 0, str(error)[:300]) from error


def _leaves(nested: Mapping[Any, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}/")
        else:
            yield f"{above}{name}", value


def _name_of(variable: Any) -> str:
    return str(getattr(variable, "path", None) or getattr(variable, "name", "variable"))


def _array_of(value: Any, path: str) -> Any:
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
    found = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
    if np.asarray(found).dtype.hasobject:
        raise UnsupportedValueError(path, type(value).__name__, "variables are arrays of numbers")
    return np.asarray(found)


def _torch(what: str) -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch", what) from None
    return torch


def _safetensors(what: str) -> Any:
    try:
        import safetensors.torch
    except ImportError:
        raise MissingExtraError("safetensors", what) from None
    return safetensors.torch
