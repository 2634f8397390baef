"""What one gradient costs: counted by the objective, seen by torch, and timed on this machine."""

import math
import statistics
import time
from typing import NamedTuple

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from utils.checks import Real, Whole, check_memory, real_number, whole_number
from utils.models import SkipGram
from utils.noise import NoiseDistribution
from utils.objectives import Cost, FullSoftmax


def zipf_counts(V: Whole) -> torch.Tensor:
    """Synthetic counts round(5V/r) of ranks r = 1..V, (V,) int64.

    Zipf's law, with the rarest word at 5 occurrences.
    """
    V = whole_number("V", V)
    return (5 * V / torch.arange(1, V + 1).double()).round().long()


def counted(objective, counts, pairs: Whole = 65_536, seed: Whole = 0) -> Cost:
    """Dot products and rows of one pair's gradient: means over targets drawn by their counts."""
    generator = torch.Generator().manual_seed(seed)
    targets = NoiseDistribution(counts, power=1.0).sample((pairs,), generator)
    return objective.cost(targets)


# Timed ------------------------------------------------------------------------------------------


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
        batch: Whole = 256,
        lr: Real = 0.025,
        seed: Whole = 0,
        optimizer=torch.optim.SGD,
        sparse: bool = True,
    ):
        self.batch = whole_number("batch", batch)
        lr = real_number("lr", lr, above=0, hint=", the learning rate")
        V = len(counts)
        d = objective.weight.shape[1]
        _check_memory(objective, V, d, self.batch)
        self.words = NoiseDistribution(counts, power=1.0)
        self.generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = SkipGram(V, d, objective)
        self.model.embedding.sparse = sparse
        self.update = optimizer(self.model.parameters(), lr=lr)

    def draw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Centre and context ids of the next step, (B,) each."""
        centres = self.words.sample((self.batch,), self.generator)
        contexts = self.words.sample((self.batch,), self.generator)
        return centres, contexts

    def __call__(self, centres, contexts) -> None:
        with torch.sparse.check_sparse_tensor_invariants(False):
            self.update.zero_grad()
            self.model.loss(centres, contexts).mean().backward()
            self.update.step()


def _check_memory(objective, V: int, d: int, batch: int) -> None:
    """Both tables and their gradients have to fit; for the full softmax the scores, four times."""
    scores = batch * V if isinstance(objective, FullSoftmax) else 0
    needed = 4 * (4 * V * d + 4 * scores)
    check_memory(needed, f"a step with V = {V:,}, d = {d:,} and batches of {batch:,}")


def timed(
    objective, counts, *, warmup: Whole = 2, repeats: Whole = 7, seed: Whole = 0, **options
) -> float:
    """Seconds per pair of one whole training step: the median of `repeats` steps.

    The first `warmup` steps are not counted. `options` are those of `Step`, such as batch=256.
    """
    repeats = whole_number("repeats", repeats)
    step = Step(objective, counts, seed=seed, **options)
    seconds = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(warmup + repeats):
            pairs = step.draw()
            start = time.perf_counter()
            step(*pairs)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[warmup:]) / step.batch


# Seen by torch ----------------------------------------------------------------------------------


class Traffic(TorchDispatchMode):
    """Counts what torch's operators do while it is active, forward, backward and update alike.

    `.calls`: operators that move numbers. A view, which gives another shape to numbers that are
    there already, is none. `.bytes`: what they read and write. A lookup is charged only for the
    rows read, and an update in place or by a sparse gradient only for the rows added. How much of
    it the processor's caches keep away from memory, no such count can tell. `.peak`: the most bytes
    that all tensors seen so far held at one time, without what an operator needs inside.
    `.dot_products`: those of the forward pass, where gradients are recorded: of products of
    matrices, and of products summed over the last of three dimensions, which is how single rows
    meet their hidden vector.
    """

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.bytes = 0
        self.peak = 0
        self.dot_products = 0
        self._held = {}  # bytes of each piece of memory that is still in use

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given = _tensors(args)
        made = _tensors(result)
        self._hold(given + made)
        only_asks = func.name().startswith("aten::_sparse_coo_tensor_with")
        if func.is_view or only_asks or not made:
            return result
        self.calls += 1
        self.bytes += _moved(func.name(), given, made)
        if torch.is_grad_enabled() and _multiplies(func.name(), given, args):
            self.dot_products += made[0].numel()
        return result

    def _hold(self, tensors):
        self._held = {memory: size for memory, size in self._held.items() if not memory.expired()}
        for tensor in tensors:
            for part in _parts(tensor):
                storage = part.untyped_storage()
                self._held[StorageWeakRef(storage)] = storage.nbytes()
        self.peak = max(self.peak, sum(self._held.values()))


TAKES_ROWS = ("aten::embedding", "aten::index.", "aten::searchsorted", "aten::nll_loss_forward")
ADDS_ROWS = ("aten::index_add_", "aten::scatter_add_")  # in place: other rows stay where they are


def _tensors(value) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def _multiplies(name: str, given, args) -> bool:
    """Whether an operator makes dot products: a matrix product, or a sum over the last of three."""
    if name == "aten::mm":
        return True
    return name == "aten::sum.dim_IntList" and given[0].ndim == 3 and list(args[1]) == [2]


def _moved(name: str, given, made) -> int:
    """Bytes that one operator reads (`given`) and writes (`made`)."""
    if name.startswith(TAKES_ROWS) and "backward" not in name:
        given = [made[0], *given[1:]]  # of the first tensor it reads as much as it returns
    elif name.startswith("aten::nll_loss_backward"):
        given = [given[0], given[2]]  # the scores are needed only for their shape
    elif name.startswith(ADDS_ROWS):
        _, index, rows = given
        given = [index, rows, rows]  # as many rows of the table are read and written as are added
        made = [rows]
    sparse = [tensor for tensor in given if tensor.is_sparse]
    if not sparse:
        return sum(map(_bytes, [*given, *made]))
    rows = _bytes(sparse[0]._values())  # of a table beside a sparse tensor, only those rows
    return sum(_bytes(tensor) if tensor.is_sparse else rows for tensor in [*given, *made])


def _parts(tensor) -> tuple[torch.Tensor, ...]:
    return (tensor._values(), tensor._indices()) if tensor.is_sparse else (tensor,)


def _bytes(tensor) -> int:
    """A number that stands for many, as `expand` makes it (stride 0), counts once."""
    total = 0
    for part in _parts(tensor):
        sizes = [size for size, stride in zip(part.shape, part.stride()) if stride]
        total += part.element_size() * math.prod(sizes)
    return total


class Seen(NamedTuple):
    """What `Traffic` saw: dot products and bytes per pair, calls per step, most bytes held."""

    dot_products: float
    bytes: float
    calls: float
    peak: int


def traffic(objective, counts, *, pairs: Whole = 1_024, seed: Whole = 0, **options) -> Seen:
    """`Traffic` over as many training steps as make `pairs` pairs, at least one.

    `options` are those of `Step`. A step before them, not counted, makes the optimiser's state and
    shows the counter all tables.
    """
    step = Step(objective, counts, seed=seed, **options)
    steps = max(1, pairs // step.batch)
    batches = [step.draw() for _ in range(1 + steps)]
    with torch.random.fork_rng(devices=[]), Traffic() as counter:
        torch.manual_seed(seed)
        step(*batches[0])
        counter.calls = 0
        counter.bytes = 0
        counter.dot_products = 0
        for batch in batches[1:]:
            step(*batch)
    all_pairs = steps * step.batch
    return Seen(
        counter.dot_products / all_pairs,
        counter.bytes / all_pairs,
        counter.calls / steps,
        counter.peak,
    )
