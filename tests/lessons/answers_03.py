"""Wrong and right answers to the exercises of lesson 03, written as a learner would."""

import bisect
import itertools
import math

import numpy as np
import torch


def forgets_to_return(counts, power):
    counts.double() ** power / (counts.double() ** power).sum()


def sums_in_place(probs, u):
    torch.cumsum(probs, 0, out=probs)
    return torch.searchsorted(probs, u, right=True)


def walk(probs, u):
    ids = []
    for x in u.tolist():
        i = 0
        end = float(probs[0])
        while x >= end:
            i += 1
            end += float(probs[i])
        ids.append(i)
    return ids


def loop_table(share, alias):
    p = [0.0] * len(share)
    for own, (s, other) in enumerate(zip(share.tolist(), alias.tolist())):
        p[own] += s / len(share)
        p[other] += (1 - s) / len(share)
    return p


def simulated(share, alias):
    column = torch.randint(len(share), (50,))
    words = torch.where(torch.rand(50) < share[column], column, alias[column])
    return torch.bincount(words, minlength=len(share)) / 50


def add_at(share, alias):
    p = share.numpy().copy()
    np.add.at(p, alias.numpy(), 1 - share.numpy())
    return p / p.sum()


def first_hit(q, w, K):
    """The first hit is at the first draw, or the second, .."""
    return sum(q[w] * (1 - q[w]) ** k for k in range(K))


def recursive(q, w, K):
    return 0.0 if K == 0 else float(q[w]) + (1 - float(q[w])) * recursive(q, w, K - 1)


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("3.1", lambda counts, power: torch.softmax(power * counts.double(), 0), "formula of q(w)"),
    ("3.1", lambda counts, power: 0.5, "shape"),
    ("3.1", forgets_to_return, "return"),
    ("3.2", lambda probs, u: torch.searchsorted(probs.cumsum(0), u[0], right=True), "shape"),
    ("3.2", sums_in_place, "changed its input"),
    ("3.3", simulated, "nothing is to be drawn"),
    ("3.4", lambda q, w, K: math.log(1 - q[w]) * K, "one draw misses"),
]

RIGHT = [  # (number, answer), each in another style
    (
        "3.1",
        lambda counts, power: [
            c**power / sum(x**power for x in counts.tolist()) for c in counts.tolist()
        ],
    ),
    ("3.1", lambda counts, power: torch.softmax(power * counts.float().log(), dim=0)),
    (
        "3.1",
        lambda counts, power: (
            np.exp(power * np.log(counts.numpy())) / np.exp(power * np.log(counts.numpy())).sum()
        ),
    ),
    ("3.2", walk),
    (
        "3.2",
        lambda probs, u: [
            bisect.bisect_right(list(itertools.accumulate(probs.tolist())), x) for x in u.tolist()
        ],
    ),
    ("3.2", lambda probs, u: np.searchsorted(np.cumsum(probs.numpy()), u.numpy(), side="right")),
    ("3.2", lambda probs, u: (probs.float().cumsum(0)[None] <= u.float()[:, None]).sum(dim=1)),
    ("3.3", loop_table),
    ("3.3", add_at),
    (
        "3.3",
        lambda share, alias: (
            (share + torch.bincount(alias, 1 - share, len(share))).float() / len(share)
        ),
    ),
    ("3.4", first_hit),
    ("3.4", recursive),
    ("3.4", lambda q, w, K: 1 - math.exp(K * math.log1p(-q.tolist()[w]))),
]
