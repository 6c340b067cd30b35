"""What is captured by itself, if asked: stdout and stderr, and system metrics. Each can be switched off again."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, TextIO

from ml_logger.methods.base import Methods
from ml_logger.records import Row, Text

SYSTEM_TABLE = "system/metrics.pkl"
INTERVAL_S = 10.0


class CaptureMethods(Methods):
    """Streams and gauges."""

    __slots__ = ()

    @contextlib.contextmanager
    def capture_output(self, file: str = "outputs.log") -> Iterator[None]:
        """Keep what is written to stdout and stderr inside the block in `file`, line by line, and still show it."""
        key, before = self._key(file), (sys.stdout, sys.stderr)
        streams = [_Tee(stream, lambda text: self.session.emit(Text(text, key))) for stream in before]
        sys.stdout, sys.stderr = streams  # type: ignore[assignment]
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
            for stream in streams:
                stream.finish()

    def start_capture(self, file: str = "outputs.log") -> None:
        """Keep what is written to stdout and stderr in `file`, as `capture_output` does, until the run ends."""
        capture = self.capture_output(file)
        capture.__enter__()
        self.session.before_close.append(lambda: capture.__exit__(None, None, None))

    def start_system_metrics(self, interval: float = INTERVAL_S) -> None:
        """Log CPU, memory, disk, network and GPU use every `interval` s (≥ 1) as metrics `system/…`, by a daemon thread.

        Costs about 1 ms each time, so 0.01 % of a core. Started twice, it goes on as before; `stop_system_metrics()` and the end of
        the run end it.
        """
        if "system_metrics" in self.session.state:
            return
        stop = threading.Event()
        self.session.state["system_metrics"] = stop
        self.session.before_close.append(stop.set)
        thread = threading.Thread(target=_watch, args=(self.session, stop, max(interval, 1.0)), name="ml-logger-system", daemon=True)
        thread.start()

    def stop_system_metrics(self) -> None:
        """End what `start_system_metrics` began."""
        stop = self.session.state.pop("system_metrics", None)
        if stop is not None:
            stop.set()


class _Tee:
    """A text stream that also keeps whole lines."""

    def __init__(self, stream: TextIO, keep: Any) -> None:
        self._stream, self._keep, self._rest = stream, keep, ""

    def write(self, text: str) -> int:
        written = self._stream.write(text)
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._keep("\n".join(lines) + "\n")
        return written

    def finish(self) -> None:
        if self._rest:
            self._keep(self._rest + "\n")
            self._rest = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _watch(session: Any, stop: threading.Event, interval: float) -> None:
    gauges = Gauges()
    while not stop.wait(interval):
        session.emit(Row(gauges.read(), SYSTEM_TABLE))


class Gauges:
    """Reads the machine's gauges; rates are since the last reading. GPUs only if their driver answers."""

    def __init__(self) -> None:
        """Take the first readings of counters."""
        import psutil

        self._psutil = psutil
        psutil.cpu_percent()
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._at, self._counters = time.monotonic(), self._totals()
        self._gpus = _open_gpus()

    def _totals(self) -> dict[str, float]:
        disk, net = self._psutil.disk_io_counters(), self._psutil.net_io_counters()
        found: dict[str, float] = {}
        if disk is not None:
            found.update(disk_read=disk.read_bytes, disk_write=disk.write_bytes)
        if net is not None:
            found.update(net_sent=net.bytes_sent, net_received=net.bytes_recv)
        return found

    def read(self) -> dict[str, float]:
        """Return percentages, GiB and MiB a second by name."""
        now, totals = time.monotonic(), self._totals()
        memory = self._psutil.virtual_memory()
        found = {
            "cpu_percent": self._psutil.cpu_percent(),
            "memory_percent": memory.percent,
            "process_cpu_percent": self._process.cpu_percent(),
            "process_memory_gib": self._process.memory_info().rss / 2**30,
            "disk_percent": self._psutil.disk_usage("/").percent,
        }
        span = max(now - self._at, 1e-3)
        found.update({f"{name}_mib_s": (totals[name] - self._counters.get(name, totals[name])) / span / 2**20 for name in totals})
        self._at, self._counters = now, totals
        for number, handle in enumerate(self._gpus):
            found.update(_gpu(number, handle))
        return found


def _open_gpus() -> list[Any]:
    try:
        import pynvml

        pynvml.nvmlInit()
        return [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # noqa: BLE001 - no driver, no library, no permission: no GPU to watch
        return []


def _gpu(number: int, handle: Any) -> dict[str, float]:
    import pynvml

    try:
        use, memory = pynvml.nvmlDeviceGetUtilizationRates(handle), pynvml.nvmlDeviceGetMemoryInfo(handle)
        power = pynvml.nvmlDeviceGetPowerUsage(handle) / 1000
    except pynvml.NVMLError:
        return {}
    return {
        f"gpu{number}_percent": float(use.gpu),
        f"gpu{number}_memory_percent": 100 * float(memory.used) / max(float(memory.total), 1.0),
        f"gpu{number}_watts": power,
    }
