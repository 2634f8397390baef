"""What one gradient costs: counted by the objective itself, and timed on this machine."""

import statistics
import time

import numpy as np
import torch

from utils.models import SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import Cost


def zipf_counts(V: int) -> torch.Tensor:
    """Synthetic counts round(5V/r) of ranks r = 1..V: Zipf's law with the rarest word at 5 occurrences. (V,) int64."""
    return (5 * V / torch.arange(1, V + 1).double()).round().long()


def counted(objective, counts, pairs: int = 65_536, seed: int = 0) -> Cost:
    """`objective.cost` for targets drawn by their counts: dot products and rows of one pair's gradient, means."""
    generator = torch.Generator().manual_seed(seed)
    return objective.cost(NoiseDistribution(counts, power=1.0).sample((pairs,), generator))


def timed(objective, counts, *, batch: int = 256, warmup: int = 2, repeats: int = 7, lr: float = 0.025,
          seed: int = 0) -> float:
    """Seconds per pair of one whole training step: forward, backward, and the update of both tables by plain SGD.

    Centre and context words are drawn by their counts; drawing noise words is part of the step. The first `warmup`
    steps are not counted, the median of the next `repeats` is. The objective is really trained by these steps.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; time at least 1 step")
    V, d = len(counts), objective.weight.shape[1]
    words = NoiseDistribution(counts, power=1.0)
    generator = torch.Generator().manual_seed(seed)
    seconds = []
    with torch.random.fork_rng(devices=[]), torch.sparse.check_sparse_tensor_invariants(False):
        torch.manual_seed(seed)
        model = SkipGram(V, d, objective)
        update = torch.optim.SGD(model.parameters(), lr=lr)
        for _ in range(warmup + repeats):
            centres, contexts = words.sample((batch,), generator), words.sample((batch,), generator)
            start = time.perf_counter()
            update.zero_grad()
            model.loss(centres, contexts).mean().backward()
            update.step()
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[warmup:]) / batch


def fit_power(x, y) -> tuple[float, float]:
    """(exponent, factor) of y = factor * x^exponent, by least squares in the logarithms."""
    exponent, log_factor = np.polyfit(np.log(x), np.log(y), 1)
    return float(exponent), float(np.exp(log_factor))


def fit_log2(x, y) -> tuple[float, float]:
    """(a, b) of y = a + b log2(x), by least squares."""
    b, a = np.polyfit(np.log2(x), y, 1)
    return float(a), float(b)
