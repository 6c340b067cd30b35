"""A server that means harm: nothing it answers runs, crashes or fills the client, and no file of it lands elsewhere."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ml_logger import ML_Logger
from ml_logger.cli import transfer
from ml_logger.errors import InvalidKeyError, MlLoggerError
from ml_logger.formats import replies
from ml_logger.queries import Glob, ReadRows


class Evil:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('EVIL RAN')",)


PICKLE = pickle.dumps(Evil(), 2)


class Server(http.server.ThreadingHTTPServer):
    """Answers what the test says: (content type, further headers, body) by path, or by default."""

    answers: dict[str, tuple[str, dict[str, str], Any]]
    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        place = next((path for path in self.server.answers if path and self.path.startswith(path)), "")
        kind, headers, body = self.server.answers[place]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        if isinstance(body, bytes):
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        try:
            for piece in [body] if isinstance(body, bytes) else body():
                self.wfile.write(piece)
        except OSError:
            self.close_connection = True

    do_POST = do_PUT = do_GET  # noqa: N815 - names that the library calls

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def evil(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, env[name])
    monkeypatch.setenv("ML_LOGGER_TOKEN", "secret")
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers = {"": ("text/plain", {}, b"")}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def logger(evil: Server) -> ML_Logger:
    return ML_Logger("run", root=f"http://127.0.0.1:{evil.server_address[1]}")


@pytest.mark.parametrize("kind", ["application/json", replies.MEDIA_TYPE, "application/octet-stream", "application/python-pickle"])
@pytest.mark.parametrize(
    "body",
    [
        PICKLE, b"", b"\xc1", b"<html>", b"[" * 100_000, b"\x91" * 100_000, b'{"keys": 5}', b"null",
        gzip.compress(b"0" * 1_000_000, mtime=0),
        b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", msgspec.msgpack.encode(msgspec.msgpack.Ext(7, PICKLE)),
    ],
    ids=lambda body: repr(body[:6]),
)  # fmt: skip
def test_answers_that_are_none(evil: Server, logger: ML_Logger, kind: str, body: bytes) -> None:
    evil.answers = {"": (kind, {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}, body)}
    for query in (Glob("*"), ReadRows("run/metrics.pkl")):
        with pytest.raises(MlLoggerError):
            logger.session.ask(query)


def test_pickles_of_a_server_are_only_looked_at(evil: Server, logger: ML_Logger) -> None:
    evil.answers = {"": ("application/octet-stream", {}, PICKLE)}
    (found,) = logger.load_pkl("data.pkl")
    assert "exec" in repr(found)
    assert type(found).__name__ == "Unsupported"
    for load in (logger.load_np, logger.load_torch, logger.load_json, logger.load_yaml, logger.load_h5, logger.load_csv):
        with contextlib.suppress(MlLoggerError):  # SystemExit would be what the pickle says
            assert load("data.pkl") is None
    (lie,) = logger.iload_pkl("data.pkl")
    assert type(lie).__name__ == "Unsupported"


def test_compressed_bombs_stay_compressed(evil: Server, logger: ML_Logger) -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))
    evil.answers = {"": ("text/plain", {"Content-Encoding": "gzip"}, bomb)}
    assert logger.load_file("bomb.txt").getvalue() == bomb


def test_an_endless_answer_ends(evil: Server, logger: ML_Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    from ml_logger.client import wire

    monkeypatch.setattr(wire.Wire.read, "__defaults__", (32 << 20,))
    evil.answers = {"": ("application/json", {}, lambda: iter(lambda: b"[" * (1 << 20), None))}
    with pytest.raises(MlLoggerError, match="more than"):
        logger.session.ask(Glob("*"))


@pytest.mark.parametrize(
    "path", ["../../evil.txt", "run/data/../../../evil.txt", "/evil.txt", "elsewhere/evil.txt", "run/data/\x00x", "run/data"]
)
def test_names_that_lead_out(evil: Server, logger: ML_Logger, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither download_dir nor ml-download writes outside of its directory, whatever a server calls its files."""
    listing = {"path": "run/data", "entries": [{"path": path, "name": "evil.txt", "is_dir": False, "size": 4}]}
    evil.answers = {"/v1/query": ("application/json", {}, json.dumps(listing).encode()), "": ("text/plain", {}, b"evil")}
    goal = tmp_path / "a" / "b" / "goal"
    with pytest.raises(InvalidKeyError):
        logger.download_dir("data", goal)
    monkeypatch.setattr("sys.argv", ["ml-download", "data", "--prefix", "run", "--root", logger.root, "--target", str(goal)])
    assert transfer.download_main() != 0 or path == "run/data"
    assert not list(tmp_path.rglob("evil.txt"))
