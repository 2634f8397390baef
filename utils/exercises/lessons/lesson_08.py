"""The exercises of lesson 08.

What negative sampling's scores mean, and what K does to the noise.
"""

import math

import numpy as np
import torch
from scipy import special, stats

from utils.exercises.cases import different, integer, shares
from utils.exercises.values import array


def _pairs(generator, C, V):
    """Counts of pairs (C, V), all positive and all different."""
    return different(generator, C * V, 40).reshape(C, V).double()


def _counts_q_K(generator):
    """Fresh counts (C, V), noise q (V,) and K; in the first case K is not 1."""
    yield lambda: (_pairs(generator, 2, 3), shares(generator, 3, 9), integer(generator, 2, 5))
    while True:
        C = integer(generator, 1, 3)
        V = integer(generator, 3, 6)
        yield _pairs(generator, C, V), shares(generator, V, 12), integer(generator, 1, 6)


def _rows(counts):
    """p(w | c): every row sums to 1."""
    counts = array(counts).astype(float)
    return counts / counts.sum(axis=1, keepdims=True)


def _whole(counts):
    """p(c, w): the whole table sums to 1."""
    counts = array(counts).astype(float)
    return counts / counts.sum()


# 8.1: the optimum, hits kept ----------------------------------------------------------------------


def _optimum(counts, q, K):
    return np.log(_rows(counts)) - np.log(K * array(q))


OPTIMUM = (
    (
        lambda counts, q, K: _optimum(counts, q, 1),
        "K is missing: a word is asked about as noise K q(w) times a pair.",
    ),
    (
        lambda counts, q, K: np.log(_whole(counts)) - np.log(K * array(q)),
        "Divided by the sum of all counts. p(w | c) is a share of its own row: the row sums to 1.",
    ),
    (
        lambda counts, q, K: (
            np.log(array(counts) / array(counts).sum(axis=0)) - np.log(K * array(q))
        ),
        "Divided by the sums of the columns: that is p(c | w). Each row sums to 1.",
    ),
    (
        lambda counts, q, K: np.log(array(counts)) - np.log(K * array(q)),
        "Counts in place of shares: p(w | c) is the count divided by the sum of its row.",
    ),
    (
        lambda counts, q, K: np.log(_rows(counts)),
        "That is log p(w | c), an optimum of the softmax. Noise is missing.",
    ),
    (
        lambda counts, q, K: -_optimum(counts, q, K),
        "The sign is turned: that is the logarithm of no over yes.",
    ),
    (
        lambda counts, q, K: np.exp(_optimum(counts, q, K)),
        "That is yes over no. The score is its logarithm.",
    ),
    (
        lambda counts, q, K: special.expit(_optimum(counts, q, K)),
        (
            "That is sigma of the best score, the share of yes among the answers. The score "
            "itself is asked for."
        ),
    ),
    (
        lambda counts, q, K: _optimum(counts, q, K) / math.log(2),
        "That is with log2. Take the natural logarithm.",
    ),
    (
        lambda counts, q, K: np.log(_rows(counts)) + np.log(K * array(q)),
        "The noise is added. Being asked about as noise pushes a score down: subtract log K q(w).",
    ),
    (
        lambda counts, q, K: np.log(_rows(counts)) - K * np.log(array(q)),
        "That is K times log q(w). K multiplies q(w) inside the logarithm.",
    ),
    (
        lambda counts, q, K: _optimum(counts, q, K) - np.log(1 - _rows(counts)),
        "That is the optimum when hits are skipped. Here they are kept: every draw asks.",
    ),
)


# 8.2: pointwise mutual information ----------------------------------------------------------------


def _tables(generator):
    yield lambda: (_pairs(generator, 2, 3),)
    while True:
        yield (_pairs(generator, integer(generator, 2, 4), integer(generator, 2, 6)),)


def _pmi(counts):
    p = _whole(counts)
    return np.log(p / np.outer(p.sum(axis=1), p.sum(axis=0)))


PMI = (
    (
        lambda counts: _pmi(counts) / math.log(2),
        "That is in bits, with log2. The natural logarithm is asked for.",
    ),
    (
        lambda counts: np.log(_rows(counts)),
        "That is log p(w | c). Divide by p(w): how frequent is w anywhere?",
    ),
    (
        lambda counts: np.log(_whole(counts) / _whole(counts).sum(axis=0)),
        "That is log p(c | w). Divide by p(c): how frequent is c anywhere?",
    ),
    (lambda counts: np.log(_whole(counts)), "That is log p(c, w). Divide by p(c) and by p(w)."),
    (
        lambda counts: _pmi(counts) - math.log(array(counts).sum()),
        (
            "The counts are divided by the sums of row and column, but they are not shares: once "
            "the sum of all is missing."
        ),
    ),
    (
        lambda counts: -_pmi(counts),
        "The sign is turned: pairs more frequent than by chance have a positive PMI.",
    ),
    (lambda counts: np.exp(_pmi(counts)), "That is the ratio. PMI is its logarithm."),
    (
        lambda counts: np.maximum(_pmi(counts), 0),
        "Negative values were cut off at 0: that is positive PMI. Here they stay.",
    ),
    (
        lambda counts: _whole(counts) * _pmi(counts),
        "Weighted by p(c, w): those are the terms of the mutual information. PMI has no weight.",
    ),
    (
        lambda counts: (_whole(counts) * _pmi(counts)).sum(),
        "That is the mutual information of the whole table, one number. PMI is one for each pair.",
    ),
    (
        lambda counts: _pmi(counts).T,
        "The table is turned: rows are centre words, columns are words beside them.",
    ),
)


# 8.3: divergence before and after -----------------------------------------------------------------


def _truth_and_scores(generator):
    """p (V,) with one zero, scores (V,) with one decimal, q (V,) and K."""

    def draw(V):
        p = shares(generator, V, 12)
        p[integer(generator, 0, V - 1)] = 0
        scores = torch.round(torch.randn(V, dtype=torch.float64, generator=generator), decimals=1)
        return p / p.sum(), scores, shares(generator, V, 12), integer(generator, 2, 5)

    yield lambda: draw(3)
    while True:
        yield draw(integer(generator, 3, 6))


def _softmax(scores):
    return special.softmax(array(scores))


def _corrected(scores, q, K):
    return array(scores) + np.log(K * array(q))


def _both(divergence, p, scores, q, K):
    return np.array([divergence(array(p), _softmax(s)) for s in (scores, _corrected(scores, q, K))])


def _divergences(p, scores, q, K):
    return _both(stats.entropy, p, scores, q, K)


def _with_shift(shift):
    """The second number with another correction."""
    return lambda p, scores, q, K: np.array(
        [
            _divergences(p, scores, q, K)[0],
            stats.entropy(array(p), _softmax(array(scores) + shift(array(q), K))),
        ]
    )


def _naive(p, P):
    with np.errstate(all="ignore"):
        return (p * np.log(p / P)).sum()


DIVERGENCES = (
    (
        lambda *case: _both(_naive, *case),
        "0 times log 0 came out as nan. A word with p = 0 adds 0: leave it out.",
    ),
    (
        lambda *case: _both(lambda p, P: stats.entropy(P, p), *case),
        (
            "The two sides are exchanged: the truth p is the weight and stands on top. (Where it "
            "is 0, this is infinite.)"
        ),
    ),
    (
        lambda *case: _divergences(*case)[::-1],
        "The two numbers are in the wrong order: before, then after.",
    ),
    (
        _with_shift(lambda q, K: -np.log(K * q)),
        "The second is corrected the wrong way: log K q(w) is added back.",
    ),
    (
        _with_shift(lambda q, K: K * q),
        "The second has K q(w) added to the scores. Its logarithm is to be added.",
    ),
    (
        _with_shift(lambda q, K: math.log(K)),
        (
            "Both are the same, since only a constant was added, which a softmax does not feel: "
            "q(w) is missing."
        ),
    ),
    (
        lambda p, scores, q, K: _divergences(p, scores, q, K)[1] * np.ones(2),
        "Both are corrected. The first is of the scores as they are.",
    ),
    (
        lambda *case: _divergences(*case) / math.log(2),
        "Those are bits. Nats have the natural logarithm.",
    ),
    (
        lambda *case: _both(lambda p, P: -special.xlogy(p, P).sum(), *case),
        "That is the cross-entropy. The divergence is that less the entropy of p.",
    ),
    (lambda *case: -_divergences(*case), "The sign is turned: a divergence is never negative."),
    (
        lambda *case: _divergences(*case) / len(case[0]),
        "Divided by V. The p(w) are the weights already: a sum.",
    ),
    (
        lambda p, scores, q, K: np.array(
            [
                special.rel_entr(array(p), special.expit(s)).sum()
                for s in (array(scores), _corrected(scores, q, K))
            ]
        ),
        "That is with sigma of the scores, which does not sum to 1. Take the softmax.",
    ),
    (
        lambda *case: -np.diff(_divergences(*case))[0],
        "That is what the correction gains. Both numbers are asked for.",
    ),
)


# 8.4: the variance of a mean of draws -------------------------------------------------------------


def _values(generator):
    def draw(V):
        x = torch.round(
            2 * torch.randn(V, dtype=torch.float64, generator=generator) + 1, decimals=1
        )
        return x, shares(generator, V, 12), integer(generator, 2, 9)

    yield lambda: draw(3)
    while True:
        x, q, K = draw(integer(generator, 2, 6))
        yield x, q, integer(generator, 1, K)


def _of_one(x, q):
    x = array(x)
    q = array(q)
    return q @ (x - q @ x) ** 2


def _of_mean(x, q, K):
    return _of_one(x, q) / K


VARIANCE = (
    (lambda x, q, K: _of_one(x, q), "That is the variance of one draw. A mean of K varies less."),
    (
        lambda x, q, K: _of_one(x, q) * K,
        "That is the variance of the sum of K draws. The mean is asked for.",
    ),
    (
        lambda x, q, K: _of_one(x, q) / K**2,
        "Divided once too often: first the variances of K draws add up.",
    ),
    (
        lambda *case: math.sqrt(_of_mean(*case)),
        "That is the standard deviation, the root of the variance.",
    ),
    (
        lambda x, q, K: array(x).var() / K,
        "Every word has the same weight here. They are drawn from q.",
    ),
    (
        lambda x, q, K: array(x).var(ddof=1) / K,
        (
            "Every word has the same weight here, and the sum is divided by V - 1. They are drawn "
            "from q: weight by it."
        ),
    ),
    (
        lambda x, q, K: array(q) @ array(x) ** 2 / K,
        "That is the mean square. Subtract the square of the mean.",
    ),
    (
        lambda x, q, K: array(q) @ (array(x) - array(x).mean()) ** 2 / K,
        "The deviations are from the plain mean. The mean of a draw is weighted by q.",
    ),
    (
        lambda x, q, K: _of_one(x, q) / math.sqrt(K),
        (
            "Divided by the root of K: that is how the standard deviation falls. The variance "
            "falls as 1/K."
        ),
    ),
    (
        lambda x, q, K: (array(q) @ array(x) ** 2 - array(q) @ array(x)) / K,
        "Subtract the square of the mean, not the mean.",
    ),
    (lambda x, q, K: array(q) @ array(x), "That is the mean of a draw. Its variance is asked for."),
)


# 8.5: the optimum, hits drawn again ---------------------------------------------------------------


def _redrawn(
    counts, q, K, divide=lambda q, o, w: 1 - q[o], drawn=lambda q, w: q[w], all_words=False
):
    """Word by word, over the context words that let w be drawn.

    The options make the known mistakes.
    """
    p = _rows(counts)
    q = array(q)
    V = range(len(q))
    asked = [
        [sum(row[o] / divide(q, o, w) for o in V if all_words or o != w) * drawn(q, w) for w in V]
        for row in p
    ]
    return np.log(p) - np.log(K * np.array(asked))


REDRAWN = (
    (
        _optimum,
        "That is the optimum when hits are kept. A draw that is drawn again goes to another word.",
    ),
    (
        lambda counts, q, K: _optimum(counts, q, K) - np.log(1 - _rows(counts)),
        (
            "That is the optimum when hits are skipped: their chance is lost. Drawn again, it "
            "goes to the other words."
        ),
    ),
    (
        lambda *case: _redrawn(*case, all_words=True),
        "The sum has one term too many: where the context word is w itself, w is never drawn.",
    ),
    (
        lambda *case: _redrawn(*case, divide=lambda q, o, w: 1 - q[w]),
        (
            "Divided by 1 - q of the drawn word. What is excluded is the context word o, so its 1 "
            "- q(o) divides."
        ),
    ),
    (
        lambda *case: _redrawn(*case, divide=lambda q, o, w: 1 / (1 - q[o])),
        "Multiplied by 1 - q(o). The words that are left share the whole chance: divide.",
    ),
    (lambda counts, q, K: _redrawn(counts, q, 1), "K is missing: K words are drawn for each pair."),
    (lambda *case: _redrawn(*case, drawn=lambda q, w: 1), "q(w) in front of the sum is missing."),
    (lambda *case: -_redrawn(*case), "The sign is turned: that is the logarithm of no over yes."),
    (lambda *case: np.exp(_redrawn(*case)), "That is yes over no. The score is its logarithm."),
    (
        lambda counts, q, K: (
            _redrawn(counts, q, K) - np.log(array(counts).sum(axis=1, keepdims=True))
        ),
        "Yes is a share, but no was summed over counts: take shares in both.",
    ),
    (
        lambda counts, q, K: (
            _redrawn(counts, q, K) + np.log(array(counts).sum(axis=1, keepdims=True))
        ),
        "Yes is a count, but no was summed over shares: take shares in both.",
    ),
)


EXERCISES = {
    "8.1": (_counts_q_K, _optimum, OPTIMUM),
    "8.2": (_tables, _pmi, PMI),
    "8.3": (_truth_and_scores, _divergences, DIVERGENCES),
    "8.4": (_values, _of_mean, VARIANCE),
    "8.5": (_counts_q_K, _redrawn, REDRAWN),
}
