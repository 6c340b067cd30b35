"""Figures, sounds, tables, pages and histograms; what is not installed says how to get it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_logger import ML_Logger
from ml_logger.errors import UnsupportedValueError

Fails = Callable[..., Exception]


MAGIC = {
    "png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "jpg": b"\xff\xd8", "jpeg": b"\xff\xd8", "eps": b"%!PS", "ps": b"%!PS",
    "tif": b"II*", "tiff": b"II*", "webp": b"RIFF", "raw": b"\xff", "rgba": b"\xff", "svgz": b"\x1f\x8b", "gif": b"GIF", "pgf": b"%%",
}  # fmt: skip


@pytest.fixture
def plt() -> Any:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    yield plt
    plt.close("all")


def test_s3_s42_figures_of_the_readme(logger: ML_Logger, plt: Any) -> None:
    xs = np.linspace(-5, 5)
    plt.plot(xs, np.cos(xs), label="Cosine Func")
    path = logger.savefig("cosine_function.pdf")
    assert path == logger.session.key("cosine_function.pdf")
    assert logger.load_file("cosine_function.pdf").read(4) == b"%PDF"
    assert not plt.get_fignums()
    plt.plot(xs, xs)
    logger.savefig("my_figure.png", close=False)
    assert plt.get_fignums()
    logger.save_pyplot("no_suffix")
    assert logger.load_file("no_suffix.png").read(4) == b"\x89PNG"


def test_s42_every_format_that_pyplot_has(tmp_path: Path, plt: Any) -> None:
    logger = ML_Logger("run", root=tmp_path)
    figure = plt.figure(figsize=(1, 1))
    for suffix in figure.canvas.get_supported_filetypes():
        if suffix == "pgf":
            continue  # needs a TeX program
        logger.savefig(f"a.{suffix}", figure, close=False)
        start = logger.load_file(f"a.{suffix}").read(8)
        assert suffix not in MAGIC or start.startswith(MAGIC[suffix]), suffix
        assert start, suffix


def test_figures_that_cannot_be(tmp_path: Path, plt: Any, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path)
    error = fails(logger.savefig, "bad.xyz", plt.figure())
    assert "bad.xyz" in str(error)


def test_plt2data(plt: Any) -> None:
    figure = plt.figure(figsize=(2, 1), dpi=50, facecolor=(1.0, 0.0, 0.0))
    data = ML_Logger.plt2data(figure)
    assert (data.shape, data.dtype) == ((50, 100, 3), np.uint8)
    assert data[0, 0].tolist() == [255, 0, 0]


def test_sounds(logger: ML_Logger, fails: Fails) -> None:
    import wave

    tone = np.sin(np.linspace(0, 100, 1600))
    logger.log_audio(np.stack([tone, -tone], 1), "tone", rate=8000)
    with wave.open(logger.load_file("tone.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes(), file.getsampwidth()) == (2, 8000, 1600, 2)
        samples = np.frombuffer(file.readframes(1600), "<i2").reshape(-1, 2)
    assert np.abs(samples[:, 0] / 32767 - tone).max() < 1e-3
    for bad in (np.zeros((2, 2, 2)), np.zeros(0), "text", np.zeros(4, "u4")):
        assert type(fails(logger.log_audio, bad, "bad.wav")) is UnsupportedValueError


def test_tables_and_pages(logger: ML_Logger, fails: Fails) -> None:
    import pandas as pd

    expected = "name,score\r\na,1\r\nb,2\r\n"
    for n, rows in enumerate((
        [{"name": "a", "score": 1}, {"name": "b", "score": 2}],
        {"name": ["a", "b"], "score": [1, 2]},
        pd.DataFrame({"name": ["a", "b"], "score": [1, 2]}),
    )):  # fmt: skip
        logger.log_table(rows, f"{n}", step=n)
        assert logger.load_text(f"{n}.csv") == expected
    logger.log_table([["a", 1], ["b", 2]], "lists.csv", columns=["name", "score"])
    assert logger.load_text("lists.csv") == expected
    assert type(fails(logger.log_table, 5, "bad.csv")) is UnsupportedValueError
    assert type(fails(logger.log_table, {"a": [1], "b": [1, 2]}, "bad.csv")) is UnsupportedValueError
    logger.log_html("<b>ä</b>", "page")
    assert logger.load_text("page.html") == "<b>ä</b>"


def test_histograms(logger: ML_Logger) -> None:
    logger.log_histogram(np.array([0.0, 1.0, 1.0, 4.0, np.nan]), "weights", bins=4, step=3)
    logger.flush()
    (row,) = logger.load_pkl("metrics.pkl")
    assert row["step"] == 3
    assert row["weights"]["counts"] == [1, 2, 0, 1]
    assert row["weights"]["edges"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert (row["weights"]["n"], row["weights"]["bad"]) == (4, 1)


def test_nothing_is_left_in_the_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    logger = ML_Logger("run", root=tmp_path / "root")
    logger.save_video([np.zeros((4, 4))] * 3, "a.mp4")
    with pytest.raises(UnsupportedValueError):
        logger.save_video([np.zeros((4, 4)), np.zeros((6, 6))], "b.mp4")
    assert list(scratch.iterdir()) == []


def test_optional_parts_say_how_to_get_them(env: dict[str, str], tmp_path: Path) -> None:
    """In a process that cannot import them, each method names the extra."""
    code = """
import json, sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(name)
BLOCKED = {"matplotlib", "pandas", "torch", "h5py", "yaml", "safetensors", "obstore", "dill", "IPython", "PIL", "imageio_ffmpeg"}
sys.meta_path.insert(0, Nothing())
import numpy as np
from ml_logger import ML_Logger, nb
from ml_logger.errors import MissingExtraError
logger = ML_Logger("run", root=sys.argv[1])
logger.log(a=1, silent=True)
calls = {
    "plots": lambda: logger.savefig("a.png"), "pandas": lambda: logger.save_csv({"a": [1]}, "a.csv"),
    "torch": lambda: logger.save_torch({}, "a.pt"),
    "h5": lambda: logger.save_h5("a.h5", x=[1]), "yaml": lambda: logger.save_yaml({}, "a.yml"), "s3": lambda: logger.glob_s3("bucket/*"),
    "dill": lambda: logger.save_pkl(1, "a.pkl", use_dill=True), "notebook": lambda: nb.text("a"),
    "images": lambda: logger.save_image(np.zeros((2, 2)), "a.png"),
    "video": lambda: logger.save_video([np.zeros((2, 2))], "a.mp4"),
}
said = {}
for extra, call in calls.items():
    try:
        call()
    except MissingExtraError as error:
        said[extra] = str(error)
print(json.dumps(said))
"""
    import sys

    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "root")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert sorted(said) == ["dill", "h5", "images", "notebook", "pandas", "plots", "s3", "torch", "video", "yaml"]
    for extra, message in said.items():
        assert f"pip install 'ml-logger[{extra}]'" in message
