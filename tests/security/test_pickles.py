"""Pickles that would run something: none of them runs, in any protocol, by any way in; what is plain in them is still read."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ml_logger import ML_Logger
from ml_logger.errors import CorruptFrameError
from ml_logger.formats.restricted_pickle import iter_loads, loads
from ml_logger.formats.values import Unsupported


def opcodes(module: str, name: str, argument: str = "touch PWNED", *, protocol: int = 0) -> bytes:
    """Return the bytes of a pickle that calls `module.name(argument)`, written by hand."""
    if protocol == 0:
        return f"c{module}\n{name}\n(V{argument}\ntR.".encode()
    text = argument.encode()
    head = bytes([0x80, protocol]) if protocol < 4 else bytes([0x80, 4])
    if protocol < 4:
        return head + f"c{module}\n{name}\n".encode() + b"(X" + len(text).to_bytes(4, "little") + text + b"tR."
    parts = b"".join(b"\x8c" + bytes([len(word)]) + word.encode() for word in (module, name))
    return head + parts + b"\x93(X" + len(text).to_bytes(4, "little") + text + b"tR."


CALLS = [
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("subprocess", "check_output"),
    ("builtins", "eval"), ("builtins", "exec"), ("builtins", "__import__"), ("builtins", "open"), ("builtins", "getattr"),
    ("builtins", "compile"), ("__builtin__", "eval"), ("pydoc", "locate"), ("pydoc", "pipepager"), ("ctypes", "CDLL"),
    ("logging", "FileHandler"), ("runpy", "run_path"), ("runpy", "run_module"), ("importlib", "import_module"), ("code", "interact"),
    ("pty", "spawn"), ("socket", "create_connection"), ("shutil", "rmtree"), ("webbrowser", "open"), ("timeit", "timeit"),
    ("cProfile", "run"), ("pickle", "loads"), ("_pickle", "loads"), ("torch.serialization", "load"), ("numpy", "load"),
    ("numpy.testing._private.utils", "runstring"), ("operator", "attrgetter"), ("functools", "partial"),
    ("collections", "OrderedDict.fromkeys"), ("datetime", "datetime.strptime"), ("numpy._core.multiarray", "fromfile"),
    ("numpy.core.multiarray", "_reconstruct"), ("_codecs", "lookup"),
]  # fmt: skip


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(("module", "name"), CALLS, ids=lambda word: word)
def test_malicious_pickles_are_never_executed(
    module: str, name: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = loads(opcodes(module, name, protocol=protocol))
    assert isinstance(found, Unsupported)
    assert module in found
    assert list(tmp_path.iterdir()) == []


HOSTILE = [
    b"cos\nsystem\n(Vtouch PWNED\nt\x81.",  # NEWOBJ
    b"(ios\nsystem\nVtouch PWNED\n.".replace(b"(i", b"(Vtouch PWNED\ni"),  # INST
    b"(cos\nsystem\nVtouch PWNED\no.",  # OBJ
    b"\x80\x02cos\nsystem\n)R}b.",  # BUILD on a result
    b"c__main__\nx\n(Vos.system\ntR.",
    b"\x82\x01.",  # EXT1
    b"Pwhatever\n.",  # PERSID
    pickle.dumps([1, {"a": (2, None)}])[:-1] + b"cos\nsystem\n(Vtouch PWNED\ntR0.",  # a call whose result is thrown away
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_odd_ways_to_call(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        loads(data)
    except CorruptFrameError as error:
        assert "byte 0" in str(error)  # noqa: PT017 - some are data, others damage
    assert list(tmp_path.iterdir()) == []


PROBE = """
import sys
from pathlib import Path
watched = ("pickle.find_class", "os.system", "os.exec", "subprocess.Popen", "socket.connect", "ctypes.dlopen", "shutil.rmtree")
def hook(event, arguments):
    if event in watched and started:
        print("EVENT", event, flush=True)
started = False
from ml_logger import ML_Logger
from ml_logger.formats import restricted_pickle
logger = ML_Logger("evil", root=sys.argv[1])
logger.load_pkl("warm-up.pkl")
sys.addaudithook(hook)
started = True
for path in sorted(Path(sys.argv[2]).iterdir()):
    for load in (logger.load_pkl, lambda name: list(logger.iload_pkl(name))):
        try:
            load(path.name)
        except Exception as error:
            print(type(error).__name__)
print("done")
"""


def test_load_pkl_triggers_no_event(tmp_path: Path) -> None:
    """The same corpus through the public way in, under an audit hook that names whatever would be looked up or run."""
    folder, root = tmp_path / "corpus", tmp_path / "root"
    folder.mkdir()
    (root / "evil").mkdir(parents=True)
    corpus = [opcodes(module, name, protocol=protocol) for module, name in CALLS for protocol in (0, 2, 4)] + HOSTILE
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("archive/data.pkl", opcodes("os", "system"))
    for number, data in enumerate([*corpus, nested.getvalue(), b"", b"junk", corpus[0][:5]]):
        for place in (folder, root / "evil"):
            (place / f"{number:03d}.pkl").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(root), str(folder)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.endswith("done\n"), done.stderr
    assert "EVENT" not in done.stdout
    assert not (tmp_path / "PWNED").exists()


def test_the_hook_would_see_a_real_load(tmp_path: Path) -> None:
    """The twin that is broken on purpose: with `trust=True` the same file does run."""
    logger = ML_Logger("r", root=tmp_path)
    marker = tmp_path / "RAN"
    logger.upload_buffer(opcodes("os", "system", f"touch {marker}"), "own.pkl")
    assert isinstance(logger.load_pkl("own.pkl")[0], Unsupported)
    assert not marker.exists()
    logger.load_pkl("own.pkl", trust=True)
    assert marker.exists()


def test_plain_data_beside_a_call_is_still_read() -> None:
    stream = pickle.dumps({"loss": 0.5}) + opcodes("os", "system") + pickle.dumps({"loss": 0.25})
    first, evil, last = iter_loads(io.BytesIO(stream))
    assert (first, last) == ({"loss": 0.5}, {"loss": 0.25})
    assert isinstance(evil, Unsupported)
