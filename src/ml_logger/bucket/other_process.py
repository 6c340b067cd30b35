"""A process that makes requests for a child that was forked: obstore's threads did not come along. Knows no mirror.

Length (u32) and msgpack each way, over its standard input and output; it ends when its input does.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import IO, Any

import msgspec

from ml_logger.bucket.here import Here
from ml_logger.errors import MlLoggerError, ServerUnreachableError, from_wire, to_wire


class OtherProcess:
    """Requests to the bucket `url`, one at a time."""

    def __init__(self, url: str) -> None:
        """Start the process with the first request."""
        self.url = url
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, name: str, *args: Any) -> Any:
        """Make one request; raises what it raised there."""
        with self._lock:
            try:
                failed, answer = self._asked([self.url, name, *args])
            except (OSError, EOFError) as error:
                self._process = None
                raise ServerUnreachableError(self.url, f"the process that talks to it ended: {error}") from error
        if failed:
            raise from_wire(answer)
        return answer

    def _asked(self, question: Any) -> Any:
        if self._process is None:
            command = [sys.executable, "-m", "ml_logger.bucket.other_process"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ourselves
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _send(self._process.stdin, question)
        return _receive(self._process.stdout)


def _send(file: IO[bytes], value: Any) -> None:
    data = msgspec.msgpack.encode(value)
    file.write(len(data).to_bytes(4, "little") + data)
    file.flush()


def _receive(file: IO[bytes]) -> Any:
    head = file.read(4)
    if len(head) < 4:
        raise EOFError
    return msgspec.msgpack.decode(file.read(int.from_bytes(head, "little")))


def main() -> None:
    """Answer until the input ends; Ctrl-C is for the one that asks."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    ways: dict[str, Here] = {}
    while True:
        try:
            url, name, *args = _receive(sys.stdin.buffer)
        except EOFError:
            return
        except KeyboardInterrupt:
            continue
        try:
            way = ways.get(url) or ways.setdefault(url, Here(url))
            answer = [False, way.call(name, *args)]
        except MlLoggerError as error:
            answer = [True, to_wire(error)]
        with contextlib.suppress(BrokenPipeError):
            _send(answers, answer)


if __name__ == "__main__":
    main()
