"""Names that try to get out, by every endpoint that takes one: nothing outside of the root is read, written or told apart."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

UPS = [
    "..",
    "%2e%2e",
    "%2E.",
    "..%2f",
    "..\\",
    "%5c..",
    "..%00",
    "..%c0%af",
    "%c0%ae%c0%ae",
    "．．",
    "․․",
    "....//",
    "..;",
    ".%2e%2f",
    "%252e%252e",
    "..%255c",
]
SEPARATORS = ["/", "%2f", "\\", "%5c", "//", "／", "%252f"]
TARGETS = ["etc/passwd", "secret.txt", "etc%2fpasswd"]
ABSOLUTE = [
    "//etc/passwd",
    "///etc/passwd",
    "%2f%2fetc%2fpasswd",
    "//etc//passwd",
    "file:///etc/passwd",
    "\\\\host\\share",
    "C:\\windows",
    "C:/windows",
    "~root",
    "~/.ssh/id_rsa",
    "%00/etc/passwd",
    "a%00/../../etc/passwd",
    "/proc/self/environ",
    "//proc/1/cwd/etc/passwd",
    "/dev/zero",
    "//dev/stdin",
    "\u202egnp.exe",
    "a/./b",
    "a/../b",
    "a/.",
    "a./b",
    " a/b",
    "con",
    "aux.txt",
]


def payloads() -> list[str]:
    """Return more than 500 names."""
    found = [
        up + sep + target if depth == 1 else (up + sep) * depth + target
        for up in UPS
        for sep in SEPARATORS
        for depth in (1, 4)
        for target in TARGETS
    ]
    return [*ABSOLUTE, *found]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return the directory around the root, with secrets in it."""
    (tmp_path / "secret.txt").write_text("CANARY")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("CANARY")
    return tmp_path


def state_of(folder: Path, skip: str) -> dict[str, str]:
    """Return a hash of every file below `folder`, but for the root itself."""
    files = (path for path in folder.rglob("*") if path.is_file() and skip not in path.parts)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_nothing_outside_is_read_or_written(outside: Path, new_server: Any, mint: Any, call: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token()
    before = {path: digest for path, digest in state_of(outside, "root").items() if not path.endswith(".log")}
    names = payloads()
    assert len(names) >= 500
    head = {"Authorization": f"Bearer {token}"}
    digest = hashlib.sha256(b"x").hexdigest()
    paths = [urllib.parse.quote("/v1/files/" + name.replace("\\", "%5c"), safe="/%:~;") for name in names]
    for path in paths:
        got = call(server, "GET", path, **head)
        assert b"CANARY" not in got.body and b"root:" not in got.body and 400 <= got.status < 500, (path, got)  # noqa: PT018
    for path in paths:
        put = call(server, "PUT", path, b"x", X_Content_SHA256=digest, **head)
        assert put.status == 201 or 400 <= put.status < 500, (path, put)
    after = {path: digest for path, digest in state_of(outside, "root").items() if not path.endswith(".log")}
    assert before == after


def test_questions_and_commands_stay_inside(outside: Path, new_server: Any, mint: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token()
    names = [urllib.parse.unquote(name) for name in payloads()][::7] + ["..", "../..", "/..", "a/../../secret.txt"]  # noqa: RUF005
    for name in names:
        questions = [
            {"type": "list_files", "path": name},
            {"type": "read_log", "path": name},
            {"type": "read_rows", "path": name},
            {"type": "get_run", "key": name},
            {"type": "glob", "pattern": name},
            {"type": "glob", "pattern": "*", "wd": name},
            {"type": "read_records", "run": name},
            {"type": "read_params", "path": name},
            {"type": "search_runs", "prefix": name},
        ]
        for question in questions:
            reply = post(server, "/v1/query", question, token)
            assert b"CANARY" not in reply.body and reply.status < 500, (question, reply)  # noqa: PT018
        for order in (
            {"type": "trash", "paths": [name]},
            {"type": "restore", "paths": [name]},
            {"type": "set_tags", "runs": [name], "add": ["x"]},
        ):
            reply = post(server, "/v1/command", order, token)
            assert 400 <= reply.status < 500, (order, reply)
    assert (outside / "secret.txt").read_text() == "CANARY"


def test_the_root_itself_is_not_removed(new_server: Any, mint: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token()
    (server.data_dir / "run").mkdir()
    for name in ("", "/", "//", ".", "./", "..", ".ml-logger", "/.ml-logger/", ".ml-logger/state", "run/run.json", "run/x.mlog"):
        reply = post(server, "/v1/command", {"type": "trash", "paths": [name]}, token)
        assert reply.status in (400, 403, 404), (name, reply)
    assert (server.data_dir / ".ml-logger" / "state").is_dir()


def test_what_ml_logger_keeps_is_not_served(new_server: Any, mint: Any, call: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token()
    head = {"Authorization": f"Bearer {token}"}
    for name in (
        ".ml-logger/state/auth.d/keys.json",
        "/.ml-logger/state/auth.d/keys.json",
        "%2eml-logger/state/auth.d/keys.json",
        ".ML-LOGGER/state/auth.d/keys.json",
    ):
        assert call(server, "GET", f"/v1/files/{name}", **head).status in (403, 404)
        reply = call(server, "PUT", f"/v1/files/{name}", b"x", X_Content_SHA256=hashlib.sha256(b"x").hexdigest(), **head)
        assert reply.status == 403
    for question in ("list_files", "read_log", "read_rows", "read_params"):
        assert post(server, "/v1/query", {"type": question, "path": ".ml-logger/state/auth.d/keys.json"}, token).status == 403
    for pattern in (".ml-logger/**", "*/state/auth.d/*", "**/keys.json", ".ml-*/**"):
        reply = post(server, "/v1/query", {"type": "glob", "pattern": pattern}, token)
        assert reply.status in (200, 403) and b"keys.json" not in reply.body, pattern  # noqa: PT018
    assert post(server, "/v1/command", {"type": "save", "kind": "auth.d", "name": "keys", "value": {}}, token).status == 200
    assert mint(server).kid  # the keys are as they were


def test_symlinks_are_not_followed(outside: Path, new_server: Any, mint: Any, call: Any, post: Any) -> None:
    server = new_server()
    token = mint(server).token()
    head = {"Authorization": f"Bearer {token}"}
    run = server.data_dir / "run"
    run.mkdir()
    (run / "in.txt").write_text("inside")
    (run / "out.txt").symlink_to(outside / "secret.txt")
    (run / "dir").symlink_to(outside)
    (run / "loop").symlink_to(run / "loop")
    (run / "here.txt").symlink_to("in.txt")
    (run / "abs").symlink_to("/etc")
    assert call(server, "GET", "/v1/files/run/in.txt", **head).body == b"inside"
    missing = call(server, "GET", "/v1/files/run/nothing.txt", **head)
    for name in ("out.txt", "dir/secret.txt", "loop", "here.txt", "abs/passwd", "dir"):
        reply = call(server, "GET", f"/v1/files/run/{name}", **head)
        assert (reply.status, reply.body.replace(name.encode(), b"nothing.txt")) == (404, missing.body), (name, reply)
        put = call(server, "PUT", f"/v1/files/run/{name}", b"x", X_Content_SHA256=hashlib.sha256(b"x").hexdigest(), **head)
        assert put.status < 500
    assert (outside / "secret.txt").read_text() == "CANARY"
    assert b"secret" not in post(server, "/v1/query", {"type": "list_files", "path": "run", "recursive": True}, token).body


def test_a_swapped_directory_leads_nowhere(outside: Path, new_server: Any, mint: Any, call: Any) -> None:
    """While a thread swaps a directory for a symlink to the outside, no read ever shows the secret and no write gets there."""
    server = new_server()
    head = {"Authorization": f"Bearer {mint(server).token()}"}
    good, place = server.data_dir / "good", server.data_dir / "x"
    good.mkdir()
    (good / "secret.txt").write_text("inside")
    (server.data_dir / "bad").symlink_to(outside)
    stop, swaps = threading.Event(), itertools.count()

    def swap() -> None:
        while not stop.is_set():
            for name in ("good", "bad"):
                temp = server.data_dir / "y"
                temp.symlink_to(server.data_dir / name)
                os.rename(temp, place)
                next(swaps)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        seen = {call(server, "GET", "/v1/files/x/secret.txt", **head).body for _ in range(150)}
        digest = hashlib.sha256(b"x").hexdigest()
        for _ in range(50):
            call(server, "PUT", "/v1/files/x/secret.txt", b"x", X_Content_SHA256=digest, **head)
    finally:
        stop.set()
        thread.join()
    assert next(swaps) > 100
    assert not any(b"CANARY" in body for body in seen)
    assert (outside / "secret.txt").read_text() == "CANARY"


def test_reading_changes_nothing(new_server: Any, mint: Any, call: Any) -> None:
    server = new_server()
    head = {"Authorization": f"Bearer {mint(server).token()}"}
    (server.data_dir / "run").mkdir()
    (server.data_dir / "run" / "a.txt").write_text("a")

    def content() -> dict[str, str]:
        return {path: digest for path, digest in state_of(server.data_dir, "index").items() if not path.endswith("audit.jsonl")}

    before = content()
    paths = [
        "/",
        "/r/run",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/v1/hello?nonce=a",
        "/v1/offsets?writer=run/a",
        "/v1/files/run/a.txt",
        "/v1/files/no",
    ]
    paths += ["/v1/query", "/v1/command", "/v1/session", "/v1/files/run/a.txt?delete=1&overwrite=1&x-http-method-override=DELETE"]
    for method in ("GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"):
        for path in paths:
            assert call(server, method, path, X_HTTP_Method_Override="DELETE", **head).status < 500
    assert content() == before
