"""The life of a run: its states, its pings and signals, errors worth keeping, and results worth remembering."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ml_logger.errors import MlLoggerError, UnsupportedValueError
from ml_logger.methods.base import Methods
from ml_logger.queries import GetRun
from ml_logger.records import File, Params, Signal, Status, Text

_TIMES = {
    "created": "createTime", "requested": "requestTime", "started": "startTime", "running": "runTime",
    "paused": "pauseTime", "completed": "completionTime", "errored": "errorTime",
}  # fmt: skip


class LifecycleMethods(Methods):
    """What becomes of a run."""

    __slots__ = ()

    def _job(self, state: str, job: dict[str, Any] | None, namespaces: dict[str, Any]) -> None:
        """Log a state as STATUS, and as parameters `job.status`, `job.startTime` … as earlier releases did."""
        details = {"status": state, _TIMES[state]: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **(job or {})}
        self.session.emit(Status(state, details))
        self.session.emit(Params({"job": details, **namespaces}, self._key("parameters.pkl")))

    def job_created(self, job: dict[str, Any] | None = None, **namespaces: Any) -> None:
        """Say that the job was created; `namespaces` are parameters to log with it."""
        self._job("created", job, namespaces)

    def job_requested(self, job: dict[str, Any] | None = None, **namespaces: Any) -> None:
        """Say that the job waits for a machine."""
        self._job("requested", job, namespaces)

    def job_started(self, job: dict[str, Any] | None = None, **namespaces: Any) -> None:
        """Say that the job has begun."""
        self._job("started", job, namespaces)

    def job_running(self, job: dict[str, Any] | None = None, **namespaces: Any) -> None:
        """Say that the job runs."""
        self._job("running", job, namespaces)

    def job_paused(self, job: dict[str, Any] | None = None, **namespaces: Any) -> None:
        """Say that the job was paused."""
        self._job("paused", job, namespaces)

    def job_completed(self, job: dict[str, Any] | None = None, **namespaces: Any) -> None:
        """Say that the job has ended well."""
        self._job("completed", job, namespaces)

    def job_errored(self, job: dict[str, Any] | None = None, **namespaces: Any) -> None:
        """Say that the job has ended badly."""
        self._job("errored", job, namespaces)

    def ping(self, status: str = "running", interval: float | None = None) -> list[Any]:
        """Say that the run lives, and return the signals that were sent to it since the last ping, oldest first.

        A signal is its value, or its name if it has none. Each is answered in the journal, so that the sender sees it arrive.
        With `interval` (s) the run is looked up at most that often; between, [] is returned.
        """
        if not isinstance(status, str):
            raise UnsupportedValueError("status", type(status).__name__, "give a word, such as running")
        seen: set[str] = self.session.state.setdefault("signals_seen", set())
        now, last = time.monotonic(), self.session.state.get("pinged", -1e9)
        if interval is not None and now - last < interval:
            return []
        self.session.state["pinged"] = now
        self.session.emit(Status(status))
        found: list[Any] = []
        if self.session.status()["state"] in ("unreachable", "unauthorized"):
            return []  # there is nobody to ask, and training does not wait for it
        try:
            waiting = self.session.ask(GetRun(self.session.run)).signals
        except MlLoggerError:
            return []
        for signal in waiting:
            number = str(signal.get("id", ""))
            if number and number not in seen and not signal.get("seen"):
                seen.add(number)
                self.session.emit(Signal(str(signal.get("name", "")), signal.get("value"), number))
                found.append(signal.get("value") if signal.get("value") is not None else signal.get("name"))
        return found

    @contextlib.contextmanager
    def capture_error(self, file: str = "error.log", reraise: bool = False) -> Iterator[None]:
        """Keep the traceback of an error in the block in `file`, with the status `errored`; swallowed unless `reraise`."""
        try:
            yield
        except Exception as error:
            text = traceback.format_exc()
            self.session.emit(Text(text, self._key(file)))
            self.session.emit(Status("errored", {"error": f"{type(error).__name__}: {error}"[:1000]}))
            if reraise:
                raise
            self.session.printer.text(text)

    def memoize(self, f: Callable[..., Any], cache_dir: str = ".cache", ctx: Any = None) -> Callable[..., Any]:
        """Return `f` with its results kept in local pickles, by root, prefix and arguments."""
        del ctx
        place = hashlib.md5(f"{self.session.root}/{self.session.run}".encode(), usedforsecurity=False).hexdigest()

        def remembered(*args: Any, **kwargs: Any) -> Any:
            import pickle

            name = f"{f.__name__}-{hashlib.md5(repr((args, sorted(kwargs.items()))).encode(), usedforsecurity=False).hexdigest()}"
            path = Path(cache_dir) / place / f"{name}.pkl"
            if path.exists():
                return pickle.loads(path.read_bytes())  # noqa: S301 - this user's own cache, on this machine
            result = f(*args, **kwargs)
            path.parent.mkdir(parents=True, exist_ok=True)
            temp = path.with_suffix(f".{os.getpid()}")
            temp.write_bytes(pickle.dumps(result))
            temp.replace(path)
            return result

        remembered.__name__, remembered.__doc__ = f.__name__, f.__doc__
        remembered.cache_path = Path(cache_dir) / place  # type: ignore[attr-defined]
        return remembered

    def release(self, f: Callable[..., Any]) -> int:
        """Forget the kept results of a memoized function; return how many there were."""
        folder: Path | None = getattr(f, "cache_path", None)
        found = list(folder.glob(f"{f.__name__}-*.pkl")) if folder else []
        for path in found:
            path.unlink()
        return len(found)

    def shell(self, command: str, wd: str = "") -> tuple[str, str, int]:
        """Run a shell command on this machine (never on a server) and return (stdout, stderr, status)."""
        done = subprocess.run(command, shell=True, cwd=wd or None, capture_output=True, text=True, check=False)  # noqa: S602 - that is what it is for
        return done.stdout, done.stderr, done.returncode

    def log_caller(self) -> str:
        """Keep the source file of the caller in `files/`, and return its path."""
        frame = inspect.stack()[1]
        path = self._key("files", Path(frame.filename).name)
        self.session.emit(File(path, source=str(Path(frame.filename).absolute())))
        return path

    @staticmethod
    def fn_info(fn: Callable[..., Any]) -> dict[str, Any]:
        """Return where a function is defined: name, doc, module, file."""
        source = inspect.getsourcefile(fn) if not isinstance(fn, type(sys)) else None
        return {"name": fn.__name__, "doc": fn.__doc__, "module": fn.__module__, "file": source}
