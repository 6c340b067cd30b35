"""The blocks of the seed README, run as they are written, over a directory and over a server: old spellings included.

Two words are replaced: `/tmp/` and `/mnt/` by a directory of the test. `scipy.misc.face`, which SciPy dropped, and TensorFlow 1 are
stand-ins. What the README abbreviates in its outputs is listed in docs/reference/claims.md.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml_logger import ML_Logger

FACE = """
import sys, types
import numpy as np
from PIL import Image
scipy = types.ModuleType("scipy"); scipy.misc = types.ModuleType("scipy.misc")
COLOUR = np.asarray(Image.open(PICTURE).convert("RGB"))
scipy.misc.face = lambda gray=False: COLOUR[..., 0] if gray else COLOUR
sys.modules["scipy"], sys.modules["scipy.misc"] = scipy, scipy.misc
import params_proto.v2
sys.modules["params_proto"] = params_proto.v2
"""

SIMPLE = '''
from params_proto import ParamsProto, Proto, Flag

class Args(ParamsProto):
    """ CLI Args for the program
    Try:
        python3 example.py --help
    And it should print out the help strings
    """
    seed = Proto(1, help="random seed")
    D_lr = 5e-4
    G_lr = 1e-4
    Q_lr = 1e-4
    T_lr = 1e-4
    plot_interval = 10
    verbose = Flag("the verbose flag")

if __name__ == '__main__':
    import scipy
    import numpy as np
    from ml_logger import logger, LOGGER_USER

    # Put in your ~/.bashrc
    # export ML_LOGGER_ROOT = "http://<your-logging-server>:8081"
    # export ML_LOGGER_USER = $USER
    logger.configure(prefix=f"{LOGGER_USER}/scratch/your-experiment-prefix!")


    logger.log_params(Args=vars(Args))
    logger.upload_file(__file__)

    for epoch in range(10):
        logger.log(step=epoch, D_loss=0.2, G_loss=0.1, mutual_information=0.01)
        logger.log_key_value(epoch, 'some string key', 0.0012)
        # when the step index updates, logger flushes all of the key-value pairs to file system/logging server

    logger.flush()

    # Images
    face = scipy.misc.face()
    face_bw = scipy.misc.face(gray=True)
    logger.save_image(face, "figures/face_rgb.png")
    logger.save_image(face_bw, "figures/face_bw.png")
    image_bw = np.zeros((64, 64, 1))
    image_bw_2 = scipy.misc.face(gray=True)[::4, ::4]

    logger.save_video([face] * 5, "videos/face.mp4")
'''

S24 = """\
══════════════════════════════════════════
        Args        
────────────────────┬─────────────────────
        seed        │ 1                   
        D_lr        │ 0.0005              
        G_lr        │ 0.0001              
        Q_lr        │ 0.0001              
        T_lr        │ 0.0001              
   plot_interval    │ 10                  
"""  # noqa: W291 - the blanks at the ends are part of the table

S25 = """\
╒════════════════════╤════════════════════╕
│        step        │         9          │
├────────────────────┼────────────────────┤
│       D loss       │       0.200        │
├────────────────────┼────────────────────┤
│       G loss       │       0.100        │
├────────────────────┼────────────────────┤
│ mutual information │       0.010        │
╘════════════════════╧════════════════════╛
"""


class Readers:
    """Runs a block in one of the ways and opens what it wrote."""

    def __init__(self, root: str, env: dict[str, str], folder: Path) -> None:
        self.root, self.env, self.folder = root, env, folder

    def run(self, code: str, before: str = "") -> str:
        script = self.folder / "example.py"
        script.write_text(before + code.replace('"/tmp/', f'"{self.folder}/').replace('"/mnt/', f'"{self.folder}/'), "utf-8")
        env = {**self.env, "ML_LOGGER_ROOT": self.root, "ML_LOGGER_USER": "alice", "MPLBACKEND": "Agg"}
        command = [sys.executable, "-W", "error", script.name]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def open(self, prefix: str, root: str | None = None) -> ML_Logger:
        return ML_Logger(prefix, root=root or self.root)


@pytest.fixture(params=["local", "http"])
def readme(request: pytest.FixtureRequest, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Readers:
    if request.param == "http":
        server = request.getfixturevalue("shared_server")
        env, root = server.env, server.url
    else:
        root = str(tmp_path / "root")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ML_LOGGER_SPOOL"):
        monkeypatch.setenv(name, env[name])
    return Readers(root, env, tmp_path)


def test_s9_s10_first_lines(readme: Readers) -> None:
    out = readme.run("""
from ml_logger import logger

print(logger)
# ~> logging data to /tmp/ml-logger-debug
for i in range(1):
    logger.log(metrics={'some_val/smooth': 10, 'status': f"step ({i})"}, reward=20, timestep=i)
    ### flush the data, otherwise the value would be overwritten with new values in the next iteration.
    logger.flush()
""")
    lines = out.splitlines()
    assert lines[0].startswith(f"logging data to {readme.root}")
    assert [line.strip("│").split("│")[0].strip() for line in lines[2::2]] == ["reward", "timestep", "some val/smooth", "status"]
    assert lines[1].startswith("╒════════════════════╤═══")


def test_s13_s15_s16_s17_s18_s20_s22_s23_the_simple_example(readme: Readers, tmp_path: Path) -> None:
    pytest.importorskip("params_proto.v2", reason="params_proto.v2 needs waterbear", exc_type=ImportError)
    face = np.random.default_rng(1).integers(0, 255, (48, 64, 3), "u1")
    Image.fromarray(face).save(tmp_path / "face.png")
    out = readme.run(SIMPLE, FACE.replace("PICTURE", repr(str(tmp_path / "face.png"))))
    assert out.startswith("✓ created a new logging client\nDashboard: ")
    assert f"Log_directory: {readme.root}" in out
    assert S24 in out
    assert S25 in out
    assert "some string key" not in out
    logger = readme.open("alice/scratch/your-experiment-prefix!")
    rows = logger.load_pkl("metrics.pkl")
    assert [row["step"] for row in rows] == list(range(10))
    assert all(row["some string key"] == 0.0012 for row in rows)
    assert logger.get_parameters("Args.seed", "Args.verbose") == (1, None)
    assert SIMPLE.encode() in logger.load_file("files/example.py").getvalue()
    assert np.array_equal(np.asarray(Image.open(logger.load_file("figures/face_rgb.png"))), face)
    assert np.asarray(Image.open(logger.load_file("figures/face_bw.png"))).ndim == 2
    assert logger.load_file("videos/face.mp4").getvalue()[4:8] == b"ftyp"


def test_s30_s31_s32_s33_summaries(readme: Readers) -> None:
    out = readme.run("""
from ml_logger import logger
logger.configure(prefix="summaries", silent=True)
# You log lots of metrics during training.
for i in range(100):
    logger.store_metrics(metrics={'some_val/smooth': 10}, some=20, timestep=i)
# you can peak what's inside the cache and print out a table like this:
logger.peek_stored_metrics(len=4)
logger.peak_stored_metrics(len=4)
# The metrics are stored in-memory. Now we need to actually log the summaries:
logger.log_metrics_summary(silent=True)
""")
    table = """\
      some      |   timestep    |some_val/smooth
━━━━━━━━━━━━━━━┿━━━━━━━━━━━━━━━┿━━━━━━━━━━━━━━━
       20       |       0       |      10
       20       |       1       |      10
       20       |       2       |      10
       20       |       3       |      10
"""
    as_printed = [line.split() for line in table.replace("|", " ").splitlines()]
    assert [line.replace("|", " ").split() for line in out.splitlines()] == as_printed * 2
    (row,) = readme.open("summaries").load_pkl("metrics.pkl")
    assert row == {"some/mean": 20, "timestep/mean": 49.5, "some_val/smooth/mean": 10}


def test_s39_s40_the_experiment_folder(readme: Readers, tmp_path: Path) -> None:
    out = readme.run("""
from ml_logger import logger, ML_Logger
from datetime import datetime

now = datetime.now()
logger.configure("/tmp/ml-logger-demo", "deep_Q_learning", f"{now:%Y%m%d-%H%M%S}")
logger.log(step=0, a=1, silent=True)
logger = ML_Logger(root_dir="/tmp/ml-logger-demo", prefix=f"deep_Q_learning/{now:%Y%m%d-%H%M%S}")
logger.log(step=1, a=2, silent=True)
logger.flush()
print(logger.prefix)
""")
    found = readme.open(out.splitlines()[-1], str(tmp_path / "ml-logger-demo"))
    assert found.load_pkl("metrics.pkl", start=-1) == [{"step": 1, "a": 2}]


def test_s41_text_and_metrics(readme: Readers) -> None:
    out = readme.run("""
from ml_logger import logger, Color, percent
logger.configure(prefix="coloured", silent=True)
logger.log({"some_var/smooth": 10}, some=Color(0.85, 'yellow', percent), step=3)
logger.flush()
""")
    assert (
        out
        == """\
╒════════════════════╤════════════════════╕
│  some var/smooth   │         10         │
├────────────────────┼────────────────────┤
│        some        │       85.0%        │
╘════════════════════╧════════════════════╛
"""
    )
    assert readme.open("coloured").load_pkl("metrics.pkl") == [{"some_var/smooth": 10, "some": 0.85, "step": 3}]


def test_s3_s42_figures(readme: Readers) -> None:
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


def test_s44_s45_videos(readme: Readers) -> None:
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


def test_s46_modules(readme: Readers) -> None:
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


def test_s47_s48_tensorflow(readme: Readers, tmp_path: Path) -> None:
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


def test_s51_s52_parameters(readme: Readers) -> None:
    readme.run("""
from ml_logger import logger
logger.configure(prefix="params", silent=True)
Args = dict(
    learning_rate=10,
    hidden_size=200
)
logger.log_parameters(Args=Args)
logger.log_parameters(Args=dict(learning_rate=20))
""")
    assert readme.open("params").get_parameters() == {"Args.learning_rate": 20, "Args.hidden_size": 200}


def test_s54_s55_full_api(readme: Readers) -> None:
    out = readme.run("""
from ml_logger import logger, Color, percent
logger.configure(prefix="full", silent=True)
logger.log_params(G=dict(some_config="hey"))
logger.log(some=Color(0.1, 'yellow'), step=0)
logger.log(some=Color(0.28571, 'yellow', lambda v: "{:.5f}%".format(v * 100)), step=1)
logger.log(some=Color(0.85, 'yellow', percent), step=2)
logger.log({"some_var/smooth": 10}, some=Color(0.85, 'yellow', percent), step=3)
logger.log(some=Color(10, 'yellow'), step=4)
""")
    tables = """\
╒════════════════════╤════════════════════╕
│        some        │        0.1         │
╘════════════════════╧════════════════════╛
╒════════════════════╤════════════════════╕
│        some        │     28.57100%      │
╘════════════════════╧════════════════════╛
╒════════════════════╤════════════════════╕
│        some        │       85.0%        │
╘════════════════════╧════════════════════╛
╒════════════════════╤════════════════════╕
│  some var/smooth   │         10         │
├────────────────────┼────────────────────┤
│        some        │       85.0%        │
╘════════════════════╧════════════════════╛
╒════════════════════╤════════════════════╕
│        some        │         10         │
╘════════════════════╧════════════════════╛
"""
    assert out.endswith(tables)
    rows = readme.open("full").load_pkl("metrics.pkl")
    assert [row["some"] for row in rows] == [0.1, 0.28571, 0.85, 0.85, 10]


def test_s59_s60_a_typical_print_out(readme: Readers, tmp_path: Path) -> None:
    out = readme.run("""
from datetime import datetime
from ml_logger import ML_Logger, percent, green, Color
class G: env_name, target_network_update_interval = "MountainCar-v0", 500
class RUN: checkpoint = "checkpoint.cp"
class Reporting: print_interval = 10
logger = ML_Logger(root_dir=f"/mnt/bucket/deep_Q_learning/{datetime.now():%Y%m%d-%H%M%S.%f}:")

logger.log_params(G=vars(G), RUN=vars(RUN), Reporting=vars(Reporting))
logger.log({"timestep": 1999, "episode": 10, "total_reward": Color(-200.0), "total_reward/mean": Color(-200.0),
            "time spent exploring": green(0.82, percent), "replay_beta": Color(0.41)})
logger.flush()
""")
    assert "\n           env_name            │ MountainCar-v0      \n" in out
    assert "\ntarget_network_update_interval │ 500                 \n" in out
    assert out.count("═══════════════════════════════╧═════════════════════") == 3
    assert (
        """\
│    total reward    │       -200.0       │
├────────────────────┼────────────────────┤
│ total reward/mean  │       -200.0       │
├────────────────────┼────────────────────┤
│time spent exploring│       82.0%        │
├────────────────────┼────────────────────┤
│    replay beta     │        0.41        │
"""
        in out
    )


def test_s57_printing_in_colour(readme: Readers) -> None:
    readme.env = {**readme.env, "FORCE_COLOR": "1"}
    out = readme.run("""
from ml_logger import logger, green, percent
logger.configure(prefix="green", silent=True)
for timestep, some_data in enumerate((0.1, 0.2)):
    logger.log(timestep, some_key=green(some_data))
    logger.log(timestep, some_key=green(some_data, percent), quiet=1, silent=True)
""")
    assert "\x1b[32m" in out
    found = readme.open("green")
    assert [row["step"] for row in found.load_pkl("metrics.pkl")] == [0, 1]
    assert b"\x1b" not in found.load_file("metrics.pkl").getvalue()


def test_s65_what_can_be_logged_and_read_remotely(readme: Readers) -> None:
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


def test_s62_experiments_are_moved_and_read_where_the_data_is(readme: Readers) -> None:
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


def test_s63_zero_configuration(tmp_path: Path, env: dict[str, str]) -> None:
    env.pop("ML_LOGGER_ROOT", None)
    code = "from ml_logger import logger\nlogger.log(step=0, a=1, silent=True)\n"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "logging data to" in done.stderr
    (journal,) = (tmp_path / "runs").rglob("*.mlog")
    assert journal.stat().st_size
