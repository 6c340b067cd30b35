"""The served description: it lists every route, and what it says holds under fuzzing."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ml_logger.server.routes import OPERATIONS

PUBLIC = {("get", "/healthz"), ("get", "/readyz"), ("get", "/openapi.json"), ("get", "/v1/hello"), ("post", "/v1/session")}
DATA = """
from ml_logger import ML_Logger
logger = ML_Logger(root={root!r}, prefix="run")
logger.log_params(Args=dict(lr=0.1))
for step in range(5):
    logger.log(loss=1.0, step=step)
logger.print("hello")
logger.flush()
"""


@pytest.fixture
def described(new_server: Any, new_program: Any, tmp_path: Path) -> Any:
    new_program(DATA.format(root=str(tmp_path / "root"))).finish()
    return new_server("root", "--no-auth")


def test_every_operation_is_described(described: Any) -> None:
    found = json.loads(urllib.request.urlopen(f"{described.url}/openapi.json", timeout=10).read())
    operations = {(method, path) for path, methods in found["paths"].items() for method in methods}
    assert operations == {(op.method.lower(), op.path) for op in OPERATIONS} | {("get", "/openapi.json")}
    open_ones = {(m, p) for p, methods in found["paths"].items() for m, what in methods.items() if what.get("security") == []}
    assert open_ones == PUBLIC
    assert found["security"] == [{"token": []}, {"cookie": []}]
    for path, methods in found["paths"].items():
        for method, what in methods.items():
            assert what["summary"] and "4XX" in what["responses"], (method, path)  # noqa: PT018
            assert not ("{" in path and not any(param["in"] == "path" for param in what["parameters"])), path
            assert (method in ("post", "put")) == ("requestBody" in what), (method, path)


@pytest.mark.parametrize("cases", [8, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(960)])])
def test_fuzzed(described: Any, cases: int, tmp_path: Path) -> None:
    """No 5xx, no status that is not described, no answer that breaks its schema."""
    command = [
        str(Path(sys.executable).with_name("st")),
        "run",
        f"{described.url}/openapi.json",
        "--phases",
        "fuzzing,examples",
        "--max-examples",
        str(cases),
        "--checks",
        "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance",
        "--exclude-path",
        "/v1/live",
        "--request-timeout",
        "20",
        "--no-color",
        "--workers",
        "2",
        "--seed",
        "1",
        "--suppress-health-check",
        "all",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert described.process.poll() is None and "Traceback" not in described.output, described.output[-3000:]  # noqa: PT018
