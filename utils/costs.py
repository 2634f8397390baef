"""What one gradient costs: counted by the objective itself, and timed on this machine."""

import math
import statistics
import time
from typing import NamedTuple

import numpy as np
import psutil
import torch
from scipy.stats import linregress
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from utils.models import SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import Cost, FullSoftmax


def zipf_counts(V: int) -> torch.Tensor:
    """Synthetic counts round(5V/r) of ranks r = 1..V.

    Zipf's law with the rarest word at 5 occurrences. (V,) int64.
    """
    return (5 * V / torch.arange(1, V + 1).double()).round().long()


def counted(objective, counts, pairs: int = 65_536, seed: int = 0) -> Cost:
    """`objective.cost` for targets drawn by their counts.

    Dot products and rows of one pair's gradient, means.
    """
    generator = torch.Generator().manual_seed(seed)
    return objective.cost(NoiseDistribution(counts, power=1.0).sample((pairs,), generator))


class Step:
    """One whole training step at a time: forward, backward, and the update of both tables.

    Centre and context words are drawn by their counts; drawing noise words is part of the step.
    `optimizer` makes the optimiser from the parameters (plain SGD by default). `sparse=False` gives
    the centre words' table a dense gradient, for optimisers that know no other; the objective's own
    table is as it was built. The objective is really trained.
    """

    def __init__(
        self,
        objective,
        counts,
        *,
        batch: int = 256,
        lr: float = 0.025,
        seed: int = 0,
        optimizer=torch.optim.SGD,
        sparse: bool = True,
    ):
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
        return self.words.sample((self.batch,), self.generator), self.words.sample(
            (self.batch,), self.generator
        )

    def __call__(self, centres, contexts) -> None:
        with torch.sparse.check_sparse_tensor_invariants(False):
            self.update.zero_grad()
            self.model.loss(centres, contexts).mean().backward()
            self.update.step()


def _refuse_beyond_memory(objective, V, d, batch):
    """Both tables with their gradients, and for the full softmax the scores, four times over, have
    to fit.
    """
    scores = batch * V if isinstance(objective, FullSoftmax) else 0
    needed, available = 4 * (4 * V * d + 4 * scores), psutil.virtual_memory().available
    if needed > available / 2:
        raise MemoryError(
            f"a step with V = {V}, d = {d} and batches of {batch} takes about {needed / 1e9:.1f} GB, "
            f"more than half of the {available / 1e9:.1f} GB that are free; use a smaller batch or V"
        )


def timed(objective, counts, *, warmup: int = 2, repeats: int = 7, seed: int = 0, **step) -> float:
    """Seconds per pair of one whole training step; `step` takes the options of `Step`, such as
    batch=256.

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

    `.calls`: operators that move numbers; a view only gives numbers that are there already another
    shape. `.bytes`: what they read and write. Of a table a lookup counts only the rows that it
    takes, and an update in place or by a sparse gradient the rows that it adds. How much of it the
    processor's caches keep away from memory, no such count can tell. `.peak`: the most bytes that
    all tensors seen so far held at one time, without what an operator needs inside.
    `.dot_products`: those of the forward pass, where gradients are recorded: of products of
    matrices, and of products summed over the last of three dimensions, which is how single rows
    meet their hidden vector.
    """

    def __init__(self):
        super().__init__()
        self.calls = self.bytes = self.peak = self.dot_products = 0
        self._held = {}  # bytes of each piece of memory that is still in use

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given, made = (
            [t for t in tree_leaves(value) if isinstance(t, torch.Tensor)]
            for value in (args, result)
        )
        self._hold(given + made)
        if func.is_view or not made or func.name().startswith("aten::_sparse_coo_tensor_with"):
            return result  # other names for the same numbers, or a question about them
        self.calls += 1
        self.bytes += _moved(func.name(), given, made)
        rows_with_hidden = (
            func.name() == "aten::sum.dim_IntList" and given[0].ndim == 3 and list(args[1]) == [2]
        )
        if torch.is_grad_enabled() and (func.name() == "aten::mm" or rows_with_hidden):
            self.dot_products += made[0].numel()
        return result

    def _hold(self, tensors):
        self._held = {memory: size for memory, size in self._held.items() if not memory.expired()}
        for part in (part for tensor in tensors for part in _parts(tensor)):
            storage = part.untyped_storage()
            self._held[StorageWeakRef(storage)] = storage.nbytes()
        self.peak = max(self.peak, sum(self._held.values()))


TAKES_ROWS = ("aten::embedding", "aten::index.", "aten::searchsorted", "aten::nll_loss_forward")
ADDS_ROWS = (
    "aten::index_add_",
    "aten::scatter_add_",
)  # in place: the table's other rows stay where they are


def _moved(name, given, made) -> int:
    """Bytes that one operator reads (`given`) and writes (`made`)."""
    if name.startswith(TAKES_ROWS) and "backward" not in name:
        given = [made[0], *given[1:]]  # of the first tensor it reads as much as it hands on
    elif name.startswith("aten::nll_loss_backward"):
        given = [given[0], given[2]]  # it asks the scores only for their shape
    elif name.startswith(ADDS_ROWS):
        _, index, rows = given
        given, made = (
            [index, rows, rows],
            [rows],
        )  # as many rows of the table are read and written as are added
    sparse = [tensor for tensor in given if tensor.is_sparse]
    rows = (
        _bytes(sparse[0]._values()) if sparse else 0
    )  # of a table beside a sparse tensor, only those rows
    return sum(
        rows if sparse and not tensor.is_sparse else _bytes(tensor) for tensor in [*given, *made]
    )


def _parts(tensor) -> tuple[torch.Tensor, ...]:
    return (tensor._values(), tensor._indices()) if tensor.is_sparse else (tensor,)


def _bytes(tensor) -> int:
    """A number that stands for many, as `expand` makes it (stride 0), counts once."""
    return sum(
        part.element_size()
        * math.prod(size for size, stride in zip(part.shape, part.stride()) if stride)
        for part in _parts(tensor)
    )


class Seen(NamedTuple):
    """What `Traffic` saw: dot products and bytes per pair, operators called a step, most bytes held
    at one time.
    """

    dot_products: float
    bytes: float
    calls: float
    peak: int


def traffic(objective, counts, *, pairs: int = 1_024, seed: int = 0, **step) -> Seen:
    """`Traffic` over as many training steps as make `pairs` pairs, at least one; `step` takes the
    options of `Step`.

    A step before them, not counted, makes the optimiser's state and shows the counter all tables.
    """
    step = Step(objective, counts, seed=seed, **step)
    batches = [step.draw() for _ in range(1 + max(1, pairs // step.batch))]
    with torch.random.fork_rng(devices=[]), Traffic() as counter:
        torch.manual_seed(seed)
        step(*batches[0])
        counter.calls = counter.bytes = counter.dot_products = 0
        for batch in batches[1:]:
            step(*batch)
    steps = len(batches) - 1
    return Seen(
        counter.dot_products / steps / step.batch,
        counter.bytes / steps / step.batch,
        counter.calls / steps,
        counter.peak,
    )


def fit_power(x, y) -> tuple[float, float]:
    """(exponent, factor) of y = factor * x^exponent, by least squares in the logarithms."""
    exponent, log_factor = np.polyfit(np.log(x), np.log(y), 1)
    return float(exponent), float(np.exp(log_factor))


def fit_log2(x, y) -> tuple[float, float]:
    """(a, b) of y = a + b log2(x), by least squares."""
    b, a = np.polyfit(np.log2(x), y, 1)
    return float(a), float(b)


def slope_error(x, y) -> float:
    """Standard error of the slope of the least-squares line through (x, y): for a power, give it
    both logarithms.

    It tells how far the points scatter about the line, not how far the machine's timings may be off
    altogether.
    """
    if len(x) < 3:
        raise ValueError(f"{len(x)} points; a line needs at least 3 for its slope to have an error")
    return float(linregress(x, y).stderr)


def crossing(x, y, other) -> float:
    """The x at which curve y meets curve `other`, both logarithmic between the given points.

    NaN if they never do.
    """
    gap = np.log(y) - np.log(other)
    for k in np.flatnonzero(gap[:-1] * gap[1:] <= 0):
        share = gap[k] / (gap[k] - gap[k + 1]) if gap[k] != gap[k + 1] else 0.0
        return float(np.exp(np.log(x[k]) + share * (np.log(x[k + 1]) - np.log(x[k]))))
    return float("nan")
