"""A job that is preempted and started again goes on in the same run, as a new attempt; nothing of the first is lost."""

import subprocess
import sys

from ml_logger import logger


def train(first: int, last: int) -> None:
    logger.configure("examples/resume", root="./runs", silent=True)
    for step in range(first, last):
        logger.log(step=step, loss=1 / (step + 1), silent=True)


def main() -> None:
    for first, last in ((0, 60), (50, 100)):  # the second job starts from the checkpoint at step 50
        subprocess.run([sys.executable, __file__, str(first), str(last)], check=True)
    steps = logger.read_metrics("step", path="/examples/resume/metrics.pkl", as_numpy=True)
    print(f"newest attempt: steps {steps[0]:.0f} … {steps[-1]:.0f}")


if __name__ == "__main__":
    train(*map(int, sys.argv[1:])) if sys.argv[1:] else main()
