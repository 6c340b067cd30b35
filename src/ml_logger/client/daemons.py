"""Daemon threads, started only while the interpreter lives. Knows nothing of what they do."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable


def begin_thread(work: Callable[[], object], name: str) -> threading.Thread:
    """Return a daemon thread that runs; raises `RuntimeError` at the end of the interpreter.

    Python 3.12 raises by itself. Older ones wait for ever, for the new thread to say that it has begun: logging from the `__del__` of
    what the interpreter takes down last would hang there.
    """
    if sys.is_finalizing():
        raise RuntimeError("the interpreter ends")
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
