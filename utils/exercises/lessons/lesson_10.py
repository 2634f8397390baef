"""The exercises of lesson 10.

The corrected losses of one family, their gradients, and what stands for what in a sample.
"""

import numpy as np
import torch
from scipy.special import expit, log_expit, logsumexp, softmax

from utils.exercises.cases import integer, shares, vectors
from utils.exercises.values import array

# 10.1: the loss of NCE ----------------------------------------------------------------------------


def _scored(generator):
    """Scores (K + 1,) and q (K + 1,) of the true word and K noise words."""

    def draw(K):
        scores = torch.randn(K + 1, dtype=torch.float64, generator=generator)
        return scores.round(decimals=2), shares(generator, K + 3, 40)[: K + 1]

    yield lambda: draw(2)
    while True:
        yield draw(integer(generator, 2, 5))


def _nce(scores, q, correction=lambda K, q: np.log(K * q), no=lambda s: log_expit(-s)):
    scores = array(scores)
    corrected = scores - correction(len(scores) - 1, array(q))
    return -log_expit(corrected[0]) - no(corrected[1:]).sum()


NCE = (
    (
        lambda scores, q: _nce(scores, q, lambda K, q: 0),
        "That is negative sampling: log(K q) is not subtracted.",
    ),
    (
        lambda scores, q: _nce(scores, q, lambda K, q: np.log(q)),
        "K is missing. In a softmax log K would cancel; here it does not.",
    ),
    (
        lambda scores, q: _nce(scores, q, lambda K, q: -np.log(K * q)),
        "The correction is added. A rare word then scores less for being rare: subtract it.",
    ),
    (
        lambda scores, q: _nce(scores, q, lambda K, q: np.log((K + 1) * q)),
        "K + 1 words are asked about, but only K of them are drawn: log(K q).",
    ),
    (
        lambda scores, q: _nce(scores, q, lambda K, q: np.log(K * q) * (np.arange(K + 1) > 0)),
        "Only the noise words are corrected. The true word gets its log(K q), too.",
    ),
    (
        lambda scores, q: _nce(scores, q, no=lambda s: log_expit(s)),
        "The noise words are told yes. Theirs is the sign minus.",
    ),
    (
        lambda scores, q: -_nce(scores, q),
        "The sign is turned: a loss is minus the logarithm.",
    ),
)


# 10.2: the gradient of sampled softmax ------------------------------------------------------------


def _drawn(generator):
    """U (K + 1, d), v_c (d,), q (K + 1,)."""

    def draw(K, d):
        return *vectors(generator, K + 1, d), shares(generator, K + 3, 40)[: K + 1]

    yield lambda: draw(2, 2)
    while True:
        yield draw(integer(generator, 2, 4), integer(generator, 2, 4))


def _in_v(U, v_c, q, correction=lambda q: np.log(q), error=lambda share: share):
    U = array(U)
    share = error(softmax(U @ array(v_c) - correction(array(q))))
    return share @ U - U[0]


IN_V = (
    (
        lambda *case: _in_v(*case, correction=lambda q: 0),
        "The correction is missing: subtract log(K q) from each score first.",
    ),
    (
        lambda *case: _in_v(*case, correction=lambda q: -np.log(q)),
        "The correction is added. It has to be subtracted.",
    ),
    (
        lambda *case: _in_v(*case, correction=lambda q: np.log(q) * (np.arange(len(q)) > 0)),
        "The true word is not corrected here. With hits kept it gets its log(K q), too.",
    ),
    (
        lambda *case: -_in_v(*case),
        "The sign is turned: that is the move. The gradient of the loss is asked for.",
    ),
    (
        lambda U, v_c, q: _in_v(U, v_c, q) + array(U)[0],
        "The 1 of the true word is missing: its error is its share minus 1.",
    ),
    (
        lambda U, v_c, q: _in_v(U, v_c, q, error=lambda share: expit(array(U) @ array(v_c))),
        "These are the errors of yes-or-no questions. Here one softmax asks which one.",
    ),
    (
        lambda U, v_c, q: _in_v(U, v_c, q, correction=lambda q: q),
        "q itself is subtracted. Take its logarithm.",
    ),
)


# 10.3: the batch as noise -------------------------------------------------------------------------


def _batches(generator):
    """X (B, d), Y (B, d), q (B,)."""

    def draw(B, d):
        return vectors(generator, B, d)[0], vectors(generator, B, d)[0], shares(generator, B, 30)

    yield lambda: draw(3, 2)
    while True:
        yield draw(integer(generator, 3, 5), integer(generator, 2, 4))


def _info_nce(X, Y, q, correction=lambda q: np.log(q), axis=1):
    scores = array(X) @ array(Y).T - correction(array(q))
    return logsumexp(scores, axis=axis) - np.diag(scores)


INFO_NCE = (
    (
        lambda *case: _info_nce(*case, correction=lambda q: 0),
        (
            "The correction is missing, or it is one number for a whole row, which changes "
            "nothing. Each column has its own log q."
        ),
    ),
    (
        lambda *case: _info_nce(*case, correction=lambda q: -np.log(q)),
        "The correction is added. Subtract log q.",
    ),
    (
        lambda *case: _info_nce(*case, axis=0),
        "The sum runs over the centres. For each centre it runs over the items, a row's columns.",
    ),
    (
        lambda *case: _info_nce(*case).mean(),
        "The mean over the batch. The loss of each pair is asked for, (B,).",
    ),
    (
        lambda *case: -_info_nce(*case),
        "The sign is turned: a loss is minus the logarithm of the share.",
    ),
)


# 10.4: the log-uniform sampler --------------------------------------------------------------------


def _ranked(generator):
    """Ranks (n,), from 0, and V."""

    def draw(V, n):
        return torch.randperm(V, generator=generator)[:n], V

    yield lambda: draw(6, 3)
    while True:
        V = integer(generator, 5, 40)
        yield draw(V, integer(generator, 2, 5))


def _log_uniform(ranks, V, shift=1, whole=lambda V: np.log(V + 1)):
    ranks = array(ranks).astype(float)
    return np.log((ranks + shift + 1) / (ranks + shift)) / whole(V)


LOG_UNIFORM = (
    (
        lambda ranks, V: _log_uniform(ranks, V, whole=lambda V: np.log(V)),
        "They do not sum to 1: the product of all (c + 2) / (c + 1) is V + 1.",
    ),
    (
        lambda ranks, V: _log_uniform(ranks, V, shift=2),
        "The ranks are counted from 1 here. They begin at 0.",
    ),
    (
        lambda ranks, V: _log_uniform(ranks, V, whole=lambda V: 1),
        "Not normalised: divide by log(V + 1).",
    ),
    (
        lambda ranks, V: 1 / (array(ranks) + 1.0) / (1 / np.arange(1.0, V + 1)).sum(),
        "That is Zipf's law itself, 1 / rank. Log-uniform is close to it, and has no sum.",
    ),
    (
        lambda ranks, V: np.full(len(ranks), 1 / V),
        "That is uniform. Frequent words are drawn more often here.",
    ),
)


# 10.5: a certain word -----------------------------------------------------------------------------


def _samples(generator):
    """Scores (V,), q (V,), the true word o, and K draws, hits among them."""

    def draw(V, K):
        q = shares(generator, V, 40)
        scores = torch.randn(V, dtype=torch.float64, generator=generator).round(decimals=2)
        o = integer(generator, 0, V - 1)
        drawn = torch.multinomial(q, K, replacement=True, generator=generator)
        drawn[0] = o
        drawn[-1] = (o + 1) % V
        return scores, q, o, drawn

    yield lambda: draw(5, 4)
    while True:
        yield draw(integer(generator, 4, 8), integer(generator, 4, 9))


def _estimate(
    scores,
    q,
    o,
    drawn,
    own=lambda scores, q, o, K: np.exp(scores[o]),
    keep=False,
    share=lambda K, others: K,
):
    scores, q, drawn = map(array, (scores, q, drawn))
    K = len(drawn)
    others = drawn if keep else drawn[drawn != o]
    rest = (np.exp(scores[others]) / q[others]).sum() / share(K, len(others))
    true = own(scores, q, o, K)
    return true / (true + rest)


ESTIMATE = (
    (
        lambda *case: _estimate(*case, own=lambda s, q, o, K: np.exp(s[o]) / (K * q[o])),
        "The true word gets a log(K q), as if it had been drawn. It is certain.",
    ),
    (
        lambda *case: _estimate(*case, keep=True),
        "Draws that equal the true word are counted on top of it. Leave them out.",
    ),
    (
        lambda *case: _estimate(*case, share=lambda K, others: others),
        "Divided by the draws that are left. K were drawn; a hit stands for none of the rest.",
    ),
    (
        lambda *case: _estimate(*case, share=lambda K, others: 1),
        "Not divided by K: each draw stands for 1 / (K q) words.",
    ),
    (
        lambda scores, q, o, drawn: _estimate(scores, torch.ones_like(q), o, drawn),
        "q is missing: a word that is drawn often stands for fewer words.",
    ),
    (
        lambda scores, q, o, drawn: softmax(array(scores))[o],
        "That is exact, from all V scores. Estimate it from the draws.",
    ),
)


EXERCISES = {
    "10.1": (_scored, lambda scores, q: _nce(scores, q), NCE),
    "10.2": (_drawn, lambda U, v_c, q: _in_v(U, v_c, q), IN_V),
    "10.3": (_batches, lambda X, Y, q: _info_nce(X, Y, q), INFO_NCE),
    "10.4": (_ranked, lambda ranks, V: _log_uniform(ranks, V), LOG_UNIFORM),
    "10.5": (_samples, lambda scores, q, o, drawn: _estimate(scores, q, o, drawn), ESTIMATE),
}
