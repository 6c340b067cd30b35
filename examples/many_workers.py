"""Eight processes write to one run at once, without a lock: each has a journal of its own."""

import multiprocessing

import numpy as np

from ml_logger import logger


def work(rank: int) -> None:
    rng = np.random.default_rng(rank)
    for step in range(50):
        logger.log(step=step, throughput=float(100 + rng.normal()), silent=True)


def main() -> None:
    logger.configure("examples/many-workers", root="./runs")
    logger.log_params(Args={"workers": 8})
    workers = [multiprocessing.Process(target=work, args=(rank,)) for rank in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
