"""Large files are streams: up, down, and through the server, in memory that does not grow with them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ALLOWED_MIB = 64
SIZE_MIB = int(os.environ.get("ML_LOGGER_TEST_LARGE_MIB", "256"))
"""1024 with `make test-long`."""

CODE = """
import json, os, pathlib, resource, sys
from ml_logger import ML_Logger
folder, root, size = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else FOLDER), ROOT, SIZE
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
block = os.urandom(1 << 20)
with open(folder / "big.bin", "wb") as file:
    for n in range(size):
        file.write(n.to_bytes(4, "little") + block[4:])
logger = ML_Logger("run", root=root)
logger.log(step=0, a=1, silent=True)
logger.upload_buffer(b"small", "small.bin")
logger.flush(timeout=30)
logger.download_file("small.bin", to=folder / "small.bin")
before = used()
logger.upload_file(folder / "big.bin")
logger.flush(timeout=100)
up = used()
logger.download_file("files/big.bin", to=folder / "back.bin")
down = used()
for piece in logger.session.read(logger.session.key("files/big.bin")):
    pass
print(json.dumps({"before": before, "up": up - before, "down": down - before, "read": used() - before}))
logger.close()
"""


CHECKPOINT = """
import json, resource
import torch
from ml_logger import ML_Logger
def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
logger = ML_Logger("run", root=ROOT)
logger.save_torch({"w": torch.ones(4)}, "small.pt")
logger.load_torch("small.pt")
weights = torch.arange(SIZE << 18, dtype=torch.float32)
before = used()
logger.save_torch({"w": weights}, "big.pt")
logger.flush(timeout=100)
up = used() - before
last = float(weights[-1])
del weights
found = logger.load_torch("big.pt")["w"]
assert (found.numel(), float(found[-1])) == (SIZE << 18, last)
print(json.dumps({"up": up, "down": used() - before}))
logger.close()
"""


def peak_of(pid: int) -> float:
    """Return the most memory that a process ever had, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["local", "http"])
def test_a_large_file_streams(way: str, tmp_path: Path, new_program: Callable[..., Any], request: pytest.FixtureRequest) -> None:
    root = str(tmp_path / "root")
    server = request.getfixturevalue("new_server")() if way == "http" else None
    before = peak_of(server.process.pid) if server else 0.0
    code = CODE.replace("FOLDER", repr(str(tmp_path))).replace("ROOT", repr(server.url if server else root)).replace("SIZE", str(SIZE_MIB))
    used = json.loads(new_program(code).finish(timeout=250))
    print(used)
    assert max(used["up"], used["down"], used["read"]) <= ALLOWED_MIB, used
    if server:
        assert peak_of(server.process.pid) - before <= 2 * ALLOWED_MIB
    sent, back = tmp_path / "big.bin", tmp_path / "back.bin"
    assert back.stat().st_size == sent.stat().st_size
    with sent.open("rb") as one, back.open("rb") as other:
        while block := one.read(1 << 22):
            assert other.read(1 << 22) == block


OVER = """
import os, pathlib
from ml_logger import ML_Logger
from ml_logger.client import spool
from ml_logger.errors import DeliveryError
spool.RUN_CAP_BYTES = 1 << 20
logger = ML_Logger("run", root=ROOT)
logger.log(step=0, a=1, silent=True)
data = os.urandom(20 << 20)
path = pathlib.Path(FOLDER) / "big.bin"
path.write_bytes(data)
logger.save_text("older", "files/big.bin")
logger.upload_file(path)
logger.upload_buffer(data[: 2 << 20], "data.bin")
for n in range(8):
    logger.upload_buffer(data[n << 10 : (n + 600) << 10], f"many/{n}.bin")
assert logger.load_file("files/big.bin").read() == data
assert logger.load_file("data.bin").read() == data[: 2 << 20]
assert [logger.load_file(f"many/{n}.bin").read() == data[n << 10 : (n + 600) << 10] for n in range(8)] == [True] * 8
logger.flush(timeout=30)
assert logger.status()["spool_bytes"] == 0
unreachable = ML_Logger("run", root="http://127.0.0.1:9")
try:
    unreachable.upload_buffer(data, "big.bin")
except DeliveryError as error:
    print("said", error)
"""


def test_what_does_not_fit_into_the_spool_goes_straight_to_the_server(
    tmp_path: Path, new_server: Callable[..., Any], new_program: Callable[..., Any]
) -> None:
    said = new_program(OVER.replace("ROOT", repr(new_server().url)).replace("FOLDER", repr(str(tmp_path)))).finish(timeout=100)
    assert "said" in said
    assert "cannot write run/big.bin in the spool: no room" in said


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["local", "http"])
def test_a_large_checkpoint_is_in_memory_once(
    way: str, tmp_path: Path, new_program: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("torch")
    root = request.getfixturevalue("new_server")().url if way == "http" else str(tmp_path / "root")
    code = CHECKPOINT.replace("ROOT", repr(root)).replace("SIZE", str(SIZE_MIB))
    used = json.loads(new_program(code).finish(timeout=250))
    assert max(used.values()) <= ALLOWED_MIB, used
