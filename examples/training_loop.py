"""The shape of most training scripts: parameters once, metrics each step, a picture now and then."""

import numpy as np

from ml_logger import logger


def main() -> None:
    rng = np.random.default_rng(0)
    logger.configure("examples/training-loop", root="./runs")
    logger.log_params(Args={"lr": 3e-4, "seed": 0}, model={"hidden": [64, 64], "activation": "gelu"})
    weights = rng.normal(size=(28, 28))
    for step in range(200):
        weights *= 0.98
        loss = float(np.square(weights).mean())
        logger.log(step=step, train={"loss": loss}, loss=loss, lr=3e-4 * 0.99**step, silent=step % 100 > 0)
        if logger.every(50, "image"):
            logger.save_image(np.clip(weights / 4 + 0.5, 0, 1), f"weights/{step:04d}.png", step=step)
    logger.print("final loss", loss)


if __name__ == "__main__":
    main()
