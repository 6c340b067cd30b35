"""The life of a run: states, pings and signals, errors, alerts, captures, provenance, jobs."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_logger import ML_Logger
from ml_logger.commands import SendSignal
from ml_logger.errors import UnsupportedValueError
from ml_logger.queries import GetRun, ReadRecords

Fails = Callable[..., Exception]


def records(logger: ML_Logger, kind: str) -> list[Any]:
    return [record.data for record in logger.session.ask(ReadRecords(logger.session.run)).records if record.kind == kind]


def test_states_of_a_job(logger: ML_Logger) -> None:
    logger.log(step=0, a=1, silent=True)
    for state, when in (
        ("created", "createTime"), ("requested", "requestTime"), ("started", "startTime"), ("running", "runTime"),
        ("paused", "pauseTime"), ("completed", "completionTime"), ("errored", "errorTime"),
    ):  # fmt: skip
        getattr(logger, f"job_{state}")(job={"host": "a"}, extra={state: 1})
        found = logger.get_parameters("job")
        assert (found["status"], found["host"]) == (state, "a")
        assert found[when].endswith("Z")
        assert logger.get_parameters(f"extra.{state}") == 1
    assert [data["status"] for data in records(logger, "status")] == [
        "created", "requested", "started", "running", "paused", "completed", "errored",
    ]  # fmt: skip


def test_ping_brings_signals_once_and_answers_them(logger: ML_Logger) -> None:
    logger.log(step=0, a=1, silent=True)
    assert logger.ping() == []
    logger.session.command(SendSignal(logger.session.run, "stop"))
    logger.session.command(SendSignal(logger.session.run, "set", {"lr": 0.1}))
    assert logger.ping("running") == ["stop", {"lr": 0.1}]
    assert logger.ping() == []
    assert logger.ping(interval=60) == []
    answered = [data for data in records(logger, "signal") if data["seen"]]
    assert [data["name"] for data in answered] == ["stop", "set"]
    trail = logger.session.ask(GetRun(logger.session.run)).signals
    assert all(signal["seen"] for signal in trail if signal["name"] in ("stop", "set"))


def test_capture_error(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    with logger.capture_error():
        raise RuntimeError("a fault in the block")
    assert "a fault in the block" in logger.load_text("error.log")
    assert "a fault in the block" in capsys.readouterr().out
    with pytest.raises(KeyError), logger.capture_error("other.log", reraise=True):
        raise KeyError("again")
    assert "Traceback" in logger.load_text("other.log")
    assert [data["status"] for data in records(logger, "status")] == ["errored", "errored"]


def test_memoize_and_release(tmp_path: Path) -> None:
    logger, calls = ML_Logger("run", root=tmp_path), []

    def slow(x: int, *, y: int = 0) -> int:
        """Add."""
        calls.append((x, y))
        return x + y

    fast = logger.memoize(slow, cache_dir=str(tmp_path / "cache"))
    assert [fast(1), fast(1), fast(1, y=2), fast(1, y=2)] == [1, 1, 3, 3]
    assert (len(calls), fast.__doc__) == (2, "Add.")
    assert logger.release(fast) == 2
    assert fast(1) == 1
    assert len(calls) == 3


def test_shell_runs_here(logger: ML_Logger, tmp_path: Path) -> None:
    out, err, status = logger.shell("pwd; echo oops >&2; exit 3", wd=str(tmp_path))
    assert (out.strip(), err, status) == (str(tmp_path), "oops\n", 3)


# ── alerts and captures ──────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def hook(status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """Serve a webhook on this machine; yield its address and what was sent there."""
    got: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
        finally:
            server.shutdown()
            thread.join()


def test_alerts_are_kept_printed_and_sent(logger: ML_Logger, capsys: pytest.CaptureFixture[str], fails: Fails) -> None:
    with hook() as (address, got):
        logger.alert("loss is nan", "at step 3", level="error", webhook=address, wait=5)
    assert [(note["title"], note["text"], note["level"], note["run"]) for note in got] == [
        ("loss is nan", "at step 3", "error", logger.session.run)
    ]
    assert "ERROR: loss is nan: at step 3" in capsys.readouterr().out
    (kept,) = records(logger, "signal")
    assert (kept["name"], kept["value"]["title"]) == ("alert", "loss is nan")
    assert logger.ping() == []  # an alert is no command to the run
    assert type(fails(logger.alert, "x", level="loud")) is UnsupportedValueError


def test_a_webhook_that_fails_hurts_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logger = ML_Logger("run", root=tmp_path)
    with hook(500) as (address, _):
        logger.alert("a", webhook=address, wait=5)
    logger.alert("b", webhook="http://127.0.0.1:9/", wait=10)
    logger.alert("c", webhook="no address", wait=5)
    said = capfd.readouterr().err
    assert "HTTP 500" in said
    assert said.count("the webhook did not take") == 3


def test_output_is_captured_and_still_shown(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    with logger.capture_output("console.log"):
        print("to stdout")
        print("to stderr", file=sys.stderr)
        print("no newline", end="")
    print("outside")
    assert logger.load_text("console.log") == "to stdout\nto stderr\nno newline\n"
    shown = capsys.readouterr()
    assert shown.out == "to stdout\nno newlineoutside\n"
    assert shown.err == "to stderr\n"


def test_configure_switches_captures_on(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    run = ML_Logger(logger.prefix + "/inner", root=logger.root, system_metrics=1.0, capture_output="console.log")
    print("to stdout")
    print("to stderr", file=sys.stderr)
    run.log(step=0, a=1, flush=True)
    deadline = time.monotonic() + 10
    while not len(logger.read_metrics("cpu_percent", path="inner/system/metrics.pkl", as_numpy=True, default=())):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    run.close()
    print("after the run")
    kept = logger.load_text("inner/console.log") or ""
    assert "to stdout" in kept
    assert "to stderr" in kept
    assert "after the run" not in kept
    assert "to stdout" in capsys.readouterr().out
    for thread in threading.enumerate():
        if thread.name == "ml-logger-system":
            thread.join(2.0)
            assert not thread.is_alive()
    plain = ML_Logger(logger.prefix + "/plain", root=logger.root)
    plain.log(step=0, a=1, silent=True, flush=True)
    plain.close()
    assert not [name for name in logger.glob("plain/**") or [] if "system" in name or "outputs" in name]


def test_system_metrics_until_they_are_stopped(logger: ML_Logger) -> None:
    logger.start_system_metrics(interval=1)
    logger.start_system_metrics(interval=1)  # once is enough
    logger.log(step=0, a=1, silent=True)
    deadline = time.monotonic() + 20
    while not (rows := logger.load_pkl("system/metrics.pkl")) and time.monotonic() < deadline:
        time.sleep(0.1)
    logger.stop_system_metrics()
    assert {"cpu_percent", "memory_percent", "process_cpu_percent", "process_memory_gib", "disk_percent"} <= set(rows[0])
    assert all(isinstance(value, (int, float)) for value in rows[0].values())
    logger.flush()
    assert logger.load_pkl("metrics.pkl") == [{"step": 0, "a": 1}]


def test_gauges_cost_little() -> None:
    from ml_logger.methods.capture import Gauges

    gauges = Gauges()
    started = time.process_time()
    for _ in range(20):
        gauges.read()
    assert (time.process_time() - started) / 20 < 0.05  # 0.5 % of a core, every 10 s


# ── where results come from ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with one commit, a tag, and a change; it is the current directory."""
    place = tmp_path / "repository"
    place.mkdir()
    monkeypatch.chdir(place)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments], check=True, capture_output=True)

    git("init", "-b", "main")
    (place / "code.py").write_text("x = 1\n")
    git("add", ".")
    git("commit", "-m", "first")
    git("tag", "v1")
    (place / "code.py").write_text("x = 2\n")
    return place


def test_git(repository: Path, logger: ML_Logger) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, cwd=repository).stdout.strip()
    assert logger.rev_info() == {"hash": head, "branch": "main"}
    assert (logger.git_rev("main"), logger.git_tags(), logger.__tags__) == (head, ["v1"], ["v1"])
    assert logger.git_rev("no such") is None
    assert (logger.__head__, logger.__current_branch__, logger.__status__) == (head, "main", " M code.py\n")
    text = logger.diff()
    assert "+x = 2" in text
    assert logger.load_text("index.diff") == text
    assert logger.git_rev("--output=/tmp/evil") is None  # an option is no revision


def test_outside_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    logger = ML_Logger("run", root=tmp_path / "root")
    assert logger.rev_info() == {"hash": None, "branch": None}
    assert (logger.diff(), logger.git_tags(), logger.__status__) == (None, [], None)
    assert capfd.readouterr() == ("", "")


def test_host_and_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = ML_Logger("run", root=tmp_path)
    assert logger.hostname
    for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)
    assert (logger.slurm_job_id, logger.is_preempted) == (None, False)
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert (logger.slurm_job_id, logger.is_preempted) == ("77", True)
    assert logger.fn_info(test_git)["name"] == "test_git"


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

JOB = """
import sys
from ml_logger import logger, instr, RUN, needs_relaunch
from ml_logger.job import is_stale

def train(x, *, lr=0.1, fail=False):
    logger.log(step=0, x=x, lr=lr, silent=True)
    if fail:
        raise RuntimeError("it failed")
    return x * lr

RUN.project, RUN.server, RUN.readme = "toys", sys.argv[1], "# What it is"
instr(train, 3, __create_job=False, __count=False, __diff=False, __silent=True)
good = instr(train, 3, lr=0.5, __silent=True)
where = logger.prefix
print(good())
assert where == logger.prefix
bad = instr(train, 4, fail=True, __silent=True)
failed = logger.prefix
try:
    bad()
except RuntimeError as error:
    print(error)
print(where)
print(failed)
print(needs_relaunch("/" + where), needs_relaunch("/" + failed), needs_relaunch("no/such/run"), is_stale("/" + where))
"""


def test_instr_makes_a_function_a_job(tmp_path: Path, env: dict[str, str]) -> None:
    script = tmp_path / "train_toys.py"
    script.write_text(JOB)
    root = tmp_path / "root"
    done = subprocess.run([sys.executable, str(script), str(root)], env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result, error, where, failed, verdicts = done.stdout.splitlines()
    assert (result, error) == ("1.5", "it failed")
    assert verdicts == "False True True False"
    assert where.split("/")[:2] == ["tester", "toys"]
    assert "train_toys" in where
    assert where != failed
    logger = ML_Logger(where, root=root)
    assert logger.load_text("files/train_toys.py") == JOB
    assert logger.load_text("README.md") == "# What it is"
    job = logger.get_parameters("job")
    assert (job["status"], "startTime" in job, "completionTime" in job) == ("completed", True, True)
    assert logger.get_parameters("kwargs.lr", "args") == (0.5, [3])
    assert logger.load_pkl("metrics.pkl") == [{"step": 0, "x": 3, "lr": 0.5}]
    other = ML_Logger(failed, root=root)
    assert "it failed" in other.load_text("traceback.err")
    assert other.get_parameters("job.status") == "errored"
    assert os.path.isfile(root / where / "parameters.pkl")
