"""The arithmetic of the full-speed trainer: blocks of text as products of matrices, without autograd, in place."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softplus


class Scratch(dict):
    """Memory for results, kept from step to step: asking the system for fresh pages can cost more than the sums."""

    def take(self, name: str, like: Tensor, *shape: int) -> Tensor:
        """A tensor of this shape, holding whatever was last written under this name."""
        size = torch.Size(shape).numel()
        if name not in self or self[name].numel() < size:
            self[name] = like.new_empty(size)
        return self[name][:size].view(shape)

    def gather(
        self, name: str, table: Float[Tensor, "V d"], ids: Int[Tensor, "..."]
    ) -> Float[Tensor, "... d"]:
        """table[ids]."""
        rows = self.take(name, table, ids.numel(), table.shape[1])
        return torch.index_select(table, 0, ids.view(-1), out=rows).view(*ids.shape, -1)


def add_rows(
    table: Float[Tensor, "V d"], ids: Int[Tensor, "..."], rows: Float[Tensor, "... d"]
) -> None:
    """table[ids] += rows, in place; a row that is named several times gets the sum."""
    d = table.shape[1]
    table.scatter_add_(
        0, ids.view(-1, 1).expand(-1, d), rows.view(-1, d)
    )  # index_add_ says the same, more slowly


class Table:
    """Vectors (V, d), and how far they move: each row by its own `rates` (V,) times the step's lr times its gradient.

    Without `rates` each coordinate has a rate of its own, that of Adagrad, from its gradients' `squares` so far (V, d).
    """

    def __init__(self, vectors: Float[Tensor, "V d"], rates: Float[Tensor, "V"] | None = None):
        self.vectors, self.rates = vectors, rates
        self.squares = torch.zeros_like(vectors) if rates is None else None

    def descend(self, gradient: Float[Tensor, "V d"], lr: float) -> None:
        """A step of Adagrad, as torch.optim.Adagrad takes it."""
        self.squares.addcmul_(gradient, gradient)
        self.vectors.addcdiv_(gradient, self.squares.sqrt().add_(1e-10), value=-lr)

    def rate(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
        """rates[ids], in a third of the time."""
        return torch.index_select(self.rates, 0, ids.view(-1)).view(ids.shape)


def block_step(
    inputs: Table,
    outputs: Table,
    ids: Int[Tensor, "n T"],
    rows: Int[Tensor, "n R"],
    labels: Float[Tensor, "..."],
    times: Float[Tensor, "n T R"],
    lr: float,
    scratch: Scratch,
    loss: bool = False,
) -> float:
    """One step of n blocks, each with T rows of one table and R of the other: an error times a vector, three products.

    Word i is asked question r times[i, r] times, and labels[i, r] is the share of them that is to be answered yes. For
    skip-gram `times` is a band of the matrix: all scores are computed, and those outside of the band count 0 times.
    Equations 15.2.6 and 15.2.7. `times` is overwritten. Returns the loss in nats, summed, if asked for, else 0.
    """
    (n, T), R = ids.shape, rows.shape[1]
    x, u = scratch.gather("x", inputs.vectors, ids), scratch.gather("u", outputs.vectors, rows)
    score = torch.bmm(
        x, u.mT, out=scratch.take("score", x, n, T, R)
    )  # (n, T, d) @ (n, d, R) -> (n, T, R)
    nats = (
        ((softplus(score) - labels * score) * times).sum(dtype=torch.float64).item()
        if loss
        else 0.0
    )
    error = score.sigmoid_().sub_(labels).mul_(times)  # (sigma(score) - label), times over
    error_x = torch.mul(error, inputs.rate(ids)[:, :, None], out=times)
    error_u = error.mul_(outputs.rate(rows)[:, None, :])
    step = scratch.take("step", x, *x.shape)
    torch.baddbmm(
        step, error_x, u, beta=0, alpha=-lr, out=step
    )  # (n, T, R) @ (n, R, d) -> (n, T, d)
    torch.baddbmm(u, error_u.mT, x, beta=0, alpha=-lr, out=u)  # (n, R, T) @ (n, T, d) -> (n, R, d)
    add_rows(inputs.vectors, ids, step)
    add_rows(outputs.vectors, rows, u)
    return nats


def softmax_step(
    inputs: Table,
    outputs: Table,
    ids: Int[Tensor, "B"],
    context: Int[Tensor, "B C"],
    inside: Float[Tensor, "B C"],
    lr: float,
    scratch: Scratch,
    loss: bool = False,
) -> float:
    """One step of the full softmax for B centre words with all their context words, those that are `inside` (1 or 0).

    All n pairs of a centre word share its row of probabilities, so the error is n P(w | centre) - count(w), once a word
    instead of once a pair (15.1.8). Every row moves, so Adagrad costs little beside it. Returns the loss in nats,
    summed, if asked for, else 0.
    """
    x = scratch.gather("x", inputs.vectors, ids)
    score = torch.mm(
        x, outputs.vectors.T, out=scratch.take("score", x, len(x), len(outputs.vectors))
    )
    n = inside.sum(dim=1, keepdim=True)
    nats = 0.0
    if loss:
        nats = (n * score.logsumexp(dim=1, keepdim=True)).sum(dtype=torch.float64).item()
        nats -= (score.gather(1, context) * inside).sum(dtype=torch.float64).item()
    score.sub_(score.amax(dim=1, keepdim=True)).exp_()
    error = score.mul_(n / score.sum(dim=1, keepdim=True)).scatter_add_(1, context, -inside)
    step = torch.mm(
        error, outputs.vectors, out=scratch.take("step", x, *x.shape)
    )  # (B, V) @ (V, d) -> (B, d)
    in_outputs = torch.mm(
        error.T, x, out=scratch.take("out", x, *outputs.vectors.shape)
    )  # (V, B) @ (B, d) -> (V, d)
    in_inputs = scratch.take("in", x, *inputs.vectors.shape).zero_()
    add_rows(in_inputs, ids, step)
    inputs.descend(in_inputs, lr)
    outputs.descend(in_outputs, lr)
    return nats
