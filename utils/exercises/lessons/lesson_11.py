"""The exercises of lesson 11.

The softmax in pieces, and a tree of two storeys.
"""

import numpy as np
import torch
from scipy.special import log_softmax, logsumexp

from utils.exercises.cases import counts, integer, vectors
from utils.exercises.values import array

# 11.1: two pieces ---------------------------------------------------------------------------------


def _pieces(generator):
    """The largest score and the sum of exp(s - largest), of each piece; the largest may be huge."""

    def draw(n, base):
        largest = base + torch.randn(n, dtype=torch.float64, generator=generator)
        sums = 1 + 3 * torch.rand(n, dtype=torch.float64, generator=generator)
        return largest.round(decimals=2), sums.round(decimals=2)

    yield lambda: draw(2, 0.0)
    while True:
        yield draw(integer(generator, 2, 4), float(integer(generator, 0, 1) * 2000))


def _log_sum(largest, sums):
    return logsumexp(array(largest), b=array(sums))


LOG_SUM = (
    (
        lambda largest, sums: array(largest).max() + np.log(array(sums).sum()),
        "The pieces have different largest scores: scale each sum by exp(largest - overall).",
    ),
    (
        lambda largest, sums: (array(largest) + np.log(array(sums))).sum(),
        "Logarithms of the pieces are added. Their exponentials have to be.",
    ),
    (
        lambda largest, sums: logsumexp(array(largest)),
        "The sums are missing: each piece holds more than its largest score.",
    ),
    (
        lambda largest, sums: np.exp(_log_sum(largest, sums) - array(largest).max()),
        "The logarithm, and the largest score with it, are missing at the end.",
    ),
    (
        lambda largest, sums: np.log(
            (array(sums) * np.exp(array(largest) - array(largest).max())).sum()
        ),
        "The overall largest score was taken out and not put back: add it to the logarithm.",
    ),
)


# 11.2: the error of a piece -----------------------------------------------------------------------


def _one_piece(generator):
    """U (size, d), v_c (d,), log_Z, o, start: the true word in the piece, before or after it."""

    def draw(size, d, place):
        U, v_c = vectors(generator, size, d)
        start = integer(generator, 3, 9)
        o = {
            "within": start + integer(generator, 0, size - 1),
            "before": start - 1,
            "after": start + size + 1,
        }[place]
        log_Z = logsumexp((U @ v_c).numpy()) + 0.5
        return U, v_c, float(log_Z), o, start

    yield lambda: draw(3, 2, "within")
    while True:
        for place in ("before", "after", "within"):
            yield draw(integer(generator, 2, 4), integer(generator, 2, 4), place)


def _piece(U, v_c, log_Z, o, start, label=1.0, place=lambda o, start: o - start):
    U, v_c = map(array, (U, v_c))
    error = np.exp(U @ v_c - log_Z)
    k = place(o, start)
    if 0 <= k < len(U):
        error[k] -= label
    return error @ U


PIECE = (
    (
        lambda *case: _piece(*case, label=0.0),
        "Where the true word lies in the piece, its error is P - 1.",
    ),
    (
        lambda *case: -_piece(*case),
        "The sign is turned: the gradient of the loss is asked for.",
    ),
    (
        lambda U, v_c, log_Z, o, start: _piece(
            U, v_c, float(logsumexp(array(U) @ array(v_c))), o, start
        ),
        "Normalised within the piece. log Z belongs to the whole vocabulary.",
    ),
    (
        lambda *case: _piece(*case, place=lambda o, start: 0),
        "The piece's first row is taken for the true word's. Its row is o - start, if any.",
    ),
)


# 11.3: two storeys --------------------------------------------------------------------------------


def _storeys(generator):
    """head (h + 2,), first (m,), second (n,)."""

    def draw(h, m, n):
        numbers = torch.randn(h + 2 + m + n, dtype=torch.float64, generator=generator)
        return tuple(part.round(decimals=2) for part in numbers.split([h + 2, m, n]))

    yield lambda: draw(2, 3, 2)
    while True:
        yield draw(*(integer(generator, 2, 4) for _ in range(3)))


def _two_storeys(head, first, second, swap=False, within=log_softmax):
    head = log_softmax(array(head))
    clusters = head[-2:][::-1] if swap else head[-2:]
    parts = [cluster + within(array(tail)) for cluster, tail in zip(clusters, (first, second))]
    return np.concatenate([head[:-2], *parts])


STOREYS = (
    (
        lambda *case: _two_storeys(*case, swap=True),
        "The clusters are exchanged: the head's last but one score is the first cluster's.",
    ),
    (
        lambda *case: _two_storeys(*case, within=lambda tail: tail),
        "The scores within a cluster are not normalised: take their own log-softmax.",
    ),
    (
        lambda head, first, second: log_softmax(
            np.concatenate([array(head)[:-2], array(first), array(second)])
        ),
        "One softmax over all words. There are two storeys, each with its own.",
    ),
    (
        lambda *case: np.exp(_two_storeys(*case)),
        "Those are the probabilities. Their logarithms are asked for.",
    ),
    (
        lambda head, first, second: np.concatenate(
            [log_softmax(array(head)[:-2]), log_softmax(array(first)), log_softmax(array(second))]
        ),
        "The clusters' own probabilities are missing: add the cluster's logarithm to its words'.",
    ),
)


# 11.4: where to cut -------------------------------------------------------------------------------


def _counted(generator):
    def draw(V):
        return (counts(generator, V).sort(descending=True).values,)

    yield lambda: draw(4)
    while True:
        yield draw(integer(generator, 4, 9))


def _per_cut(values, rows=1, share=lambda p, h: p[h:].sum(), whole=False):
    p = array(values) / array(values).sum()
    V = len(p)
    heads = np.arange(1, V)
    size = V if whole else V - heads
    return heads + rows + np.array([share(p, h) for h in heads]) * size


CUT = (
    (
        lambda counts: _per_cut(counts, rows=0),
        "The head has one row more than words: the cluster's.",
    ),
    (
        lambda counts: _per_cut(counts, share=lambda p, h: 1.0),
        "The cluster is scored for every pair here. Only pairs with a word of it need it.",
    ),
    (
        lambda counts: _per_cut(counts, share=lambda p, h: p[:h].sum()),
        "That is the share of the head's words. The cluster is hit by all the others.",
    ),
    (
        lambda counts: _per_cut(counts, share=lambda p, h: (len(p) - h) / len(p)),
        "A share of the words, not of the text: weight by the counts.",
    ),
    (
        lambda counts: _per_cut(counts, whole=True),
        "Within the cluster only its own words are scored, V minus the head.",
    ),
)


EXERCISES = {
    "11.1": (_pieces, lambda largest, sums: _log_sum(largest, sums), LOG_SUM),
    "11.2": (
        _one_piece,
        lambda U, v_c, log_Z, o, start: _piece(U, v_c, log_Z, o, start),
        PIECE,
    ),
    "11.3": (_storeys, lambda head, first, second: _two_storeys(head, first, second), STOREYS),
    "11.4": (_counted, lambda counts: _per_cut(counts), CUT),
}
