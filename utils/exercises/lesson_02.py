"""The exercises of lesson 02: loss, errors and gradient of negative sampling, and what it is on average."""

import math

import numpy as np
import torch
from scipy import special

from utils.exercises.engine import Exercise


def _pair(generator):
    """Fresh U (V, d), v_c (d,), a context word o and K noise words, small ones first.

    The first case has a noise word drawn twice and a draw that equals o; V, d, K and K + 1 all differ.
    """
    U, v_c = _vectors(generator, 5, 2)
    o, other = torch.randperm(5, generator=generator)[:2].tolist()
    order = torch.randperm(3, generator=generator).tolist()
    yield U, v_c, o, [[other, other, o][k] for k in order]
    while True:
        V, d, K = _sizes(generator)
        U, v_c = _vectors(generator, V, d)
        o, *negatives = torch.randint(V, (K + 1,), generator=generator).tolist()
        yield U, v_c, o, negatives


def _with_noise(generator):
    """Fresh U, v_c, o, a noise distribution q (V,) and K; no two words have the same probability."""
    case = _draw_with_noise(generator, 4, 2, 3)
    while not _told_apart(case):
        case = _draw_with_noise(generator, 4, 2, 3)
    yield case
    while True:
        V, d, K = _sizes(generator)
        yield _draw_with_noise(generator, V, d, 5 * K)     # too many noise words to list their draws


def _draw_with_noise(generator, V, d, K):
    U, v_c = _vectors(generator, V, d)
    weights = 1 + torch.randperm(V + 4, generator=generator)[:V].double()
    return U, v_c, int(torch.randint(V, (1,), generator=generator)), weights / weights.sum(), K


def _told_apart(case):
    """Whether the right answer and the known mistakes all differ on this case (a few averages could agree by chance)."""
    outcomes = {message: float(wrong(*case)) for wrong, message in EXERCISES[-1].mistakes}
    values = sorted([_expected(*case), *outcomes.values()])
    return min(np.diff(values)) > 0.002


def _sizes(generator):
    V, d, K = (int(torch.randint(low, high, (1,), generator=generator)) for low, high in [(5, 9), (1, 4), (1, 5)])
    return V, d, K


def _vectors(generator, V, d):
    """U (V, d) and v_c (d,) with two decimals; no score is large, near zero or near another."""
    while True:
        numbers = torch.round(torch.randn(V + 1, d, dtype=torch.float64, generator=generator), decimals=2)
        U, v_c = numbers[:V], numbers[V]
        scores = (U @ v_c).sort().values
        if v_c.abs().min() > 0.2 and scores.abs().min() > 0.1 and scores.abs().max() < 3 and scores.diff().min() > 0.01:
            return U, v_c


def _scores(U, v_c, ids):
    return np.asarray(U)[ids] @ np.asarray(v_c)


def _terms(U, v_c, o, negatives):
    """The K + 1 terms of 15.2.6: log(1 + e^-score) for the true word, log(1 + e^score) for the noise words."""
    s = _scores(U, v_c, [o, *negatives])
    return np.logaddexp(0, np.append(-s[0], s[1:]))


def _loss(U, v_c, o, negatives):
    return _terms(U, v_c, o, negatives).sum()


def _sigma(U, v_c, o, negatives):
    return special.expit(_scores(U, v_c, [o, *negatives]))


def _errors(U, v_c, o, negatives, yes=1.0, no=0.0):
    labels = np.full(len(negatives) + 1, no)
    labels[0] = yes
    return _sigma(U, v_c, o, negatives) - labels


def _gradient(U, v_c, o, negatives, **labels):
    total = np.zeros(U.shape)
    np.add.at(total, [o, *negatives], np.outer(_errors(U, v_c, o, negatives, **labels), v_c))
    return total


def _overwritten(U, v_c, o, negatives, last_first=False):
    total = np.zeros(U.shape)
    pushes = list(zip([o, *negatives], np.outer(_errors(U, v_c, o, negatives), v_c)))
    for i, push in pushes[::-1] if last_first else pushes:
        total[i] = push
    return total


def _times_own_row(U, v_c, o, negatives):
    total = np.zeros(U.shape)
    ids = [o, *negatives]
    np.add.at(total, ids, _errors(U, v_c, o, negatives)[:, None] * np.asarray(U)[ids])
    return total


def _softmax_gradient(U, v_c, o, negatives):
    return np.outer(special.softmax(np.asarray(U @ v_c)) - np.eye(len(U))[o], v_c)


def _without(words, o):
    return [i for i in words if i != o]


def _expected(U, v_c, o, q, K, first=1.0):
    s = np.asarray(U @ v_c)
    return first * np.logaddexp(0, -s[o]) + K * np.dot(q.numpy(), np.logaddexp(0, s))


def _no_hits(q, o):
    q = q.clone()
    q[o] = 0
    return q


_HIT = "A draw that equals the true word was left out. 15.2.6 as written keeps it: it is asked like any other."
_TWICE = "A noise word that was drawn twice counts once here. It is asked twice, so it counts twice."


EXERCISES = [
    Exercise(
        number="2.1",
        title="The loss of one pair and its noise words",
        difficulty=1,
        minutes=5,
        practises="15.2.6",
        arguments=("U", "v_c", "o", "negatives"),
        cases=_pair,
        reference=_loss,
        mistakes=(
            (lambda U, v_c, o, n: -_loss(U, v_c, o, n), "The sign is turned: a loss is minus the logarithm, so never negative."),
            (lambda U, v_c, o, n: np.logaddexp(0, -_scores(U, v_c, [o, *n])).sum(),
             "The noise words are answered with yes: each of their scores needs a minus inside the sigma."),
            (lambda U, v_c, o, n: np.logaddexp(0, _scores(U, v_c, [o, *n])).sum(),
             "The true word is answered with no as well: its score has no minus inside the sigma."),
            (lambda U, v_c, o, n: np.logaddexp(0, _scores(U, v_c, [o])).sum() + np.logaddexp(0, -_scores(U, v_c, n)).sum(),
             "Yes and no are exchanged: the true word is the yes, the noise words are the no."),
            (lambda U, v_c, o, n: _terms(U, v_c, o, n)[0], "Only yes: without the noise words the vectors collapse."),
            (lambda U, v_c, o, n: _terms(U, v_c, o, n)[1:].sum(), "The term of the true word is missing."),
            (lambda U, v_c, o, n: math.exp(-_loss(U, v_c, o, n)), "That is the joint probability, 15.2.5; the loss is minus its logarithm."),
            (lambda U, v_c, o, n: 1 - math.exp(-_loss(U, v_c, o, n)), "One minus a probability is not a loss: take minus the logarithm."),
            (lambda U, v_c, o, n: _loss(U, v_c, o, n) / math.log(2), "That is in bits (base 2). The course counts in nats."),
            (lambda U, v_c, o, n: _terms(U, v_c, o, n)[0] + _terms(U, v_c, o, n)[1:].mean(),
             "The noise words are averaged. In 15.2.6 their terms are added up: K questions, K terms."),
            (lambda U, v_c, o, n: _terms(U, v_c, o, n).mean(), "Divided by K + 1. Losses are per pair, never per question."),
            (lambda U, v_c, o, n: _loss(U, v_c, o, list(set(n))), _TWICE),
            (lambda U, v_c, o, n: _loss(U, v_c, o, _without(n, o)), _HIT),
            (lambda U, v_c, o, n: _loss(U, v_c, o, list(set(_without(n, o)))), f"{_TWICE} {_HIT}"),
            (lambda U, v_c, o, n: _terms(U, v_c, o, n)[0] + np.logaddexp(0, _scores(U, v_c, n).sum()),
             "The scores are added before the sigma. Each question has its own sigma and its own logarithm."),
            (lambda U, v_c, o, n: special.logsumexp(np.asarray(U @ v_c)) - float(U[o] @ v_c),
             "That is lesson 01's loss: it asked all the words. Here K + 1 of them are asked, yes or no."),
        ),
        idea="Revisit 15.2.6: one term for the true word, one for each noise word, with the sign inside the sigma.",
        right="You scored K + 1 words, whatever V is.",
        hints=(
            "How many questions does this pair ask, and what is the right answer to each?",
            "Minus log sigma(score) for a yes, minus log sigma(-score) for a no; then add up.",
            'Lesson 02, section "Noise words: someone must say no".',
        ),
    ),
    Exercise(
        number="2.2",
        title="The K + 1 errors",
        difficulty=1,
        minutes=5,
        practises="what we said minus what was right",
        arguments=("U", "v_c", "o", "negatives"),
        cases=_pair,
        reference=_errors,
        mistakes=(
            (lambda U, v_c, o, n: -_errors(U, v_c, o, n), "The sign is turned: an error is what we said minus what was right."),
            (lambda U, v_c, o, n: _sigma(U, v_c, o, n), "Those are the answers given; the right ones, the labels, are still to be subtracted."),
            (lambda U, v_c, o, n: np.roll(_errors(U, v_c, o, n), -1), "The order: the true word comes first, then the noise words."),
            (lambda U, v_c, o, n: _errors(U, v_c, o, n, no=1.0), "Every label is 1 here. A noise word's label is 0."),
            (lambda U, v_c, o, n: _errors(U, v_c, o, n, yes=0.0, no=1.0), "The labels are exchanged: the true word's is 1, a noise word's 0."),
            (lambda U, v_c, o, n: _errors(U, v_c, o, n, no=-1.0), "Labels are 1 and 0. The -1 is the sign inside the loss, not a label."),
            (lambda U, v_c, o, n: _errors(U, v_c, o, n, no=-1.0, yes=0.0), "Labels are 1 for the true word and 0 for a noise word."),
            (lambda U, v_c, o, n: _scores(U, v_c, [o, *n]) - np.eye(len(n) + 1)[0], "The scores still need the sigma before the labels are subtracted."),
            (lambda U, v_c, o, n: special.softmax(_scores(U, v_c, [o, *n])) - np.eye(len(n) + 1)[0],
             "That is a softmax over K + 1 words. Here each question has its own sigma, whatever the others say."),
            (lambda U, v_c, o, n: special.expit(np.asarray(U @ v_c)) - np.eye(len(U))[o],
             "All V words were asked. Only the true word and the noise words are: shape (K + 1,)."),
            (lambda U, v_c, o, n: np.outer(_errors(U, v_c, o, n), v_c), "Those are the errors times the vector already; only the errors are asked for."),
            (lambda U, v_c, o, n: _errors(U, v_c, o, n)[1:], "The true word's error is missing: shape (K + 1,)."),
            (lambda U, v_c, o, n: _sigma(U, v_c, o, n) * (1 - _sigma(U, v_c, o, n)),
             "That is the slope of sigma. Through the logarithm, sigma - label remains."),
            (lambda U, v_c, o, n: _terms(U, v_c, o, n), "Those are the K + 1 terms of the loss; an error is the slope of its term."),
            (lambda U, v_c, o, n: _errors(U, v_c, o, list(dict.fromkeys(n))), _TWICE),
            (lambda U, v_c, o, n: _errors(U, v_c, o, _without(n, o)), _HIT),
        ),
        idea="Revisit the errors: sigma(score) - label for each question, label 1 for the true word and 0 for a noise word.",
        right="The first is negative and all others are positive: the true row is pulled, the others are pushed.",
        hints=(
            "Pick the K + 1 rows of U that are asked. What does the model say to each?",
            "sigma(score) for all, then subtract 1 from the first only.",
            'Lesson 02, section "The gradients".',
        ),
    ),
    Exercise(
        number="2.3",
        title="The gradient in U, with repeated draws",
        difficulty=2,
        minutes=10,
        practises="error times vector; repeated draws add",
        arguments=("U", "v_c", "o", "negatives"),
        cases=_pair,
        reference=_gradient,
        mistakes=(
            (lambda U, v_c, o, n: -_gradient(U, v_c, o, n), "The sign is turned: the true row must move towards v_c when we step down."),
            (_overwritten, "A row that was asked twice keeps only one of its pushes: add to the row, do not overwrite it."),
            (lambda U, v_c, o, n: _overwritten(U, v_c, o, n, last_first=True),
             "A row that was asked twice keeps only one of its pushes: add to the row, do not overwrite it."),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, list(set(n))), _TWICE),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, _without(n, o)), _HIT),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, n, yes=0.0), "The true word's label is missing: subtract 1 from its sigma."),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, n, no=1.0), "Every label is 1 here. A noise word's label is 0."),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, n, yes=0.0, no=1.0), "The labels are exchanged: the true word's is 1, a noise word's 0."),
            (lambda U, v_c, o, n: np.outer(_errors(U, v_c, o, n), v_c),
             "One row a question. Each is still to be added to the row of its word: shape (V, d)."),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, n).T, "Transposed: one row a word, shape (V, d)."),
            (_times_own_row, "The error is multiplied with the vector on the other side of the dot product, which is v_c, not u."),
            (_softmax_gradient, "That is lesson 01's gradient: every row moves. Here only the rows that were asked do."),
            (lambda U, v_c, o, n: np.outer(special.expit(np.asarray(U @ v_c)) - np.eye(len(U))[o], v_c),
             "Every row moves here. Rows that were not asked have gradient zero, and rows that were asked twice move twice."),
            (lambda U, v_c, o, n: _errors(U, v_c, o, n) @ np.asarray(U)[[o, *n]], "That is the gradient in v_c; U has a row for each word."),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, []), "Only the true word's row moves here; the noise words' rows have errors as well."),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, n) - _gradient(U, v_c, o, []), "The true word's own question is missing."),
            (lambda U, v_c, o, n: _gradient(U, v_c, o, n) / (len(n) + 1), "Divided by K + 1. Losses are per pair, never per question."),
        ),
        idea="Revisit error times vector: each of the K + 1 questions adds (sigma(score) - label) times v_c to the row of its word.",
        right="At most K + 1 rows move. A word that is both true and noise has the error 2 sigma - 1: pulled and pushed.",
        hints=(
            "Begin with zeros of the shape of U. Which rows get something, and how often?",
            "Error times v_c for each question. A loop with += on one row at a time adds; index_add does it at once.",
            'Lesson 02, section "The gradients", at its end.',
        ),
    ),
    Exercise(
        number="2.4",
        title="The loss on average over the draws",
        difficulty=3,
        minutes=15,
        practises="the expectation that training minimises",
        arguments=("U", "v_c", "o", "q", "K"),
        cases=_with_noise,
        reference=_expected,
        mistakes=(
            (lambda U, v_c, o, q, K: -_expected(U, v_c, o, q, K), "The sign is turned: a loss is minus the logarithm, so never negative."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, q, 1), "The factor K is missing: there are K draws, each with the same expectation."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K + 1), "Off by one: K noise words are drawn. The K + 1st question is the true word's."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K, first=K), "The true word is asked once, not K times: K belongs to the expectation only."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, torch.full_like(q, 1 / len(q)), K),
             "All words weigh the same here. Each word's term is to be weighted by its probability q."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, torch.ones_like(q), K), "The terms of all words are added unweighted: q is missing."),
            (lambda U, v_c, o, q, K: np.logaddexp(0, -float(U[o] @ v_c)) - K * math.log(np.dot(q.numpy(), special.expit(-np.asarray(U @ v_c)))),
             "That is the logarithm of an average. The expectation is the average of the logarithms."),
            (lambda U, v_c, o, q, K: np.logaddexp(0, -float(U[o] @ v_c)) + K * np.logaddexp(0, float(q @ (U @ v_c))),
             "The scores are averaged first. Average the terms -log sigma(-score) instead."),
            (lambda U, v_c, o, q, K: np.logaddexp(0, -float(U[o] @ v_c)) + K * np.dot(q.numpy(), np.logaddexp(0, -np.asarray(U @ v_c))),
             "The noise words are answered with yes: each of their scores needs a minus inside the sigma."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K) / math.log(2), "That is in bits (base 2). The course counts in nats."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, _no_hits(q, o) / _no_hits(q, o).sum(), K),
             "That draws again when the true word is hit. Here any word of q may be drawn, o as well."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, _no_hits(q, o), K), "The word o is left out of the expectation. It may be drawn as well."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K, first=0.0), "The term of the true word is missing."),
            (lambda U, v_c, o, q, K: _expected(U, v_c, o, q, K) / (K + 1), "Divided by K + 1. Losses are per pair, never per question."),
            (lambda U, v_c, o, q, K: K * np.dot(q.numpy(), np.logaddexp(0, np.asarray(U @ v_c)) + np.logaddexp(0, -float(U[o] @ v_c))),
             "The true word is asked once, not K times: K belongs to the expectation only."),
        ),
        idea="Revisit the expectation: the true word's term, plus K times the average, weighted by q, of -log sigma(-score). Exactly, without drawing.",
        right="No draw was needed, but all V scores were: that is why training draws instead.",
        hints=(
            "The true word does not depend on the draw. Which part does, and on how many draws?",
            "All draws have the same distribution, so one expectation times K: a sum over all words of q times the term.",
            'Lesson 02, section "What this loss is, and what it is not".',
        ),
    ),
]
