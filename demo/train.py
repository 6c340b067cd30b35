"""Train one small network on the digits and log all of it; knows no server, only a root to log to.

`python -m demo.train ROOT LR HIDDEN SEED [EPOCHS]` is one run of the sweep. This is how a user's training script looks.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from demo.plan import EPOCHS, run_key
from ml_logger import logger

BATCH = 64
README = """# Digits, lr = {lr:g}, {hidden} hidden units, seed {seed}

A multilayer perceptron trained by plain SGD with momentum on scikit-learn's 8 × 8 digits.
Final evaluation accuracy: **{accuracy:.1%}** after {epochs} epochs.

| file | what |
|---|---|
| `samples/*.png` | digits that the network gets wrong |
| `videos/weights.mp4` | weights of the first layer, epoch by epoch |
| `figures/confusion.png` | confusion matrix at the end |
"""


def train(root: str, lr: float, hidden: int, seed: int, epochs: int = EPOCHS) -> None:
    """Train for `epochs` epochs, logging metrics, pictures, a video, a figure, text and a README to `root`."""
    data = load_digits()
    x_train, x_eval, y_train, y_eval = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
    model = MLPClassifier((hidden,), solver="sgd", learning_rate_init=lr, momentum=0.9, random_state=seed)
    logger.configure(run_key(lr, hidden, seed), root=root, silent=True)
    logger.log_params(
        Args={"lr": lr, "hidden": hidden, "seed": seed, "epochs": epochs},
        optim={"name": "sgd", "momentum": 0.9, "batch": BATCH},
        data={"name": "digits", "train": len(x_train), "eval": len(x_eval)},
        silent=True,
    )
    logger.job_started()
    logger.upload_file(__file__)
    order, frames = np.random.default_rng(seed), []
    for epoch in range(epochs):
        for batch in np.array_split(order.permutation(len(x_train)), len(x_train) // BATCH):
            model.partial_fit(x_train[batch], y_train[batch], classes=range(10))
        logger.log(step=epoch, **scores(model, "train", x_train, y_train), **scores(model, "eval", x_eval, y_eval), silent=True)
        frames.append(first_layer(model))
        if epoch % 8 == 0 or epoch == epochs - 1:
            logger.save_images(mistakes(model, x_eval, y_eval), f"samples/{epoch:04d}.png", n_rows=4, n_cols=4, cmap="gray", step=epoch)
    finish(model, x_eval, y_eval, frames, {"lr": lr, "hidden": hidden, "seed": seed, "epochs": epochs})


def scores(model: Any, name: str, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return loss and accuracy of `model` on (x, y), named `name/loss` and `name/accuracy`."""
    chances = model.predict_proba(x)
    return {f"{name}/loss": float(log_loss(y, chances, labels=range(10))), f"{name}/accuracy": float((chances.argmax(1) == y).mean())}


def mistakes(model: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return up to 16 of the pictures that are taken for another digit, worst first, 32 × 32 each."""
    wrongness = 1 - model.predict_proba(x)[np.arange(len(y)), y]
    worst = np.argsort(-wrongness)[:16]
    return x[worst].reshape(-1, 8, 8).repeat(4, axis=1).repeat(4, axis=2)


def first_layer(model: Any) -> np.ndarray:
    """Return the weights of the first 16 hidden units as one picture, 4 × 4 tiles, values 0 … 1."""
    tiles = model.coefs_[0][:, :16].T.reshape(4, 4, 8, 8).transpose(0, 2, 1, 3).reshape(32, 32)
    return np.clip(tiles * 0.8 + 0.5, 0, 1).repeat(6, axis=0).repeat(6, axis=1)


def finish(model: Any, x: np.ndarray, y: np.ndarray, frames: list[np.ndarray], args: dict[str, Any]) -> None:
    """Log what is made once, at the end."""
    import matplotlib.pyplot as plt

    accuracy = float(model.score(x, y))
    logger.save_video(frames, "videos/weights.mp4", fps=10)
    ConfusionMatrixDisplay.from_estimator(model, x, y, cmap="Blues", colorbar=False)
    plt.title(f"accuracy {accuracy:.1%}")
    logger.savefig("figures/confusion.png", dpi=110)
    logger.print(f"finished: lr {args['lr']:g}, hidden {args['hidden']}, seed {args['seed']}: {accuracy:.2%}")
    logger.log_text(README.format(accuracy=accuracy, **args), "README.md", overwrite=True)
    logger.job_completed()
    logger.flush()


if __name__ == "__main__":
    mpl.use("Agg")
    warnings.simplefilter("ignore")
    root, lr, hidden, seed, *more = sys.argv[1:]
    train(root, float(lr), int(hidden), int(seed), *map(int, more))
