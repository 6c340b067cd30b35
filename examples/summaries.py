"""Store many values per step in memory, log their statistics once per epoch: usual in reinforcement learning."""

import numpy as np

from ml_logger import logger


def main() -> None:
    rng = np.random.default_rng(1)
    logger.configure("examples/summaries", root="./runs")
    for epoch in range(10):
        for _ in range(100):
            logger.store_metrics(reward=rng.normal(epoch), length=int(rng.integers(10, 200)))
        logger.log_metrics_summary(key_values={"epoch": epoch}, key_stats={"reward": "min_max", "length": "mean"}, silent=epoch < 9)


if __name__ == "__main__":
    main()
