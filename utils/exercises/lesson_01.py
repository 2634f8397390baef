"""The exercises of lesson 01: probabilities, loss and gradients of the full softmax."""

import math

import numpy as np
import torch
from scipy import special

from utils.exercises.engine import Exercise


def _example(generator, scale=1.0):
    """Fresh U (V, d), v_c (d,) and a context word o, small ones first; V and d differ, so axes cannot be confused."""
    for V, d in [(3, 2), (5, 2), (4, 3)]:
        yield _draw(generator, V, d, scale)
    while True:
        V, d = int(torch.randint(4, 9, (1,), generator=generator)), int(torch.randint(1, 4, (1,), generator=generator))
        yield _draw(generator, V, d, scale)


def _draw(generator, V, d, scale):
    numbers = scale * torch.randn(V + 1, d, dtype=torch.float64, generator=generator)
    return torch.round(numbers[:V], decimals=2), torch.round(numbers[V], decimals=2), int(
        torch.randint(V, (1,), generator=generator))


def _without_word(generator):
    for U, v_c, _ in _example(generator):
        yield U, v_c


def _softmax(U, v_c):
    return special.softmax(np.asarray(U) @ np.asarray(v_c))


def _loss(U, v_c, o):
    return -math.log(_softmax(U, v_c)[o])


def _one_hot(U, o):
    return np.eye(len(U))[o]


def _in_v(U, v_c, o):
    return (_softmax(U, v_c) - _one_hot(U, o)) @ np.asarray(U)


def _in_u(U, v_c, o):
    return np.outer(_softmax(U, v_c) - _one_hot(U, o), v_c)


def _scores(generator):
    """Scores so large that a plain exponential overflows or vanishes."""
    yield torch.tensor([1000.0, 1001.0], dtype=torch.float64), 0
    while True:
        n = int(torch.randint(2, 6, (1,), generator=generator))
        scores = 1500 * torch.randn(n, dtype=torch.float64, generator=generator)
        yield torch.round(scores, decimals=1), int(torch.randint(n, (1,), generator=generator))


def _plain(scores, o):
    with np.errstate(all="ignore"):
        e = np.exp(np.asarray(scores))
        return -np.log(e[o] / e.sum())


EXERCISES = [
    Exercise(
        number="1.1",
        title="The softmax of a centre word",
        difficulty=1,
        minutes=5,
        practises="15.1.4: scores to probabilities",
        arguments=("U", "v_c"),
        cases=_without_word,
        reference=_softmax,
        mistakes=(
            (lambda U, v_c: U @ v_c, "Those are the scores. Probabilities are positive and sum to 1."),
            (lambda U, v_c: (U @ v_c).exp(), "The exponentials are there, but they do not sum to 1 yet: normalise."),
            (lambda U, v_c: torch.log_softmax(U @ v_c, 0), "Those are the logarithms of the probabilities."),
            (lambda U, v_c: (U @ v_c) / (U @ v_c).sum(), "Normalised, but without the exponential. Shares of plain scores can be negative."),
            (lambda U, v_c: torch.softmax(-(U @ v_c), 0), "The sign of the score is turned: a high score must be likely."),
            (lambda U, v_c: torch.softmax(U, 0) @ v_c, "The softmax comes after the dot product with v_c, not before."),
            (lambda U, v_c: torch.softmax(U @ v_c, 0).max(), "That is one probability; every word needs one: shape (V,)."),
            (lambda U, v_c: (U @ v_c).exp() / (U @ v_c).exp().max(),
             "Divided by the largest instead of by the sum: they do not sum to 1."),
        ),
        idea="Revisit 15.1.4: one dot product for each row of U, then exponentials divided by their sum.",
        right="To say anything about one word you had to score them all: that is the whole problem of the course.",
        hints=(
            "How many scores does a vocabulary of V words have, and how do you get them all at once?",
            "A product of a matrix and a vector, an exponential, a division by a sum.",
            'Lesson 01, section "From scores to probabilities".',
        ),
    ),
    Exercise(
        number="1.2",
        title="The loss of one pair, in nats",
        difficulty=1,
        minutes=5,
        practises="15.1.7: the logarithm of the likelihood",
        arguments=("U", "v_c", "o"),
        cases=_example,
        reference=_loss,
        mistakes=(
            (lambda U, v_c, o: -_loss(U, v_c, o), "The sign is turned: a loss is minus the logarithm, so never negative."),
            (lambda U, v_c, o: _loss(U, v_c, o) / math.log(2), "That is in bits (base 2). The course counts in nats."),
            (lambda U, v_c, o: _loss(U, v_c, o) / math.log(10), "That is in base 10. The course counts in nats."),
            (lambda U, v_c, o: _softmax(U, v_c)[o], "That is the probability itself; the loss is minus its logarithm."),
            (lambda U, v_c, o: -(U @ v_c)[o], "The sum over all words is missing: the second term of 15.1.7."),
            (lambda U, v_c, o: torch.logsumexp(U @ v_c, 0), "The score of the word we saw is missing: the first term."),
            (lambda U, v_c, o: -np.log(_softmax(U, v_c)).mean(), "A mean over all words; only the word o was seen."),
            (lambda U, v_c, o: -math.log(_softmax(U, v_c).max()), "That is the loss of the likeliest word; the word we saw is o."),
            (lambda U, v_c, o: _loss(U, v_c, 0), "Always the word 0? The word we saw is o."),
            (lambda U, v_c, o: _loss(U, v_c, (o - 1) % len(U)), "Off by one: ids count from 0, so word o is at index o."),
            (lambda U, v_c, o: _loss(U, v_c, (o + 1) % len(U)), "Off by one: ids count from 0, so word o is at index o."),
        ),
        idea="Revisit 15.1.7: the score of word o, minus the logarithm of the sum of all exponentials; then the sign.",
        right="With all vectors zero it would be ln V: that is where training starts.",
        hints=(
            "The loss is minus the logarithm of one of the probabilities of exercise 1.1.",
            "The natural logarithm: math.log or torch.log.",
            'Lesson 01, section "Likelihood and loss".',
        ),
    ),
    Exercise(
        number="1.3",
        title="The gradient in the centre vector",
        difficulty=2,
        minutes=10,
        practises="15.1.8: observed minus expected",
        arguments=("U", "v_c", "o"),
        cases=_example,
        reference=_in_v,
        mistakes=(
            (lambda U, v_c, o: -_in_v(U, v_c, o),
             "The sign is turned: that is the gradient of log P, 15.1.8; the loss has the opposite sign."),
            (lambda U, v_c, o: -U[o], "Only the observed vector: the expected one, a sum over all words, is missing."),
            (lambda U, v_c, o: _softmax(U, v_c) @ np.asarray(U), "Only the expected vector: the observed one is missing."),
            (lambda U, v_c, o: U.mean(0) - U[o],
             "The expected vector weights each row by its probability; here all rows weigh the same."),
            (lambda U, v_c, o: (U @ v_c).exp() @ U - U[o], "The weights do not sum to 1: they must be the probabilities."),
            (lambda U, v_c, o: _in_u(U, v_c, o), "That is the gradient in U, one row a word; the centre vector has d numbers."),
            (lambda U, v_c, o: _softmax(U, v_c) @ np.asarray(U) - np.asarray(v_c),
             "The observed vector is the context word's row of U, not the centre vector."),
            (lambda U, v_c, o: _in_v(U, v_c, o) / len(U), "A factor 1/V too much: the expectation is already a weighted mean."),
        ),
        idea="Revisit 15.1.8. Observed is U[o]; expected is the average of all rows, each weighted by its probability. And the loss is minus log P.",
        right="Error times vector, seen from the other side: the errors times the rows, added up.",
        hints=(
            "Two vectors of d numbers: the one observed and the one expected.",
            "Expected: each row of U times its probability, summed. Then ask which of the two the loss subtracts.",
            'Lesson 01, section "Observed minus expected".',
        ),
    ),
    Exercise(
        number="1.4",
        title="The gradient in all rows",
        difficulty=2,
        minutes=10,
        practises="error times vector",
        arguments=("U", "v_c", "o"),
        cases=_example,
        reference=_in_u,
        mistakes=(
            (lambda U, v_c, o: -_in_u(U, v_c, o), "The sign is turned: the row we saw must move towards v_c when we take a step against the gradient."),
            (lambda U, v_c, o: np.outer(_softmax(U, v_c), v_c), "All rows are right but the one we saw: what should its probability have been?"),
            (lambda U, v_c, o: -np.outer(_one_hot(U, o), v_c), "Only the row o moves here; every row has an error."),
            (lambda U, v_c, o: np.outer(_one_hot(U, o) * (_softmax(U, v_c) - 1), v_c), "Only the row o moves here; every row has an error."),
            (lambda U, v_c, o: np.outer(_softmax(U, v_c), v_c) - _one_hot(U, o)[:, None],
             "The 1 is taken from the error, before the error is multiplied with v_c."),
            (lambda U, v_c, o: _in_u(U, v_c, o).T, "Transposed: one row a word, shape (V, d)."),
            (lambda U, v_c, o: (_softmax(U, v_c) - _one_hot(U, o))[:, None] * np.asarray(U),
             "The error is multiplied with the vector on the other side of the dot product, which is v_c, not u_i."),
            (lambda U, v_c, o: _in_v(U, v_c, o), "That is the gradient in v_c; U has a row for each word."),
            (lambda U, v_c, o: _softmax(U, v_c) - _one_hot(U, o), "Those are the errors; each is still to be multiplied with a vector."),
        ),
        idea="Revisit error times vector: which error has word i, and which vector stands on the other side of its dot product?",
        right="All V rows have an error, and the errors sum to zero. Lessons 02 and 04 have fewer of them.",
        hints=(
            "Each row of the result is one number times the same vector.",
            "The numbers: the probabilities, less 1 at o. torch.outer makes all rows at once.",
            'Lesson 01, section "Every row moves".',
        ),
    ),
    Exercise(
        number="1.5",
        title="A loss that does not overflow",
        difficulty=3,
        minutes=15,
        practises="15.1.7 with scores of a thousand and more",
        arguments=("scores", "o"),
        cases=_scores,
        reference=lambda scores, o: special.logsumexp(np.asarray(scores)) - float(scores[o]),
        mistakes=(
            (lambda scores, o: -torch.softmax(scores, 0)[o].log(),
             "No exponential overflows any more, but here P of the word o is so small that it became 0, and its logarithm is minus infinity. Take the logarithm before dividing: 15.1.7 is a difference, not a quotient."),
            (_plain, "exp(1000) is infinite in floating point. What happens to P if the same number is added to all scores?"),
            (lambda scores, o: scores.exp().sum().log() - scores[o],
             "exp(1000) is infinite in floating point. What happens to P if the same number is added to all scores?"),
            (lambda scores, o: special.logsumexp(scores) - (scores[o] - scores.max()),
             "The constant is right but counted twice: either subtract it from both terms, or add it back to the logarithm only."),
            (lambda scores, o: scores[o] - torch.logsumexp(scores, 0), "The sign is turned: a loss is never negative."),
            (lambda scores, o: scores.max() - scores[o],
             "Nearly: the largest score alone is only the largest term of the sum. It is exact when one word dominates."),
            (lambda scores, o: torch.logsumexp(scores - scores.max(), 0) - scores[o],
             "The constant that was subtracted from the sum must be subtracted from the score of o as well."),
            (lambda scores, o: torch.logsumexp(scores, 0), "The score of the word we saw is missing."),
            (lambda scores, o: (torch.logsumexp(scores, 0) - scores[o]) / math.log(2), "That is in bits; the course counts in nats."),
        ),
        idea="P does not change when the same constant is subtracted from all scores. Which constant makes exp safe?",
        right="Every library does this inside its cross entropy.",
        hints=(
            "exp(1000) is infinite, exp(0) is 1. Which constant could you subtract from all scores?",
            "Subtract the largest score from all scores, also from that of o. Then use the difference in 15.1.7; do not form P first.",
            'Lesson 01, section "Likelihood and loss": 15.1.7, with s - max(s) for every score s.',
        ),
    ),
]
