"""A later change of a run hides no earlier one that a reader has not seen."""

from ml_logger.store.changes import MOST_METRICS, Changes


def test_words_of_several_changes_come_in_one_notice() -> None:
    changes = Changes()
    changes.note("a", 1, ["rows"], 7, ["loss"])
    changes.note("a", 2, ["status"])
    (found,) = changes.since(0)
    assert (found.run, found.what, found.version, found.last_step, found.metrics) == ("a", ["rows", "status"], 2, 7, ["loss"])


def test_only_what_is_newer_is_told() -> None:
    changes = Changes()
    changes.note("a", 1, ["rows"], 7, ["loss"])
    changes.note("b", 2, ["rows"], 1, ["acc"])
    changes.note("a", 3, ["rows"], 8, ["acc"])
    assert [(found.run, found.version) for found in changes.since(0)] == [("b", 2), ("a", 3)]
    (found,) = changes.since(2)
    assert found.metrics == ["acc"]
    assert changes.since(3) == []


def test_a_notice_is_bounded() -> None:
    changes = Changes()
    changes.note("a", 1, ["rows"], 0, [str(number) for number in range(3 * MOST_METRICS)])
    assert len(changes.since(0)[0].metrics) == MOST_METRICS
