"""The exercises of lesson 06: bags of words under all three objectives."""

import numpy as np
import torch
from scipy.special import expit, log_expit, log_softmax, softmax

from utils.exercises import cases
from utils.exercises.cases import integer
from utils.exercises.values import array


def _bag(generator, V, n):
    return torch.randint(V, (n,), generator=generator)  # some words twice


def _table(generator, V, d):
    return cases.vectors(generator, V, d)[0]


def _ragged(generator):
    def draw(V, lengths):
        ids = _bag(generator, V, sum(lengths))
        return _table(generator, V, 2), ids, torch.tensor([0, *np.cumsum(lengths)[:-1].tolist()])

    yield lambda: draw(5, [2, 4, 3])
    yield draw(3, [1])
    while True:
        yield draw(
            integer(generator, 2, 9),
            [integer(generator, 1, 6) for _ in range(integer(generator, 1, 5))],
        )


def _bag_and_words(generator, noise=0):
    """table, bag, U and the centre word.

    With `noise`, that many noise words that differ from it.
    """

    def draw(V, n, K):
        words = torch.randperm(V, generator=generator).tolist()
        case = _table(generator, V, 2), _bag(generator, V, n), 2 * _table(generator, V, 2), words[0]
        return (*case, torch.tensor(words[1 : 1 + K])) if noise else case

    yield lambda: draw(5, 3, noise)
    while True:
        yield draw(integer(generator, noise + 2, 8), integer(generator, 1, 6), noise)


def _with_noise(generator):
    yield from _bag_and_words(generator, noise=2)


def _bag_and_walk(generator):
    def draw(V, bag, steps):
        nodes, _, path, signs = cases.walk(generator, V - 1, 2, steps)
        return _table(generator, V, 2), bag, 2 * nodes, path, signs

    def with_a_word_twice():
        a, b = torch.randperm(5, generator=generator)[:2].tolist()
        return draw(5, torch.tensor([a, b, a]), 3)

    yield with_a_word_twice
    while True:
        V = integer(generator, 3, 8)
        yield draw(V, _bag(generator, V, integer(generator, 1, 6)), integer(generator, 1, V - 1))


# 6.1 ----------------------------------------------------------------------------------------------


def _pieces(ids, offsets):
    return np.split(array(ids), array(offsets)[1:])


def _means(table, ids, offsets):
    return np.stack([array(table)[words].mean(axis=0) for words in _pieces(ids, offsets)])


def _sums(table, ids, offsets):
    return np.stack([array(table)[words].sum(axis=0) for words in _pieces(ids, offsets)])


def _padded(table, ids, offsets):
    pieces = _pieces(ids, offsets)
    longest = max(map(len, pieces))
    rectangle = [np.pad(words, (0, longest - len(words))) for words in pieces]
    return array(table)[np.stack(rectangle)].mean(axis=1)


MEANS = (
    (
        _sums,
        (
            "Those are sums. The hidden vector is the mean: divide each by the number of words in "
            "its bag."
        ),
    ),
    (
        lambda *case: _means(*case)[:-1],
        "The last bag is missing. It has no next offset to end at: it goes on to the end of ids.",
    ),
    (
        _padded,
        "The short bags were filled up with word 0, whose vector is now part of their means.",
    ),
    (
        lambda table, ids, offsets: (
            _sums(table, ids, offsets) / max(map(len, _pieces(ids, offsets)))
        ),
        "Divided by the length of the longest bag. Each bag has its own number of words.",
    ),
    (
        lambda table, ids, offsets: _sums(table, ids, offsets) / (len(ids) / len(offsets)),
        "Divided by the mean length. Each bag has its own number of words.",
    ),
    (
        lambda table, ids, offsets: array(table)[array(ids)[array(offsets)]],
        "That is the first word of each bag. An offset is only where the bag begins.",
    ),
    (
        lambda table, ids, offsets: np.stack(
            [array(table)[np.unique(words)].mean(axis=0) for words in _pieces(ids, offsets)]
        ),
        "A word that stands twice in a bag was counted once. It enters the mean twice.",
    ),
    (
        lambda table, ids, offsets: np.stack(
            [array(table)[words].mean() for words in _pieces(ids, offsets)]
        ),
        (
            "One number a bag: that is the mean over the coordinates too. Take it over the words "
            "only, dim=0."
        ),
    ),
    (
        lambda table, ids, offsets: array(table)[array(ids)].mean(axis=0),
        "That is the mean over all bags together. Each bag has a hidden vector of its own.",
    ),
    (
        lambda table, ids, offsets: array(table)[array(ids)],
        "Those are the rows, one a word. Take the mean of each bag.",
    ),
)


# 6.2 ----------------------------------------------------------------------------------------------


def _mean(table, bag):
    return array(table)[array(bag)].mean(axis=0)


def _sum(table, bag):
    return array(table)[array(bag)].sum(axis=0)


def _errors(hidden, U, c):
    return softmax(array(U) @ hidden) - np.eye(len(U))[c]


def _each(row, bag):
    return np.tile(row, (len(bag), 1))


def _in_context(table, bag, U, c):
    return _each(_errors(_mean(table, bag), U, c) @ array(U) / len(bag), bag)


CONTEXT = (
    (
        lambda table, bag, *case: len(bag) * _in_context(table, bag, *case),
        (
            "The factor 1/(2m) is missing: each word is only a part of the mean. (word2vec.c has "
            "the same gap.)"
        ),
    ),
    (
        lambda *case: -_in_context(*case),
        (
            "The sign is turned: that is the gradient of log P. The loss is -log P, so expected "
            "minus observed."
        ),
    ),
    (
        lambda *case: 2 * _in_context(*case),
        (
            "Divided by half the number of words. There are 2m words in the bag, so 2m is the "
            "bag's length."
        ),
    ),
    (
        lambda table, bag, U, c: _each(_errors(_sum(table, bag), U, c) @ array(U) / len(bag), bag),
        (
            "The probabilities come from the sum of the context vectors. The hidden vector is "
            "their mean."
        ),
    ),
    (
        lambda table, bag, U, c: _each(-array(U)[c] / len(bag), bag),
        (
            "Only the observed word is there. What was expected is missing: the sum over all "
            "words of P times u."
        ),
    ),
    (
        lambda table, bag, U, c: _each(
            softmax(array(U) @ _mean(table, bag)) @ array(U) / len(bag), bag
        ),
        "Only what was expected is there. The observed vector, u_c, is missing.",
    ),
    (
        lambda *case: _in_context(*case)[0],
        "That is right for one word. Return a row for each word of the bag: (2m, d).",
    ),
    (
        lambda table, bag, *case: len(bag) * _in_context(table, bag, *case)[0],
        (
            "That is the gradient with respect to the mean vector. Pass it on to each word, "
            "and mind its share: (2m, d)."
        ),
    ),
    (
        lambda table, bag, U, c: np.outer(_errors(_mean(table, bag), U, c), _mean(table, bag)),
        (
            "That is the gradient with respect to the rows of U: errors times the mean vector. "
            "Asked for are the context vectors."
        ),
    ),
)


# 6.3 ----------------------------------------------------------------------------------------------


def _yes_no(hidden, U, c, noise):
    return -log_expit(array(U)[c] @ hidden) - log_expit(-array(U)[array(noise)] @ hidden).sum()


def _bag_loss(table, bag, U, c, noise):
    return _yes_no(_mean(table, bag), U, c, noise)


BAG_LOSS = (
    (
        lambda table, bag, U, c, noise: _yes_no(_sum(table, bag), U, c, noise),
        "The scores come from the sum of the context vectors. The hidden vector is their mean.",
    ),
    (
        lambda table, bag, U, c, noise: np.mean(
            [_yes_no(v, U, c, noise) for v in array(table)[array(bag)]]
        ),
        (
            "That is the mean of the losses of single words. CBOW takes the mean of the vectors, "
            "and then one loss."
        ),
    ),
    (
        lambda table, bag, U, c, noise: sum(
            _yes_no(v, U, c, noise) for v in array(table)[array(bag)]
        ),
        (
            "Those are the losses of single words, added up: skip-gram. CBOW takes the mean of "
            "the vectors, then one loss."
        ),
    ),
    (
        lambda *case: -_bag_loss(*case),
        "The sign is turned: logarithms of probabilities are negative, the loss is positive.",
    ),
    (
        lambda table, bag, U, c, noise: _yes_no(_mean(table, bag), U, c, noise[:0]),
        "The noise words are missing. Only yes: lesson 02 shows where that ends.",
    ),
    (
        lambda table, bag, U, c, noise: -log_expit(array(U)[[c, *noise]] @ _mean(table, bag)).sum(),
        (
            "The noise words were asked for a yes. Their answer is no: the sign of their scores "
            "changes."
        ),
    ),
    (
        lambda table, bag, U, c, noise: (
            -log_expit(-array(U)[[c, *noise]] @ _mean(table, bag)).sum()
        ),
        (
            "The centre word was asked for a no. Its answer is yes: the sign of its score does "
            "not change."
        ),
    ),
    (
        lambda *case: _bag_loss(*case) / (1 + len(case[-1])),
        "Divided by the number of questions. The loss of 15.2.6 is a sum, in nats per bag.",
    ),
    (
        lambda table, bag, U, c, noise: log_softmax(array(U) @ _mean(table, bag))[c] * -1,
        (
            "That is the full softmax's loss (15.1.7 with the mean vector). Here there are K + 1 "
            "yes/no questions."
        ),
    ),
    (
        lambda table, bag, U, c, noise: (
            -log_expit(array(U)[c] @ _mean(table, bag))
            - log_expit(-array(U)[array(noise)] @ _mean(table, bag)).mean()
        ),
        "The noise terms were averaged. 15.2.6 adds them up.",
    ),
)


# 6.4 ----------------------------------------------------------------------------------------------


def _push(hidden, nodes, path, signs):
    """Errors times rows: the gradient in the hidden vector."""
    rows = array(nodes)[array(path)]
    return (expit(rows @ hidden) - (array(signs) == 1)) @ rows


def _spread(table, bag, row):
    """The row added once for each place of the bag."""
    gradient = np.zeros(table.shape)
    np.add.at(gradient, array(bag), row)
    return gradient


def _in_table(table, bag, nodes, path, signs):
    return _spread(table, bag, _push(_mean(table, bag), nodes, path, signs) / len(bag))


def _once(table, bag, nodes, path, signs, n=None):
    gradient = np.zeros(table.shape)
    gradient[array(bag)] = _push(_mean(table, bag), nodes, path, signs) / (n or len(bag))
    return gradient


def _distinct(table, bag, *walk):
    words = np.unique(array(bag))
    return _spread(table, words, _push(_mean(table, words), *walk) / len(words))


TWICE = (
    (
        _once,
        (
            "A word that stands twice got its share once. Each place adds: the row is written "
            "over, not added to."
        ),
    ),
    (
        lambda table, bag, *walk: _in_table(table, bag, *walk) * len(bag),
        "The factor 1/(2m) is missing: each place is only a part of the mean.",
    ),
    (
        lambda table, bag, *walk: _once(table, bag, *walk, n=1),
        "The factor 1/(2m) is missing, and a word that stands twice got its share once.",
    ),
    (
        lambda table, bag, *walk: _once(table, bag, *walk, n=len(np.unique(array(bag)))),
        (
            "Divided by the number of different words. Places are counted: a word that stands "
            "twice is two of the 2m."
        ),
    ),
    (
        _distinct,
        "A repeated word was left out of the mean. It stands there twice, and counts twice.",
    ),
    (
        lambda *case: -_in_table(*case),
        "The sign is turned: the error is what we said minus what was right, sigma - [left].",
    ),
    (
        lambda table, bag, nodes, path, signs: _spread(
            table,
            bag,
            (
                (expit(array(nodes)[array(path)] @ _mean(table, bag)) - array(signs))
                @ array(nodes)[array(path)]
            )
            / len(bag),
        ),
        "The label of a step to the right is 0, not -1: the error is sigma(score) - [left].",
    ),
    (
        lambda table, bag, nodes, path, signs: _in_table(table, bag, nodes, path, -signs),
        "Left and right are swapped: sign +1 is a step to the left, whose label is 1.",
    ),
    (
        lambda table, bag, nodes, path, signs: _in_table(table, bag, nodes, path, 0 * signs),
        (
            "The labels are missing: the error is sigma(score) - [left], so 1 is taken off where "
            "the path goes left."
        ),
    ),
    (
        lambda table, bag, *walk: _spread(table, bag, _push(_sum(table, bag), *walk) / len(bag)),
        "The scores come from the sum of the context vectors. The hidden vector is their mean.",
    ),
    (
        lambda table, bag, *walk: _each(_push(_mean(table, bag), *walk) / len(bag), bag),
        "That is one row a place of the bag. Asked for is one row a word of the table: (V, d).",
    ),
)


EXERCISES = {
    "6.1": (_ragged, _means, MEANS),
    "6.2": (_bag_and_words, _in_context, CONTEXT),
    "6.3": (_with_noise, _bag_loss, BAG_LOSS),
    "6.4": (_bag_and_walk, _in_table, TWICE),
}
