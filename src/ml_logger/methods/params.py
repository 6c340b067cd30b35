"""Parameters: written as nested namespaces, read merged and by dotted names."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

from ml_logger.console import params_table, plain
from ml_logger.errors import InvalidKeyError, MissingExtraError, NotFoundError, UnsupportedValueError
from ml_logger.methods.base import Methods, as_params, flatten
from ml_logger.queries import ReadParams
from ml_logger.records import Params, Text

_NOTHING: Any = object()


class ParamMethods(Methods):
    """What a run was started with."""

    __slots__ = ()

    def log_params(self, path: str = "parameters.pkl", silent: bool = False, **namespaces: Any) -> None:
        """Log parameters: each keyword is a namespace, e.g. `log_params(Args=vars(args), model=config)`.

        A namespace may be a dict, an argparse namespace, a dataclass, a params_proto class, a pydantic model, an OmegaConf
        config or any object with `vars()`. Logged again, the namespaces are merged deeply; later values win.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise UnsupportedValueError("parameters", type(path).__name__, "give each namespace its name: log_params(Args=…)")
        nested = {name: as_params(value) for name, value in namespaces.items()}
        self.session.emit(Params({name: _without_color(value) for name, value in nested.items()}, self._key(path)))
        if not nested:
            return
        if silent:
            self.session.emit(Text(params_table(nested), self._key("outputs.log")))
        else:
            printer = self.session.printer
            printer.text(params_table(nested, color=printer.color))

    log_parameters = log_params

    def get_parameters(self, *keys: str, path: str = "parameters.pkl", not_exist_ok: bool = False, default: Any = _NOTHING) -> Any:
        """Return parameters of a run: all of them flat with dotted names, one value for one key, a tuple for several.

        A key is a dotted name (`Args.lr`) or a namespace (returned as a dict). A missing key gives `default`, else `KeyError`;
        a missing run gives `default` or, with `not_exist_ok`, nothing, else `NotFoundError`.
        """
        try:
            runs = self.session.ask(ReadParams(self._key(path))).runs
        except NotFoundError:
            runs = {}
        if not runs:
            if default is not _NOTHING:
                return default if len(keys) < 2 else (default,) * len(keys)
            if not_exist_ok:
                return {} if not keys else None if len(keys) == 1 else (None,) * len(keys)
            raise NotFoundError(f"parameters at {path}", "no run there has any")
        nested = next(iter(runs.values()))
        if not keys:
            return dict(flatten(nested))
        found = tuple(_get(nested, key, default) for key in keys)
        return found[0] if len(keys) == 1 else found

    read_params = get_parameters

    def get_exps(self, *prefixes: str, as_dataframe: bool = True, show_progress: bool = True) -> Any:
        """Return one row for each run below `prefixes` (globs; default: the current prefix): its flat parameters and `prefix`.

        A pandas DataFrame, or with `as_dataframe=False` a list of dicts.
        """
        del show_progress  # the answer comes from an index, at once
        rows = []
        for prefix in prefixes or ("**",):
            with contextlib.suppress(NotFoundError):
                answer = self.session.ask(ReadParams(self._key(prefix, "parameters.pkl"))).runs
                rows += [{"prefix": run, **dict(flatten(nested))} for run, nested in answer.items()]
        if not as_dataframe:
            return rows
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "get_exps as a DataFrame") from None
        return pd.DataFrame(rows)


def _get(nested: Mapping[str, Any], key: str, default: Any) -> Any:
    """Return the namespace or leaf that `key` names; a top-level name wins over a dotted one."""
    if not isinstance(key, str):
        raise InvalidKeyError(type(key).__name__, "the name of a parameter is a text")
    found: Any = nested.get(key, _NOTHING)
    if found is _NOTHING:
        found = dict(flatten(nested)).get(key, _NOTHING)
    if found is _NOTHING:
        found = _inner(nested, key.split("."))
    if found is _NOTHING and default is _NOTHING:
        raise KeyError(f"{key} (there is {', '.join(sorted(dict(flatten(nested)))[:20]) or 'no parameter'})")
    return default if found is _NOTHING else found


def _inner(nested: Any, parts: list[str]) -> Any:
    for part in parts:
        if not isinstance(nested, Mapping) or part not in nested:
            return _NOTHING
        nested = nested[part]
    return nested


def _without_color(value: Any) -> Any:
    return {key: _without_color(item) for key, item in value.items()} if isinstance(value, Mapping) else plain(value)
