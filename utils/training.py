"""The training loop: one for all models and objectives."""

import os
import sys
import time
from dataclasses import dataclass, field

import torch
from torch import nn
from tqdm.auto import tqdm

from utils.checks import Real, Whole, one_of, real_number, whole_number

OPTIMIZERS = {"adagrad": torch.optim.Adagrad, "sgd": torch.optim.SGD}
SNAPSHOT_EVERY = 500  # steps between two copies of weights known to be finite
ABSURD_LOSS = 1e9  # nats per pair; beyond it training has diverged, NaN or not


def progress_wanted() -> bool:
    """Whether to draw a progress bar: in a notebook or a terminal, unless TQDM_DISABLE is set."""
    if os.environ.get("TQDM_DISABLE"):
        return False
    return "ipykernel" in sys.modules or sys.stderr.isatty()


@dataclass
class History:
    """One entry per step: mean loss of the batch (nats per pair), pairs and seconds so far."""

    loss: list[float] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    interrupted: bool = False

    def add(self, loss: float, pairs: int, seconds: float) -> None:
        """A step with its loss, its number of pairs, and the seconds since the start."""
        self.loss.append(loss)
        self.pairs.append((self.pairs or [0])[-1] + pairs)
        self.seconds.append(seconds)  # last: an interrupted step is found by its missing entry

    def drop_half_step(self) -> None:
        """Remove what an interrupted step has left."""
        steps = len(self.seconds)
        del self.loss[steps:]
        del self.pairs[steps:]


class TrainingDiverged(FloatingPointError):
    """The loss or a weight is not finite any more, or absurd; `.history` holds the steps before."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


class Snapshot:
    """A copy of the parameters, known to be finite, to go back to."""

    def __init__(self, parameters: list[nn.Parameter], step: int = 0):
        self.parameters = parameters
        self.take(step)

    def take(self, step: int) -> None:
        self.step = step
        self.values = [parameter.detach().clone() for parameter in self.parameters]

    def restore(self) -> None:
        with torch.no_grad():
            for parameter, value in zip(self.parameters, self.values):
                parameter.copy_(value)


def train(
    model,
    batches,
    *,
    epochs: Whole,
    lr: Real,
    optimizer: str = "adagrad",
    seed: Whole = 0,
) -> History:
    """Minimise the mean loss of each batch. Sparse gradients update only the rows of the batch.

    `batches` is iterated once per epoch and has a length; `seed` fixes the noise words that are
    drawn; `optimizer` is "adagrad" or "sgd". The interrupt button (KeyboardInterrupt) ends training
    and returns what was learned so far. Raises ValueError for numbers outside their range, and
    TrainingDiverged when the loss or a weight is not finite, or the loss above 1e9: the model then
    holds its last finite snapshot, at most 500 steps old.
    """
    one_of("optimizer", optimizer, OPTIMIZERS)
    epochs = whole_number("epochs", epochs, least=0)
    lr = real_number("lr", lr, above=0, hint=", the learning rate")
    seed = whole_number("seed", seed, least=0)
    parameters = list(model.parameters())
    if not _finite(parameters):
        raise ValueError(
            "a weight of the model is not finite before the first step; build the model anew"
        )
    update = OPTIMIZERS[optimizer](parameters, lr=lr)
    history = History()
    with torch.random.fork_rng(devices=[]), torch.sparse.check_sparse_tensor_invariants(False):
        torch.manual_seed(seed)
        try:
            _learn(model, batches, epochs, update, lr, history)
        except KeyboardInterrupt:
            history.interrupted = True
            history.drop_half_step()
            steps = len(history.loss)
            print(f"interrupted after {steps} steps; the model keeps what it has learned")
    return history


def _learn(model, batches, epochs: int, update, lr: float, history: History) -> None:
    parameters = list(model.parameters())
    snapshot = Snapshot(parameters)
    start = time.perf_counter()
    steps = epochs * len(batches)
    with tqdm(total=steps, unit="batch", leave=False, disable=not progress_wanted()) as bar:
        for _ in range(epochs):
            for inputs, targets in batches:
                losses = model.loss(inputs, targets)  # (B,) nats per pair
                mean = losses.detach().double().mean().item()
                if not mean < ABSURD_LOSS:  # NaN is not below anything
                    step = len(history.loss) + 1
                    _go_back(f"the loss is {mean:g} at step {step}", snapshot, lr, history)
                update.zero_grad()
                losses.mean().backward()
                update.step()
                history.add(mean, len(targets), time.perf_counter() - start)
                if len(history.loss) % SNAPSHOT_EVERY == 0:
                    _check_weights(parameters, snapshot, lr, history)
                    snapshot.take(len(history.loss))
                bar.set_postfix(loss=f"{mean:.3f}", refresh=False)
                bar.update()
    _check_weights(parameters, snapshot, lr, history)


def _check_weights(parameters, snapshot: Snapshot, lr: float, history: History) -> None:
    if not _finite(parameters):
        step = len(history.loss)
        _go_back(f"a weight is not finite at step {step}", snapshot, lr, history)


def _go_back(what: str, snapshot: Snapshot, lr: float, history: History) -> None:
    snapshot.restore()
    raise TrainingDiverged(
        f"{what} with lr={lr:g}: choose a smaller lr. The model holds its finite weights of step "
        f"{snapshot.step}, error.history the {len(history.loss)} finite losses.",
        history,
    )


def _finite(parameters) -> bool:
    return all(parameter.isfinite().all() for parameter in parameters)
