"""The arithmetic of the full-speed trainer: blocks of text as products of matrices, in place."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softplus


class Scratch(dict):
    """A thread's buffers, used again from step to step: allocation can cost more than arithmetic.

    `thread` is its number, from 0.
    """

    def __init__(self, thread: int = 0):
        super().__init__()
        self.thread = thread

    def take(self, name: str, like: Tensor, *shape: int) -> Tensor:
        """A tensor of this shape, holding whatever was last written under this name."""
        size = torch.Size(shape).numel()
        if name not in self or self[name].numel() < size:
            self[name] = like.new_empty(size)
        return self[name][:size].view(shape)

    def gather(
        self, name: str, table: Float[Tensor, "V d"], ids: Int[Tensor, "..."]
    ) -> Float[Tensor, "... d"]:
        """table[ids], written into the buffer of this name."""
        rows = self.take(name, table, ids.numel(), table.shape[1])
        return torch.index_select(table, 0, ids.view(-1), out=rows).view(*ids.shape, -1)


def add_rows(
    table: Float[Tensor, "V d"], ids: Int[Tensor, "..."], rows: Float[Tensor, "... d"]
) -> None:
    """table[ids] += rows, in place; a row that is named several times gets the sum.

    `index_add_` would say the same, and take longer.
    """
    d = table.shape[1]
    table.scatter_add_(0, ids.view(-1, 1).expand(-1, d), rows.view(-1, d))


def padded(vectors: Float[Tensor, "V d"], columns: int) -> Float[Tensor, "V columns"]:
    """A copy with columns of zeros up to so many.

    They stay zero: they add nothing to a dot product, and a row moves by multiples of other rows.
    """
    return torch.nn.functional.pad(vectors, (0, columns - vectors.shape[1]))


class Table:
    """Vectors (V, d), and how far they move.

    With `rates` (V,) a row moves by its rate, times the step's learning rate, times its gradient.
    Without, each coordinate has a rate of its own, that of Adagrad, from the sum of its squared
    gradients so far, `squares` (V, d). `rows` are the vectors with columns of zeros up to
    `columns`, as compiled loops want them; both are the same memory. Behind them, `rows` and
    `rates` have room for copies of the first `copied` rows (`utils.fast.copies`).
    """

    def __init__(
        self,
        vectors: Float[Tensor, "V d"],
        rates: Float[Tensor, "V"] | None = None,
        columns: int | None = None,
    ):
        d = vectors.shape[1]
        self.rows = padded(vectors, columns) if columns and columns > d else vectors
        self.vectors = self.rows[:, :d]
        self.rates = rates
        self.copied = 0
        self.squares = torch.zeros_like(vectors) if rates is None else None

    def make_copies(self, copied: int, copies: int) -> None:
        """Room for so many copies of the first `copied` rows, in place of those made before."""
        V, d = self.vectors.shape
        rows = self.rows[:V]
        rates = self.rates[:V]
        self.rows = torch.cat([rows, *[rows[:copied]] * copies])
        self.rates = torch.cat([rates, *[rates[:copied]] * copies])
        self.vectors = self.rows[:V, :d]
        self.copied = copied if copies else 0

    def first_copy(self, number: int) -> int:
        """Where copy `number` begins. Raises IndexError if there is no such copy."""
        first = len(self.vectors) + number * self.copied
        if number < 0 or first + self.copied > len(self.rows):
            raise IndexError(f"there is no copy {number} of the {self.copied} topmost rows")
        return first

    def descend(self, gradient: Float[Tensor, "V d"], lr: float) -> None:
        """A step of Adagrad, as torch.optim.Adagrad takes it.

        No coordinate moves by more than `lr`, even where another thread puts an old sum of squares
        back between the two lines.
        """
        self.squares.addcmul_(gradient, gradient)
        squares = torch.maximum(self.squares, gradient.square())
        self.vectors.addcdiv_(gradient, squares.sqrt_().add_(1e-10), value=-lr)

    def rate(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
        """rates[ids], in a third of the time."""
        return torch.index_select(self.rates, 0, ids.view(-1)).view(ids.shape)


def block_step(
    input_table: Table,
    output_table: Table,
    ids: Int[Tensor, "n T"],
    rows: Int[Tensor, "n R"],
    labels: Float[Tensor, "..."],
    weights: Float[Tensor, "n T R"],
    lr: float,
    scratch: Scratch,
    loss: bool = False,
) -> float:
    """One step of n blocks, each with T input rows and R output rows (15.2.6, 15.2.7).

    weights[i, r] is the weight of pair (i, r), labels[i, r] what its sigma should be.
    For skip-gram `weights` is a band of the matrix: all scores are computed, and those
    outside the band have weight 0. An error times a vector, in three matrix products.
    `weights` is overwritten. Returns the summed loss in nats if asked for, else 0.
    """
    n, T = ids.shape
    R = rows.shape[1]
    x = scratch.gather("x", input_table.vectors, ids)  # (n, T, d)
    u = scratch.gather("u", output_table.vectors, rows)  # (n, R, d)
    score = scratch.take("score", x, n, T, R)
    torch.bmm(x, u.mT, out=score)  # (n, T, d) @ (n, d, R) -> (n, T, R)
    nats = 0.0
    if loss:
        losses = (softplus(score) - labels * score) * weights
        nats = losses.sum(dtype=torch.float64).item()

    error = score.sigmoid_().sub_(labels).mul_(weights)
    error_x = torch.mul(error, input_table.rate(ids)[:, :, None], out=weights)
    error_u = error.mul_(output_table.rate(rows)[:, None, :])

    step = scratch.take("step", x, *x.shape)
    # (n, T, R) @ (n, R, d) -> (n, T, d)
    torch.baddbmm(step, error_x, u, beta=0, alpha=-lr, out=step)
    # (n, R, T) @ (n, T, d) -> (n, R, d)
    torch.baddbmm(u, error_u.mT, x, beta=0, alpha=-lr, out=u)
    add_rows(input_table.vectors, ids, step)
    add_rows(output_table.vectors, rows, u)
    return nats


def softmax_step(
    input_table: Table,
    output_table: Table,
    ids: Int[Tensor, "B"],
    context: Int[Tensor, "B C"],
    inside: Float[Tensor, "B C"],
    lr: float,
    scratch: Scratch,
    loss: bool = False,
) -> float:
    """One step of the full softmax for B centre words with all their context words.

    `inside` is 1 for a context word of the window, else 0. All n pairs of a centre word
    share its row of probabilities, so the error is n P(w | centre) - count(w), once per
    word instead of once per pair (15.1.8). Every row moves, so Adagrad costs little
    beside it. Returns the summed loss in nats if asked for, else 0.
    """
    x = scratch.gather("x", input_table.vectors, ids)  # (B, d)
    u = output_table.vectors  # (V, d)
    score = scratch.take("score", x, len(x), len(u))
    torch.mm(x, u.T, out=score)  # (B, d) @ (d, V) -> (B, V)
    n = inside.sum(dim=1, keepdim=True)
    nats = 0.0
    if loss:
        expected = n * score.logsumexp(dim=1, keepdim=True)
        observed = score.gather(1, context) * inside
        nats = expected.sum(dtype=torch.float64).item()
        nats -= observed.sum(dtype=torch.float64).item()

    score.sub_(score.amax(dim=1, keepdim=True)).exp_()
    error = score.mul_(n / score.sum(dim=1, keepdim=True))
    error.scatter_add_(1, context, -inside)

    step = scratch.take("step", x, *x.shape)
    torch.mm(error, u, out=step)  # (B, V) @ (V, d) -> (B, d)
    output_gradient = scratch.take("outputs", x, *u.shape)
    torch.mm(error.T, x, out=output_gradient)  # (V, B) @ (B, d) -> (V, d)
    input_gradient = scratch.take("inputs", x, *input_table.vectors.shape).zero_()
    add_rows(input_gradient, ids, step)
    input_table.descend(input_gradient, lr)
    output_table.descend(output_gradient, lr)
    return nats
