"""ml-logger: log experiments to a directory or a server with the same calls, lose nothing, look at them at once.

`from ml_logger import logger` gives the logger of this process, made on first use. Importing touches and prints nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_logger.console import Color as Color
    from ml_logger.console import blue as blue
    from ml_logger.console import brown as brown
    from ml_logger.console import cyan as cyan
    from ml_logger.console import default as default
    from ml_logger.console import gray as gray
    from ml_logger.console import green as green
    from ml_logger.console import grey as grey
    from ml_logger.console import magenta as magenta
    from ml_logger.console import ms as ms
    from ml_logger.console import percent as percent
    from ml_logger.console import red as red
    from ml_logger.console import sec as sec
    from ml_logger.console import white as white
    from ml_logger.console import yellow as yellow
    from ml_logger.job import RUN as RUN
    from ml_logger.job import instr as instr
    from ml_logger.job import is_stale as is_stale
    from ml_logger.job import memoize as memoize
    from ml_logger.job import needs_relaunch as needs_relaunch
    from ml_logger.keys import pJoin as pJoin
    from ml_logger.logger import ML_Logger as ML_Logger
    from ml_logger.reading import open as open  # noqa: A004 - the name of the field
    from ml_logger.summary import SummaryCache as SummaryCache

    logger: ML_Logger
    USER: str
    LOGGER_USER: str
    ROOT: str

__version__ = "1.0.0.dev0"

_HOMES = {
    "console": "Color percent ms sec default red green yellow brown gray grey blue magenta cyan white",
    "logger": "ML_Logger",
    "summary": "SummaryCache",
    "job": "RUN instr needs_relaunch is_stale memoize",
    "reading": "open",
    "keys": "pJoin",
}
_WHERE = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "LOGGER_USER", "ROOT", "RUN", "USER", "Color", "ML_Logger", "SummaryCache", "blue", "brown", "cyan", "default", "gray",
    "green", "grey", "instr", "is_stale", "logger", "magenta", "memoize", "ms", "needs_relaunch", "open", "pJoin", "percent",
    "red", "sec", "white", "yellow",
]  # fmt: skip
"""The lazy names are as public as any."""


def __getattr__(name: str) -> Any:
    """Make or import a public name when it is first used."""
    if name in _WHERE:
        from importlib import import_module

        value = getattr(import_module(f"ml_logger.{_WHERE[name]}"), name)
    elif name in ("USER", "LOGGER_USER", "ROOT"):
        from ml_logger import settings

        env = settings.read()
        return (env.root or "./runs") if name == "ROOT" else env.user
    else:
        raise AttributeError(f"module 'ml_logger' has no attribute {name!r}")
    globals()[name] = value
    return value


class _Package(ModuleType):
    """The package itself, with `logger` made on first use; importing the file of that name does not put the file in its place."""

    @property
    def logger(self) -> Any:
        """The logger of this process."""
        if "_logger" not in self.__dict__:
            from ml_logger.logger import default_logger

            self.__dict__["_logger"] = default_logger()
        return self.__dict__["_logger"]

    @logger.setter
    def logger(self, value: Any) -> None:
        if not isinstance(value, ModuleType):
            self.__dict__["_logger"] = value


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
