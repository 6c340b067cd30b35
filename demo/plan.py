"""The settings of the sweep: 4 learning rates × 2 sizes × 3 seeds. Imports nothing, so that the plan is cheap to read."""

EPOCHS = 30
GRID = [(lr, hidden, seed) for lr in (0.001, 0.01, 0.1, 0.5) for hidden in (16, 64) for seed in (0, 1, 2)]


def run_key(lr: float, hidden: int, seed: int) -> str:
    """Return the key of one run in the demo's root."""
    return f"digits/h{hidden}-lr{lr:g}-seed{seed}"
