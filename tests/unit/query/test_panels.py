"""`.charts.yml` of earlier versions: what is understood, and how what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_logger.answers import Panel
from ml_logger.query.panels import MAX_BYTES, panels_at, panels_below, parsed
from ml_logger.safe_fs import SafeRoot

OLD = b"""
keys: [Args.lr]
charts:
- train/loss
- yKey: reward
  xKey: timestep
- yKeys: [a, b]
  title: Both
  xKey: __timestamp
- type: img
  glob: "**/*.png"
- type: movie
  glob: videos/*.mp4
- {type: bar, yKey: eval/acc, stat: max}
"""


def test_the_format_of_earlier_versions_is_understood() -> None:
    panels, wrong = parsed(OLD)
    assert wrong == []
    assert panels == [
        Panel("line", y=["train/loss"]),
        Panel("line", y=["reward"], x="step"),
        Panel("line", "Both", ["a", "b"], "time"),
        Panel("image", glob="**/*.png"),
        Panel("video", glob="videos/*.mp4"),
        Panel("bar", y=["eval/acc"], stat="max"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"charts:\n- yKey: [a", "line 2, column 11"),
        (b"charts:\n- a\n- 3\n", "chart 2: a chart is"),
        (b"charts: {}", "holds a list"),
        (b"- type: pie\n  yKey: a", "chart 1: type 'pie' is not one of"),
        (b"- type: image", "needs `glob:`"),
        (b"- title: no metric", "`yKey:` or `yKeys:` is missing"),
        (b"a: !!python/object/apply:os.system ['echo']", "could not determine a constructor"),
        (b"[" * 20_000, "nested too deeply"),
        (b"\xff\xfe\xff", "no YAML"),
        (b"a" * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: bytes, says: str) -> None:
    _, wrong = parsed(text)
    assert len(wrong) == 1
    assert says in wrong[0]


def test_one_wrong_chart_leaves_the_others() -> None:
    panels, wrong = parsed(b"charts:\n- type: pie\n- loss\n")
    assert [panel.y for panel in panels] == [["loss"]]
    assert len(wrong) == 1


def test_files_of_a_folder_are_read_and_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".charts.yml").write_bytes(b"charts: [loss]")
    (tmp_path / "run" / "more.chart.yml").write_bytes(b"yKey: reward")
    (tmp_path / "run" / "bad.chart.yml").write_bytes(b"type: pie")
    panels, wrong = panels_at(SafeRoot(tmp_path), "run")
    assert [panel.y for panel in panels] == [["loss"], ["reward"]]
    assert [line.partition(":")[0] for line in wrong] == ["bad.chart.yml"]
    assert panels_at(SafeRoot(tmp_path), "") == ([], [])


def test_runs_of_a_sweep_hold_the_same_file_and_its_panels_are_shown_once(tmp_path: Path) -> None:
    for name, text in {"a": b"charts: [loss]", "b": b"charts: [loss]", "c": b"charts: [loss, reward]", "d": b"- type: pie"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ".charts.yml").write_bytes(text)
    panels, wrong = panels_below(SafeRoot(tmp_path), ["a", "b", "none", "c", "d"])
    assert [panel.y for panel in panels] == [["loss"], ["reward"]]
    assert wrong == ["d/.charts.yml: chart 1: type 'pie' is not one of " + wrong[0].partition("one of ")[2]]
