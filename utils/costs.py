"""What one gradient costs: counted by the objective itself, and timed on this machine."""

import statistics
import time

import numpy as np
import psutil
import torch
from scipy.stats import linregress
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from utils.models import SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import Cost, FullSoftmax


def zipf_counts(V: int) -> torch.Tensor:
    """Synthetic counts round(5V/r) of ranks r = 1..V: Zipf's law with the rarest word at 5 occurrences. (V,) int64."""
    return (5 * V / torch.arange(1, V + 1).double()).round().long()


def counted(objective, counts, pairs: int = 65_536, seed: int = 0) -> Cost:
    """`objective.cost` for targets drawn by their counts: dot products and rows of one pair's gradient, means."""
    generator = torch.Generator().manual_seed(seed)
    return objective.cost(NoiseDistribution(counts, power=1.0).sample((pairs,), generator))


class Step:
    """One whole training step at a time: forward, backward, and the update of both tables.

    Centre and context words are drawn by their counts; drawing noise words is part of the step. `optimizer` makes the
    optimiser from the parameters (plain SGD by default). `sparse=False` gives the centre words' table a dense gradient,
    for optimisers that know no other; the objective's own table is as it was built. The objective is really trained.
    """

    def __init__(self, objective, counts, *, batch: int = 256, lr: float = 0.025, seed: int = 0,
                 optimizer=torch.optim.SGD, sparse: bool = True):
        if batch < 1:
            raise ValueError(f"batch is {batch}; a step needs at least 1 pair")
        V, d = len(counts), objective.weight.shape[1]
        _refuse_beyond_memory(objective, V, d, batch)
        self.batch, self.words = batch, NoiseDistribution(counts, power=1.0)
        self.generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = SkipGram(V, d, objective)
        self.model.embedding.sparse = sparse
        self.update = optimizer(self.model.parameters(), lr=lr)

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Centre and context ids of the next step, (B,) each."""
        return self.words.sample((self.batch,), self.generator), self.words.sample((self.batch,), self.generator)

    def __call__(self, centres, contexts) -> None:
        with torch.sparse.check_sparse_tensor_invariants(False):
            self.update.zero_grad()
            self.model.loss(centres, contexts).mean().backward()
            self.update.step()


def _refuse_beyond_memory(objective, V, d, batch):
    """Both tables with their gradients, and for the full softmax the scores, four times over, have to fit."""
    scores = batch * V if isinstance(objective, FullSoftmax) else 0
    needed, available = 4 * (4 * V * d + 4 * scores), psutil.virtual_memory().available
    if needed > available / 2:
        raise MemoryError(f"a step with V = {V}, d = {d} and batches of {batch} takes about {needed / 1e9:.1f} GB, "
                          f"more than half of the {available / 1e9:.1f} GB that are free; use a smaller batch or V")


def timed(objective, counts, *, warmup: int = 2, repeats: int = 7, seed: int = 0, **step) -> float:
    """Seconds per pair of one whole training step; `step` takes the options of `Step`, such as batch=256.

    The first `warmup` steps are not counted, the median of the next `repeats` is.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; time at least 1 step")
    step, seconds = Step(objective, counts, seed=seed, **step), []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(warmup + repeats):
            pairs = step.draw()
            start = time.perf_counter()
            step(*pairs)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[warmup:]) / step.batch


class Traffic(TorchDispatchMode):
    """Counts what torch's operators do while it is active, forward, backward and update alike.

    `.bytes`: read and written. A lookup counts the rows that it takes, not its whole table; a sparse update counts the
    rows that the gradient stores; a view costs nothing. `.dot_products`: of forward products of matrices, and of
    products summed over the last of three dimensions, which is how single rows meet their hidden vector.
    """

    LOOKUPS = ("aten.embedding", "aten.index.", "aten.searchsorted", "aten._embedding_bag")

    def __init__(self):
        super().__init__()
        self.bytes = self.dot_products = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given, made = ([t for t in tree_leaves(value) if isinstance(t, torch.Tensor)] for value in (args, result))
        name = str(func)
        if func.is_view or name.startswith("aten._sparse_coo_tensor_with"):       # other names for the same numbers
            return result
        if name.startswith(self.LOOKUPS):
            self.bytes += 2 * sum(map(_bytes, made)) + sum(map(_bytes, given[1:]))
        elif given and any(t.is_sparse for t in given):
            self.bytes += 3 * _bytes(next(t for t in given if t.is_sparse))       # its rows, and the table's twice
        else:
            self.bytes += sum(map(_bytes, given)) + sum(map(_bytes, made))
        rows_with_hidden = name.startswith("aten.sum.dim") and given[0].ndim == 3 and list(args[1]) == [2]
        if name.startswith("aten.mm") or rows_with_hidden:
            self.dot_products += made[0].numel()
        return result


def _bytes(tensor) -> int:
    parts = (tensor._values(), tensor._indices()) if tensor.is_sparse else (tensor,)
    return sum(part.numel() * part.element_size() for part in parts)


def traffic(objective, counts, *, seed: int = 0, **step) -> float:
    """Bytes that one pair of a training step reads and writes, as `Traffic` counts them; options of `Step`."""
    step = Step(objective, counts, seed=seed, **step)
    pairs = step.draw()
    with torch.random.fork_rng(devices=[]), Traffic() as counter:
        torch.manual_seed(seed)
        step(*pairs)
    return counter.bytes / step.batch


def fit_power(x, y) -> tuple[float, float]:
    """(exponent, factor) of y = factor * x^exponent, by least squares in the logarithms."""
    exponent, log_factor = np.polyfit(np.log(x), np.log(y), 1)
    return float(exponent), float(np.exp(log_factor))


def fit_log2(x, y) -> tuple[float, float]:
    """(a, b) of y = a + b log2(x), by least squares."""
    b, a = np.polyfit(np.log2(x), y, 1)
    return float(a), float(b)


def slope_error(x, y) -> float:
    """Standard error of the slope of the least-squares line through (x, y): for a power, give it both logarithms.

    It tells how far the points scatter about the line, not how far the machine's timings may be off altogether.
    """
    if len(x) < 3:
        raise ValueError(f"{len(x)} points; a line needs at least 3 for its slope to have an error")
    return float(linregress(x, y).stderr)


def crossing(x, y, other) -> float:
    """The x at which curve y meets curve `other`, both logarithmic between the given points; NaN if they never do."""
    gap = np.log(y) - np.log(other)
    for k in np.flatnonzero(gap[:-1] * gap[1:] <= 0):
        share = gap[k] / (gap[k] - gap[k + 1]) if gap[k] != gap[k + 1] else 0.0
        return float(np.exp(np.log(x[k]) + share * (np.log(x[k + 1]) - np.log(x[k]))))
    return float("nan")
