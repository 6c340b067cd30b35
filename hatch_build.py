"""Builds the dashboard into the package before a wheel or a source archive is made; knows nothing of what it shows.

`ML_LOGGER_SKIP_DASHBOARD=1` leaves it out: the server then shows how to build it. An editable install takes the build that
is there. A source archive holds the build, so that installing it needs no Node.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "ML_LOGGER_SKIP_DASHBOARD"


class DashboardHook(BuildHookInterface):
    """Makes `src/ml_logger/server/assets`, and puts it into what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build where it is needed; `version` is "editable" or "standard"."""
        root = Path(self.root)
        assets = root / "src" / "ml_logger" / "server" / "assets"
        if os.environ.get(SKIP, "") not in ("", "0"):
            print(f"{SKIP} is set: the dashboard is left out", file=sys.stderr)
            return
        dashboard = root / "dashboard" / "run.py"
        built = (assets / "index.html").is_file()
        if not (built and version == "editable") and dashboard.is_file():
            _load(dashboard).build(assets)
        elif not built:
            raise SystemExit(f"neither {assets} nor {dashboard} is there: the dashboard cannot be built")
        build_data["artifacts"].append("src/ml_logger/server/assets/**")


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dashboard_run", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
