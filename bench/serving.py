"""A server process to measure: started on a root, asked over loopback, with its time and memory. Measures nothing itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import urllib3


class Server:
    """A server on `root` (`folder/root` unless given), with the configuration and the spool of its clients in `folder`."""

    def __init__(self, folder: Path, root: Path | None = None, *flags: str) -> None:
        self.root = root or folder / "root"
        os.environ.update(
            XDG_CONFIG_HOME=str(folder / "config"), XDG_CACHE_HOME=str(folder / "cache"), ML_LOGGER_SPOOL=str(folder / "spool")
        )
        command = [sys.executable, "-m", "ml_logger.server", "--data-dir", str(self.root), "--port", "0", *flags]
        self.log = folder / "server.log"
        start = time.perf_counter()
        with self.log.open("w") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        while not (found := re.search(r"ML_LOGGER_ROOT=(http://\S+)", self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        self.started_s = time.perf_counter() - start
        self.url = found[1].replace("localhost", "127.0.0.1")
        token_file = next((folder / "config/ml_logger/servers").glob("*.json"))
        self.token = json.loads(token_file.read_text())["token"]
        self._http = urllib3.PoolManager(headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})

    def ask(self, question: dict[str, Any]) -> bytes:
        """Return the body of the answer to a question; raises `AssertionError` with what the server said."""
        answer = self._http.request("POST", f"{self.url}/v1/query", body=json.dumps(question), timeout=600)
        assert answer.status == 200, answer.data
        return answer.data

    def peak_mib(self) -> float:
        """Return the most memory it ever used."""
        return self._memory("VmHWM")

    def memory_mib(self) -> tuple[float, float]:
        """Return what is in memory now, and of that what is not the index file as the system maps it."""
        return self._memory("VmRSS"), self._memory("RssAnon")

    def _memory(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024

    def cpu_s(self) -> float:
        """Return the CPU time it used so far."""
        used = psutil.Process(self.process.pid).cpu_times()
        return used.user + used.system

    def stop(self) -> None:
        """End it with SIGTERM."""
        self._http.clear()
        self.process.terminate()
        self.process.wait(20)
