"""A writer of run directories that needs only the formats, so that reading is tested against bytes, not against a client."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ml_logger.formats import frames, messages, values
from ml_logger.safe_fs import SafeRoot

Write = Callable[..., Path]
_numbers = count(1)


@pytest.fixture
def root(tmp_path: Path) -> SafeRoot:
    """Return an empty root."""
    return SafeRoot(tmp_path / "root", create=True)


@pytest.fixture
def write_run(root: SafeRoot) -> Write:
    """Return a function that writes one writer's journal: write_run(key, rows=[{…}], params={…}, …)."""
    return lambda key, **what: write_journal(root, key, **what)


@pytest.fixture(scope="session")
def journal_writer() -> Write:
    """Return the function behind `write_run`, for fixtures that outlive a test."""
    return write_journal


def write_journal(
    root: SafeRoot,
    key: str,
    rows: list[dict[str, Any]] | None = None,
    params: dict[str, Any] | None = None,
    table: str = "metrics.pkl",
    attempt: int = 0,
    rank: int = 0,
    extra: list[messages.Message] | None = None,
    created: float = 1000.0,
    status: str | None = None,
) -> Path:
    """Write a journal as a client does: rows get the numbers 0, 1, …, their time is `created` + number."""
    writer = f"{next(_numbers):032x}"
    root.make_dirs(key)
    root.link_once(f"{key}/run.json", json.dumps({"uuid": writer, "key": key, "created": created}).encode())
    found: list[messages.Message] = [messages.Header(writer, key, 0, f"host{rank}", rank, 1, created, attempt)]
    if params is not None:
        found.append(messages.Params(values.plain(params), f"{key}/parameters.pkl", created))
    if status is not None:
        found.append(messages.Status(status, created))
    sids: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows or []):
        names = tuple(row)
        if names not in sids:
            sids[names] = len(sids) + 1
            found.append(messages.Keys(sids[names], list(names), table))
        step = next((row[k] for k in ("step", "timestep", "global_step", "epoch") if type(row.get(k)) is int), None)
        found.append(messages.RowPart(sids[names], number, step, created + number, [values.plain(v) for v in row.values()]))
    data = frames.MAGIC + b"".join(frames.encode(i + 1, messages.encode(m)) for i, m in enumerate([*found, *(extra or [])]))
    path = root.path(key) / f"metrics.host-{rank}-{writer}.mlog"
    path.write_bytes(data)
    return path
