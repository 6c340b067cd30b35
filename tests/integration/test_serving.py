"""The server as a process: how it starts, what it refuses, how it ends, and that nothing of it is left behind."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

MODULE = [sys.executable, "-m", "ml_logger.server"]


def get(server: Any, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def refused(env: dict[str, str], *arguments: str) -> str:
    """Return the one line with which a start is refused."""
    done = subprocess.run([*MODULE, *arguments], env=env, capture_output=True, text=True, timeout=30, check=False)
    lines = done.stderr.removeprefix("watched\n").splitlines()
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr  # noqa: PT018
    return lines[0]


def test_it_serves_on_both_loopback_addresses(new_server: Any) -> None:
    server = new_server()
    assert get(server, "/healthz") == (200, b'{"ok":true}')
    assert json.loads(get(server, "/readyz")[1])["ready"] is True
    with socket.socket(socket.AF_INET6) as sock:
        if sock.connect_ex(("::1", 0)) != 99:  # there is IPv6 on this machine
            connection = http.client.HTTPConnection("::1", server.port, timeout=5)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()


def test_mistakes_are_one_line(env: dict[str, str], tmp_path: Path, new_server: Any) -> None:
    server = new_server()
    other = str(tmp_path / "other")
    taken = f"port {server.port} is in use by"
    assert f"{taken} the ml-logger server of {server.data_dir} (" in refused(env, "--data-dir", other, "--port", str(server.port))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        stranger = refused(env, "--data-dir", other, "--port", str(sock.getsockname()[1]))
    assert stranger.endswith("is in use by another program; --port 0 takes a free one")
    assert not Path(other).exists(), "what could not be served is left as it was"
    assert server.url.rpartition(":")[2] in refused(env, "--data-dir", str(server.data_dir), "--port", "0")
    assert "unrecognized arguments: --colour" in " ".join(run_lines(env, "--colour"))
    assert "unrecognized arguments: --shell" in " ".join(run_lines(env, "--workers", "4", "--debug", "--shell"))
    (tmp_path / "file").write_text("x")
    assert "not a directory" in refused(env, "--data-dir", str(tmp_path / "file"), "--port", "0").lower() or "cannot be made" in refused(
        env, "--data-dir", str(tmp_path / "file"), "--port", "0"
    )
    assert "limit" in refused(env, "--data-dir", other, "--limit", "nothing=1")
    newer = tmp_path / "newer" / ".ml-logger"
    newer.mkdir(parents=True)
    (newer / "format.json").write_text('{"format": 99}')
    before = sorted(newer.rglob("*"))
    assert "99" in refused(env, "--data-dir", str(newer.parent), "--port", "0")
    assert sorted(newer.rglob("*")) == before, "a newer format is left untouched"


def test_the_directory_may_be_named_without_a_flag(env: dict[str, str], tmp_path: Path) -> None:
    """`… DIR` and, without one, ./runs – for the module and for the command."""
    command = [str(Path(sys.executable).with_name("ml-logger")), "serve"]
    for start, name in itertools.product((MODULE, command), ("named", "runs")):
        where = tmp_path / Path(start[0]).name
        where.mkdir(exist_ok=True)
        arguments = [*start, *(["named"] if name == "named" else []), "--port", "0"]
        with subprocess.Popen(arguments, env=env, cwd=where, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline().endswith(f" serves {where / name}\n")
            process.terminate()
    assert "is named already" in refused(env, "a", "--data-dir", "b")
    assert "invalid choice" in refused(env, "--debug", "a")


def run_lines(env: dict[str, str], *arguments: str) -> list[str]:
    done = subprocess.run([*MODULE, *arguments], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    return done.stderr.splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_politely_and_frees_its_port(number: int, new_server: Any) -> None:
    server = new_server()
    stream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    start = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(10) == 0
    assert time.monotonic() - start < 5
    stream.close()
    socket.create_server(("127.0.0.1", server.port)).close()
    servers = Path(server.env["XDG_CONFIG_HOME"]) / "ml_logger/servers"
    assert not list(servers.glob("*.json")), "its notice is gone"
    assert "Traceback" not in server.output
    assert "panic" not in server.output
    assert server.output.endswith("\nstopped\n")


def test_open_streams_do_not_delay_the_end(new_server: Any) -> None:
    server = new_server("root", "--no-auth")
    connections = []
    for _ in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/v1/live")
        assert connection.getresponse().readline().startswith(b"retry")
        connections.append(connection)
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 5
    for connection in connections:
        connection.close()


def test_after_a_kill_nothing_holds_the_port(new_server: Any) -> None:
    server = new_server()
    for _ in range(2):
        server.kill()
        socket.create_server(("127.0.0.1", server.port)).close()
        server.start()
    assert get(server, "/healthz")[0] == 200


def test_a_change_is_told(new_server: Any, new_program: Any) -> None:
    server = new_server("root", "--no-auth")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/v1/live?prefix=alice")
    stream = connection.getresponse()
    code = f"from ml_logger import ML_Logger\nfor name in ('bob/x', 'alice/x'):\n    l = ML_Logger(root={server.url!r}, prefix=name)\n    l.log(loss=1.0, step=3)\n    l.flush()"  # noqa: E501
    new_program(code).finish()
    found = next_change(stream)
    assert found["run"] == "alice/x"
    assert "rows" in found["what"]
    connection.close()


def next_change(stream: Any) -> dict[str, Any]:
    while True:
        line = stream.readline()
        assert line, "the stream ended"
        if line.startswith(b"data: "):
            found = json.loads(line[6:])
            if "rows" in found["what"]:
                return found


def test_files_come_in_whole_or_in_parts(new_server: Any) -> None:
    server = new_server("root", "--no-auth")
    data = os.urandom(300_000)
    digest = hashlib.sha256(data).hexdigest()
    head = {"X_Content_SHA256": digest}
    assert get(server, "/v1/files/a/whole.bin", "PUT", data, **head)[0] == 201
    assert get(server, "/v1/files/a/whole.bin")[1] == data

    def part(start: int, stop: int) -> tuple[int, bytes]:
        return get(server, "/v1/files/a/parts.bin", "PUT", data[start:stop], Content_Range=f"bytes {start}-{stop - 1}/{len(data)}", **head)

    assert part(0, 100_000)[0] == 202
    assert part(200_000, 300_000)[0] == 409, "a gap"
    assert part(50_000, 150_000)[0] == 202
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("HEAD", f"/v1/files/a/parts.bin?upload={digest}")
    assert connection.getresponse().getheader("Upload-Offset") == "150000"
    connection.close()
    server.kill()
    server.start()
    assert part(150_000, 300_000)[0] == 201
    assert get(server, "/v1/files/a/parts.bin")[1] == data
    assert get(server, "/v1/files/a/false.bin", "PUT", b"other", **head)[0] == 422
    assert get(server, "/v1/files/a", "PUT", data, **head)[0] == 400
    assert get(server, "/v1/files/a/false.bin")[0] == 404
    assert not list((server.data_dir / ".ml-logger/uploads").iterdir())


def test_metrics_count(new_server: Any) -> None:
    server = new_server("root", "--no-auth")
    get(server, "/healthz")
    text = get(server, "/metrics")[1].decode()
    assert 'ml_logger_requests_total{route="healthz",status="200"} ' in text
    assert "ml_logger_ready 1.0" in text


def test_ready_turns_false_when_nothing_can_be_written(new_server: Any, tmp_path: Path, new_program: Any) -> None:
    """On a full disk `/readyz` says so, reads go on, and it recovers by itself."""
    place = tmp_path / "small"
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs to mount a tmpfs")
    try:
        server = new_server("small/root", "--no-auth")
        filler = place / "filler"
        fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
        with pytest.raises(OSError, match="No space"):  # noqa: PT012
            while True:
                os.write(fd, bytes(4096))
        os.close(fd)
        program = new_program(
            f"from ml_logger import ML_Logger\nl = ML_Logger(root={server.url!r}, prefix='a')\nl.log(x=1, step=0)\nl.flush()\nimport time; time.sleep(6)"  # noqa: E501
        )
        assert wait_for(lambda: get(server, "/readyz")[0] == 503, 8)
        assert get(server, "/")[0] == 200
        filler.unlink()
        assert wait_for(lambda: get(server, "/readyz")[0] == 200, 8)
        program.finish()
        server.stop()
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def wait_for(found: Any, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found():
            return True
        time.sleep(0.1)
    return False


def test_the_watch_would_bite(tmp_path: Path, env: dict[str, str]) -> None:
    """The audit hook that all servers of these tests run under ends a process that unpickles or runs a program."""
    for harm in (
        f"import pickle; pickle.loads({pickle.dumps(Path('x'))!r})",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
    ):
        done = subprocess.run(
            [sys.executable, "-c", harm, "ml_logger.server"], env=env, capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 86 and "FORBIDDEN" in done.stderr, done  # noqa: PT018


def test_many_at_once(new_server: Any) -> None:
    """100 clients at once are answered, and memory stays bounded."""
    import psutil

    server = new_server("root", "--no-auth")
    get(server, "/healthz")
    process = psutil.Process(server.process.pid)
    before, failures = process.memory_info().rss, []

    def ask() -> None:
        try:
            for _ in range(3):
                assert get(server, "/v1/files/nothing")[0] == 404
        except (OSError, AssertionError, http.client.HTTPException) as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert process.memory_info().rss - before < 64 << 20
