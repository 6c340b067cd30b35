"""Charts that a person described in a file: `.charts.yml` and `*.chart.yml`, as ml-logger's earlier dashboards read them.

Plain YAML only, and small; what is wrong is said with its place, and the rest is still shown. Knows no metric and no page.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ml_logger.answers import Panel
from ml_logger.errors import NotFoundError
from ml_logger.safe_fs import SafeRoot

MAX_BYTES = 64 << 10
MAX_PANELS = 200
CHARTS_FILE = ".charts.yml"
KINDS = {
    "": "line", "series": "line", "line": "line", "scatter": "line", "bar": "bar", "histogram": "histogram",
    "image": "image", "img": "image", "images": "image", "video": "video", "mov": "video", "movie": "video", "file": "file",
}  # fmt: skip
"""What `type:` may be, and the kind of panel that shows it."""

_AXES = {"": "", "step": "step", "timestep": "step", "global_step": "step", "__timestamp": "time", "timestamp": "time", "time": "time"}


class _WrongPanelError(ValueError):
    """One item cannot be shown; the message says why."""


def panels_at(root: SafeRoot, key: str) -> tuple[list[Panel], list[str]]:
    """Return the panels that files directly in `key` describe, and what is wrong with these files. Raises nothing for bad files."""
    panels: list[Panel] = []
    problems: list[str] = []
    for name in _files(root, key):
        data = _read(root, f"{key}/{name}".lstrip("/"))
        found, wrong = ([], []) if data is None else parsed(data)
        panels += found
        problems += [f"{name}: {reason}" for reason in wrong]
    return panels[:MAX_PANELS], problems


def panels_below(root: SafeRoot, runs: Iterable[str]) -> tuple[list[Panel], list[str]]:
    """Return the distinct panels of `.charts.yml` in these runs, and what is wrong there; runs of a sweep hold the same file."""
    seen: set[bytes] = set()
    panels: list[Panel] = []
    problems: list[str] = []
    for run in runs:
        data = _read(root, f"{run}/{CHARTS_FILE}")
        if data is None or data in seen:
            continue
        seen.add(data)
        found, wrong = parsed(data)
        panels += [panel for panel in found if panel not in panels]
        problems += [f"{run}/{CHARTS_FILE}: {reason}" for reason in wrong]
    return panels[:MAX_PANELS], problems


def _read(root: SafeRoot, path: str) -> bytes | None:
    try:
        with root.open_read(path) as file:
            return file.read(MAX_BYTES + 1)
    except NotFoundError:
        return None


def _files(root: SafeRoot, key: str) -> list[str]:
    charts = [CHARTS_FILE] if root.exists(f"{key}/{CHARTS_FILE}".lstrip("/")) else []
    if key and not root.is_dir(key):
        return []
    return charts + sorted(entry.name for entry in root.scan(key) if not entry.is_dir and entry.name.endswith(".chart.yml"))


def parsed(data: bytes) -> tuple[list[Panel], list[str]]:
    """Return the panels in the bytes of a file, and a line for each thing that is wrong."""
    if len(data) > MAX_BYTES:
        return [], [f"larger than {MAX_BYTES >> 10} KiB"]
    try:
        content = _loaded(data)
    except _WrongPanelError as error:
        return [], [str(error)]
    items = content.get("charts", [content]) if isinstance(content, dict) else content
    if items is None:
        return [], []
    if not isinstance(items, list):
        return [], ["`charts:` holds a list of charts"]
    found = [_panel_or_reason(number, item) for number, item in enumerate(items[:MAX_PANELS], 1)]
    return [one for one in found if isinstance(one, Panel)], [one for one in found if isinstance(one, str)]


def _panel_or_reason(number: int, item: Any) -> Panel | str:
    try:
        return _panel(item)
    except _WrongPanelError as error:
        return f"chart {number}: {error}"


def _loaded(data: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(data)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise _WrongPanelError(f"{place}{error.problem or 'no YAML'}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise _WrongPanelError(f"no YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise _WrongPanelError("nested too deeply") from None


def _panel(item: Any) -> Panel:
    if isinstance(item, str):
        return Panel("line", y=[item])
    if not isinstance(item, dict):
        raise _WrongPanelError("a chart is the name of a metric, or keys such as `yKey:`")
    asked = str(item.get("type") or "").lower()
    kind = KINDS.get(asked)
    if kind is None:
        raise _WrongPanelError(f"type {asked!r} is not one of {', '.join(name for name in KINDS if name)}")
    panel = Panel(kind, _text(item, "title"), _names(item), _axis(item), _text(item, "glob") or _text(item, "src"), _stat(item))
    if kind in ("image", "video", "file"):
        if not panel.glob:
            raise _WrongPanelError(f"type {asked!r} needs `glob:`, which files it shows")
    elif not panel.y:
        raise _WrongPanelError("`yKey:` or `yKeys:` is missing: which metric it shows")
    return panel


def _text(item: dict[Any, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _names(item: dict[Any, Any]) -> list[str]:
    found: list[str] = []
    for name in ("yKey", "yKeys", "y"):
        value = item.get(name)
        found += [value] if isinstance(value, str) else [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    return list(dict.fromkeys(found))[:50]


def _axis(item: dict[Any, Any]) -> str:
    if item.get("xFormat") == "time" and not item.get("xKey"):
        return "time"
    x = _text(item, "xKey") or _text(item, "x")
    return _AXES.get(x, x)


def _stat(item: dict[Any, Any]) -> str:
    stat = _text(item, "stat")
    return stat if stat in ("last", "min", "max") else "last"
