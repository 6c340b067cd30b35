"""A root on a network file system: the journal is in the spool, and a copy of it in the directory, also after that was gone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ml_logger import settings
from ml_logger.client.network_directory import NetworkDirectoryDestination
from ml_logger.queries import ReadRows
from ml_logger.records import Row
from ml_logger.safe_fs import SafeRoot
from ml_logger.session import Session
from ml_logger.store.rundir import RunDir


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    env = settings.read({"ML_LOGGER_SPOOL": str(tmp_path / "spool"), "USER": "tester"})
    made = Session(str(tmp_path / "root"), "lab/run", env=env)
    made.destination = NetworkDirectoryDestination(str(tmp_path / "root"), env)
    return made


def log(session: Session, steps: range) -> None:
    for step in steps:
        session.emit(Row({"step": step, "loss": step * 0.5}))


def test_journal_is_carried(session: Session, tmp_path: Path) -> None:
    log(session, range(100))
    (writer,) = session._writers.values()
    assert writer.journal.file.path.is_relative_to(tmp_path / "spool")
    table = session.ask(ReadRows("lab/run/metrics.pkl")).tables[0]
    assert [row["step"] for row in table.rows] == list(range(100))
    log(session, range(100, 120))
    session.flush(timeout=10)
    status = session.status()
    assert (status["accepted"], status["acked"], status["spool_bytes"]) == (120, 120, 0)
    session.close()
    assert not list((tmp_path / "spool").glob("*/*/*.mlog"))
    run = RunDir(SafeRoot(tmp_path / "root"), "lab/run").refresh()
    assert not run.problems
    assert [row["step"] for row in run.rows()] == list(range(120))
    assert run.writers[0].reader.ended


def test_directory_gone_for_a_while(session: Session, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log(session, range(10))
    session.flush(timeout=10)
    (tmp_path / "root").rename(tmp_path / "away")
    (tmp_path / "root").write_text("not a directory")
    begun = time.monotonic()
    log(session, range(10, 50))
    assert time.monotonic() - begun < 1
    carrier = session.destination.carrier
    while carrier.state != "unreachable":
        assert time.monotonic() - begun < 10
        time.sleep(0.01)
    (tmp_path / "root").unlink()
    (tmp_path / "away").rename(tmp_path / "root")
    session.flush(timeout=20)
    session.close()
    assert "training goes on" in capfd.readouterr().err
    run = RunDir(SafeRoot(tmp_path / "root"), "lab/run").refresh()
    assert [row["step"] for row in run.rows()] == list(range(50))


def test_spool_disk_full_in_between(session: Session, tmp_path: Path) -> None:
    log(session, range(20))
    session.flush(timeout=10)
    (writer,) = session._writers.values()
    writer.journal._leave(writer.journal.file, OSError(28, "No space left on device"))
    log(session, range(20, 40))
    session.flush(timeout=10)
    session.close()
    run = RunDir(SafeRoot(tmp_path / "root"), "lab/run").refresh()
    assert [row["step"] for row in run.rows()] == list(range(40))
