"""`ml-upload` and `ml-download`: odd names, honest exit codes, nothing overwritten unasked, a directory and a server alike."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.cli import transfer

NAMES = [
    "plain.txt",
    "with space.txt",
    "quo'te\".txt",
    "ünïcödé ☃.txt",
    "-dash.txt",
    "$(touch evil).txt",
    "[red]x[/] *[1].txt",
    "deep/er/file.bin",
    "skip.pyc",
]
Tool = Callable[..., int]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "my data"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "big.bin").write_bytes(os.urandom(9 << 20))
    return folder


@pytest.fixture(params=["local", "http"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "local":
        return str(tmp_path / "root")
    server = request.getfixturevalue("new_server")()
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, server.env[name])
    return server.url


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Run one of the two with arguments; return its exit code."""

    def run(name: str, *arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", [f"ml-{name}", *arguments])
        return transfer.upload_main() if name == "upload" else transfer.download_main()

    return run


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_there_and_back(source: Path, root: str, tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("upload", str(source), "--root", root, "--target", "alice/data", "--exclude", "*.pyc") == 0
    assert "sent 9 of 9 files" in " ".join(capsys.readouterr().err.split())
    assert tool("download", "my data", "--root", root, "--prefix", "alice/data", "--target", str(tmp_path / "back")) == 0
    expected = {f"my data/{name}": data for name, data in content(source).items() if not name.endswith(".pyc")}
    assert content(tmp_path / "back") == expected
    assert not list(tmp_path.rglob("evil"))


def test_nothing_is_overwritten_unasked(source: Path, root: str, tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = source / "plain.txt"
    assert tool("upload", str(file), "--root", root) == 0
    file.write_text("new")
    assert tool("upload", str(file), "--root", root) == 1
    assert "exists" in capsys.readouterr().err
    assert ML_Logger("", root=root).load_text("/plain.txt") == "plain.txt"
    assert tool("upload", str(file), "--root", root, "--overwrite") == 0
    assert ML_Logger("", root=root).load_text("/plain.txt") == "new"
    (tmp_path / "plain.txt").write_text("mine")
    assert tool("download", "plain.txt", "--root", root, "--target", str(tmp_path)) == 1
    assert (tmp_path / "plain.txt").read_text() == "mine"
    assert tool("download", "--source", "plain.txt", "--root", root, "--target", str(tmp_path), "--overwrite") == 0
    assert (tmp_path / "plain.txt").read_text() == "new"


def test_archives_and_lists(source: Path, root: str, tool: Tool, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("upload", source.name, "--workdir", str(source.parent), "--root", root, "--archival", "gztar", "--exclude", "*.pyc") == 0
    with tarfile.open(fileobj=ML_Logger("", root=root).load_file("/my data.tar.gz")) as file:
        assert sorted(file.getnames()) == sorted(name for name in content(source) if not name.endswith(".pyc"))
    capsys.readouterr()
    assert tool("upload", str(source), "--root", root, "--list") == 0
    assert "my data/deep/er/file.bin" in capsys.readouterr().out
    assert not ML_Logger("", root=root).glob("/my data/*")


def test_mistakes_are_one_line(source: Path, tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tmp_path / "root")
    assert tool("upload", str(source / "missing"), "--root", root) == 2
    assert tool("upload", "--root", root) == 2
    (tmp_path / "root").mkdir(exist_ok=True)
    assert tool("download", "missing", "--root", root) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert all(line.startswith(("ml-upload: ", "ml-download: ")) for line in said)
    with pytest.raises(SystemExit) as ended:
        tool("upload", "--no-such-flag")
    assert ended.value.code == 2


def test_one_failure_does_not_stop_the_others(source: Path, tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "root"
    (root / "my data").mkdir(parents=True)
    (root / "my data" / "deep").write_text("a file where a directory should be")
    assert tool("upload", str(source), "--root", str(root)) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "deep/er/file.bin" in said
    assert "sent 9 of 10 files, 1 not" in said


def test_a_server_that_is_away(source: Path, tool: Tool, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, env[name])
    assert tool("upload", str(source / "plain.txt"), "--root", "http://127.0.0.1:9") in (1, 2)


def test_they_are_commands(source: Path, env: dict[str, str], tmp_path: Path) -> None:
    for module_name in ("ml-upload", "ml-download"):
        script = Path(sys.executable).with_name(module_name)
        done = subprocess.run([str(script), "--help"], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for flag in ("--list", "--target", "--source", "--exclude", "--overwrite"):
            assert flag in done.stdout
