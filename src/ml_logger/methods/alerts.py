"""Alerts and histograms: what a person should see at once, and distributions over steps. Knows no dashboard."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from ml_logger import settings
from ml_logger.errors import UnsupportedValueError
from ml_logger.media import histogram
from ml_logger.methods.base import Methods
from ml_logger.records import METRICS_TABLE, Row, Signal

WEBHOOK_TIMEOUT_S = 5.0
LEVELS = ("info", "warn", "error")


class AlertMethods(Methods):
    """Attention, and shapes."""

    __slots__ = ()

    def alert(self, title: str, text: str = "", level: str = "info", webhook: str | None = None, wait: float | None = None) -> None:
        """Show an alert on the run's page, print it, and send it to a webhook, if one is given or in `$ML_LOGGER_WEBHOOK`.

        The webhook gets JSON `{title, text, level, run, time}` by POST from this process, in a daemon thread, once, within 5 s;
        a failure is said on stderr and raises nothing. With `wait` (s) this call waits for it. `level`: info, warn or error.
        """
        if level not in LEVELS:
            raise UnsupportedValueError("level", level, f"choose {', '.join(LEVELS)}")
        note = {"title": title, "text": text, "level": level, "run": self.session.run, "time": time.time()}
        self.session.emit(Signal("alert", note, "alert"))
        self.session.printer.text(f"{level.upper()}: {title}{text and ': ' + text}\n")
        address = webhook or settings.variable("ML_LOGGER_WEBHOOK")
        if address:
            thread = threading.Thread(target=_post, args=(address, note), name="ml-logger-webhook", daemon=True)
            thread.start()
            if wait is not None:
                thread.join(wait)

    def log_histogram(self, values: Any, key: str, bins: int = 64, step: int | None = None, silent: bool = True) -> dict[str, Any]:
        """Log the distribution of `values` (any numbers, nested or an array) as `key`: counts over `bins` equal bins.

        The value is `{"counts": […], "edges": […], "n": …, "bad": …}`; non-finite numbers are counted as `bad`.
        """
        found = histogram.counted(values, key, bins)
        row = {**({} if step is None else {"step": step}), key: found}
        self.session.emit(Row(row, METRICS_TABLE, None if silent else {key: f"{found['n']} values"}))
        return found


def _post(address: str, note: dict[str, Any]) -> None:
    import urllib3

    from ml_logger.console import Printer

    try:
        pool = urllib3.PoolManager(retries=False, timeout=WEBHOOK_TIMEOUT_S)
        answer = pool.request("POST", address, body=json.dumps(note).encode(), headers={"Content-Type": "application/json"}, redirect=False)
        failure = f"HTTP {answer.status}" if answer.status >= 400 else ""
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        failure = type(error).__name__
    if failure:
        import sys

        Printer(lambda: sys.stderr).text(f"ml-logger: the webhook did not take the alert {note['title']!r}: {failure}\n")
