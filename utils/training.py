"""The training loop: one for all models and objectives."""

import math
import os
import sys
import time
from dataclasses import dataclass, field

import torch
from tqdm.auto import tqdm

OPTIMIZERS = {"adagrad": torch.optim.Adagrad, "sgd": torch.optim.SGD}
SNAPSHOT_EVERY = 500  # steps between two copies of weights known to be finite
ABSURD_LOSS = 1e9  # nats per pair; beyond it training has diverged, NaN or not


def progress_wanted() -> bool:
    """Whether to draw a progress bar: in a notebook or a terminal, unless the variable TQDM_DISABLE is set."""
    return not os.environ.get("TQDM_DISABLE") and (
        "ipykernel" in sys.modules or sys.stderr.isatty()
    )


@dataclass
class History:
    """One entry a step: mean loss of the batch (nats per pair, float64), pairs and seconds so far."""

    loss: list[float] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    interrupted: bool = False


class TrainingDiverged(FloatingPointError):
    """The loss or a weight is not finite any more, or absurd; `.history` holds the steps before."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


def train(
    model, batches, *, epochs: int, lr: float, optimizer: str = "adagrad", seed: int = 0
) -> History:
    """Minimise the mean loss of each batch. Sparse gradients update only the rows that the batch touched.

    `batches` is iterated once an epoch and has a length; `seed` fixes the noise words that are drawn. The interrupt
    button (KeyboardInterrupt) ends training and returns what was learned so far. Raises TrainingDiverged when the
    loss or a weight is not finite, or the loss above 1e9: the model then holds its last finite snapshot, at most 500
    steps old.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer is {optimizer!r}; choose one of {', '.join(map(repr, OPTIMIZERS))}"
        )
    if not 0 < lr < math.inf:
        raise ValueError(f"lr is {lr}; give a positive, finite learning rate")
    parameters = list(model.parameters())
    if not _finite(parameters):
        raise ValueError(
            "a weight of the model is not finite before the first step; build the model anew"
        )
    update = OPTIMIZERS[optimizer](parameters, lr=lr)
    history, start, snapshot = History(), time.perf_counter(), (0, _copy(parameters))

    def diverged(what, step):
        safe_step, weights = snapshot
        with torch.no_grad():
            for parameter, weight in zip(parameters, weights):
                parameter.copy_(weight)
        raise TrainingDiverged(
            f"{what} at step {step} with lr={lr:g}: choose a smaller lr. The model holds its finite "
            f"weights of step {safe_step}, error.history the {len(history.loss)} finite losses.",
            history,
        )

    with (
        torch.random.fork_rng(devices=[]),
        torch.sparse.check_sparse_tensor_invariants(False),
        tqdm(
            total=epochs * len(batches), unit="batch", leave=False, disable=not progress_wanted()
        ) as bar,
    ):
        torch.manual_seed(seed)
        try:
            for _ in range(epochs):
                for window, targets in batches:
                    losses = model.loss(window, targets)  # (B,) nats per pair
                    mean = losses.detach().double().mean().item()
                    if not mean < ABSURD_LOSS:  # NaN is not below anything
                        diverged(f"the loss is {mean:g}", len(history.loss) + 1)
                    update.zero_grad()
                    losses.mean().backward()
                    update.step()
                    history.loss.append(mean)
                    history.pairs.append((history.pairs or [0])[-1] + len(targets))
                    history.seconds.append(time.perf_counter() - start)
                    if len(history.loss) % SNAPSHOT_EVERY == 0:
                        if not _finite(parameters):
                            diverged("a weight is not finite", len(history.loss))
                        snapshot = len(history.loss), _copy(parameters)
                    bar.set_postfix(loss=f"{mean:.3f}", refresh=False)
                    bar.update()
        except KeyboardInterrupt:
            history.interrupted = True
            steps = len(history.seconds)  # appended last
            history.loss, history.pairs = history.loss[:steps], history.pairs[:steps]
            print(f"interrupted after {steps} steps; the model keeps what it has learned")
    if not _finite(parameters):
        diverged("a weight is not finite", len(history.loss))
    return history


def _finite(parameters) -> bool:
    return all(parameter.isfinite().all() for parameter in parameters)


def _copy(parameters) -> list:
    return [parameter.detach().clone() for parameter in parameters]
