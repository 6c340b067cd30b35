"""`ml-logger` shows: help, lists, tables, rows, files, sizes – over a directory and over a server, and every mistake in one line."""

from __future__ import annotations

import json
import os
import pickle
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.cli.__main__ import run_command

Cli = Any  # runs the console command: see conftest.py

COMMANDS = (
    "serve",
    "open",
    "ls",
    "cat",
    "export",
    "du",
    "rm",
    "mv",
    "cp",
    "gc",
    "seal",
    "render",
    "sync",
    "fsck",
    "backup",
    "restore",
    "upload",
    "download",
    "login",
    "token",
)


def test_help_names_every_command_and_comes_fast(cli: Cli) -> None:
    text = cli("--help")
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert "examples:" in text
    assert cli() == text
    start = time.monotonic()
    cli("--version")
    assert time.monotonic() - start < 3
    heavy = "import sys; import ml_logger.cli.__main__; print({'numpy', 'starlette', 'granian', 'apsw', 'rich'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            run_command(name, ["--help"])
        assert ended.value.code == 0
        assert f"usage: ml-logger {name}" in capsys.readouterr().out


def test_mistakes_are_one_line(cli: Cli) -> None:
    for arguments in (
        ["lss"],
        ["ls", "--colour"],
        ["nowhere/at/all"],
        ["token", "mint", "--role", "king"],
        ["token", "mint", "--ttl", "soon"],
        ["serve", "--port", "x"],
        ["export"],
    ):
        cli(*arguments, status=2)
        assert cli.errors.startswith("ml-logger") and cli.errors.count("\n") <= 2, cli.errors  # noqa: PT018
    cli("lss", status=2)
    assert "did you mean `ls`?" in cli.errors
    cli("ls", status=1)
    assert "not found" in cli.errors
    assert "ML_LOGGER_ROOT" in cli.errors
    cli("ls", "--root", "http://127.0.0.1:9", status=1)
    assert "no answer from http://127.0.0.1:9" in cli.errors
    cli("ls", "--root", "ftp://x", status=2)


def test_ls(cli: Cli, root: Path) -> None:
    lines = cli("ls").splitlines()
    assert lines[0].split()[:3] == ["run", "status", "age"]
    assert "Args.seed" in lines[0]
    assert "loss" in lines[0]
    assert {line.split()[0] for line in lines[1:]} == {"alice/mnist/1", "alice/mnist/2"}
    assert "alice/mnist/2" not in cli("ls", "seed == 1")
    found = [json.loads(line) for line in cli("ls", "--json", "sort:loss").splitlines()]
    assert [row["key"] for row in found] == ["alice/mnist/2", "alice/mnist/1"]
    assert found[0]["metrics"]["loss"]["n"] == 10
    cli("ls", "lr <", status=2)
    assert "^" in cli.errors
    assert "character 4" in cli.errors
    assert "none of 2 runs" in cli("ls", "seed == 7", status=1)


def test_names_that_look_like_markup(cli: Cli, new_program: Any) -> None:
    names = ["ppo[lr=1e-3]", "a[/b]", "x[red]y", "fire:fire:"]
    new_program(f"""
from ml_logger import ML_Logger
for name in {names!r}:
    run = ML_Logger(name, root={str(cli.cwd / "runs")!r})
    run.log_params(Args={{"of": f"[/{{name}}]"}}, silent=True)
    run.log(step=1, silent=True, **{{"loss[bold]": 1.0}})
""").finish()
    shown = cli("ls")
    assert all(name in shown and f"[/{name}]" in shown for name in names)
    assert "loss[bold]" in shown


def test_cat_and_export(cli: Cli, root: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in cli("cat", "alice/mnist/1").splitlines()]
    assert len(rows) == 10
    assert rows[3]["acc"] == {"$f": "nan"}
    assert rows[0]["n"] == {"$i": str(2**70)}
    assert json.loads(cli("cat", "alice/mnist/1", "--last", "1"))["step"] == 9
    assert cli("cat", "alice/mnist/1/outputs.log") == "hello\n"
    records = [json.loads(line, parse_constant=pytest.fail) for line in cli("export", "alice/mnist/1", "--format", "jsonl").splitlines()]
    logged = [record for record in records if record["kind"] == "row"]
    assert len(logged) == 10
    assert all({"writer", "epoch", "seq", "t", "data", "row"} <= set(record) for record in logged)
    assert [record["seq"] for record in records] == sorted(record["seq"] for record in records)
    assert '"acc":-0.0' in cli("export", "alice/mnist/1")
    assert cli("export", "alice/mnist/1", "--format", "csv").splitlines()[0] == "loss,acc,n,step"
    out = tmp_path / "rows.pkl"
    cli("export", "alice/mnist/1", "--format", "pkl", "--out", str(out))
    with out.open("rb") as file:
        assert pickle.load(file)["loss"] == 1.0
    for arguments in (["cat", "no"], ["export", "no"], ["export", "no", "--format", "csv", "--out", str(tmp_path / "no.csv")]):
        cli(*arguments, status=1)
    assert not (tmp_path / "no.csv").exists()


def test_rows_are_exported_whatever_was_saved_under_their_name(cli: Cli, root: Path, tmp_path: Path) -> None:
    logger = ML_Logger("alice/shadow", root=root)
    logger.log(step=0, loss=0.5, silent=True)
    logger.save_pkl("mine", "metrics.pkl")
    logger.close()
    cli("export", "alice/shadow", "--format", "pkl", "--out", str(tmp_path / "rows.pkl"))
    with (tmp_path / "rows.pkl").open("rb") as file:
        assert pickle.load(file) == {"step": 0, "loss": 0.5}
    assert cli("export", "alice/shadow", "--format", "csv") == "step,loss\n0,0.5\n"


def test_a_pipe_that_closes_ends_a_command_quietly_and_no_server(cli: Cli, root: Path) -> None:
    """SIGPIPE stays ignored: a client that hangs up at the wrong moment would end the server with it."""
    bulk = root / "alice/mnist/1/bulk.txt"
    bulk.write_bytes(b"line\n" * 1_000_000)
    line = f"{cli.program} cat alice/mnist/1/bulk.txt | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], env=cli.env, cwd=cli.cwd, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("line\n141\n", "")
    with subprocess.Popen([cli.program, "serve", "--port", "0"], env=cli.env, cwd=cli.cwd, stdout=subprocess.PIPE, text=True) as server:
        server.stdout.readline()
        ignored = Path(f"/proc/{server.pid}/status").read_text().partition("SigIgn:")[2].split()[0]
        assert int(ignored, 16) & 1 << (signal.SIGPIPE - 1)
        server.terminate()


def test_what_is_not_there_is_said_with_what_is(cli: Cli, root: Path, new_server: Any) -> None:
    logger = ML_Logger("alice/mnist/1", root=root)
    with logger.Prefix("eval"):
        logger.log(step=0, acc=0.5, flush=True, silent=True)
    server = new_server("here/runs")
    folder = "not found: run alice/mnist (it is a folder of 2 runs: alice/mnist/2, alice/mnist/1)"
    said = {
        ("cat", "alice/mnist/1", "--table", "no"): "not found: table no of run alice/mnist/1 (it has metrics.pkl, eval/metrics.pkl)",
        ("cat", "alice/mnist"): folder,
        ("export", "alice/mnist"): folder,
        ("export", "alice/mnist", "--format", "csv"): folder,
        ("mv", "alice/mnist/1", "alice/mnist/2"): "exists already: alice/mnist/2; nothing was moved",
        ("cp", "alice/mnist/1", "alice/mnist/2"): "exists already: alice/mnist/2; nothing was copied",
    }
    for arguments, text in said.items():
        for place in ("runs", server.url):
            cli(*arguments, "--root", place, status=None)
            assert cli.errors == f"ml-logger: {text}\n", place
    for arguments in (("rm", "runs/alice"), ("cat", "runs/alice"), ("mv", "runs/alice", "x")):
        cli(*arguments, status=1)
        assert cli.errors.endswith("runs/alice (names are relative to the root ./runs; did you mean alice?)\n")
    cli("cat", "alice/mnist/1", "--last", "-1", status=2)
    cli("ls", "nothing sort:loss", status=1)
    assert cli("ls", "nothing", status=1) == "none of 2 runs in ./runs matches 'nothing'\n"
    assert "nearest query with a match: seed <= 1" in cli("ls", "seed < 1", status=1)


@pytest.mark.parametrize("remote", [False, True])
def test_the_run_in_the_root_is_a_dot(cli: Cli, root: Path, new_server: Any, new_program: Any, remote: bool) -> None:
    place = new_server("here/runs").url if remote else str(root)
    log = "logger.log(step=0, x=1, silent=True); logger.print('said'); logger.save_pkl(1, 'x.pkl'); logger.flush(timeout=20)"
    new_program(f"from ml_logger import ML_Logger; logger = ML_Logger('', root={place!r}); {log}; print(logger.load_pkl('x.pkl'))").finish()
    assert (root / "outputs.log").read_text() == "said\n"
    assert any(line.startswith(".  ") for line in cli("ls").splitlines())
    assert cli("cat", ".") == '{"step":0,"x":1}\n'
    assert cli("export", ".", "--format", "csv") == "step,x\n0,1\n"


def test_directory_and_server_say_the_same(cli: Cli, root: Path, new_server: Any) -> None:
    server = new_server("here/runs")
    for arguments in (
        ["cat", "alice/mnist/1"],
        ["export", "alice/mnist/2"],
        ["export", "alice/mnist/1", "--format", "csv"],
        ["ls", "--json", "seed == 1"],
    ):
        assert cli(*arguments) == cli(*arguments, "--root", server.url) == cli(*arguments, ML_LOGGER_ROOT=server.url), arguments
    cli("export", "no", "--root", server.url, status=1)
    cli("rm", "alice/mnist/2", "--root", server.url)
    assert "alice/mnist/2" not in cli("ls", "--root", server.url)


def test_du(cli: Cli, root: Path) -> None:
    sizes = dict(reversed(line.split(maxsplit=1)) for line in cli("du", "--bytes", "--depth", "3").splitlines())
    real = sum(path.stat().st_size for path in (root / "alice/mnist/1").iterdir())
    assert int(sizes["alice/mnist/1"]) == real
    assert int(sizes["."]) >= 2 * real // 2
    cli("du", "no/such", status=1)
    assert "not found: no/such" in cli.errors


def test_du_of_a_server(cli: Cli, root: Path, new_server: Any) -> None:
    server = new_server("here/runs")
    sizes = dict(reversed(line.split(maxsplit=1)) for line in cli("du", "--bytes", "--depth", "3", "--root", server.url).splitlines())
    shown = list((root / "alice/mnist/1").iterdir())
    assert {".mlog", ".json"} < {path.suffix for path in shown}
    assert int(sizes["alice/mnist/1"]) == sum(path.stat().st_size for path in shown)
    assert "not told from afar" in cli.errors
    cli("du", "no/such", "--root", server.url, status=1)


def test_a_served_directory_is_opened(cli: Cli, new_server: Any) -> None:
    server = new_server("here/served")
    text = cli("served")
    assert "served already" in text
    assert f":{server.port}/#code=" in text.splitlines()[-1]
    cli("serve", "served", "--port", "0", status=2)
    assert str(server.port) in cli.errors


def test_open_prefers_the_server_of_this_directory(cli: Cli, new_server: Any) -> None:
    assert "ml-logger DIR" in (cli("open", status=1) or cli.errors)
    first = new_server("elsewhere")
    assert f":{first.port}/#code=" in cli("open", "--print")
    assert f"ml-logger: ./runs is not served; this is the server of {first.data_dir}\n" in cli.errors
    second = new_server("other")
    cli("open", "--print", status=2)
    assert all(f"  {server.url}  {server.data_dir}\n" in cli.errors for server in (first, second))
    mine = new_server("here/runs", "--tls-self-signed")
    for arguments in ([], [str(mine.data_dir)], ["--port", str(mine.port)]):
        assert f"https://localhost:{mine.port}/#code=" in cli("open", "--print", *arguments)
        assert cli.errors == ""
    assert f"https://localhost:{mine.port}/#code=" in cli("runs")
    assert f":{second.port}/#code=" in cli("open", "--print", ML_LOGGER_ROOT=str(second.data_dir))
    second.kill()
    cli("open", "--print", str(second.data_dir), status=1)
    assert cli.errors == f"ml-logger: not found: a server of {second.data_dir} (`ml-logger DIR` starts one)\n"


def test_tables_fit_a_terminal(cli: Cli, root: Path) -> None:
    """In a real terminal of 60 columns no line is longer than that, and colours are used."""
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [cli.program, "ls"], env={**cli.env, "COLUMNS": "60", "TERM": "xterm"}, cwd=cli.cwd, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    out = b""
    while piece := _read(main):
        out += piece
    assert process.wait(20) == 0
    import re

    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.decode())
    assert out.decode() != plain and all(len(line) <= 60 for line in plain.splitlines()), plain  # noqa: PT018
    assert "alice/mnist" in plain


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""
