"""The exercises of lesson 07.

The bill of an epoch, fits and crossings, thinning, and the bytes of an update.
"""

import math

import numpy as np
import torch

from utils.costs import Traffic
from utils.exercises import cases
from utils.exercises.cases import integer, number
from utils.exercises.values import array


def _share(counts):
    return array(counts) / array(counts).sum()


# 7.1 ----------------------------------------------------------------------------------------------


def _epochs(generator):
    def draw(V):
        return (
            10 * integer(generator, 2, 99),
            cases.counts(generator, V),
            cases.depths(generator, V),
            integer(generator, 2, 12),
        )

    yield lambda: draw(6)
    while True:
        yield draw(integer(generator, 2, 9))


def _bill(pairs, counts, depths, K):
    return pairs * np.array([len(counts), K + 1, np.average(array(depths), weights=array(counts))])


def _with(full=None, negative=None, walk=None):
    """The right bill with other prices per pair; each of them is computed from the case."""

    def bill(pairs, counts, depths, K):
        right = _bill(1, counts, depths, K)
        return pairs * np.array(
            [
                right[k] if price is None else float(price(counts, depths, K))
                for k, price in enumerate((full, negative, walk))
            ]
        )

    return bill


BILL = (
    (
        _with(negative=lambda counts, depths, K: K),
        "K noise words, but K + 1 questions: the true word is asked about too.",
    ),
    (
        _with(walk=lambda counts, depths, K: depths.double().mean()),
        (
            "The path lengths are averaged over words. In a text, frequent words come more "
            "often: weight by the counts."
        ),
    ),
    (
        _with(walk=lambda counts, depths, K: (counts * depths).sum() / counts.sum() + 1),
        (
            "One too many for the path: L(w) counts nodes, the leaf among them. The depth is the "
            "number of questions."
        ),
    ),
    (
        _with(walk=lambda counts, depths, K: depths.max()),
        "That is the padded work, the longest path for every pair. Only useful work is asked for.",
    ),
    (
        _with(walk=lambda counts, depths, K: math.log2(len(counts))),
        "log2 V is about the depth of a balanced tree. Here the depths are given.",
    ),
    (
        _with(full=lambda counts, depths, K: len(counts) + 1),
        (
            "The full softmax has V scores, one for each word. The centre vector is part of each, "
            "it is no score."
        ),
    ),
    (lambda pairs, *case: _bill(1, *case), "That is the bill of one pair. An epoch has many."),
    (
        lambda *case: _bill(*case)[::-1],
        "The order is full softmax, negative sampling, hierarchical softmax.",
    ),
    (
        lambda *case: _bill(*case).sum(),
        "That is the sum of all three. Each method is a bill of its own.",
    ),
)


# 7.2 ----------------------------------------------------------------------------------------------


def _points(generator):
    """Points near a power, at sizes that grow unevenly."""

    def draw(n):
        x = torch.cumprod(
            1.5 + 6 * torch.rand(n, dtype=torch.float64, generator=generator), dim=0
        ).round()
        noise = torch.exp(0.4 * torch.randn(n, dtype=torch.float64, generator=generator))
        p = number(generator, 0.3, 1.6)
        c = number(generator, 0.5, 9)
        return x, torch.round(c * x**p * noise, decimals=2)

    yield lambda: draw(4)
    while True:
        yield draw(integer(generator, 3, 8))


def _line(x, y):
    return np.polyfit(array(x), array(y), 1)


def _power(x, y):
    p, log_c = _line(x.log(), y.log())
    return np.array([p, np.exp(log_c)])


def _ends_only(x, y):
    p = math.log(y[-1] / y[0]) / math.log(x[-1] / x[0])
    return [p, y[0] / x[0] ** p]


POWER = (
    (
        _line,
        (
            "That is the straight line through the numbers themselves. Take the logarithms of "
            "both first."
        ),
    ),
    (lambda x, y: _line(x.log(), y), "Only x is in logarithms. Take the logarithm of y as well."),
    (
        lambda x, y: _line(x.log(), y.log()),
        "The slope is right. The other number is still a logarithm: c = exp of it.",
    ),
    (
        lambda x, y: [_power(x, y)[0], math.exp(math.log10(_power(x, y)[1]))],
        (
            "The slope is right. The logarithm for c has base 10, the power that undoes it base "
            "e: take the same."
        ),
    ),
    (
        lambda x, y: [(x.log() * y.log()).sum() / (x.log() ** 2).sum(), 1.0],
        (
            "That line goes through the origin: subtract the means of the logarithms before you "
            "multiply."
        ),
    ),
    (_ends_only, "That line joins the first point to the last. Least squares uses all points."),
    (lambda x, y: _power(y, x), "The roles are swapped: that is x as a power of y."),
    (
        lambda x, y: _power(x, y)[::-1],
        "Those are the right two numbers in the wrong order: the exponent comes first.",
    ),
    (lambda x, y: _power(x, y)[0], "That is the exponent. The factor c is asked for as well."),
)


# 7.3 ----------------------------------------------------------------------------------------------


def _texts(generator):
    """Thresholds between the rarest word's share and the most frequent one's."""

    def draw(V):
        counts = cases.counts(generator, V)
        low = _share(counts).min()
        high = _share(counts).max()
        t = float(low + number(generator, 0, 0.3) * (high - low))
        return counts, cases.depths(generator, V), max(round(t, 3), 0.001)

    yield lambda: draw(6)
    while True:
        yield draw(integer(generator, 3, 9))


def _thinned(counts, depths, t, keep=lambda f, t: np.minimum(1, np.sqrt(t / f))):
    return float(np.average(array(depths), weights=array(counts) * keep(_share(counts), t)))


def _kept_by(keep):
    return lambda *case: _thinned(*case, keep)


THINNED = (
    (
        _kept_by(lambda f, t: np.sqrt(t / f)),
        "A probability is at most 1: rare words came out above it, and are all kept.",
    ),
    (_kept_by(lambda f, t: np.minimum(1, t / f)), "The square root of t / f is missing."),
    (
        _kept_by(lambda f, t: 1 - np.minimum(1, np.sqrt(t / f)) + 1e-12),
        (
            "Those are the occurrences that are thrown away: 1 minus the probability to survive. "
            "Keep the others."
        ),
    ),
    (
        _kept_by(lambda f, t: np.minimum(1, np.sqrt(t / f) + t / f)),
        "That is word2vec's rule, with t / f added to the root. Here the root alone is asked for.",
    ),
    (
        _kept_by(lambda f, t: 1 + 0 * f),
        "That is the mean depth before thinning. Multiply the counts by what survives.",
    ),
    (
        lambda counts, depths, t: (
            np.minimum(_share(counts), np.sqrt(t * _share(counts))) * array(depths)
        ).sum(),
        "Not normalised anew: less text is left, so divide by the counts that survive, not by all.",
    ),
    (
        lambda counts, depths, t: np.average(
            array(depths), weights=np.minimum(1, np.sqrt(t / _share(counts)))
        ),
        (
            "Each word is weighted by its probability to survive alone. Its weight is its count "
            "times that."
        ),
    ),
    (
        lambda counts, depths, t: array(depths).mean(),
        "That is the plain mean over words. Weight them by the counts that survive.",
    ),
    (lambda *case: _thinned(*case) + 1, "One too many: the depths are steps already, L(w) - 1."),
)


# 7.4 ----------------------------------------------------------------------------------------------


def _curves(generator):
    """One curve is below the other at the first size and above it at the second."""

    def draw():
        x = integer(generator, 10, 90)
        low = number(generator, 1, 5)
        high = number(generator, 20, 90)
        y = [low, high, low * number(generator, 1.5, 6), high / number(generator, 1.5, 6)]
        pairs = torch.round(torch.tensor(y, dtype=torch.float64).reshape(2, 2), decimals=2)
        if integer(generator, 0, 1):
            pairs = pairs.flip(0)
        return torch.tensor([x, x * integer(generator, 3, 30)]), *pairs

    while True:
        yield draw


def _meet(x, y, other):
    return math.exp(_zero(np.log(array(x)), np.log(array(y)) - np.log(array(other))))


def _zero(x, gap):
    """Where the straight line through two gaps of different sign is 0."""
    order = np.argsort(gap)
    return float(np.interp(0, gap[order], x[order]))


CROSSING = (
    (
        lambda x, y, other: _zero(array(x), array(y) - array(other)),
        (
            "Those lines are straight in the numbers themselves. Take the logarithms of sizes and "
            "seconds."
        ),
    ),
    (
        lambda x, y, other: _zero(array(x), np.log(array(y)) - np.log(array(other))),
        "The seconds are in logarithms, the sizes are not: the share of the way is one of log x.",
    ),
    (
        lambda x, y, other: math.exp(_zero(np.log(array(x)), array(y) - array(other))),
        "The sizes are in logarithms, the seconds are not: the gap is log y - log other.",
    ),
    (lambda *case: math.log(_meet(*case)), "That is the logarithm of the size. Undo it with exp."),
    (
        lambda x, y, other: math.log(_meet(x, y, other) / x[0]) / math.log(x[1] / x[0]),
        (
            "That is the share of the way, from 0 at the first size to 1 at the second. The size "
            "there is asked for."
        ),
    ),
    (
        lambda x, y, other: float(x[0]) * float(x[1]) / _meet(x, y, other),
        (
            "The share is taken from the wrong end: it is the first gap divided by the first "
            "minus the second."
        ),
    ),
    (
        lambda x, y, other: float(
            np.exp(np.interp(math.log(_meet(x, y, other)), np.log(array(x)), np.log(array(y))))
        ),
        "Those are the seconds at which they meet. The size is asked for.",
    ),
)


# 7.5 ----------------------------------------------------------------------------------------------


def _batches(generator):
    def draw(B, Q):
        V = integer(generator, 5, 30)
        ids = torch.randint(V, (B, Q), generator=generator)
        ids[-1, -1] = ids[0, 0]  # one row at least is stored twice
        return V, integer(generator, 2, 9), ids

    yield lambda: draw(2, 3)
    while True:
        yield draw(integer(generator, 2, 5), integer(generator, 2, 6))


def _moved(V, d, ids):
    """Done, and watched."""
    rows = torch.ones(ids.numel(), d)
    sparse = torch.sparse_coo_tensor(ids.reshape(1, -1), rows, (V, d), check_invariants=False)
    seen = []
    for gradient in (torch.ones(V, d), sparse):
        table = torch.zeros(V, d)
        with Traffic() as counter:
            table.sub_(gradient)
        seen.append(counter.bytes)
    return np.array(seen)


def _as_if(size=4, identity=8, times=3, rows=torch.Tensor.numel):
    """The formula, with other sizes in bytes, other times that a row is moved, or other rows."""
    return lambda V, d, ids: [times * V * d * size, rows(ids) * (times * d * size + identity)]


BYTES = (
    (
        _as_if(rows=lambda ids: len(ids.unique())),
        (
            "Repeated ids were counted once. The gradient stores a row for each of them, and each "
            "is moved."
        ),
    ),
    (
        _as_if(identity=0),
        "The dense one is right. For each row the sparse gradient also stores an id of 8 bytes.",
    ),
    (_as_if(size=8), "Those are numbers of 8 bytes. A float32 has 4; only ids have 8."),
    (_as_if(identity=4), "An id has 8 bytes (int64), not 4."),
    (
        _as_if(times=2),
        "A row is moved three times: read from table and gradient, written to the table.",
    ),
    (_as_if(size=1, identity=2), "Those are numbers, not bytes: a number has 4, an id 8."),
    (lambda *case: _moved(*case)[::-1], "The two are in the wrong order: dense first."),
    (
        lambda V, d, ids: [3 * V * d * 4, V * (3 * d * 4 + 8)],
        (
            "The dense one is right. The sparse one moves only the rows that the gradient stores, "
            "not all V."
        ),
    ),
)


EXERCISES = {
    "7.1": (_epochs, _bill, BILL),
    "7.2": (_points, _power, POWER),
    "7.3": (_texts, _thinned, THINNED),
    "7.4": (_curves, _meet, CROSSING),
    "7.5": (_batches, _moved, BYTES),
}
