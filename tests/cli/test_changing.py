"""`ml-logger` changes: removes, renames, copies, seals, renders; and lets in with tokens."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.client import credentials
from ml_logger.errors import AuthenticationError
from ml_logger.safe_fs import SafeRoot
from ml_logger.store.state import State

Cli = Any  # runs the console command: see conftest.py


def test_rm_mv_cp_gc(cli: Cli, root: Path) -> None:
    cli("cp", "alice/mnist/1", "bob/copy")
    cli("mv", "alice/mnist/2", "bob/moved")
    assert {row["key"] for row in map(json.loads, cli("ls", "--json").splitlines())} == {"alice/mnist/1", "bob/copy", "bob/moved"}
    assert cli("cat", "bob/copy") == cli("cat", "alice/mnist/1")
    cli("rm", "bob")
    cli("rm", "bob", status=1)
    for name in ("/", "", "..", ".ml-logger"):
        cli("rm", name, status=2)
    assert (
        "bob (trash)" in cli("gc", "--older", "1s", "--dry-run")
        or time.sleep(1.1)
        or "bob (trash)" in cli("gc", "--older", "1s", "--dry-run")
    )
    assert "0 B  freed" in cli("gc")
    time.sleep(1.1)
    assert "bob (trash)" in cli("gc", "--older", "1s")
    assert not list((root / ".ml-logger/trash").iterdir())
    assert "alice/mnist/1" in cli("ls")


@pytest.mark.parametrize("command", ["rm", "cat", "export", "du", "render"])
def test_a_path_as_a_shell_completes_it_is_told_apart_from_a_name(cli: Cli, root: Path, command: str) -> None:
    for path, status in (("./runs/alice/mnist/1", 2), ("./alice/mnist/1", 2), (str(root / "alice/mnist/1"), 1)):
        cli(command, path, status=status)
        if command not in ("du", "render") or status == 2:
            assert "did you mean alice/mnist/1?" in cli.errors
    assert "alice/mnist/1" in cli("ls")


def test_mistakes_about_places(cli: Cli, root: Path) -> None:
    cli("mv", "./runs/alice/mnist/1", "bob", status=2)
    assert "names are relative to the root" in cli.errors
    assert "did you mean alice/mnist/1?" in cli.errors
    cli("seal", "alice/nope", status=1)
    assert "not found: run alice/nope" in cli.errors
    cli("export", "alice/mnist/1", "--out", "no/such/x.csv", status=1)
    assert "not found: directory no/such" in cli.errors


def test_a_root_remembers_how_long_things_are_kept(cli: Cli, root: Path) -> None:
    ML_Logger("alice/files", root=root).save_text("first", "note.txt")
    ML_Logger("alice/files", root=root).save_text("second", "note.txt")
    assert "0 B  freed" in cli("gc")
    assert "1 × older version" in cli("gc", "--keep-versions", "0", "--older-than", "30d", "--remember")
    ML_Logger("alice/files", root=root).save_text("third", "note.txt")
    cli("rm", "alice/mnist/1")
    said = cli("gc")
    assert "alice/files/note.txt (older version)" in said
    assert "trash" not in said
    rules = root / ".ml-logger/retention.json"
    assert json.loads(rules.read_text()) == {"older_than": "30d", "keep_versions": 0}
    rules.write_text('{"older_than": "soon"}')
    cli("gc", status=2)
    assert "nothing was deleted" in cli.errors
    cli("gc", "--older-than", "yesterday", status=2)


def test_runs_are_moved_and_copied_over_a_server_too(cli: Cli, root: Path, new_server: Any) -> None:
    State(SafeRoot(root)).put("runs", "alice/mnist/2", {"tags": ["best"]})
    server = new_server("here/runs")
    there = ["--root", server.url]
    cli("cp", "alice/mnist/1", "bob/copy", *there)
    cli("mv", "alice/mnist/2", "bob/moved", *there)
    keys = {row["key"]: row["tags"] for row in map(json.loads, cli("ls", "--json", *there).splitlines())}
    assert keys == {"alice/mnist/1": [], "bob/copy": [], "bob/moved": ["best"]}
    assert cli("cat", "bob/copy", *there) == cli("cat", "alice/mnist/1", *there) == cli("cat", "bob/copy")
    for arguments, status in (
        (("cp", "bob/copy", "bob/moved"), 2),
        (("mv", "no", "x"), 1),
        (("mv", "bob", "bob/inner"), 2),
        (("rm", "/"), 2),
    ):
        cli(*arguments, *there, status=status)
        errors = cli.errors
        cli(*arguments, status=status)
        assert cli.errors == errors, arguments
    cli("rm", "bob", *there)
    assert {row["key"] for row in map(json.loads, cli("ls", "--json", *there).splitlines())} == {"alice/mnist/1"}


def test_older_versions_are_fetched_and_dropped(cli: Cli, root: Path) -> None:
    for text in ("first", "second", "third"):
        ML_Logger("alice/files", root=root).save_text(text, "note.txt")
    cli("cp", "--older", "alice/files/note.txt", "alice/files/before.txt")
    assert cli("cat", "alice/files/before.txt") == "second"
    assert cli("cat", "alice/files/note.txt") == "third"
    cli("cp", "--older", "alice/files/before.txt", "x", status=1)
    assert "never overwritten" in cli.errors
    assert "older version" not in cli("gc")
    time.sleep(1.1)
    assert "alice/files/note.txt (older version)" in cli("gc", "--older", "1s")
    cli("cp", "--older", "alice/files/note.txt", "x", status=1)


def test_seal_says_what_it_did(cli: Cli, root: Path) -> None:
    rows = cli("cat", "alice/mnist/1")
    assert "saved" in cli("seal", "--verbose")
    assert cli("cat", "alice/mnist/1") == rows


def test_render_makes_plain_files_again(cli: Cli, root: Path) -> None:
    run = root / "alice/mnist/1"
    before = {name: (run / name).read_bytes() for name in ("parameters.pkl", "outputs.log")}
    (run / "parameters.pkl").unlink()
    (run / "outputs.log").write_text("lies")
    cli("render", "alice/mnist/1")
    assert {name: (run / name).read_bytes() for name in before} == before


def test_tokens(cli: Cli, root: Path) -> None:
    token = cli("token", "mint", "--role", "write", "--prefix", "alice", "--ttl", "1h").splitlines()[-1]
    assert token.count(".") == 2
    listed = cli("token", "list")
    assert token not in listed
    assert "write:alice/**" in listed
    jti = listed.split()[0]
    cli("token", "revoke", jti)
    assert "revoked" in cli("token", "list")
    cli("token", "revoke", "nothing", status=1)
    assert "signs from now on" in cli("token", "rotate")


def test_login_keeps_a_token(cli: Cli, new_server: Any, tmp_path: Path) -> None:
    server = new_server("served")
    token = cli("token", "mint", "--root", str(server.data_dir)).strip()
    far = type(cli)({**cli.env, "XDG_CONFIG_HOME": str(tmp_path / "far")}, cli.cwd)
    far("ls", "--root", server.url, status=1)
    assert "token" in far.errors
    for given, status in (("nonsense", 1), ("", 2), (token, 0)):
        done = subprocess.run(
            [cli.program, "login", server.url], input=given + "\n", env=far.env, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == status and token not in done.stdout + done.stderr, done  # noqa: PT018
    assert "no runs yet" in far("ls", "--root", server.url)
    assert far("open", "--print", server.url).startswith("http://localhost")
    wrong = token[:-4] + "AAAA"
    far("ls", "--root", server.url, status=1, ML_LOGGER_TOKEN=wrong)
    assert "(the token is from the variable ML_LOGGER_TOKEN, which goes before a login)" in far.errors
    with pytest.raises(AuthenticationError, match="the token is from the argument access_token"):
        ML_Logger("run", root=server.url, access_token=wrong).load_text("x")
    kept = credentials.save_token(server.url, wrong, tmp_path / "far/ml_logger")
    far("ls", "--root", server.url, status=1)
    assert f"(the token is from the login file {kept})" in far.errors
    assert wrong not in far.errors
    far("login", server.url, "--forget")
    far("ls", "--root", server.url, status=1)
