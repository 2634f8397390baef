"""The exercises of lesson 02.

Loss, errors and gradient of negative sampling, and what it is on average.
"""

import math

import numpy as np
import torch
from scipy import special

from utils.exercises.cases import clear_vectors, integer, shares
from utils.exercises.values import array


def _pairs(generator):
    """Fresh U (V, d), v_c (d,), a context word o and K noise words, small ones first.

    The first case has a noise word drawn twice and a draw that equals o; V, d, K and K + 1 all
    differ.
    """
    U, v_c = clear_vectors(generator, 5, 2)
    o, other = torch.randperm(5, generator=generator)[:2].tolist()
    order = torch.randperm(3, generator=generator).tolist()
    yield U, v_c, o, [[other, other, o][k] for k in order]
    while True:
        V, d, K = _sizes(generator)
        U, v_c = clear_vectors(generator, V, d)
        o, *negatives = torch.randint(V, (K + 1,), generator=generator).tolist()
        yield U, v_c, o, negatives


def _with_noise(generator):
    """Fresh U, v_c, o, a noise distribution q (V,) and K.

    No two words have the same probability.
    """

    def draw(V, d, K):
        U, v_c = clear_vectors(generator, V, d)
        q = shares(generator, V, V + 4)
        return U, v_c, integer(generator, 0, V - 1), q, K

    yield lambda: draw(4, 2, 3)
    while True:
        V, d, K = _sizes(generator)
        yield draw(V, d, 5 * K)  # too many noise words to list their draws


def _sizes(generator):
    return integer(generator, 5, 8), integer(generator, 1, 3), integer(generator, 1, 4)


HIT = (
    "A draw that equals the true word was left out. 15.2.6 as written keeps it: it is asked like "
    "any other."
)
TWICE = "A noise word that was drawn twice counts once here. It is asked twice, so it counts twice."


def _without(words, o):
    return [i for i in words if i != o]


# 2.1: the loss ------------------------------------------------------------------------------------


def _scores(U, v_c, ids):
    return array(U)[ids] @ array(v_c)


def _terms(U, v_c, o, negatives):
    """The K + 1 terms of 15.2.6.

    Log(1 + e^-score) for the true word, log(1 + e^score) for the noise words.
    """
    s = _scores(U, v_c, [o, *negatives])
    return np.logaddexp(0, np.append(-s[0], s[1:]))


def _loss(U, v_c, o, negatives):
    return _terms(U, v_c, o, negatives).sum()


LOSS = (
    (
        lambda *case: -_loss(*case),
        "The sign is turned: a loss is minus the logarithm, so never negative.",
    ),
    (
        lambda U, v_c, o, n: np.logaddexp(0, -_scores(U, v_c, [o, *n])).sum(),
        (
            "The noise words are answered with yes: each of their scores needs a minus inside the "
            "sigma."
        ),
    ),
    (
        lambda U, v_c, o, n: np.logaddexp(0, _scores(U, v_c, [o, *n])).sum(),
        "The true word is answered with no as well: its score has no minus inside the sigma.",
    ),
    (
        lambda U, v_c, o, n: (
            np.logaddexp(0, _scores(U, v_c, [o])).sum() + np.logaddexp(0, -_scores(U, v_c, n)).sum()
        ),
        "Yes and no are exchanged: the true word is the yes, the noise words are the no.",
    ),
    (lambda *case: _terms(*case)[0], "Only yes: without the noise words the vectors collapse."),
    (lambda *case: _terms(*case)[1:].sum(), "The term of the true word is missing."),
    (
        lambda *case: math.exp(-_loss(*case)),
        "That is the joint probability, 15.2.5; the loss is minus its logarithm.",
    ),
    (
        lambda *case: _loss(*case) / math.log(2),
        "That is in bits (base 2). The course counts in nats.",
    ),
    (
        lambda *case: _terms(*case)[0] + _terms(*case)[1:].mean(),
        "The noise words are averaged. In 15.2.6 their terms are added up: K questions, K terms.",
    ),
    (
        lambda *case: _terms(*case).mean(),
        "Divided by K + 1. Losses are per pair, never per question.",
    ),
    (lambda U, v_c, o, n: _loss(U, v_c, o, list(set(n))), TWICE),
    (lambda U, v_c, o, n: _loss(U, v_c, o, _without(n, o)), HIT),
    (
        lambda U, v_c, o, n: _terms(U, v_c, o, n)[0] + np.logaddexp(0, _scores(U, v_c, n).sum()),
        (
            "The scores are added before the sigma. Each question has its own sigma and its own "
            "logarithm."
        ),
    ),
    (
        lambda U, v_c, o, n: special.logsumexp(array(U @ v_c)) - float(U[o] @ v_c),
        (
            "That is lesson 01's loss: it asked all the words. Here K + 1 of them are asked, yes "
            "or no."
        ),
    ),
)


# 2.2: the errors ----------------------------------------------------------------------------------


def _sigma(U, v_c, o, negatives):
    return special.expit(_scores(U, v_c, [o, *negatives]))


def _errors(U, v_c, o, negatives, yes=1.0, no=0.0):
    return _sigma(U, v_c, o, negatives) - [yes, *[no] * len(negatives)]


def _by_id(U, v_c, o, negatives):
    return _sigma(U, v_c, o, negatives) - [1, *(i == o for i in negatives)]


def _turned(U, v_c, o, negatives):
    return _errors(U, v_c, o, negatives) * [1, *[-1] * len(negatives)]


BY_ID = "A draw that equals the true word is still a noise question: its label is 0."
TURNED = (
    "The noise words' errors have the wrong sign: an answer above 0 that should have been 0 is an "
    "error above 0."
)

ERRORS = (
    (
        lambda *case: -_errors(*case),
        "The sign is turned: an error is what we said minus what was right.",
    ),
    (
        _sigma,
        "Those are the answers given; the right ones, the labels, are still to be subtracted.",
    ),
    (
        lambda *case: np.roll(_errors(*case), -1),
        "The order: the true word comes first, then the noise words.",
    ),
    (lambda *case: _errors(*case, no=1.0), "Every label is 1 here. A noise word's label is 0."),
    (
        lambda *case: _errors(*case, yes=0.0, no=1.0),
        "The labels are exchanged: the true word's is 1, a noise word's 0.",
    ),
    (_by_id, BY_ID),
    (_turned, TURNED),
    (
        lambda *case: _errors(*case, no=-1.0),
        "Labels are 1 and 0. The -1 is the sign inside the loss, not a label.",
    ),
    (
        lambda U, v_c, o, n: _scores(U, v_c, [o, *n]) - np.eye(len(n) + 1)[0],
        "The scores still need the sigma before the labels are subtracted.",
    ),
    (
        lambda U, v_c, o, n: special.softmax(_scores(U, v_c, [o, *n])) - np.eye(len(n) + 1)[0],
        (
            "That is a softmax over K + 1 words. Here each question has its own sigma, whatever "
            "the others say."
        ),
    ),
    (
        lambda U, v_c, o, n: special.expit(array(U @ v_c)) - np.eye(len(U))[o],
        "All V words were asked. Only the true word and the noise words are: shape (K + 1,).",
    ),
    (
        lambda U, v_c, o, n: np.outer(_errors(U, v_c, o, n), array(v_c)),
        "Those are the errors times the vector already; only the errors are asked for.",
    ),
    (lambda *case: _errors(*case)[1:], "The true word's error is missing: shape (K + 1,)."),
    (
        lambda *case: _sigma(*case) * (1 - _sigma(*case)),
        "That is the slope of sigma. Through the logarithm, sigma - label remains.",
    ),
    (_terms, "Those are the K + 1 terms of the loss; an error is the slope of its term."),
    (lambda U, v_c, o, n: _errors(U, v_c, o, list(dict.fromkeys(n))), TWICE),
    (lambda U, v_c, o, n: _errors(U, v_c, o, _without(n, o)), HIT),
)


# 2.3: the gradient --------------------------------------------------------------------------------


def _added(U, ids, pushes):
    """Zeros of the shape of U; each push is added to the row of its id."""
    total = np.zeros(U.shape)
    np.add.at(total, ids, pushes)
    return total


def _gradient(U, v_c, o, negatives, errors=_errors, **labels):
    return _added(U, [o, *negatives], np.outer(errors(U, v_c, o, negatives, **labels), array(v_c)))


def _overwritten(U, v_c, o, negatives, order=1):
    total = np.zeros(U.shape)
    total[[o, *negatives][::order]] = np.outer(_errors(U, v_c, o, negatives), array(v_c))[::order]
    return total


def _all_rows(U, v_c, o, answer):
    """The gradient if all V words are asked."""
    return np.outer(answer(array(U @ v_c)) - np.eye(len(U))[o], array(v_c))


OVERWRITTEN = (
    "A row that was asked twice keeps only one of its pushes: add to the row, do not overwrite it."
)

GRADIENT = (
    (
        lambda *case: -_gradient(*case),
        "The sign is turned: the true row must move towards v_c when we step down.",
    ),
    (_overwritten, OVERWRITTEN),
    (lambda *case: _overwritten(*case, order=-1), OVERWRITTEN),
    (lambda U, v_c, o, n: _gradient(U, v_c, o, list(set(n))), TWICE),
    (lambda U, v_c, o, n: _gradient(U, v_c, o, _without(n, o)), HIT),
    (
        lambda *case: _gradient(*case, yes=0.0),
        "The true word's label is missing: subtract 1 from its sigma.",
    ),
    (lambda *case: _gradient(*case, no=1.0), "Every label is 1 here. A noise word's label is 0."),
    (
        lambda *case: _gradient(*case, yes=0.0, no=1.0),
        "The labels are exchanged: the true word's is 1, a noise word's 0.",
    ),
    (lambda *case: _gradient(*case, errors=_by_id), BY_ID),
    (lambda *case: _gradient(*case, errors=_turned), TURNED),
    (
        lambda U, v_c, o, n: np.outer(_errors(U, v_c, o, n), array(v_c)),
        "One row a question. Each is still to be added to the row of its word: shape (V, d).",
    ),
    (lambda *case: _gradient(*case).T, "Transposed: one row a word, shape (V, d)."),
    (
        lambda U, v_c, o, n: _added(U, [o, *n], _errors(U, v_c, o, n)[:, None] * array(U)[[o, *n]]),
        (
            "The error is multiplied with the vector on the other side of the dot product, which "
            "is v_c, not u."
        ),
    ),
    (
        lambda U, v_c, o, n: _all_rows(U, v_c, o, special.softmax),
        "That is lesson 01's gradient: every row moves. Here only the rows that were asked do.",
    ),
    (
        lambda U, v_c, o, n: _all_rows(U, v_c, o, special.expit),
        (
            "Every row moves here. Rows that were not asked have gradient zero, and rows that "
            "were asked twice move twice."
        ),
    ),
    (
        lambda U, v_c, o, n: _errors(U, v_c, o, n) @ array(U)[[o, *n]],
        "That is the gradient in v_c; U has a row for each word.",
    ),
    (
        lambda U, v_c, o, n: _gradient(U, v_c, o, []),
        "Only the true word's row moves here; the noise words' rows have errors as well.",
    ),
    (
        lambda U, v_c, o, n: _gradient(U, v_c, o, n) - _gradient(U, v_c, o, []),
        "The true word's own question is missing.",
    ),
)


# 2.4: the loss on average -------------------------------------------------------------------------


def _yes(U, v_c, o):
    return np.logaddexp(0, -float(U[o] @ v_c))


def _expected(U, v_c, o, q, K, first=1.0):
    return first * _yes(U, v_c, o) + K * array(q) @ np.logaddexp(0, array(U @ v_c))


def _no_hits(q, o):
    return array(q) * (np.arange(len(q)) != o)


EXPECTED = (
    (
        lambda *case: -_expected(*case),
        "The sign is turned: a loss is minus the logarithm, so never negative.",
    ),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, q, 1),
        "The factor K is missing: there are K draws, each with the same expectation.",
    ),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K + 1),
        "Off by one: K noise words are drawn. The K + 1st question is the true word's.",
    ),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K, first=K),
        "The true word is asked once, not K times: K belongs to the expectation only.",
    ),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, torch.full_like(q, 1 / len(q)), K),
        "All words weigh the same here. Each word's term is to be weighted by its probability q.",
    ),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, torch.ones_like(q), K),
        "The terms of all words are added unweighted: q is missing.",
    ),
    (
        lambda U, v_c, o, q, K: (
            _yes(U, v_c, o) - K * math.log(array(q) @ special.expit(-array(U @ v_c)))
        ),
        "That is the logarithm of an average. The expectation is the average of the logarithms.",
    ),
    (
        lambda U, v_c, o, q, K: _yes(U, v_c, o) + K * np.logaddexp(0, float(q @ U @ v_c)),
        "The scores are averaged first. Average the terms -log sigma(-score) instead.",
    ),
    (
        lambda U, v_c, o, q, K: _yes(U, v_c, o) + K * array(q) @ np.logaddexp(0, -array(U @ v_c)),
        (
            "The noise words are answered with yes: each of their scores needs a minus inside the "
            "sigma."
        ),
    ),
    (
        lambda *case: _expected(*case) / math.log(2),
        "That is in bits (base 2). The course counts in nats.",
    ),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, _no_hits(q, o) / _no_hits(q, o).sum(), K),
        "That draws again when the true word is hit. Here any word of q may be drawn, o as well.",
    ),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, _no_hits(q, o), K),
        "The word o is left out of the expectation. It may be drawn as well.",
    ),
    (lambda *case: _expected(*case, first=0.0), "The term of the true word is missing."),
    (
        lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K) / (K + 1),
        "Divided by K + 1. Losses are per pair, never per question.",
    ),
)


EXERCISES = {
    "2.1": (_pairs, _loss, LOSS),
    "2.2": (_pairs, _errors, ERRORS),
    "2.3": (_pairs, _gradient, GRADIENT),
    "2.4": (_with_noise, _expected, EXPECTED),
}
