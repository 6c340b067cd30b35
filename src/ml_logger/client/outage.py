"""When the other end does not answer: since when, when to try again, what is said of it. Knows no journal and no wire."""

from __future__ import annotations

import random

from ml_logger.console import say

FIRST_BACKOFF_S, MAX_BACKOFF_S = 0.2, 60.0
REMIND_S = 600.0
URGENT_S = 0.25
"""How often one tries again while somebody waits for it."""


class Outage:
    """One end's troubles. Times are of the monotonic clock."""

    def __init__(self) -> None:
        """Begin without any."""
        self.retry_at = 0.0
        self.failures = 0
        self.since = self._said_at = 0.0
        # its own: drawing from the global generator here would change what a seeded training sees; anew in each child, so that forks spread
        self._jitter = random.Random()  # noqa: S311 - hides nothing

    def spread(self, seconds: float) -> float:
        """Return `seconds`, a fifth more or less, so that many clients do not come at once."""
        return seconds * self._jitter.uniform(0.8, 1.2)

    def failed(self, now: float) -> None:
        """Take note of a try without an answer: the next one is later, at random."""
        self.failures += 1
        self.retry_at = now + self._jitter.uniform(0, min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(self.failures, 12)))

    def put_off(self, now: float, seconds: float) -> None:
        """Take note that the other end wants to be left alone for `seconds`."""
        self.failures += 1
        self.retry_at = now + seconds * self._jitter.uniform(1.0, 1.25)

    def hurry(self, now: float, seconds: float) -> None:
        """Try again within `seconds`."""
        self.retry_at = min(self.retry_at, now + seconds)

    def is_to_be_said(self, now: float) -> bool:
        """Tell whether it is time for a line: at the start, then every ten minutes."""
        if self.since and now - self._said_at < REMIND_S:
            return False
        self._said_at, self.since = now, self.since or now
        return True

    def over(self, url: str) -> None:
        """Take note of an answer, and say so if it had been said that there was none."""
        if self.since:
            say(f"{url} answers again; what waited is on its way")
        self.retry_at, self.failures, self.since = 0.0, 0, 0.0
