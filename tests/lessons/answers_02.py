"""Wrong and right answers to the exercises of lesson 02, written as a learner would."""

import itertools
import math

import numpy as np
import torch
from torch.nn import functional as F


def sigma(x):
    return 1 / (1 + math.exp(-x))


def dot(u, v):
    return sum(a * b for a, b in zip(u.tolist(), v.tolist()))


def forgets_to_return(U, v_c, o, negatives):
    -F.logsigmoid(U[o] @ v_c) - F.logsigmoid(-(U[negatives] @ v_c)).sum()


def appends_in_place(U, v_c, o, negatives):
    negatives.insert(0, o)
    return torch.sigmoid(U[negatives] @ v_c)


def subtracts_in_place(U, v_c, o, negatives):
    U[o] -= 1
    return U


def labelled(U, v_c, o, negatives):
    e = torch.sigmoid(U[[o] + negatives] @ v_c)
    e[0] -= 1
    return e


def drawn(U, v_c, o, q, K):
    negatives = torch.multinomial(q, K, replacement=True)
    return -F.logsigmoid(U[o] @ v_c) - F.logsigmoid(-(U[negatives] @ v_c)).sum()


def loop_loss(U, v_c, o, negatives):
    total = -math.log(sigma(dot(U[o], v_c)))
    for k in negatives:
        total -= math.log(1 - sigma(dot(U[k], v_c)))
    return total


def loop_gradient(U, v_c, o, negatives):
    rows = [[0.0] * len(v_c) for _ in U]
    for i, label in [(o, 1)] + [(k, 0) for k in negatives]:
        error = sigma(dot(U[i], v_c)) - label
        rows[i] = [g + error * x for g, x in zip(rows[i], v_c.tolist())]
    return rows


def counted_gradient(U, v_c, o, negatives):
    asked = torch.bincount(torch.tensor([o, *negatives]), minlength=len(U))
    yes = F.one_hot(torch.tensor(o), len(U))
    return (asked * torch.sigmoid(U @ v_c) - yes)[:, None] * v_c


def simulated(U, v_c, o, q, K):
    drawn = torch.multinomial(q, K, replacement=True)
    return -F.logsigmoid(U[o] @ v_c) - F.logsigmoid(-(U[drawn] @ v_c)).sum()


def loop_expected(U, v_c, o, q, K):
    total = -math.log(sigma(dot(U[o], v_c)))
    for w in range(len(U)):
        total += K * float(q[w]) * -math.log(sigma(-dot(U[w], v_c)))
    return total


def listed(U, v_c, o, q, K):
    """All draws of two words at a time, K of them from K / 2 pairs.

    The expectation needs no more.
    """
    pairs = itertools.product(range(len(U)), repeat=2)
    two = sum(
        q[a] * q[b] * -(F.logsigmoid(-(U[a] @ v_c)) + F.logsigmoid(-(U[b] @ v_c))) for a, b in pairs
    )
    return -F.logsigmoid(U[o] @ v_c) + K / 2 * two


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("2.1", lambda U, v_c, o, negatives: torch.log(U[o] @ v_c * 0), "Not a finite number"),
    (
        "2.1",
        lambda U, v_c, o, negatives: [loop_loss(U, v_c, o, negatives)],
        "one number, not a list of one",
    ),
    ("2.2", lambda U, v_c, o, negatives: [0.5, [0.5, 0.5]], "ragged"),
    ("2.4", drawn, "nothing is to be drawn"),
    (
        "2.1",
        lambda U, v_c, o, negatives: (
            -F.logsigmoid(U[o] @ v_c) - F.logsigmoid(-(U[negatives] @ v_c))
        ),
        "shape",
    ),
    ("2.1", lambda U, v_c, o, negatives: 2.0, "15.2.6"),
    ("2.1", forgets_to_return, "return"),
    ("2.2", lambda U, v_c, o, negatives: U[[o] + negatives] @ v_c, "what was right"),
    ("2.2", lambda U, v_c, o, negatives: torch.sigmoid(U[o, negatives] @ v_c), "It stopped"),
    ("2.2", appends_in_place, "changed its input"),
    ("2.3", lambda U, v_c, o, negatives: torch.zeros_like(U), "error times vector"),
    ("2.3", subtracts_in_place, "changed its input"),
    ("2.4", lambda U, v_c, o, q, K: (K + 1) * math.log(2), "without drawing"),
    ("2.4", simulated, "nothing is to be drawn"),
]

RIGHT = [  # (number, answer), each in another style
    ("2.1", loop_loss),
    (
        "2.1",
        lambda U, v_c, o, negatives: (
            np.log1p(np.exp(U.numpy()[[o] + negatives] @ v_c.numpy())).sum()
            - U.numpy()[o] @ v_c.numpy()
        ),
    ),
    (
        "2.1",
        lambda U, v_c, o, negatives: F.binary_cross_entropy_with_logits(
            (U[[o] + negatives] @ v_c).float(),
            torch.tensor([1.0] + [0.0] * len(negatives)),
            reduction="sum",
        ),
    ),
    ("2.2", labelled),
    (
        "2.2",
        lambda U, v_c, o, negatives: (
            [sigma(dot(U[o], v_c)) - 1] + [sigma(dot(U[k], v_c)) for k in negatives]
        ),
    ),
    (
        "2.2",
        lambda U, v_c, o, negatives: torch.cat(
            [-torch.sigmoid(-(U[[o]] @ v_c)), torch.sigmoid(U[torch.tensor(negatives)] @ v_c)]
        ).float(),
    ),
    ("2.3", loop_gradient),
    ("2.3", counted_gradient),
    (
        "2.3",
        lambda U, v_c, o, negatives: torch.autograd.functional.jacobian(
            lambda U: -F.logsigmoid(U[o] @ v_c) - F.logsigmoid(-(U[negatives] @ v_c)).sum(), U
        ),
    ),
    ("2.4", loop_expected),
    ("2.4", listed),
    (
        "2.4",
        lambda U, v_c, o, q, K: (
            F.softplus(-(U[o] @ v_c)) + K * (q * F.softplus(U @ v_c)).sum()
        ).float(),
    ),
]
