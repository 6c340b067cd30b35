"""The design load: 500 workers that send a batch each second, for a minute (S7)."""

from __future__ import annotations

import pytest


@pytest.mark.long
@pytest.mark.timeout(600)
def test_five_hundred_workers_for_a_minute() -> None:
    measure = pytest.importorskip("bench.ingest").measure_replay
    found = measure("500 workers × 1 batch/s of 10 rows", 500, 60, 10, None, 1.0)
    assert found["lost"] == 0, found
    assert found["ack p99 s"] <= 2, found
    assert found["server MiB"] <= 400, found
