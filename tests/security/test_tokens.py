"""Tokens and sessions: what they grant, when they end, where they are kept, and what is written down about them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.errors import DeliveryError
from ml_logger.server.tokens import scopes_of

ML_LOGGER = Path(sys.executable).with_name("ml-logger")
DIGEST = hashlib.sha256(b"x").hexdigest()


def cli(server: Any, *arguments: str, env: dict[str, str] | None = None, status: int = 0) -> str:
    """Run the console command in the server's environment and return what it printed."""
    done = subprocess.run([ML_LOGGER, *arguments], env=env or server.env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def audit(server: Any) -> list[dict[str, Any]]:
    text = (server.data_dir / ".ml-logger/state/auth.d/audit.jsonl").read_text("ascii")
    return [json.loads(line) for line in text.splitlines()]


def test_scopes_end_at_their_prefix(new_server: Any, mint: Any, call: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token("read:alice/**", "write:alice/**", "delete:alice/**")
    head = {"Authorization": f"Bearer {token}"}
    for name in ("alice", "alice2", "bob", "ALICE", "ａlice"):
        (server.data_dir / name / "run").mkdir(parents=True)
        (server.data_dir / name / "run" / "a.txt").write_text("secret")
    assert call(server, "GET", "/v1/files/alice/run/a.txt", **head).status == 200
    assert call(server, "PUT", "/v1/files/alice/run/b.txt", b"x", X_Content_SHA256=DIGEST, **head).status == 201
    others = [
        "bob/run",
        "alice2/run",
        "ALICE/run",
        "%EF%BD%81lice/run",
        "alice%2e%2e/bob/run",
        "alice/../bob/run",
        "%62ob/run",
        "alice%2f..%2fbob/run",
        "/bob/run",
        "x",
    ]
    for other in others:
        for method, body in (("GET", None), ("PUT", b"x")):
            reply = call(server, method, f"/v1/files/{other}/a.txt", body, X_Content_SHA256=DIGEST, **head)
            assert reply.status in (400, 403) and b"secret" not in reply.body, (method, other, reply)  # noqa: PT018
    questions = [
        {"type": "search_runs"},
        {"type": "search_runs", "prefix": "bob"},
        {"type": "get_run", "key": "bob/run"},
        {"type": "get_run", "key": ""},
        {"type": "get_series", "metric": "loss"},
        {"type": "get_series", "metric": "loss", "runs": ["alice/run", "bob/run"]},
        [{"type": "get_series", "metric": "loss", "runs": ["alice/run"]}, {"type": "get_series", "metric": "loss", "runs": ["bob/run"]}],
        {"type": "list_metrics"},
        {"type": "glob", "pattern": "*"},
        {"type": "glob", "pattern": "../bob/*", "wd": "alice"},
        {"type": "glob", "pattern": "/bob/*", "wd": "alice"},
        {"type": "glob", "pattern": "a*/**"},
        {"type": "read_rows", "path": "*/run/metrics.pkl"},
        {"type": "read_params", "path": "bob/run/parameters.pkl"},
        {"type": "list_files"},
        {"type": "read_log", "path": "bob/run/a.txt"},
        {"type": "read_records", "run": "bob/run"},
        {"type": "complete", "q": "a", "position": 1},
        {"type": "get_saved", "kind": "view"},
        {"type": "get_importance", "objective": "loss"},
    ]
    for question in questions:
        assert post(server, "/v1/query", question, token).status in (400, 403), question
    for order in (
        {"type": "set_tags", "runs": ["alice/run", "bob/run"], "add": ["x"]},
        {"type": "set_notes", "run": "bob/run", "text": "x"},
        {"type": "trash", "paths": ["bob/run"]},
        {"type": "trash", "paths": ["alice/../bob"]},
        {"type": "restore", "paths": ["bob/run"]},
        {"type": "send_signal", "run": "bob/run", "name": "stop"},
        {"type": "save", "kind": "view", "name": "x", "value": 1},
        {"type": "set_archived", "runs": ["alice2/run"]},
    ):
        assert post(server, "/v1/command", order, token).status in (400, 403), order
    assert call(server, "GET", "/v1/live", **head).status == 403
    assert call(server, "GET", "/v1/offsets?writer=bob/run/" + "0" * 32, **head).status == 403
    assert post(server, "/v1/query", {"type": "search_runs", "prefix": "alice"}, token).status == 200
    assert post(server, "/v1/command", {"type": "set_tags", "runs": ["alice/run"], "add": ["x"]}, token).status == 200


def test_a_reader_does_not_write(new_server: Any, mint: Any, call: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token("read:**")
    assert call(server, "PUT", "/v1/files/a/b", b"x", X_Content_SHA256=DIGEST, Authorization=f"Bearer {token}").status == 403
    assert post(server, "/v1/command", {"type": "save", "kind": "view", "name": "x", "value": 1}, token).status == 403
    assert post(server, "/v1/query", {"type": "list_files"}, token).status == 200


def test_a_writer_tidies_up_only_in_its_own_run(new_server: Any, mint: Any, call: Any, post: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = new_server()
    for name in ("alice/one", "alice/two"):
        (server.data_dir / name).mkdir(parents=True)
        (server.data_dir / name / "a.txt").write_text("text")
    tokens = {role: mint(server).token(*scopes_of(role, "alice")) for role in ("write", "delete")}
    for role, status in (("write", 403), ("delete", 200)):
        assert post(server, "/v1/command", {"type": "trash", "paths": ["alice/one/a.txt"]}, tokens[role]).status == status
        assert post(server, "/v1/command", {"type": "move", "path": "alice/two", "to": f"alice/{role}"}, tokens[role]).status == status
    assert post(server, "/v1/command", {"type": "copy", "path": "alice/delete", "to": "alice/copy"}, tokens["write"]).status == 200
    assert post(server, "/v1/command", {"type": "move", "path": "alice/copy", "to": "bob/x"}, tokens["delete"]).status == 403
    assert post(server, "/v1/command", {"type": "copy", "path": "alice/copy", "to": "bob/x"}, tokens["delete"]).status == 403
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, server.env[name])
    worker = ML_Logger("alice/run", root=server.url, access_token=tokens["write"])
    worker.save_text("x", "old.txt")
    worker.remove("old.txt")
    assert worker.load_text("old.txt") is None
    worker.remove("/alice/copy/a.txt")
    with pytest.raises(DeliveryError):
        worker.flush(timeout=2.0)
    assert worker.status()["state"] == "unauthorized"
    assert (server.data_dir / "alice/copy/a.txt").read_text() == "text"
    worker.close()


def test_expiry_and_revocation_take_effect(new_server: Any, call: Any) -> None:
    server = new_server()
    short = cli(server, "token", "mint", "--role", "read", "--ttl", "2s").strip().splitlines()[-1]
    assert call(server, "GET", "/v1/offsets", Authorization=f"Bearer {short}").status == 200
    minted = cli(server, "token", "mint", "--role", "write", "--ttl", "1h").strip().splitlines()[-1]
    assert call(server, "GET", "/v1/offsets", Authorization=f"Bearer {minted}").status == 200
    jti = cli(server, "token", "list").splitlines()[-1].split()[0]
    cli(server, "token", "revoke", jti)
    revoked = time.monotonic()
    while call(server, "GET", "/v1/offsets", Authorization=f"Bearer {minted}").status == 200:
        assert time.monotonic() - revoked < 1.0
    time.sleep(max(0.0, 2.2 - (time.monotonic() - revoked)))
    assert call(server, "GET", "/v1/offsets", Authorization=f"Bearer {short}").status == 401
    server.kill()
    server.start()
    assert call(server, "GET", "/v1/offsets", Authorization=f"Bearer {minted}").status == 401
    assert {line["what"] for line in audit(server)} >= {"mint", "revoke", "refused"}


def test_rotation_fails_no_request(new_server: Any, call: Any) -> None:
    server = new_server()
    token = cli(server, "token", "mint", "--ttl", "1h").strip().splitlines()[-1]
    found: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            found.append(call(server, "GET", "/v1/offsets", Authorization=f"Bearer {token}").status)

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(3):
        cli(server, "token", "rotate")
    newer = cli(server, "token", "mint", "--ttl", "1h").strip().splitlines()[-1]
    stop.set()
    thread.join()
    assert set(found) == {200}
    assert len(found) > 5
    assert call(server, "GET", "/v1/offsets", Authorization=f"Bearer {newer}").status == 200


def test_a_code_works_once_and_the_cookie_only_from_the_page(new_server: Any, call: Any) -> None:
    server = new_server()
    code = server.output.partition("#code=")[2].split()[0]
    cookie = enter(call, server, code)
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    again = call(server, "POST", "/v1/session", json.dumps({"code": code}).encode(), Content_Type="application/json")
    assert again.status == 401
    assert b"ml-logger open" in again.body
    pair = {"Cookie": cookie.partition(";")[0]}
    own = {"Origin": f"http://127.0.0.1:{server.port}", "X_MLL": "1", "Content_Type": "application/json"}
    body = json.dumps({"type": "list_files"}).encode()
    assert call(server, "GET", "/v1/offsets", **pair).status == 200
    assert call(server, "POST", "/v1/query", body, **pair, **own).status == 200
    for missing in own:
        kept = {name: value for name, value in own.items() if name != missing}
        assert call(server, "POST", "/v1/query", body, **pair, **kept).status in (403, 415), missing
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert call(server, "POST", "/v1/command", body, **pair, **{**own, "Content_Type": kind}).status in (403, 415)
    server.kill()
    server.start()
    assert call(server, "GET", "/v1/offsets", **pair).status == 200, "a session lives through a restart"
    assert call(server, "DELETE", "/v1/session", **pair, **own).status == 200
    assert call(server, "GET", "/v1/offsets", **pair).status == 401


def enter(call: Any, server: Any, code: str) -> str:
    reply = call(server, "POST", "/v1/session", json.dumps({"code": code}).encode(), Content_Type="application/json")
    assert reply.status == 200, reply
    return reply.headers["set-cookie"]


def test_open_makes_another_code(new_server: Any, call: Any) -> None:
    server = new_server()
    for arguments in (["open", "--print"], ["open", "--print", "--port", str(server.port)], ["open", "--print", server.url]):
        address = cli(server, *arguments).strip().splitlines()[-1]
        enter(call, server, address.partition("#code=")[2])


def test_files_are_closed_to_others(tmp_path: Path, env: dict[str, str], call: Any) -> None:
    """Whatever the umask is; and what others could have read is refused."""
    script = "import os, sys; os.umask(0); sys.argv = ['x', *sys.argv[1:]]; from ml_logger.server.__main__ import main; main()"
    root = tmp_path / "root"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "--data-dir", str(root), "--port", "0"], env=env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while "Stop with" not in process.stdout.readline():
        pass
    places = [root / ".ml-logger/state/auth.d", Path(env["XDG_CONFIG_HOME"]) / "ml_logger"]
    found = [path for place in places for path in (place, *place.rglob("*"))]
    assert len(found) >= 6
    for path in found:
        mode = stat.S_IMODE(os.lstat(path).st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path} {mode:o}"
    process.kill()
    process.communicate()


@pytest.mark.parametrize("harm", ["readable", "symlink", "directory open"])
def test_keys_that_others_could_read_are_refused(harm: str, new_server: Any, tmp_path: Path) -> None:
    server = new_server()
    server.stop()
    place = server.data_dir / ".ml-logger/state/auth.d"
    if harm == "readable":
        (place / "keys.json").chmod(0o644)
    elif harm == "directory open":
        place.chmod(0o755)
    else:
        (place / "keys.json").rename(tmp_path / "keys")
        (place / "keys.json").symlink_to(tmp_path / "keys")
    command = [sys.executable, "-m", "ml_logger.server", "--data-dir", str(server.data_dir), "--port", "0"]
    done = subprocess.run(command, env=server.env, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and done.stderr.removeprefix("watched\n").count("\n") == 1, done.stderr  # noqa: PT018


def test_another_user_needs_a_token(new_server: Any, tmp_path: Path) -> None:
    """A program with another home finds no token and is told how to get one."""
    server = new_server()
    stranger = {**server.env, "XDG_CONFIG_HOME": str(tmp_path / "stranger"), "HOME": str(tmp_path / "stranger")}
    done = subprocess.run([ML_LOGGER, "ls", "--root", server.url], env=stranger, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "token" in done.stderr
    assert "Traceback" not in done.stderr
    assert cli(server, "ls", "--root", server.url) == f"no runs yet in {server.url}\n"


def test_a_false_server_gets_no_token(new_server: Any) -> None:
    """Who listens on the port of a server that is gone cannot prove to be it, and sees no Authorization header."""
    import http.server

    seen: list[str | None] = []

    class Liar(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("authorization"))
            body = json.dumps({"server_id": "x", "version": "1", "auth": True, "proof": "0" * 64}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = new_server()
    notice = next((Path(server.env["XDG_CONFIG_HOME"]) / "ml_logger/servers").glob("*.json"))
    kept = notice.read_bytes()
    server.kill()
    liar = http.server.ThreadingHTTPServer(("127.0.0.1", server.port), Liar)
    threading.Thread(target=liar.serve_forever, daemon=True).start()
    try:
        subprocess.run([ML_LOGGER, "ls", "--root", server.url], env=server.env, capture_output=True, timeout=60, check=False)
    finally:
        liar.shutdown()
        liar.server_close()
    assert kept
    assert seen
    assert set(seen) == {None}


def test_bad_tokens_slow_only_themselves(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    token = mint(server).token()
    for _ in range(30):
        assert call(server, "GET", "/v1/offsets", Authorization="Bearer bad").status == 401
    start = time.monotonic()
    for _ in range(20):
        assert call(server, "GET", "/v1/offsets", Authorization=f"Bearer {token}").status == 200
    assert time.monotonic() - start < 5
    refused = [line for line in audit(server) if line["what"] == "refused"]
    assert 20 <= len(refused) <= 25
    assert refused[0]["ip"] == "127.0.0.1"


def test_rate_of_a_minted_token(new_server: Any, call: Any) -> None:
    server = new_server("root", "--limit", "rate=1", "--limit", "burst=5")
    token = cli(server, "token", "mint", "--ttl", "1h").strip().splitlines()[-1]
    replies = [call(server, "GET", "/v1/offsets", Authorization=f"Bearer {token}") for _ in range(9)]
    assert [reply.status for reply in replies[:5]] == [200] * 5
    assert replies[-1].status == 429
    assert int(replies[-1].headers["retry-after"]) >= 1


def test_audit_lines_are_one_line_each(new_server: Any, mint: Any, call: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token(sub="eve\r\n\x1b[31m")
    (server.data_dir / "run").mkdir()
    assert post(server, "/v1/command", {"type": "trash", "paths": ["run"]}, token).status == 200
    call(server, "GET", "/v1/offsets%0d%0aX:%1b[31m", Authorization="Bearer bad")
    lines = audit(server)
    assert {line["what"] for line in lines} >= {"trash", "refused"}
    raw = (server.data_dir / ".ml-logger/state/auth.d/audit.jsonl").read_bytes()
    assert b"\x1b" not in raw
    assert b"\r" not in raw
    assert raw.count(b"\n") == len(lines)
    assert token.encode() not in raw
    assert token not in server.output
    trash = next(line for line in lines if line["what"] == "trash")
    assert trash["paths"] == ["run"]
    assert trash["who"].startswith("eve")
    assert trash["ip"] == "127.0.0.1"


def test_removals_and_moves_of_programs_are_audited(new_server: Any, new_program: Any) -> None:
    server = new_server()
    code = "\n".join(
        [
            "from ml_logger import ML_Logger",
            f"l = ML_Logger(root={server.url!r}, prefix='run')",
            "l.save_text('x', 'a.txt') if hasattr(l, 'save_text') else l.print('x', file='a.txt')",
            "l.flush()",
            "l.move('a.txt', 'b.txt')",
            "l.remove('b.txt')",
            "l.flush(timeout=10)",
        ]
    )
    new_program(code).finish()
    found = {line["what"]: line["paths"] for line in audit(server)}
    assert found["move"] == ["run/a.txt", "run/b.txt"] and found["remove"] == ["run/b.txt"], found  # noqa: PT018


def test_without_tokens_only_for_this_machine(env: dict[str, str], tmp_path: Path, new_server: Any, call: Any) -> None:
    base = [sys.executable, "-m", "ml_logger.server", "--data-dir", str(tmp_path / "root"), "--port", "0"]
    done = subprocess.run([*base, "--host", "0.0.0.0", "--no-auth"], env=env, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "--i-know-anyone" in done.stderr
    server = new_server("wide", "--host", "0.0.0.0")
    exports = [line.strip() for line in server.output.splitlines() if line.strip().startswith("export ")]
    assert [line.partition("=")[0] for line in exports] == ["export ML_LOGGER_ROOT", "export ML_LOGGER_TOKEN"]
    assert call(server, "GET", "/v1/offsets").status == 401
    token = exports[1].partition("=")[2]
    assert call(server, "GET", "/v1/offsets", Authorization=f"Bearer {token}").status == 200
