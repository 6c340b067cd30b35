"""The blocks of the README that log, verbatim, in a directory and over a server: first lines, summaries, folders, text, tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

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


def test_s9_s10_first_lines(readme: Any) -> None:
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


def test_s13_s15_s16_s17_s18_s20_s22_s23_the_simple_example(readme: Any, tmp_path: Path) -> None:
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


def test_s30_s31_s32_s33_summaries(readme: Any) -> None:
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


def test_s39_s40_the_experiment_folder(readme: Any, tmp_path: Path) -> None:
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


def test_s41_text_and_metrics(readme: Any) -> None:
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


def test_s51_s52_parameters(readme: Any) -> None:
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


def test_s54_s55_full_api(readme: Any) -> None:
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


def test_s59_s60_a_typical_print_out(readme: Any, tmp_path: Path) -> None:
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


def test_s57_printing_in_colour(readme: Any) -> None:
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


def test_s63_zero_configuration(tmp_path: Path, env: dict[str, str]) -> None:
    env.pop("ML_LOGGER_ROOT", None)
    code = "from ml_logger import logger\nlogger.log(step=0, a=1, silent=True)\n"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "logging data to" in done.stderr
    (journal,) = (tmp_path / "runs").rglob("*.mlog")
    assert journal.stat().st_size
