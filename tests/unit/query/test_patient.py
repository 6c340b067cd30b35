"""Costly things are made when they are new, and not again before they were worth it."""

from __future__ import annotations

from ml_logger.query.kept import Kept
from ml_logger.query.patient import Patient


def test_a_costly_thing_serves_for_a_while() -> None:
    now = [0.0]
    made: list[int] = []

    def make() -> int:
        now[0] += 1.0
        made.append(len(made))
        return made[-1]

    patient: Patient[int] = Patient(lambda: now[0])
    assert patient.get("a", 1, make) == 0
    assert patient.get("a", 1, make) == 0
    now[0] += 10
    assert patient.get("a", 2, make) == 0
    assert patient.get("b", 2, make) == 1
    now[0] += 20
    assert patient.get("a", 2, make) == 2
    quick: Patient[float] = Patient(lambda: now[0])
    assert quick.get("a", 1, lambda: 1.0) == 1.0
    assert quick.get("a", 2, lambda: 2.0) == 2.0


def test_things_are_kept_within_a_bound_and_while_their_origin_is_the_same() -> None:
    kept: Kept[str] = Kept(100_000)
    kept.put("a", 1, "A", 40_000)
    kept.put("b", 1, "B", 40_000)
    assert kept.get("a", 1) == "A"
    assert kept.get("a", 2) is None
    kept.put("c", 1, "C", 40_000)
    assert kept.get("b", 1) is None
    assert kept.get("a", 1) == "A"
    kept.put("large", 1, "L", 60_000)
    assert kept.get("large", 1) is None
    kept.put("a", 2, "A2", 47_000)
    assert kept.get("a", 2) == "A2"
