"""Files of a run: put, get, list, move, remove, pack and unpack; the root is refused, and nothing leaves its directory."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.commands import CopyTo
from ml_logger.errors import InvalidKeyError, NotFoundError, UnsupportedValueError

Fails = Callable[..., Exception]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A local directory with files, one hidden, one to leave out, a link to one of them, and one that leads out."""
    (tmp_path / "secret.txt").write_text("not to be seen")
    made = tmp_path / "source folder"
    for name in ("a.txt", "deep/b 'quoted'.txt", "deep/er/ç☃.bin", "skip.pyc", "deep/skip.pyc", "__pycache__/c.txt", ".hidden"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    (made / "out").symlink_to(tmp_path / "secret.txt")
    (made / "deep/inside.txt").symlink_to("../a.txt")
    return made


KEPT = [".hidden", "a.txt", "deep/b 'quoted'.txt", "deep/er/ç☃.bin", "deep/inside.txt"]
LEFT_OUT = ["*.pyc", "__pycache__"]


def test_s17_upload_file(logger: ML_Logger, tmp_path: Path, fails: Fails) -> None:
    assert logger.upload_file(__file__) == logger.session.key("files/test_files.py")
    assert logger.load_text("files/test_files.py") == Path(__file__).read_text("utf-8")
    logger.upload_file(__file__, "code/")
    logger.upload_file(file_path=__file__, target_path="as.txt")
    assert logger.load_text("code/test_files.py") == logger.load_text("as.txt")
    assert type(fails(logger.upload_file, tmp_path / "missing")) is NotFoundError
    assert type(fails(logger.upload_file, tmp_path)) is NotFoundError
    assert type(fails(logger.upload_file)) is NotFoundError


def test_buffers(logger: ML_Logger, fails: Fails) -> None:
    for n, given in enumerate(("äb", "äb".encode(), bytearray("äb".encode()), io.BytesIO("äb".encode()), io.StringIO("äb"))):
        logger.upload_buffer(given, f"{n}.txt")
        assert logger.load_text(f"{n}.txt") == "äb"
    assert type(fails(logger.upload_buffer, 5, "x")) is UnsupportedValueError


def test_download_file(logger: ML_Logger, tmp_path: Path, fails: Fails) -> None:
    logger.upload_buffer(b"data", "deep/a.bin")
    assert logger.download_file("deep/a.bin", to=tmp_path / "b.bin") == str(tmp_path / "b.bin")
    assert logger.download_file("deep", "a.bin", to=f"{tmp_path}/new/") == str(tmp_path / "new/a.bin")
    logger.download_file("deep/a.bin", to=f"{tmp_path}/tree/", relative=True)
    assert (tmp_path / "tree/deep/a.bin").read_bytes() == b"data"
    (tmp_path / "b.bin").write_bytes(b"old")
    logger.download_file("deep/a.bin", to=tmp_path / "b.bin")
    assert (tmp_path / "b.bin").read_bytes() == b"data"
    (tmp_path / "kept.bin").write_bytes(b"old")
    assert type(fails(logger.download_file, "missing", to=tmp_path / "kept.bin")) is NotFoundError
    assert (tmp_path / "kept.bin").read_bytes() == b"old"
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".mlt")]


@pytest.mark.parametrize("archive", ["tar", "gztar", "bztar", "xztar", "zip"])
def test_directories_as_archives(logger: ML_Logger, folder: Path, tmp_path: Path, archive: str) -> None:
    path = logger.upload_dir(folder, "packed", excludes=LEFT_OUT, archive=archive)
    name = path.rpartition("/")[2]
    logger.download_dir(name, tmp_path / "back")
    found = sorted(p.relative_to(tmp_path / "back").as_posix() for p in (tmp_path / "back").rglob("*") if p.is_file())
    assert found == KEPT
    assert (tmp_path / "back/deep/er/ç☃.bin").read_text() == "deep/er/ç☃.bin"


def test_directories_file_by_file(logger: ML_Logger, folder: Path, tmp_path: Path, fails: Fails) -> None:
    assert logger.upload_dir(folder, "plain", excludes=LEFT_OUT, archive=None) == logger.session.key("plain")
    assert logger.glob("**/*.*", wd="plain") == KEPT[1:]  # as in a shell, * takes no leading dot
    logger.download_dir("plain", tmp_path / "back")
    assert sorted(p.relative_to(tmp_path / "back").as_posix() for p in (tmp_path / "back").rglob("*") if p.is_file()) == KEPT
    assert type(fails(logger.upload_dir, tmp_path / "missing")) is NotFoundError
    assert type(fails(logger.upload_dir, folder, archive="rar")) is UnsupportedValueError
    assert type(fails(logger.download_dir, "missing", tmp_path / "x")) is NotFoundError


def hostile_tar(kind: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:

        def put(name: str, **options: object) -> None:
            info = tarfile.TarInfo(name)
            for option, value in options.items():
                setattr(info, option, value)
            data = b"evil" if info.isfile() else b""
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))

        put("fine.txt")
        if kind == "up":
            put("../evil.txt")
        elif kind == "absolute":
            put("/tmp/evil.txt")
        elif kind == "link":
            put("link", type=tarfile.SYMTYPE, linkname="..")
            put("link/evil.txt")
        elif kind == "hard link":
            put("link", type=tarfile.LNKTYPE, linkname="../secret.txt")
        elif kind == "device":
            put("device", type=tarfile.CHRTYPE)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["up", "absolute", "link", "hard link", "device"])
def test_hostile_archives_are_refused_by_name(tmp_path: Path, kind: str, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    logger.upload_buffer(hostile_tar(kind), "evil.tar")
    goal = tmp_path / "goal" / "inside"
    error = fails(logger.download_dir, "evil.tar", goal)
    assert type(error) is InvalidKeyError
    assert not list(tmp_path.rglob("evil.txt"))
    assert not [path for path in goal.rglob("*") if path.is_symlink()]


def test_hostile_zip_and_what_is_no_archive(tmp_path: Path, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("../../evil.txt", "evil")
    logger.upload_buffer(out.getvalue(), "evil.zip")
    assert type(fails(logger.download_dir, "evil.zip", tmp_path / "goal")) is InvalidKeyError
    assert not list(tmp_path.rglob("evil.txt"))
    logger.upload_buffer("text", "no.tar")
    assert "no archive" in str(fails(logger.download_dir, "no.tar", tmp_path / "goal"))
    logger.download_dir("no.tar", tmp_path / "as it is", unpack=None)
    assert (tmp_path / "as it is/no.tar").read_text() == "text"


def test_glob(logger: ML_Logger) -> None:
    for name in ("a.txt", "b.txt", "deep/c.txt", "deep/er/d.txt", "deep/[odd].txt"):
        logger.upload_buffer(name, name)
    assert logger.glob("*.txt") == ["a.txt", "b.txt"]
    assert logger.glob("**/*.txt") == ["a.txt", "b.txt", "deep/[odd].txt", "deep/c.txt", "deep/er/d.txt"]
    assert logger.glob("**/?.txt", wd="deep") == ["c.txt", "er/d.txt"]
    assert logger.glob("[ab].txt", start=1) == ["b.txt"]
    assert logger.glob("*.txt", stop=1) == ["a.txt"]
    prefix = f"/{logger.prefix}"
    assert logger.glob(f"{prefix}/*.txt") == [f"{prefix}/a.txt", f"{prefix}/b.txt"]
    assert logger.load_text(f"{prefix}/a.txt") == "a.txt"
    assert logger.glob("*", wd="no such") is None


def test_s62_glob_sees_metrics_as_files(logger: ML_Logger) -> None:
    logger.log(step=0, a=1, silent=True)
    logger.flush()
    assert "metrics.pkl" in logger.glob("*.pkl")
    logger.remove("metrics.pkl")
    assert "metrics.pkl" not in (logger.glob("*.pkl") or [])


def test_remove(logger: ML_Logger, fails: Fails) -> None:
    for name in ("a.txt", "b.txt", "deep/c.txt", "deep/d.txt", "kept.bin"):
        logger.upload_buffer(name, name)
    assert logger.remove("*.txt") == ["a.txt", "b.txt"]
    assert logger.remove("deep", "missing") == ["deep", "missing"]
    assert logger.glob("**/*.*") == ["kept.bin", "run.json"]
    for whole in ("", "/", "//", ".", "./", "/."):
        assert type(fails(logger.remove, whole)) is InvalidKeyError, whole
    for above in ("..", "../..", "../../.."):
        fails(logger.remove, above)
    for reserved in ("run.json", "*.mlog"):
        if logger.glob(reserved):
            assert type(fails(logger.remove, reserved)) is InvalidKeyError, reserved
    assert logger.load_text("kept.bin") == "kept.bin"


def test_moves_and_copies(logger: ML_Logger, fails: Fails) -> None:
    logger.upload_buffer("a", "deep/a.txt")
    logger.duplicate("deep", "copy")
    logger.move("deep", "moved/deeper")
    assert logger.glob("**/*.txt") == ["copy/a.txt", "moved/deeper/a.txt"]
    assert type(fails(logger.move, "missing", "x")) is NotFoundError
    assert type(fails(logger.duplicate, "missing", "x")) is NotFoundError
    assert type(fails(logger.duplicate, "copy/a.txt", "moved/deeper/a.txt", exists_ok=False)) is InvalidKeyError


def test_bad_names_say_where(logger: ML_Logger, fails: Fails) -> None:
    for name, reason in (("a\0b", "'\\x00'"), ("x" * 300, ""), ("../../../../../x", ""), ("a\\b", ""), ("run.json", "ml-logger")):
        error = fails(logger.upload_buffer, "x", name)
        assert type(error) is InvalidKeyError, name
        assert reason in str(error)


def test_archives_of_the_destination(logger: ML_Logger, fails: Fails) -> None:
    for name in ("pack/a.txt", "pack/deep/b.txt", "pack/skip.tmp"):
        logger.upload_buffer(name, name)
    for kind, suffix in (("tar", "tar"), ("gztar", "tar.gz"), ("zip", "zip")):
        assert logger.make_archive(f"packed-{kind}", kind, root_dir="pack", excludes=["*.tmp"]).endswith(f"packed-{kind}.{suffix}")
    with tarfile.open(fileobj=logger.load_file("packed-gztar.tar.gz")) as file:
        assert sorted(m.name for m in file if m.isfile()) == ["a.txt", "deep/b.txt"]
    assert type(fails(logger.make_archive, "x", "rar")) is UnsupportedValueError
    assert type(fails(logger.make_archive, "x", "zip", root_dir="missing")) is NotFoundError


def test_what_is_overwritten_keeps_its_older_version(logger: ML_Logger, fails: Fails) -> None:
    for n in range(4):
        logger.save_pkl({"n": n}, "weights.pkl")
    logger.upload_buffer(b"once", "once.bin")
    key, command = logger.session.key, logger.session.command
    command(CopyTo(key("weights.pkl"), key("before.pkl"), older=True))
    assert logger.load_pkl("before.pkl") == [{"n": 2}]
    assert logger.load_pkl("weights.pkl") == [{"n": 3}]
    assert type(fails(command, CopyTo(key("once.bin"), key("x"), older=True))) is NotFoundError
    assert type(fails(command, CopyTo(key("weights.pkl"), key("once.bin"), older=True))) is InvalidKeyError
    assert logger.glob("**/*") == ["before.pkl", "once.bin", "run.json", "weights.pkl"]
