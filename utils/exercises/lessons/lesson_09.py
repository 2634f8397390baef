"""The exercises of lesson 09.

The window as a band of a matrix, and all errors of a block in one matrix.
"""

import numpy as np
import torch
from scipy import special

from utils.exercises.cases import different, integer, vectors
from utils.exercises.values import array

sigma = special.expit


# 9.1: the band ------------------------------------------------------------------------------------


def _texts(generator):
    """The reach (T,) and the sentence (T,) of each place of a text of two sentences."""

    def draw(T):
        ends = integer(generator, 2, T - 2)
        return 1 + torch.randint(3, (T,), generator=generator), (torch.arange(T) >= ends).long()

    yield lambda: draw(7)
    while True:
        yield draw(integer(generator, 4, 9))


def _band(
    reach,
    sentence,
    diagonal=False,
    borders=True,
    within=np.less_equal,
    of=lambda reach: reach[:, None],
):
    reach = array(reach)
    sentence = array(sentence)
    place = np.arange(len(reach))
    distance = np.abs(place[:, None] - place)
    pairs = within(distance, of(reach)) & (diagonal | (distance > 0))
    return (pairs & (sentence[:, None] == sentence if borders else True)).astype(float)


BAND = (
    (
        lambda *case: _band(*case, diagonal=True),
        "The diagonal is marked: no place is its own context word.",
    ),
    (
        lambda *case: _band(*case, borders=False),
        "Windows reach across the end of a sentence. They stop there.",
    ),
    (
        lambda *case: _band(*case).T,
        "Rows and columns are exchanged: the centre word is the row, and its reach counts.",
    ),
    (
        lambda *case: _band(*case, within=np.less),
        "A reach of r includes the word at distance r: less than or equal.",
    ),
    (
        lambda *case: _band(*case, of=lambda reach: np.maximum(reach[:, None], reach)),
        "The larger of two reaches decides here. Only that of the centre word counts.",
    ),
    (
        lambda *case: _band(*case, of=lambda reach: np.minimum(reach[:, None], reach)),
        "The smaller of two reaches decides here. Only that of the centre word counts.",
    ),
    (
        lambda *case: _band(*case, of=lambda reach: reach.max()),
        "Every window has the largest reach here. Each row has its own.",
    ),
    (
        lambda *case: np.triu(_band(*case)),
        "Only words to the right are marked. A window reaches to both sides.",
    ),
    (
        lambda *case: np.tril(_band(*case)),
        "Only words to the left are marked. A window reaches to both sides.",
    ),
    (lambda *case: 1 - _band(*case), "Turned round: 1 is for pairs, 0 for the others."),
)


# 9.2: two products --------------------------------------------------------------------------------


def _mask(generator, T):
    """A ragged band without its diagonal, not symmetric, no row empty."""
    while True:
        band = array(_band(1 + torch.randint(3, (T,), generator=generator), torch.zeros(T)))
        if (band != band.T).any() and band.sum() < T * (T - 1):
            return torch.from_numpy(band)


def _blocks(generator):
    """X (T, d), Y (T, d), band (T, T)."""

    def draw(T, d):
        return vectors(generator, T, d)[0], vectors(generator, T, d)[0], _mask(generator, T)

    yield lambda: draw(4, 2)
    while True:
        yield draw(integer(generator, 4, 6), integer(generator, 2, 3))


def _errors(X, Y, band):
    return array(band) * (sigma(array(X) @ array(Y).T) - 1)


def _gradients(X, Y, band, errors=_errors):
    G = errors(array(X), array(Y), array(band))
    return np.stack([G @ array(Y), G.T @ array(X)])


def _with(errors):
    return lambda X, Y, band: _gradients(X, Y, band, errors)


BLOCK = (
    (
        lambda *case: _gradients(*case)[::-1],
        "The two are in the wrong order: first in X, then in Y.",
    ),
    (
        lambda X, Y, band: np.stack(
            [_errors(X, Y, band) @ array(Y), _errors(X, Y, band) @ array(X)]
        ),
        "The second product needs the transposed errors: row j of Y gets the errors of column j.",
    ),
    (
        lambda X, Y, band: np.stack(
            [_errors(X, Y, band) @ array(X), _errors(X, Y, band).T @ array(Y)]
        ),
        (
            "The vectors are exchanged: a row of X gets errors times the rows of Y it met, and "
            "the reverse."
        ),
    ),
    (
        _with(lambda X, Y, band: sigma(X @ Y.T) - 1),
        "All cells count here. Only those in the band are pairs.",
    ),
    (
        _with(lambda X, Y, band: band * sigma(X @ Y.T) - 1),
        "Outside of the band the error is -1 here: the band multiplies sigma and the label.",
    ),
    (
        _with(lambda X, Y, band: band * sigma(X @ Y.T)),
        "The label is missing: a true pair's error is sigma - 1.",
    ),
    (
        _with(lambda X, Y, band: sigma(band * (X @ Y.T)) - band),
        "The band multiplies the scores, and sigma(0) is not 0: let it multiply the errors.",
    ),
    (
        _with(lambda X, Y, band: band * (1 - sigma(X @ Y.T))),
        (
            "The sign is turned: label minus sigma is the step downhill, the gradient is sigma "
            "minus label."
        ),
    ),
    (
        _with(lambda X, Y, band: band * (X @ Y.T - 1)),
        "sigma is missing: the error is sigma(score) - 1.",
    ),
    (
        _with(lambda X, Y, band: _errors(X, Y, band) / band.sum()),
        "Divided by the number of pairs: that is the gradient of the mean. The sum is asked for.",
    ),
    (
        _with(lambda X, Y, band: _errors(X, Y, band) / band.sum(axis=1, keepdims=True)),
        "Divided by the pairs of each row. The loss is summed over all pairs.",
    ),
)


# 9.3: shared noise words --------------------------------------------------------------------------


def _shared(generator):
    """X (T, d), U_noise (M, d), n (T,), K; M and K differ, and neither is 1."""

    def draw(T, M, d):
        K = integer(generator, 2, 5)
        return (
            vectors(generator, T, d)[0],
            vectors(generator, M, d)[0],
            different(generator, T, 9).double(),
            K + (K >= M),
        )

    yield lambda: draw(2, 3, 2)
    while True:
        yield draw(integer(generator, 2, 4), integer(generator, 2, 5), integer(generator, 2, 3))


def _noise(X, U_noise, n, K, weight=lambda n, K, M: n * K / M, error=sigma):
    X, U_noise, n = map(array, (X, U_noise, n))
    return (weight(n, K, len(U_noise)) * np.ones(len(n)))[:, None] * error(X @ U_noise.T) @ U_noise


NOISE = (
    (
        lambda *case: _noise(*case, weight=lambda n, K, M: K / M),
        "n is missing: a word with more pairs would have drawn more noise words.",
    ),
    (
        lambda *case: _noise(*case, weight=lambda n, K, M: n * K),
        "Not divided by M: now each of the M words is asked as often as all together should be.",
    ),
    (
        lambda *case: _noise(*case, weight=lambda n, K, M: n / M),
        "K is missing: a pair would have drawn K noise words.",
    ),
    (
        lambda *case: _noise(*case, weight=lambda n, K, M: n),
        "K / M is missing: n K draws are spread over M words.",
    ),
    (
        lambda *case: _noise(*case, weight=lambda n, K, M: 1.0),
        "The weight is missing: each noise word counts n K / M times.",
    ),
    (
        lambda *case: _noise(*case, weight=lambda n, K, M: n * M / K),
        "Turned round: n K / M, not n M / K.",
    ),
    (
        lambda *case: _noise(*case, weight=lambda n, K, M: n.mean() * K / M),
        "Every row has the mean of n here. Each word has its own number of pairs.",
    ),
    (
        lambda *case: _noise(*case, error=lambda s: sigma(s) - 1),
        "That is with the label 1. A noise word's label is 0, so its error is sigma(score).",
    ),
    (
        lambda *case: -_noise(*case),
        "The sign is turned: that is the step downhill. The gradient is asked for.",
    ),
    (
        lambda *case: _noise(*case, error=lambda s: s),
        "sigma is missing: the error is sigma(score) - 0.",
    ),
    (
        lambda *case: _noise(*case, error=lambda s: sigma(-s)),
        (
            "That is the probability of the right answer, no. The error is sigma(score), of the "
            "wrong one."
        ),
    ),
)


# 9.4: walks, counted ------------------------------------------------------------------------------


def _walks(generator):
    """X (T, d), U_nodes (N, d), band (T, T), passed (T, N), left (T, N).

    Node 0 is the root, which all walks pass.
    """

    def draw(T, N, d):
        passed = torch.randint(2, (T, N), generator=generator).double()
        passed[:, 0] = 1
        left = passed * torch.randint(2, (T, N), generator=generator)
        return (
            vectors(generator, T, d)[0],
            vectors(generator, N, d)[0],
            _mask(generator, T),
            passed,
            left,
        )

    yield lambda: draw(4, 3, 2)
    while True:
        yield draw(integer(generator, 4, 6), integer(generator, 3, 5), integer(generator, 2, 3))


def _nodes(X, U_nodes, band, passed, left, errors=lambda s, p, left: p * s - left):
    X, U_nodes, band, passed, left = map(array, (X, U_nodes, band, passed, left))
    return errors(sigma(X @ U_nodes.T), band @ passed, band @ left).T @ X


WALKS = (
    (
        lambda X, U, band, passed, left: _nodes(X, U, array(band).T, passed, left),
        "The band is transposed: row i of it says which context words place i has.",
    ),
    (
        lambda X, U, band, passed, left: _nodes(X, U, np.eye(len(X)), passed, left),
        (
            "The band is missing: each place walks to itself here. It walks to the words in its "
            "window."
        ),
    ),
    (
        lambda *case: _nodes(*case, errors=lambda s, p, left: p * s - (p - left)),
        "Left and right are exchanged: yes means left.",
    ),
    (
        lambda *case: _nodes(*case, errors=lambda s, p, left: s - left),
        "sigma counts once for each walk that passes: count passed times sigma, minus count left.",
    ),
    (
        lambda *case: _nodes(*case, errors=lambda s, p, left: p * (s - left)),
        (
            "Count left is multiplied by count passed here. In p (sigma - share), the share is "
            "left / passed."
        ),
    ),
    (
        lambda *case: _nodes(*case, errors=lambda s, p, left: left - p * s),
        "The sign is turned: that is the step downhill. The gradient is asked for.",
    ),
    (
        lambda *case: _nodes(*case, errors=lambda s, p, left: p * (s - 1)),
        "All walks turn left here. Only those that `left` counts do.",
    ),
    (
        lambda *case: _nodes(*case, errors=lambda s, p, left: p * s),
        "All walks turn right here. Subtract how many turn left.",
    ),
    (
        lambda *case: _nodes(*case, errors=lambda s, p, left: (p > 0) * s - (left > 0)),
        "Each node counts once here. It counts as often as walks of the window pass it.",
    ),
    (
        lambda X, U, band, passed, left: _nodes(X, U, np.ones((len(X), len(X))), passed, left),
        "Every place walks to all words of the block here. The band says which are in its window.",
    ),
)


EXERCISES = {
    "9.1": (_texts, _band, BAND),
    "9.2": (_blocks, _gradients, BLOCK),
    "9.3": (_shared, _noise, NOISE),
    "9.4": (_walks, _nodes, WALKS),
}
