"""Buckets through obstore, against a small S3 of our own on this machine: put, get, list in pages, delete."""

from __future__ import annotations

import http.server
import json
import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ml_logger import ML_Logger
from ml_logger.errors import InvalidKeyError, NotFoundError, ServerUnreachableError

pytest.importorskip("obstore", reason="buckets need obstore")
PAGE = 3
STAMP = "2024-01-01T00:00:00.000Z"


def generation(data: bytes) -> str:
    """Return a number that tells versions of an object apart."""
    return str(zlib.crc32(data) + 1)


class Bucket(http.server.BaseHTTPRequestHandler):
    """What S3 answers to the five requests that are made of it; objects are in memory."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def key(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

    def do_PUT(self) -> None:
        data, there = self.rfile.read(int(self.headers["Content-Length"])), self.objects.get(self.key())
        wanted = self.headers.get("x-goog-if-generation-match")
        if wanted is not None and wanted != ("0" if there is None else generation(there)):
            self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.objects[self.key()] = data
        self.answer(200, ETag=f'"{generation(data)}"', x_goog_generation=generation(data))

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self.list(query)
        elif self.key() in self.objects:
            self.whole_or_part(self.objects[self.key()])
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def whole_or_part(self, data: bytes) -> None:
        what = {"ETag": f'"{generation(data)}"', "x_goog_generation": generation(data), "Last_Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), min(int(wanted[2]), len(data) - 1)
            self.answer(206, data[first : last + 1], Content_Range=f"bytes {first}-{last}/{len(data)}", **what)
        else:
            self.answer(200, data, **what)

    do_HEAD = do_GET  # noqa: N815 - the name that the library calls

    def list(self, query: dict[str, Any]) -> None:
        prefix, after = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
        names = [name for name in sorted(self.objects) if name.startswith(prefix) and name > after]
        page, more = names[:PAGE], len(names) > PAGE
        items = "".join(self.item(name, self.objects[name]) for name in page)
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        body = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{items}</ListBucketResult>"
        self.answer(200, body.encode(), Content_Type="application/xml")

    def item(self, name: str, data: bytes) -> str:
        about = f"<ETag>&quot;{generation(data)}&quot;</ETag><Size>{len(data)}</Size>"
        return f"<Contents><Key>{name}</Key><LastModified>{STAMP}</LastModified>{about}</Contents>"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        names = re.findall(r"<Key>(.*?)</Key>", body)
        for name in names:
            self.objects.pop(name, None)
        gone = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
        self.answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode(), Content_Type="application/xml")

    def do_DELETE(self) -> None:
        self.objects.pop(self.key(), None)
        self.answer(204)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def config() -> Iterator[dict[str, Any]]:
    """Serve a bucket; yield how to reach it."""
    handler = type("Handler", (Bucket,), {"objects": {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield {
            "endpoint": f"http://127.0.0.1:{server.server_address[1]}",
            "access_key_id": "a", "secret_access_key": "b", "region": "us-east-1", "virtual_hosted_style_request": False,
            "client_options": {"allow_http": True}, "retry_config": {"max_retries": 0},
        }  # fmt: skip
        server.shutdown()
        thread.join()


def test_objects_go_and_come_back(config: dict[str, Any], tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    (tmp_path / "a.bin").write_bytes(b"data" * 1000)
    for n in range(2 * PAGE + 1):
        assert logger.upload_s3(tmp_path / "a.bin", f"bucket/deep/{n}.bin", **config) == f"s3://bucket/deep/{n}.bin"
    logger.upload_s3(tmp_path / "a.bin", "s3://bucket/other/", **config)
    assert logger.glob_s3("bucket/deep/*.bin", **config) == [f"deep/{n}.bin" for n in range(2 * PAGE + 1)]
    assert logger.glob_s3("deep/*.bin", wd="bucket", max_keys=2, **config) == ["deep/0.bin", "deep/1.bin"]
    assert logger.glob_s3("bucket/other/*", **config) == ["other/a.bin"]
    to = logger.download_s3("bucket/deep/1.bin", to=f"{tmp_path}/back/", **config)
    assert Path(to).read_bytes() == b"data" * 1000
    logger.remove_s3("bucket", "deep/0.bin", "deep/missing.bin", **config)
    assert "deep/0.bin" not in logger.glob_s3("bucket/deep/*", **config)


def test_mistakes(config: dict[str, Any], tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    with pytest.raises(NotFoundError, match=r"s3://bucket/none\.bin"):
        logger.download_s3("bucket/none.bin", to=tmp_path / "none.bin", **config)
    assert not (tmp_path / "none.bin").exists()
    assert not list(tmp_path.glob(".mlt*"))
    with pytest.raises(NotFoundError, match="local file"):
        logger.upload_s3(tmp_path / "missing", "bucket/x", **config)
    with pytest.raises(InvalidKeyError, match="bucket/key"):
        logger.download_s3("bucket", **config)
    with pytest.raises(ServerUnreachableError, match="s3://bucket"):
        logger.glob_s3("bucket/*", **{**config, "endpoint": "http://127.0.0.1:9"})


@pytest.fixture
def gs(config: dict[str, Any]) -> dict[str, Any]:
    """How to reach the same bucket as Google's: its XML interface answers the same requests."""
    key = {"gcs_base_url": config["endpoint"], "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    return {"service_account_key": json.dumps(key), "client_options": {"allow_http": True}, "retry_config": {"max_retries": 0}}


def test_google_cloud_storage(gs: dict[str, Any], tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    (tmp_path / "a.bin").write_bytes(b"data" * 1000)
    for n in range(PAGE + 2):
        assert logger.upload_gs(tmp_path / "a.bin", f"bucket/deep/{n}.bin", **gs) == f"gs://bucket/deep/{n}.bin"
    assert logger.glob_gs("bucket/deep/*.bin", **gs) == [f"deep/{n}.bin" for n in range(PAGE + 2)]
    assert Path(logger.download_gs("gs://bucket/deep/1.bin", to=tmp_path / "back.bin", **gs)).read_bytes() == b"data" * 1000
    logger.remove_gs("bucket/deep/0.bin", **gs)
    logger.remove_gs("bucket", "deep/1.bin", **gs)
    assert logger.glob_gs("bucket/deep/*", **gs) == [f"deep/{n}.bin" for n in range(2, PAGE + 2)]
    with pytest.raises(NotFoundError, match=r"gs://bucket/none\.bin"):
        logger.download_gs("bucket/none.bin", to=tmp_path / "none.bin", **gs)
    with pytest.raises(InvalidKeyError, match="gs://bucket/key"):
        logger.glob_gs("bucket", **gs)


def test_paths_with_a_scheme_work_in_every_method(
    config: dict[str, Any], logger: ML_Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ENDPOINT_URL", config["endpoint"]), ("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("ALLOW_HTTP", "true")):
        monkeypatch.setenv(f"AWS_{name}", value)
    for base in ("s3://bucket/deep", f"file://{tmp_path}/deep"):
        assert logger.save_pkl({"a": 1}, f"{base}/a.pkl") == f"{base}/a.pkl"
        assert logger.load_pkl(f"{base}/a.pkl") == logger.load_pkl(base, "a.pkl") == [{"a": 1}]
        assert logger.load_pkl(f"{base}/none.pkl") is None
        with pytest.raises(NotFoundError, match=re.escape(base)):
            logger.load_file(f"{base}/none.pkl")
        logger.save_json([1], f"{base}/a.json")
        assert logger.load_json(f"{base}/a.json") == [1]
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "a.py").write_text("pass")
        assert logger.upload_file(tmp_path / "code" / "a.py", f"{base}/files/") == f"{base}/files/a.py"
        assert Path(logger.download_file(f"{base}/files/a.py", to=tmp_path / "b.py")).read_text() == "pass"
        assert logger.upload_dir(tmp_path / "code", f"{base}/code.tar") == f"{base}/code.tar"
        assert (Path(logger.download_dir(f"{base}/code.tar", to=tmp_path / "back")) / "a.py").read_text() == "pass"
        for call, *args in (
            (logger.log_text, "x", f"{base}/x"),
            (logger.remove, f"{base}/a.pkl"),
            (logger.move, f"{base}/a.pkl", "a"),
            (logger.log_data, 1, f"{base}/a.pkl"),
        ):
            with pytest.raises(InvalidKeyError, match="outside of the root"):
                call(*args)
    assert logger.glob("*") in (None, [], ["run.json"])
    with pytest.raises(InvalidKeyError, match="bucket/key"):
        logger.load_pkl("s3://bucket")


def test_a_root_in_google_cloud_storage(gs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", gs["service_account_key"])
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    for machine in ("one", "two"):
        monkeypatch.setenv("ML_LOGGER_SPOOL", str(tmp_path / machine))
        logger = ML_Logger("lab/run", root="gs://bucket/deep")
        logger.log(step=1, who=machine, silent=True)
        logger.save_json([machine], f"{machine}.json")
        logger.flush(timeout=20)
        assert logger.load_json("one.json") == ["one"]
        logger.close()
    assert logger.glob("*.json") == ["one.json", "run.json", "two.json"]
