"""A directory that a newer version wrote is refused by whoever would write or read there, and left as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import ml_logger
from ml_logger.errors import IncompatibleFormatError


@pytest.mark.parametrize("use", [lambda root: ml_logger.ML_Logger(root=root, prefix="run").log(loss=1.0), ml_logger.open])
def test_a_newer_root_is_refused(use: Callable[[str], object], tmp_path: Path) -> None:
    (tmp_path / ".ml-logger").mkdir()
    (tmp_path / ".ml-logger/format.json").write_text('{"format": 99}')
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IncompatibleFormatError, match="99"):
        use(str(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before
