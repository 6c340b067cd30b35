"""Settings come from the environment alone, and a bad one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_logger import ML_Logger, settings
from ml_logger.errors import SettingsError


def test_nothing_set() -> None:
    found = settings.read({"USER": "alice"})
    assert found == settings.Settings(None, "alice", None, None, None, None, False, None, "", 0)


def test_everything_set() -> None:
    names = {"ROOT": "/r", "USER": "bob", "PREFIX": "p", "TOKEN": "t", "SPOOL": "/s", "EXIT_TIMEOUT": "2.5", "ALLOW_PLAINTEXT": "1"}
    found = settings.read({f"ML_LOGGER_{name}": value for name, value in names.items()})
    assert (found.root, found.user, found.prefix, found.token, found.spool) == ("/r", "bob", "p", "t", "/s")
    assert found.exit_timeout == 2.5
    assert found.allow_plaintext


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_bad_timeout_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="ML_LOGGER_EXIT_TIMEOUT"):
        settings.read({"ML_LOGGER_EXIT_TIMEOUT": text})


@pytest.mark.parametrize("text", ["localhost:8081", "10.0.0.1:80/path", "[::1]:8081", "gpu-7.lab:8081"])
def test_a_host_without_a_scheme_is_no_directory(text: str) -> None:
    with pytest.raises(SettingsError, match=r"ML_LOGGER_ROOT=.*did you mean http://.*\./"):
        settings.read({"ML_LOGGER_ROOT": text})
    with pytest.raises(SettingsError, match="root="):
        ML_Logger("run", root=text)


def test_a_directory_may_look_like_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("./localhost:8081", str(tmp_path / "localhost:8081"), "~/x:1", "a/b:1", "run:one"):
        assert settings.checked_root(text) == text
    (tmp_path / "localhost:8081").mkdir()
    assert settings.checked_root("localhost:8081") == "localhost:8081"


@pytest.mark.parametrize(
    ("environ", "launch", "rank"),
    [
        ({"TORCHELASTIC_RUN_ID": "7", "RANK": "3", "MASTER_PORT": "29500"}, "torchrun-7-29500-0", 3),
        ({"SLURM_JOB_ID": "12", "SLURM_PROCID": "5"}, "slurm-12--0", 5),
        ({"SLURM_JOB_ID": "12", "SLURM_PROCID": "5", "SLURM_ARRAY_TASK_ID": "2", "SLURM_RESTART_COUNT": "1"}, "slurm-12-2-1", 5),
        ({"PMIX_NAMESPACE": "job", "OMPI_COMM_WORLD_RANK": "1"}, "mpi-job", 1),
        ({"SLURM_JOB_ID": "12"}, "", 0),
        ({}, "", 0),
    ],
)
def test_ranks_of_one_launch_share_its_name(environ: dict[str, str], launch: str, rank: int) -> None:
    found = settings.read({"USER": "x", **environ})
    assert (found.launch, found.rank) == (launch, rank)


def test_places() -> None:
    assert str(settings.config_dir({"XDG_CONFIG_HOME": "/c"})) == "/c/ml_logger"
    assert str(settings.cache_dir({"XDG_CACHE_HOME": "/k"})) == "/k/ml_logger"
    assert str(settings.temp_dirs({"TMPDIR": "/t"})[0]) == "/t"
    assert settings.variable("A", {"A": "b"}) == "b"
    assert settings.variable("A", {}) is None
