"""TLS: a pinned certificate works, a wrong pin and no pin do not; no token goes in the clear to another machine."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any

import pytest

from ml_logger import settings
from ml_logger.client.wire import Wire
from ml_logger.errors import AuthenticationError, ServerUnreachableError, SettingsError

pytest.importorskip("cryptography")
LOG = """
from ml_logger import ML_Logger
logger = ML_Logger(root={root!r}, prefix="run")
logger.log(loss=1.0, step=0)
logger.flush(timeout=20)
print(logger.read_metrics("loss", as_numpy=True))
"""


def pinned(server: Any) -> str:
    return next(word.partition("=")[2] for word in server.output.split() if word.startswith("ML_LOGGER_ROOT=https"))


def test_a_pinned_certificate(new_server: Any, new_program: Any) -> None:
    server = new_server("root", "--tls-self-signed")
    root = pinned(server)
    new_program(LOG.format(root=root)).finish()
    wrong = root.partition("#")[0] + "#sha256=" + "0" * 64
    for bad, said in {
        wrong: f"#sha256={'0' * 64} was expected, it has {root.partition('=')[2]}",
        root.partition("#")[0]: "self-signed certificate; use the address with #sha256=… that the server printed at its start",
        root.partition("#")[0].replace("https", "http"): "the connection was closed; it speaks https there",
    }.items():
        with pytest.raises(ServerUnreachableError) as caught:
            Wire(bad, settings.read({})).request("GET", "/v1/hello")
        assert str(caught.value).endswith(said)
    with pytest.raises(SettingsError, match="64 hexadecimal digits"):
        Wire(root[:-1], settings.read({}))
    server.kill()
    server.start()  # the certificate is kept
    assert pinned(server) == root
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl._create_unverified_context(), timeout=5)
    connection.request("GET", "/")
    assert "max-age" in str(connection.getresponse().headers["strict-transport-security"])
    connection.close()


def test_https_to_a_server_without_tls(new_server: Any) -> None:
    with pytest.raises(ServerUnreachableError, match=r"speaks no TLS there; does its address begin with http://\?"):
        Wire(new_server("root").url.replace("http", "https"), settings.read({})).request("GET", "/v1/hello")


def test_no_token_in_the_clear() -> None:
    env = settings.read({"ML_LOGGER_TOKEN": "canary"})
    assert Wire("http://127.0.0.1:8081", env).token() == "canary"
    assert Wire("https://example.org", env).token() == "canary"
    assert Wire("http://example.org", env).token() is None
    assert Wire(f"http://{socket.gethostname()}:8081", env).token() is None
    assert Wire("http://example.org", settings.read({"ML_LOGGER_TOKEN": "canary", "ML_LOGGER_ALLOW_PLAINTEXT": "1"})).token() == "canary"


def test_a_token_that_is_kept_back_is_said(new_server: Any) -> None:
    server = new_server("root", "--host", "0.0.0.0")
    wire = Wire(f"http://{socket.gethostname()}:{server.port}", settings.read({"ML_LOGGER_TOKEN": "canary"}))
    with pytest.raises(AuthenticationError, match="ML_LOGGER_ALLOW_PLAINTEXT"):
        wire.read(wire.request("GET", "/v1/metrics"))


def test_cookies_of_tls_are_bound_to_the_host(new_server: Any) -> None:
    server = new_server("root", "--tls-self-signed")
    code = server.output.partition("#code=")[2].split()[0]
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl._create_unverified_context(), timeout=5)
    connection.request("POST", "/v1/session", f'{{"code": "{code}"}}', {"Content-Type": "application/json"})
    cookie = connection.getresponse().headers["set-cookie"]
    connection.close()
    assert cookie.startswith(f"__Host-mll_s_{server.port}=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
