"""Wrong and right answers to the exercises of lesson 07, written as a learner would."""

import math

import numpy as np
import torch
from scipy import stats

from utils.fits import crossing, fit_power
from utils.vocabulary import keep_probability


def bill(pairs, counts, depths, K):
    p = counts / counts.sum()
    return [pairs * len(counts), pairs * (K + 1), pairs * (p * depths).sum()]


def loop_bill(pairs, counts, depths, K):
    steps = sum(c * s for c, s in zip(counts.tolist(), depths.tolist())) / counts.sum().item()
    return np.array([len(counts), 1 + K, steps]) * pairs


def short_bill(pairs, counts, depths, K):
    return pairs * len(counts), pairs * (K + 1)


def walks_in_place(pairs, counts, depths, K):
    depths += 1
    return bill(pairs, counts, depths, K)


def normal_equations(x, y):
    A = torch.stack([torch.log2(x), torch.ones(len(x), dtype=torch.float64)], dim=1)
    p, c = torch.linalg.lstsq(A, torch.log2(y)[:, None]).solution.flatten()
    return torch.stack([p, 2**c])


def by_scipy(x, y):
    line = stats.linregress(x.log().tolist(), y.log().tolist())
    return line.slope, math.exp(line.intercept)


def loop_thinned(counts, depths, t):
    total = counts.sum().item()
    steps = 0.0
    left = 0.0
    for count, depth in zip(counts.tolist(), depths.tolist()):
        keep = min(1.0, math.sqrt(t * total / count))
        steps = steps + count * keep * depth
        left = left + count * keep
    return steps / left


def loop_kept(counts, t):
    return [c * min(1, (t * counts.sum().item() / c) ** 0.5) for c in counts.tolist()]


def raw_counts(counts, depths, t):
    return (counts * (t / counts).sqrt().clamp(max=1) * depths).sum() / counts.sum()


def by_powers(x, y, other):
    """Both curves as c x^p, set equal."""
    p, q = (math.log(s[1] / s[0]) / math.log(x[1] / x[0]) for s in (y, other))
    c = float(y[0]) / float(x[0]) ** p
    e = float(other[0]) / float(x[0]) ** q
    return (e / c) ** (1 / (p - q))


def by_bisection(x, y, other):
    low = math.log(x[0])
    high = math.log(x[1])
    start = low
    end = high

    def gap(at):
        share = (at - start) / (end - start)
        g = [math.log(a / b) for a, b in zip(y.tolist(), other.tolist())]
        return (1 - share) * g[0] + share * g[1]

    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gap(middle) * gap(low) > 0 else (low, middle)
    return math.exp(low)


def straight(x, y, other):
    gap = y - other
    return x[0] + (x[1] - x[0]) * gap[0] / (gap[0] - gap[1])


def loop_bytes(V, d, ids):
    dense = sum(4 for _ in range(V * d) for _ in range(3))
    sparse = 0
    for _ in ids.flatten().tolist():
        sparse += 8 + 4 * d + 4 * d + 4 * d
    return dense, sparse


WRONG = [  # (number, answer, words that the message must hold; | is or)
    ("7.1", short_bill, "shape should be (3,)"),
    ("7.1", walks_in_place, "changed its input"),
    ("7.2", lambda x, y: np.polyfit(x.numpy(), y.numpy(), 1), "numbers themselves"),
    ("7.3", raw_counts, "Revisit thinning"),
    ("7.3", lambda counts, depths, t: keep_probability(counts, t) @ depths, "RuntimeError"),
    ("7.4", straight, "straight in the numbers"),
    ("7.5", lambda V, d, ids: 12 * V * d, "shape should be (2,)"),
]

RIGHT = [  # (number, answer), each in another style
    ("7.1", bill),
    ("7.1", loop_bill),
    ("7.2", normal_equations),
    ("7.2", lambda x, y: fit_power(x.numpy(), y.numpy())),
    ("7.2", by_scipy),
    ("7.3", loop_thinned),
    ("7.3", lambda counts, depths, t: np.average(depths.tolist(), weights=loop_kept(counts, t))),
    ("7.4", by_powers),
    ("7.4", by_bisection),
    ("7.4", lambda x, y, other: crossing(x.numpy(), y.numpy(), other.numpy())),
    ("7.5", loop_bytes),
    (
        "7.5",
        lambda V, d, ids: torch.tensor([12 * V * d, (12 * d + 8) * ids.shape[0] * ids.shape[1]]),
    ),
]
