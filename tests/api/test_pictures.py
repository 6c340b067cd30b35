"""Pictures of every shape, range, colour map and format, in grids; what cannot be one is named."""

from __future__ import annotations

import io
from collections.abc import Callable
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
    assert "n_rows=0" in str(fails(logger.save_images, stack, "bad.png", n_rows=0))


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


def test_who_saves_steps_under_one_name_is_told_once(logger: ML_Logger, capsys: pytest.CaptureFixture[str]) -> None:
    for step in (10, 10, 20, 30):
        logger.save_image(np.zeros((2, 2)), "samples/img.png", step=step)
        logger.save_image(np.zeros((2, 2)), f"samples/each-{step}.png", step=step)
        logger.save_image(np.zeros((2, 2)), "last.png")
    said = [line for line in capsys.readouterr().err.splitlines() if "replaces" in line]
    told = "samples/img.png of step 20 replaces that of step 10; to keep each put the step into the name: f'samples/img-{step}.png'"
    assert said == [f"ml-logger: {told}"]


def test_steps_of_many_names_are_forgotten(logger: ML_Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_logger.methods.media.MOST_NAMES", 3)
    for step in range(9):
        logger.save_image(np.zeros((2, 2)), f"{step}.png", step=step)
        logger.save_image(np.zeros((2, 2)), f"no-step-{step}.png")
    assert len(logger.session.state["media_steps"]) == 3


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
