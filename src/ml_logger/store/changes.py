"""What changed since a version, one notice a run; knows nothing of what a change means.

A run's later change must not hide an earlier one that a reader has not seen, so each word of a notice keeps its own version.
"""

from __future__ import annotations

from operator import itemgetter

from ml_logger.answers import Change

MOST_METRICS = 200
"""A notice names at most so many metrics, the newest."""


class _Noted:
    __slots__ = ("last_step", "metrics", "version", "what")

    def __init__(self) -> None:
        self.version = 0
        self.last_step: int | None = None
        self.what: dict[str, int] = {}
        self.metrics: dict[str, int] = {}

    def since(self, run: str, version: int) -> Change:
        what = sorted(word for word, at in self.what.items() if at > version)
        metrics = [name for name, at in self.metrics.items() if at > version]
        return Change(run, what, self.version, self.last_step, metrics)


class Changes:
    """The last changes of each run; `note` costs O(words), `since` O(runs that changed)."""

    def __init__(self) -> None:
        """Begin with nothing noted."""
        self._noted: dict[str, _Noted] = {}

    def note(self, run: str, version: int, what: list[str], last_step: int | None = None, metrics: list[str] | None = None) -> None:
        """Remember that `run` changed in `version`, which is above all earlier ones."""
        noted = self._noted.pop(run, None) or _Noted()
        self._noted[run] = noted  # the newest is last
        noted.version = version
        noted.last_step = noted.last_step if last_step is None else last_step
        noted.what.update(dict.fromkeys(what, version))
        noted.metrics.update(dict.fromkeys(metrics or [], version))
        if len(noted.metrics) > MOST_METRICS:
            noted.metrics = dict(sorted(noted.metrics.items(), key=itemgetter(1))[-MOST_METRICS:])

    def since(self, version: int) -> list[Change]:
        """Return what changed after `version`, one notice a run, oldest first."""
        found: list[Change] = []
        for run, noted in reversed(self._noted.items()):
            if noted.version <= version:
                break
            found.append(noted.since(run, version))
        return found[::-1]
