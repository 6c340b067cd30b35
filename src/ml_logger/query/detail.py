"""Everything about one run but its points, and what lies in the trash. Knows no search."""

from __future__ import annotations

from typing import Any

import numpy as np

from ml_logger import keys
from ml_logger.answers import RunDetail, RunRow, RunsPage
from ml_logger.errors import NotFoundError
from ml_logger.formats import messages, values
from ml_logger.queries import SearchRuns
from ml_logger.query.listing import is_run
from ml_logger.query.panels import panels_at, panels_below
from ml_logger.safe_fs import TRASH, SafeRoot
from ml_logger.store.base import Store
from ml_logger.store.rundir import RunDir
from ml_logger.store.state import signals_of

MAX_README = 1 << 20
_MOST_BELOW = 50
"""So many runs of a folder are asked for a `.charts.yml`, the newest first."""
_READ_BYTES = 64 << 20
"""Above so many bytes of journals the life of a run is not read for its page; the parameters come from the index."""


def run_detail(store: Store, root: SafeRoot, key: str) -> RunDetail:
    """Answer `GetRun`; for a folder there is no `row`. Raises `NotFoundError` if there is nothing at `key`."""
    with store.reading():
        snapshot = store.snapshot()
        at = snapshot.position(key)
        row = None if at is None else snapshot.rows([at])[0]
    if at is None or row is None:
        if key and not root.is_dir(key):
            raise NotFoundError(f"run {key}")
        detail = _described(RunDetail(key, readme=_readme(root, key)), root)
        return _described_below(detail, root, [snapshot.keys[at] for at in np.flatnonzero(snapshot.below(key))[: -1 - _MOST_BELOW : -1]])
    detail = RunDetail(key, row, nested=_nested(row.params), readme=_readme(root, key))
    detail.writers = [writer.info for writer in store.writers([int(snapshot.ids[at])])]
    run = RunDir(root, key)
    detail.meta, detail.warnings = run.meta(), [*store.problems.get(key, [])]
    _described(detail, root)
    if sum(entry.size for entry in root.scan(key) if entry.name.endswith(keys.JOURNAL_SUFFIX)) <= _READ_BYTES:
        _add_life(detail, run.refresh())
    return detail


def _described(detail: RunDetail, root: SafeRoot) -> RunDetail:
    detail.panels, detail.panel_problems = panels_at(root, detail.key)
    return detail


def _described_below(detail: RunDetail, root: SafeRoot, runs: list[str]) -> RunDetail:
    """Add to a folder's panels those that its newest runs describe."""
    panels, problems = panels_below(root, runs)
    detail.panels += [panel for panel in panels if panel not in detail.panels]
    detail.panel_problems += problems
    return detail


def _add_life(detail: RunDetail, run: RunDir) -> None:
    detail.nested = run.params() or detail.nested
    detail.lifecycle = [{"status": m.status, "time": m.time, **_plain(m.details)} for _, _, m in run.messages(messages.Status)]
    signals = [m for _, _, m in run.messages(messages.Signal)]
    seen = {m.seen: m.time for m in signals if m.seen}
    detail.signals = [{**sent, "seen": seen.get(sent["id"])} for sent in signals_of(run.root, run.key)]
    own = [m for m in signals if not m.seen]
    detail.signals += [{"name": m.name, "value": values.revive(m.value), "seen": None, "time": m.time, "sender": "the run"} for m in own]
    detail.warnings += run.problems


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    return {name: values.revive(value) for name, value in details.items() if name not in ("status", "time")}


def _readme(root: SafeRoot, key: str) -> str | None:
    try:
        with root.open_read(f"{key}/README.md") as file:
            return file.read(MAX_README).decode("utf-8", "replace")
    except NotFoundError:
        return None


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Return dotted names as a tree; a name that is both a leaf and a branch stays dotted."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *above, last = name.split(".")
        place = tree
        for part in above:
            below = place.setdefault(part, {})
            if not isinstance(below, dict):
                place, last = tree, name
                break
            place = below
        place[last] = value
    return tree


def trashed_runs(root: SafeRoot, query: SearchRuns) -> RunsPage:
    """Return the runs in the trash, the newest first, under the keys they had."""
    found: list[RunRow] = []
    for entry in reversed(root.scan(TRASH)):
        try:
            key = root.read_bytes(f"{entry.key}/path").decode("utf-8", "replace")
        except NotFoundError:
            continue
        if is_run(root.scan(f"{entry.key}/content")) and (not query.prefix or keys.in_scope(key, f"{query.prefix}/**")):
            found.append(RunRow(key, key.rpartition("/")[2], updated=entry.modified, status="trashed"))
    located = next((at for at, row in enumerate(found) if row.key == query.locate), None)
    return RunsPage(len(found), len(found), query.offset, found[query.offset : query.offset + query.limit], located=located)
