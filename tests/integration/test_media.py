"""Pictures, videos, figures, sounds, tables and checkpoints: encoded on the client, the same file in every place."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_logger import ML_Logger
from ml_logger.errors import InvalidKeyError, NotFoundError, UnsupportedValueError
from ml_logger.queries import ListFiles


def loaded(logger: ML_Logger, name: str) -> np.ndarray:
    return np.asarray(Image.open(logger.load_file(name)))


@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 1), (8, 9, 3), (8, 9, 4)])
def test_s20_s21_every_shape_of_picture(logger: ML_Logger, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    assert logger.save_image(pixels, "figures/face.png").endswith("figures/face.png")
    assert np.array_equal(loaded(logger, "figures/face.png"), pixels.squeeze(-1) if shape[-1] == 1 else pixels)


def test_a_grid_with_its_step(logger: ML_Logger) -> None:
    logger.log(step=40, loss=1.0, silent=True)
    logger.save_images(np.zeros((5, 4, 6)), "samples/a", n_rows=2)
    logger.save_images(np.ones((5, 4, 6, 3)), "samples/b.png", n_cols=5, step=41)
    assert loaded(logger, "samples/a.png").shape == (8, 18)
    assert loaded(logger, "samples/b.png").shape == (4, 30, 3)
    entries = logger.session.ask(ListFiles(logger.session.key("samples"))).entries
    assert [(entry.name, entry.step, entry.kind) for entry in entries] == [("a.png", 40, "image"), ("b.png", 41, "image")]


def test_s22_s43_s44_s45_videos(logger: ML_Logger) -> None:
    frames = []
    for i in range(20):
        canvas = np.zeros((200, 200))
        canvas[96 + i : 105 + i, 76:85] = 1
        frames.append(canvas)
    logger.log_video(frames, "test_video.mp4")
    size = len(logger.load_file("test_video.mp4").getvalue())
    assert 20 * 200 * 200 * 8 / size >= 2000
    logger.save_video(np.zeros((5, 31, 33, 3), np.uint8), "videos/face.mp4")
    assert logger.load_file("videos/face.mp4").getvalue()[4:8] == b"ftyp"


def test_s3_s42_figures(logger: ML_Logger) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    for suffix, magic in {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "jpg": b"\xff\xd8"}.items():
        plt.plot([1, 2], label="x")
        logger.savefig(f"my_figure.{suffix}")
        assert logger.load_file(f"my_figure.{suffix}").read(5).startswith(magic)
        assert not plt.get_fignums(), "the figure is closed"
    plt.plot([1])
    assert logger.plt2data(plt.gcf()).shape == (480, 640, 3)
    plt.close("all")


def test_sounds_tables_pages_and_histograms(logger: ML_Logger) -> None:
    logger.log_audio(np.sin(np.arange(1600) / 10), "beep", rate=8000)
    assert logger.load_file("beep.wav").read(4) == b"RIFF"
    logger.log_table([{"a": 1, "b": "x,y"}, {"a": 2}], "table")
    assert logger.load_text("table.csv") == 'a,b\r\n1,"x,y"\r\n2,\r\n'
    logger.log_html("<b>hi</b>", "page")
    assert logger.load_text("page.html") == "<b>hi</b>"
    found = logger.log_histogram([1, 2, [2, 3.0, float("nan")]], "w", bins=2, step=1)
    logger.flush()
    assert found["counts"] == [1, 3]
    assert found["bad"] == 1
    assert logger.load_pkl("metrics.pkl")[-1]["w"]["counts"] == [1, 3]


def test_make_video_from_stored_pictures(logger: ML_Logger) -> None:
    for i in range(4):
        logger.save_image(np.full((16, 16), i * 60, np.uint8), f"frames/{i}.png")
    assert logger.make_video("frames/*.png", "all.gif") == logger.session.key("all.gif")
    assert Image.open(logger.load_file("all.gif")).n_frames == 4
    assert logger.make_video("nothing/*.png", "none.gif") is None


def test_bad_pictures_are_named(logger: ML_Logger) -> None:
    for bad in (np.zeros((2, 2, 2, 2)), np.zeros(3), np.array(["a"]), [np.zeros((2, 2)), np.zeros((3, 3))]):
        with pytest.raises(UnsupportedValueError, match=r"x\.png"):
            logger.save_images(bad, "x.png")
    with pytest.raises(UnsupportedValueError, match="frame 1"):
        logger.save_video([np.zeros((4, 4)), np.full((4, 4), 7.0)], "x.mp4")
    with pytest.raises(UnsupportedValueError, match=r"\.xyz"):
        logger.save_video([np.zeros((4, 4))], "x.xyz")
    assert logger.load_text("x.png") is None


def test_s46_torch_modules(logger: ML_Logger) -> None:
    torch = pytest.importorskip("torch")
    cnn, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    for name in ("FastCNN.pkl", "FastCNN.safetensors"):
        logger.save_module(cnn, name)
        logger.load_module(other, name)
        assert torch.equal(cnn.weight, other.weight)
    halved = torch.nn.Linear(3, 2)
    logger.load_module(halved, "*.pkl", matcher=lambda own, key, patch: patch[key] / 2)
    assert torch.equal(halved.weight, cnn.weight / 2)
    logger.save_torch({"a": torch.ones(2)}, "t.pt")
    assert torch.equal(logger.load_torch("t.pt")["a"], torch.ones(2))
    with pytest.raises(NotFoundError):
        logger.load_torch("missing.pt")
    with pytest.raises(Exception, match="trust=True"):  # a whole module is code: it needs `trust=True`
        logger.save_torch(cnn, "whole.pt")
        logger.load_torch("whole.pt")
    assert torch.equal(logger.load_torch("whole.pt", trust=True).weight, cnn.weight)


class Variable:
    """A variable as TensorFlow's look: a name, `numpy()`, `assign()`."""

    def __init__(self, name: str, value: float) -> None:
        self.name, self.value = name, np.array(value)

    def numpy(self) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        self.value = value


def test_s47_variables_are_a_plain_dict(logger: ML_Logger) -> None:
    x, y = Variable("x:0", 0.0), Variable("y:0", 10.0)
    logger.save_variables([x, y], path="variables.pkl", namespace="checkpoints")
    assert logger.load_pkl("checkpoints/variables.pkl") == [{"x": 0.0, "y": 10.0}]
    y.assign(np.array(3.0))
    logger.load_variables("variables.pkl", [y], namespace="checkpoints")
    assert y.value == 10.0


def test_s65_arrays_and_data(logger: ML_Logger, tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    logger.save_np(array, "a.npy")
    logger.save_npz("b.npz", x=array, y=array[0])
    logger.save_json({"a": array, "b": [1]}, "c.json")
    logger.save_yaml({"a": 1, "b": [1, 2]}, "d.yaml")
    logger.save_h5("e.h5", x=array)
    assert np.array_equal(logger.load_np("a.npy"), array)
    assert sorted(logger.load_np("b.npz")) == ["x", "y"]
    assert logger.load_json("c.json") == {"a": array.tolist(), "b": [1]}
    assert logger.load_yaml("d.yaml") == {"a": 1, "b": [1, 2]}
    assert np.array_equal(logger.load_h5("e.h5:x")["x"], array)
    for line in ({"a": 1}, {"a": 2}, {"a": 3}):
        logger.log_jsonl(line, "f.jsonl")
    assert logger.load_jsonl("f.jsonl", start=1) == [{"a": 2}, {"a": 3}]
    for value in (1, "two", array):
        logger.log_data(value, "g.pkl")
    assert logger.load_pkl("g.pkl", start=1, stop=2) == ["two"]
    assert [type(item).__name__ for item in logger.iload_pkl("g.pkl")] == ["int", "str", "ndarray"]
    for load in (logger.load_pkl, logger.load_json, logger.load_np, logger.load_yaml, logger.load_text, logger.load_jsonl, logger.load_h5):
        assert load("missing.file") is None
        with pytest.raises(NotFoundError):
            load("missing.file", strict=True)
    with pytest.raises(NotFoundError):
        logger.load_file("missing")
    assert json.loads((Path(logger.download_file("c.json", to=f"{tmp_path}/"))).read_text())["b"] == [1]


def test_csv(logger: ML_Logger) -> None:
    pandas = pytest.importorskip("pandas")
    logger.save_csv({"a": [1, 2], "b": ["x", "y"]}, "t.csv")
    assert logger.load_csv("t.csv").equals(pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}))


def test_directories_and_archives(logger: ML_Logger, tmp_path: Path) -> None:
    source = tmp_path / "up dir"
    (source / "sub").mkdir(parents=True)
    (source / 'it\'s "é".txt').write_text("a")
    (source / "sub" / "b.pyc").write_text("b")
    logger.upload_dir(source, "plain", archive=None, excludes=["*.pyc"])
    assert logger.glob("plain/**/*") == ['plain/it\'s "é".txt']
    for kind in ("tar", "gztar", "zip"):
        key = logger.upload_dir(source, f"packed-{kind}", archive=kind)
        logger.download_dir(f"/{key}", tmp_path / f"out-{kind}")
        assert (tmp_path / f"out-{kind}" / "sub" / "b.pyc").read_text() == "b"
    logger.download_dir("plain", tmp_path / "out")
    assert (tmp_path / "out" / 'it\'s "é".txt').read_text() == "a"


def test_an_archive_that_leads_out_is_refused(logger: ML_Logger, tmp_path: Path) -> None:
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("../escaped.txt")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    logger.upload_buffer(out.getvalue(), "evil.tar")
    with pytest.raises(ValueError, match="escaped"):
        logger.download_dir("evil.tar", tmp_path / "goal")
    assert not (tmp_path / "escaped.txt").exists()


def test_the_root_is_never_removed(logger: ML_Logger) -> None:
    logger.save_text("x", "a.txt")
    for name in ("", "/", "//", ".", "..", "./"):
        with pytest.raises(InvalidKeyError):
            logger.remove(name)
    assert logger.load_text("a.txt") == "x"
    assert logger.remove("missing.txt", "a.*") == ["missing.txt", "a.txt"]
    assert logger.load_text("a.txt") is None
