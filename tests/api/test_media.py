"""Pictures, videos, figures, sounds and tables: what is stored is what was given, in every shape and kind of number."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml_logger import ML_Logger
from ml_logger.errors import UnsupportedValueError

Fails = Callable[..., Exception]
RNG = np.random.default_rng(7)


def picture(logger: ML_Logger, name: str) -> Any:
    return np.asarray(Image.open(logger.load_file(name)))


def files_logged(logger: ML_Logger) -> list[dict[str, Any]]:
    """Return what the journal says of files: path, step, kind, size, meta."""
    from ml_logger.queries import ReadRecords

    records = logger.session.ask(ReadRecords(logger.session.run)).records
    return [record.data for record in records if record.kind == "file"]


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_s20_s21_pictures_of_every_shape(logger: ML_Logger) -> None:
    face = RNG.integers(0, 256, (12, 17, 3), "u1")
    grey = face[..., 0]
    for name, given, stored in (
        ("figures/face_rgb.png", face, face),
        ("figures/face_bw.png", grey, grey),
        ("one.png", grey[..., None], grey),
        ("zeros.png", np.zeros((64, 64, 1)), np.zeros((64, 64))),
        ("alpha.png", np.dstack([face, grey]), np.dstack([face, grey])),
        ("list.png", grey.tolist(), grey),
        ("pil.png", Image.fromarray(face), face),
    ):
        assert logger.save_image(given, name) == logger.session.key(name)
        assert np.array_equal(picture(logger, name), stored), name
    assert logger.save_image(grey, "no_suffix").endswith("/no_suffix.png")


@pytest.mark.parametrize(
    ("given", "options", "stored"),
    [
        ([[0.0, 0.5, 1.0, 2.0, -1.0, np.nan]], {}, [[0, 128, 255, 255, 0, 0]]),
        ([[-1.0, 0.0, 1.0]], {"value_range": (-1, 1)}, [[0, 128, 255]]),
        ([[2.0, 3.0, 4.0]], {"normalize": True}, [[0, 128, 255]]),
        ([[2.0, 3.0, 4.0]], {"normalize": "individual"}, [[0, 128, 255]]),
        ([[2.0, 3.0, np.inf, 4.0]], {"normalize": "grid"}, [[0, 128, 255, 255]]),
        ([[2.0, 3.0, 4.0]], {"normalize": (0, 4)}, [[128, 191, 255]]),
        ([[5.0, 5.0]], {"normalize": True}, [[0, 0]]),
        ([[True, False]], {}, [[255, 0]]),
        ([[0.0, 1.0]], {"cmap": "Greys"}, [[255, 0]]),
    ],
)
def test_ranges_and_normalisations(tmp_path: Path, given: Any, options: dict[str, Any], stored: Any) -> None:
    logger = ML_Logger("run", root=tmp_path)
    logger.save_image(np.array(given), "a.png", **options)
    assert np.abs(picture(logger, "a.png").astype(int) - np.array(stored)).max() <= 1


def test_grids(tmp_path: Path, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path)
    stack = np.stack([np.full((2, 3), n * 10, "u1") for n in range(5)])
    logger.save_images(stack, "a.png", n_rows=2, n_cols=3)
    assert picture(logger, "a.png")[::2, ::3].tolist() == [[0, 10, 20], [30, 40, 255]]
    logger.save_images(stack, "b.png", n_cols=5, background=0)
    assert picture(logger, "b.png").shape == (2, 15)
    logger.save_images(list(stack), "c.png", n_rows=5)
    assert picture(logger, "c.png").shape == (10, 3)
    individual, together = np.array([[[0.0, 1.0]], [[0.0, 2.0]]]), [[0, 128], [0, 255]]
    logger.save_images(individual, "d.png", n_rows=2, normalize="individual")
    assert picture(logger, "d.png").tolist() == [[0, 255], [0, 255]]
    logger.save_images(individual, "e.png", n_rows=2, normalize="grid")
    assert picture(logger, "e.png").tolist() == together
    logger.save_images(RNG.random((3, 4, 4, 3)), "f.png", n_rows=1)
    assert picture(logger, "f.png").shape == (4, 12, 3)
    assert "different sizes" in str(fails(logger.save_images, [np.zeros((2, 2)), np.zeros((3, 3))], "bad.png"))
    assert "4 cells" in str(fails(logger.save_images, stack, "bad.png", n_rows=2, n_cols=2))
    assert "no picture" in str(fails(logger.save_images, [], "bad.png"))


def test_colour_maps_and_depths(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path)
    ramp = np.linspace(0, 1, 4)[None]
    logger.save_image(ramp, "v.png", cmap="viridis")
    assert picture(logger, "v.png")[0, 0].tolist() == [68, 1, 84]
    deep = (np.arange(12, dtype="u2") * 5000).reshape(3, 4)
    logger.save_image(deep, "deep.png", dtype="uint16")
    assert np.array_equal(picture(logger, "deep.png").astype("u2"), deep)
    logger.save_image(ramp, "float16.png", dtype=np.uint16)
    assert picture(logger, "float16.png").max() == 65535
    logger.save_image(np.dstack([deep] * 3), "deep_rgb.png", dtype="uint16")
    header = logger.load_file("deep_rgb.png").getvalue()
    assert header[24:26] == bytes([16, 2])  # 16 bits, colour


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "tif", "bmp", "gif"])
def test_formats_of_pictures(tmp_path: Path, suffix: str) -> None:
    logger = ML_Logger("run", root=tmp_path)
    logger.save_image(np.full((8, 8, 3), 200, "u1"), f"a.{suffix}")
    assert np.abs(np.asarray(Image.open(logger.load_file(f"a.{suffix}")).convert("RGB")).astype(int) - 200).max() < 8


def test_pictures_that_cannot_be(tmp_path: Path, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path)
    for bad in (np.zeros(3), np.zeros((2, 2, 2)), np.zeros((2, 2, 3, 1)), "text", [["a"]], None, np.zeros((0, 4)), np.zeros((2, 2), "c8")):
        error = fails(logger.save_image, bad, "bad.png")
        assert type(error) is UnsupportedValueError
        assert "bad.png" in str(error)
    assert "cmap" in str(fails(logger.save_image, np.zeros((2, 2)), "bad.png", cmap="no such"))
    assert ".xyz" in str(fails(logger.save_image, np.zeros((2, 2)), "bad.xyz"))
    assert "float32" in str(fails(logger.save_image, np.zeros((2, 2)), "bad.png", dtype="float32"))
    assert "normalize" in str(fails(logger.save_image, np.zeros((2, 2)), "bad.png", normalize="everything"))


def test_media_have_a_step(logger: ML_Logger) -> None:
    logger.log(step=7, loss=1.0, silent=True)
    logger.log_image(np.zeros((2, 2)), "a.png")
    logger.log_image(np.zeros((2, 2)), key="a.png", step=9)
    found = files_logged(logger)
    assert [(file["step"], file["kind"]) for file in found] == [(7, "image"), (9, "image")]


# ── videos ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def decoded(data: bytes, suffix: str, folder: Path) -> tuple[np.ndarray, float]:
    """Return the frames of a video, and frames a second, as ffmpeg itself reads them."""
    import imageio_ffmpeg

    path = folder / f"check.{suffix}"
    path.write_bytes(data)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    said = re.search(rb"Stream.*Video.* (\d+)x(\d+).* ([\d.]+) fps", done.stderr)
    assert said, done.stderr
    return np.frombuffer(done.stdout, "u1").reshape(-1, int(said[2]), int(said[1]), 3), float(said[3])


def test_s22_s45_a_video_of_five_frames(logger: ML_Logger, tmp_path: Path) -> None:
    face = np.repeat(np.repeat(RNG.integers(0, 256, (6, 8, 3), "u1"), 8, 0), 8, 1)
    assert logger.save_video([face] * 5, "videos/face.mp4") == logger.session.key("videos/face.mp4")
    logger.log_video([face] * 5, "logged")
    for name in ("videos/face.mp4", "logged.mp4"):
        frames, fps = decoded(logger.load_file(name).getvalue(), "mp4", tmp_path)
        assert (frames.shape, fps) == ((5, 48, 64, 3), 20)
        assert np.abs(frames.astype(int) - face).mean() < 20


def im(x: int, y: int) -> np.ndarray:
    canvas = np.zeros((200, 200))
    for i in range(200):
        for j in range(200):
            if x - 5 < i < x + 5 and y - 5 < j < y + 5:
                canvas[i, j] = 1
    return canvas


def test_s43_s44_videos_are_encoded_before_they_are_sent(logger: ML_Logger) -> None:
    frames = [im(100 + i, 80) for i in range(20)]
    logger.log_video(frames, "test_video.mp4")
    size = len(logger.load_file("test_video.mp4").getvalue())
    assert sum(frame.nbytes for frame in frames) / size >= 2000
    (file,) = files_logged(logger)
    assert file["size"] == size  # what went over the wire is the encoded file


def kinds_of_frames() -> Iterator[Any]:
    ramp = np.linspace(0, 1, 3 * 32 * 48).reshape(3, 32, 48)
    yield pytest.param(ramp, id="float64")
    yield pytest.param(ramp.astype("f4"), id="float32")
    yield pytest.param((ramp * 255).astype("u1"), id="uint8")
    yield pytest.param(ramp > 0.5, id="bool")
    yield pytest.param((ramp * 255).astype("i8"), id="int64")
    yield pytest.param(ramp[..., None], id="one channel")
    yield pytest.param(np.stack([ramp] * 3, -1), id="colour")
    yield pytest.param(np.stack([ramp] * 4, -1), id="alpha")
    yield pytest.param(list(ramp), id="list")
    yield pytest.param((frame for frame in ramp), id="generator")


@pytest.mark.parametrize("frames", list(kinds_of_frames()))
def test_frames_of_every_kind(tmp_path: Path, frames: Any) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    logger.save_video(frames, "a.mp4")
    found, _ = decoded(logger.load_file("a.mp4").getvalue(), "mp4", tmp_path)
    assert found.shape == (3, 32, 48, 3)
    assert found[0].mean() + 20 < found[2].mean()


@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif", "mov"])
@pytest.mark.parametrize("shape", [(33, 47), (1, 1), (2, 3)])
def test_formats_and_odd_sizes(tmp_path: Path, suffix: str, shape: tuple[int, int]) -> None:
    logger = ML_Logger("run", root=tmp_path / "root")
    logger.save_video(np.full((4, *shape, 3), 128, "u1"), f"a.{suffix}", fps=10)
    found, fps = decoded(logger.load_file(f"a.{suffix}").getvalue(), suffix, tmp_path)
    assert fps == pytest.approx(10, abs=0.1)
    assert len(found) == 4
    assert abs(found.shape[1] - shape[0]) <= 1
    assert abs(found.shape[2] - shape[1]) <= 1
    assert abs(float(found.mean()) - 128) < 6


def test_gifs_repeat(tmp_path: Path) -> None:
    logger = ML_Logger("run", root=tmp_path)
    logger.save_video(RNG.integers(0, 256, (3, 16, 16, 3), "u1"), "a", format="gif")
    assert b"NETSCAPE2.0" in logger.load_file("a.gif").getvalue()


def test_videos_that_cannot_be(tmp_path: Path, fails: Fails) -> None:
    logger = ML_Logger("run", root=tmp_path)
    good = np.zeros((4, 4, 3))
    for frames, named in (
        ([good, good, np.zeros((4, 6, 3))], "frame 2"),
        ([good, np.full((4, 4), 3.0)], "frame 1"),
        ([good, np.full((4, 4, 3), np.nan)], "frame 1"),
        ([np.zeros((4, 4, 5))], "frame 0"),
        ([good, "text"], "frame 1"),
        ([], "without frames"),
        (5, "frames"),
    ):
        error = fails(logger.save_video, frames, "bad.mp4")
        assert type(error) is UnsupportedValueError
        assert named in str(error), named
    assert ".xyz" in str(fails(logger.save_video, [good], "bad.xyz"))
    assert not logger.glob("bad*")


def test_make_video_works_here(logger: ML_Logger, tmp_path: Path) -> None:
    for n in range(3):
        logger.save_image(np.full((16, 16, 3), 60 * n + 60, "u1"), f"frames/{n:02d}.png")
    assert logger.make_video("frames/*.png", "up.mp4") == logger.session.key("up.mp4")
    logger.make_video("*.png", "down.mp4", wd="frames", order="descending")
    logger.make_video(["frames/02.png", "frames/00.png"], "listed.mp4")
    for name, levels in (("up", [60, 120, 180]), ("down", [180, 120, 60]), ("listed", [180, 60])):
        found, _ = decoded(logger.load_file(f"{name}.mp4").getvalue(), "mp4", tmp_path)
        assert [round(float(frame.mean()) / 20) * 20 for frame in found] == levels
    assert logger.make_video("none/*.png", "none.mp4") is None


# ── figures, sounds, tables, pages ───────────────────────────────────────────────────────────────────────────────────

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


def test_notebook_shows_pictures_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    from ml_logger import nb

    shown: list[str] = []
    stand_in = types.ModuleType("IPython.display")
    stand_in.HTML = lambda markup: markup  # type: ignore[attr-defined]
    stand_in.display = shown.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", stand_in)
    nb.show(np.zeros((2, 2)), np.zeros((3, 3, 3)), titles=["<a>", "b"])
    nb.imshow(np.ones((2, 2)), "one")
    nb.text("<script>", 5)
    assert shown[0].count("data:image/png;base64,") == 2
    assert "&lt;a&gt;" in shown[0]
    assert shown[2] == "&lt;script&gt;<br>5"


def test_pil_reads_what_our_own_png_writes() -> None:
    from ml_logger.media.images import png

    for shape in ((3, 5, 1), (3, 5, 3), (3, 5, 4)):
        pixels = RNG.integers(0, 256, shape, "u1")
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))).reshape(shape), pixels)
