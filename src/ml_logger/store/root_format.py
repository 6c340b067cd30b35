"""The format of a root: noted once, and a newer one is left untouched. Knows nothing else of what lies there."""

from __future__ import annotations

import json
from pathlib import Path

from ml_logger import keys
from ml_logger.errors import IncompatibleFormatError, NotFoundError, SettingsError
from ml_logger.formats import frames
from ml_logger.safe_fs import SafeRoot

FORMAT = f"{keys.HOME}/format.json"
USUAL = "./runs"


def usual_root() -> str:
    """Return the root that is meant where none is named: this directory if it is one and holds no ./runs, else ./runs."""
    return "." if Path(keys.HOME).is_dir() and not Path(USUAL).is_dir() else USUAL


def check_format(root: SafeRoot) -> None:
    """Note the format of a new root; raises `IncompatibleFormatError` for a newer one, which is left untouched."""
    if not refuse_newer(root):
        root.link_once(FORMAT, json.dumps({"format": frames.VERSION}).encode())


def refuse_newer(root: SafeRoot) -> bool:
    """Tell whether the root's format is noted; raises `IncompatibleFormatError` for a newer one. Writes nothing."""
    try:
        found = int(json.loads(root.read_bytes(FORMAT))["format"])
    except NotFoundError:
        return False
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(str(root.path(FORMAT)), "damaged", "should hold the format of this directory") from error
    if found > frames.VERSION:
        raise IncompatibleFormatError(str(root.path()), found, frames.VERSION)
    return True
