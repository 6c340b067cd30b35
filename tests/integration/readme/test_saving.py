"""The blocks of the README that save and load, verbatim, in a directory and over a server: figures, videos, modules, variables, files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_s3_s42_figures(readme: Any) -> None:
    readme.run("""
from ml_logger import logger
logger.configure(prefix="figures", silent=True)
import matplotlib.pyplot as plt
import numpy as np

xs = np.linspace(-5, 5)

plt.plot(xs, np.cos(xs), label='Cosine Func')
logger.savefig('cosine_function.pdf')
""")
    assert readme.open("figures").load_file("cosine_function.pdf").read(4) == b"%PDF"


def test_s44_s45_videos(readme: Any) -> None:
    readme.run("""
from ml_logger import logger
logger.configure(prefix="videos", silent=True)
import numpy as np

def im(x, y):
    canvas = np.zeros((200, 200))
    for i in range(200):
        for j in range(200):
            if x - 5 < i < x + 5 and y - 5 < j < y + 5:
                canvas[i, j] = 1
    return canvas

frames = [im(100 + i, 80) for i in range(20)]

logger.log_video(frames, "test_video.mp4")
""")
    size = len(readme.open("videos").load_file("test_video.mp4").getvalue())
    assert 20 * 200 * 200 * 8 / size >= 2000


def test_s46_modules(readme: Any) -> None:
    pytest.importorskip("torch", reason="modules need torch")
    readme.run("""
from ml_logger import logger
import torch
logger.configure(prefix="modules", silent=True)
cnn = torch.nn.Linear(2, 2)
before = cnn.weight.clone()
# save a module
logger.save_module(cnn, "FastCNN.pkl")
torch.nn.init.zeros_(cnn.weight)
# load a module
logger.load_module(cnn, f"FastCNN.pkl")
assert torch.equal(cnn.weight, before)
""")
    assert "FastCNN.pkl" in readme.open("modules").glob("*")


TENSORFLOW = """
import sys, types
import numpy as np
tf, made = types.ModuleType("tensorflow"), []
class Variable:
    def __init__(self, value, name="Variable"):
        self.value, self.name = np.asarray(value), name + ":0"
        made.append(self)
    def numpy(self):
        return self.value
tf.Variable, tf.constant_initializer = Variable, lambda value: value
tf.get_variable = lambda name, shape, initializer: Variable(initializer, name)
tf.global_variables_initializer, tf.trainable_variables = lambda: None, lambda: made
tf.InteractiveSession = lambda: types.SimpleNamespace(run=lambda op: None)
sys.modules["tensorflow"] = tf
"""


def test_s47_s48_tensorflow(readme: Any, tmp_path: Path) -> None:
    readme.run(
        """
## To save checkpoint
from ml_logger import logger
import tensorflow as tf

logger.configure(log_directory="/tmp/ml-logger-demos")

x = tf.get_variable('x', shape=[], initializer=tf.constant_initializer(0.0))
y = tf.get_variable('y', shape=[], initializer=tf.constant_initializer(10.0))
c = tf.Variable(1000)

sess = tf.InteractiveSession()
sess.run(tf.global_variables_initializer())

trainables = tf.trainable_variables()
logger.save_variables(trainables, path="variables.pkl", namespace="checkpoints")
""",
        TENSORFLOW,
    )
    (file,) = (tmp_path / "ml-logger-demos").rglob("checkpoints/variables.pkl")
    import pickle

    assert {name: float(value) for name, value in pickle.loads(file.read_bytes()).items()} == {"x": 0.0, "y": 10.0, "Variable": 1000.0}


def test_s65_what_can_be_logged_and_read_remotely(readme: Any) -> None:
    readme.run("""
import numpy as np
from ml_logger import logger
logger.configure(prefix="all", silent=True)
logger.print("textual printouts")
logger.log(scalar=1.5, tensor=np.ones((2, 2)), silent=True)
logger.save_image(np.zeros((4, 4, 3)), "image.png")
logger.save_np(np.arange(3), "array.npy"); logger.save_pkl([1], "data.pkl"); logger.upload_buffer(b"\\0binary", "raw.bin")
""")
    found: Any = readme.open("all")
    assert found.load_text("outputs.log") == "textual printouts\n"
    assert found.load_np("array.npy").tolist() == [0, 1, 2]
    assert found.load_pkl("data.pkl") == [[1]]
    assert found.load_file("raw.bin").getvalue() == b"\0binary"
    (row,) = found.load_pkl("metrics.pkl")
    assert (row["scalar"], np.asarray(row["tensor"]).tolist()) == (1.5, [[1, 1], [1, 1]])
    assert isinstance(found.load_file("image.png"), io.BytesIO)


def test_s62_experiments_are_moved_and_read_where_the_data_is(readme: Any) -> None:
    readme.run("""
from ml_logger import logger
logger.configure(prefix="work/old-name", silent=True)
logger.log(step=0, a=1, silent=True)
""")
    logger = readme.open("work")
    logger.move("old-name", "new-name")
    assert logger.load_pkl("new-name/metrics.pkl") == [{"step": 0, "a": 1}]
    assert logger.load_pkl("old-name/metrics.pkl") is None
    logger.duplicate("new-name", "copy")
    assert logger.load_pkl("copy/metrics.pkl") == [{"step": 0, "a": 1}]
