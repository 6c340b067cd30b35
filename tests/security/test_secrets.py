"""Tokens do not leak: not into logs, journals, error bodies, tracebacks or command lines."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

ML_LOGGER = str(Path(sys.executable).with_name("ml-logger"))
CODE = """
import sys, traceback
from ml_logger import ML_Logger
logger = ML_Logger(root={root!r}, prefix="run")
logger.log(loss=1.0, step=0)
logger.print("hello")
logger.flush(timeout=20)
print(logger, repr(logger), logger.status())
try:
    logger.read_metrics("nothing", path="no/such.pkl")
except Exception:
    traceback.print_exc()
print(open("/proc/self/cmdline").read())
"""


def test_a_token_is_nowhere_but_in_its_header(new_server: Any, new_program: Any, call: Any, env: dict[str, str]) -> None:
    server = new_server()
    token = subprocess.run([ML_LOGGER, "token", "mint", "--ttl", "1h"], env=env, capture_output=True, text=True, check=True).stdout.strip()
    secrets = [token, token.rpartition(".")[2]]
    program = new_program(CODE.format(root=server.url), ML_LOGGER_TOKEN=token)
    seen = program.finish() + program.errors
    for headers in ({"Authorization": f"Bearer {token}x"}, {"Authorization": f"Basic {token}"}, {"Authorization": f"Bearer {token}"}):
        for path in ("/v1/offsets", "/v1/files/nothing", "/v1/command", "/v2/no", "/v1/files/..%2f.."):
            reply = call(server, "GET", path, **headers)
            seen += reply.body.decode() + str(reply.headers)
    seen += server.output
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            seen += process.read_text("utf-8", "replace")
    for path in [*server.data_dir.rglob("*"), *Path(env["ML_LOGGER_SPOOL"]).rglob("*"), *Path(env["TMPDIR"]).rglob("*")]:
        if path.is_file():
            seen += path.read_bytes().decode("latin-1")
    assert "hello" in seen
    for secret in secrets:
        assert secret not in seen
    local = (
        next((Path(env["XDG_CONFIG_HOME"]) / "ml_logger/servers").glob("*.json")).read_text().partition('"token":"')[2].partition('"')[0]
    )
    assert local
    assert local not in seen
