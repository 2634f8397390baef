"""The exercises of lesson 01: probabilities, loss and gradients of the full softmax."""

import math

import numpy as np
import torch
from scipy import special

from utils.exercises.cases import integer, vectors
from utils.exercises.values import array


def _pairs(generator):
    """Fresh U (V, d), v_c (d,) and a context word o, small ones first.

    V and d differ, so axes cannot be confused.
    """
    for V, d in [(3, 2), (5, 2), (4, 3)]:
        yield *vectors(generator, V, d), integer(generator, 0, V - 1)
    while True:
        V = integer(generator, 4, 8)
        d = integer(generator, 1, 3)
        yield *vectors(generator, V, d), integer(generator, 0, V - 1)


def _without_word(generator):
    for U, v_c, _ in _pairs(generator):
        yield U, v_c


def _large_scores(generator):
    """Scores so large that a plain exponential overflows or vanishes.

    In the second case P of the word o is 0.
    """

    def draw():
        n = integer(generator, 2, 5)
        scores = 1500 * torch.randn(n, dtype=torch.float64, generator=generator)
        return torch.round(scores, decimals=1), integer(generator, 0, n - 1)

    yield torch.tensor([1000.0, 1001.0], dtype=torch.float64), 0
    scores, o = draw()
    while scores.max() - scores[o] < 800:  # exp(-745) is the smallest number above 0
        scores, o = draw()
    yield scores, o
    while True:
        yield draw()


# 1.1 and 1.2: probabilities and loss --------------------------------------------------------------


def _softmax(U, v_c):
    return special.softmax(array(U @ v_c))


SOFTMAX = (
    (lambda U, v_c: U @ v_c, "Those are the scores. Probabilities are positive and sum to 1."),
    (
        lambda U, v_c: (U @ v_c).exp(),
        "The exponentials are there, but they do not sum to 1 yet: normalise.",
    ),
    (
        lambda U, v_c: torch.log_softmax(U @ v_c, 0),
        "Those are the logarithms of the probabilities.",
    ),
    (
        lambda U, v_c: (U @ v_c) / (U @ v_c).sum(),
        "Normalised, but without the exponential. Shares of plain scores can be negative.",
    ),
    (
        lambda U, v_c: torch.softmax(-(U @ v_c), 0),
        "The sign of the score is turned: a high score must be likely.",
    ),
    (
        lambda U, v_c: torch.softmax(U, 0) @ v_c,
        "The softmax comes after the dot product with v_c, not before.",
    ),
    (
        lambda U, v_c: torch.softmax(U @ v_c, 0).max(),
        "That is one probability; every word needs one: shape (V,).",
    ),
    (
        lambda U, v_c: (U @ v_c).exp() / (U @ v_c).exp().max(),
        "Divided by the largest instead of by the sum: they do not sum to 1.",
    ),
)


def _loss(U, v_c, o):
    return -math.log(_softmax(U, v_c)[o])


LOSS = (
    (
        lambda *case: -_loss(*case),
        "The sign is turned: a loss is minus the logarithm, so never negative.",
    ),
    (
        lambda *case: _loss(*case) / math.log(2),
        "That is in bits (base 2). The course counts in nats.",
    ),
    (lambda *case: _loss(*case) / math.log(10), "That is in base 10. The course counts in nats."),
    (
        lambda U, v_c, o: _softmax(U, v_c)[o],
        "That is the probability itself; the loss is minus its logarithm.",
    ),
    (
        lambda U, v_c, o: -(U @ v_c)[o],
        "The sum over all words is missing: the second term of 15.1.7.",
    ),
    (
        lambda U, v_c, o: torch.logsumexp(U @ v_c, 0),
        "The score of the word we saw is missing: the first term.",
    ),
    (
        lambda U, v_c, o: -np.log(_softmax(U, v_c)).mean(),
        "A mean over all words; only the word o was seen.",
    ),
    (
        lambda U, v_c, o: -math.log(_softmax(U, v_c).max()),
        "That is the loss of the likeliest word; the word we saw is o.",
    ),
    (lambda U, v_c, o: _loss(U, v_c, 0), "Always the word 0? The word we saw is o."),
    (
        lambda U, v_c, o: _loss(U, v_c, (o - 1) % len(U)),
        "Off by one: ids count from 0, so word o is at index o.",
    ),
    (
        lambda U, v_c, o: _loss(U, v_c, (o + 1) % len(U)),
        "Off by one: ids count from 0, so word o is at index o.",
    ),
)


# 1.3 and 1.4: gradients ---------------------------------------------------------------------------


def _one_hot(U, o):
    return np.eye(len(U))[o]


def _errors(U, v_c, o):
    return _softmax(U, v_c) - _one_hot(U, o)


def _in_v(U, v_c, o):
    return _errors(U, v_c, o) @ array(U)


def _in_u(U, v_c, o):
    return np.outer(_errors(U, v_c, o), array(v_c))


IN_V = (
    (
        lambda *case: -_in_v(*case),
        (
            "The sign is turned: that is the gradient of log P, 15.1.8; the loss has the opposite "
            "sign."
        ),
    ),
    (
        lambda U, v_c, o: -U[o],
        "Only the observed vector: the expected one, a sum over all words, is missing.",
    ),
    (
        lambda U, v_c, o: _softmax(U, v_c) @ array(U),
        "Only the expected vector: the observed one is missing.",
    ),
    (
        lambda U, v_c, o: U.mean(0) - U[o],
        "The expected vector weights each row by its probability; here all rows weigh the same.",
    ),
    (
        lambda U, v_c, o: (U @ v_c).exp() @ U - U[o],
        "The weights do not sum to 1: they must be the probabilities.",
    ),
    (_in_u, "That is the gradient in U, one row a word; the centre vector has d numbers."),
    (
        lambda U, v_c, o: _softmax(U, v_c) @ array(U) - array(v_c),
        "The observed vector is the context word's row of U, not the centre vector.",
    ),
    (
        lambda U, v_c, o: _in_v(U, v_c, o) / len(U),
        "A factor 1/V too much: the expectation is already a weighted mean.",
    ),
)

IN_U = (
    (
        lambda *case: -_in_u(*case),
        (
            "The sign is turned: the row we saw must move towards v_c when we take a step against "
            "the gradient."
        ),
    ),
    (
        lambda U, v_c, o: np.outer(_softmax(U, v_c), array(v_c)),
        "All rows are right but the one we saw: what should its probability have been?",
    ),
    (
        lambda U, v_c, o: -np.outer(_one_hot(U, o), array(v_c)),
        "Only the row o moves here; every row has an error.",
    ),
    (
        lambda U, v_c, o: np.outer(_one_hot(U, o) * _errors(U, v_c, o), array(v_c)),
        "Only the row o moves here; every row has an error.",
    ),
    (
        lambda U, v_c, o: np.outer(_softmax(U, v_c), array(v_c)) - _one_hot(U, o)[:, None],
        "The 1 is taken from the error, before the error is multiplied with v_c.",
    ),
    (lambda *case: _in_u(*case).T, "Transposed: one row a word, shape (V, d)."),
    (
        lambda U, v_c, o: _errors(U, v_c, o)[:, None] * array(U),
        (
            "The error is multiplied with the vector on the other side of the dot product, which "
            "is v_c, not u_i."
        ),
    ),
    (_in_v, "That is the gradient in v_c; U has a row for each word."),
    (_errors, "Those are the errors; each is still to be multiplied with a vector."),
)


# 1.5: a loss that does not overflow ---------------------------------------------------------------


def _stable(scores, o):
    return special.logsumexp(array(scores)) - float(scores[o])


def _plain(scores, o):
    with np.errstate(all="ignore"):
        e = np.exp(array(scores))
        return -np.log(e[o] / e.sum())


OVERFLOW = (
    "exp(1000) is infinite in floating point. What happens to P if the same number is added to "
    "all scores?"
)

STABLE = (
    (
        lambda scores, o: -torch.softmax(scores, 0)[o].log(),
        "No exponential overflows any more, but here P of the word o is so small that it became "
        "0, and its logarithm is "
        "minus infinity. Take the logarithm before dividing: 15.1.7 is a difference, not a "
        "quotient.",
    ),
    (_plain, OVERFLOW),
    (lambda scores, o: scores.exp().sum().log() - scores[o], OVERFLOW),
    (
        lambda scores, o: torch.logsumexp(scores, 0) - (scores[o] - scores.max()),
        "The constant is right but counted twice: either subtract it from both terms, or add it "
        "back to the logarithm "
        "only.",
    ),
    (
        lambda scores, o: scores[o] - torch.logsumexp(scores, 0),
        "The sign is turned: a loss is never negative.",
    ),
    (
        lambda scores, o: scores.max() - scores[o],
        (
            "Nearly: the largest score alone is only the largest term of the sum. It is exact "
            "when one word dominates."
        ),
    ),
    (
        lambda scores, o: torch.logsumexp(scores - scores.max(), 0) - scores[o],
        (
            "The constant that was subtracted from the sum must be subtracted from the score of o "
            "as well."
        ),
    ),
    (lambda scores, o: torch.logsumexp(scores, 0), "The score of the word we saw is missing."),
    (
        lambda scores, o: (torch.logsumexp(scores, 0) - scores[o]) / math.log(2),
        "That is in bits; the course counts in nats.",
    ),
)


EXERCISES = {
    "1.1": (_without_word, _softmax, SOFTMAX),
    "1.2": (_pairs, _loss, LOSS),
    "1.3": (_pairs, _in_v, IN_V),
    "1.4": (_pairs, _in_u, IN_U),
    "1.5": (_large_scores, _stable, STABLE),
}
