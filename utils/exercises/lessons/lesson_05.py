"""The exercises of lesson 05: expected depth, entropy and Huffman's tree."""

import heapq
import math

import numpy as np
import torch
from scipy import stats

from utils.exercises import cases
from utils.exercises.cases import integer
from utils.exercises.values import array


def _counts_and_depths(generator):
    def draw(V):
        return cases.counts(generator, V), cases.depths(generator, V)

    yield lambda: draw(6)
    while True:
        yield draw(integer(generator, 2, 9))


def _with_a_zero(generator):
    def draw(V, zeros):
        counts = cases.counts(generator, V)
        counts[torch.randperm(V, generator=generator)[:zeros]] = 0
        return (counts,)

    yield lambda: draw(4, 1)
    yield draw(3, 2)  # one word only: there is nothing to learn from a draw
    while True:
        V = integer(generator, 2, 9)
        yield draw(V, integer(generator, 0, V - 1))


def _without_ties(generator):
    """Counts (V,) for which no merge has a choice, whatever rule breaks ties."""

    def draw(V):
        while True:
            counts = cases.counts(generator, V)
            if not _has_ties(counts.tolist()):
                return (counts,)

    told = torch.tensor(
        [8, 20, 52, 4, 5, 21, 22]
    )  # splitting from the top costs 327 here, merging 318
    yield lambda: (told[torch.randperm(7, generator=generator)],)
    yield draw(2)
    while True:
        yield draw(integer(generator, 3, 12))


def _has_ties(weights):
    weights = sorted(weights)
    while len(weights) > 2:
        if weights[1] == weights[2]:
            return True
        weights = sorted([weights[0] + weights[1], *weights[2:]])
    return False


# 5.1 ----------------------------------------------------------------------------------------------


def _expected(counts, depths):
    return float(np.average(array(depths), weights=array(counts)))


EXPECTED = (
    (
        lambda counts, depths: array(depths).mean(),
        (
            "That is the plain mean over words. Frequent words are walked to more often: weight "
            "by p(w)."
        ),
    ),
    (
        lambda counts, depths: (counts * depths).sum(),
        (
            "Those are the steps of the whole text. Not normalised yet: p(w) is the count divided "
            "by all counts."
        ),
    ),
    (
        lambda counts, depths: (counts * depths).sum() // counts.sum(),
        "That is rounded down. A mean need not be a whole number: divide with /.",
    ),
    (
        lambda *case: _expected(*case) + 1,
        "One too many: L(w) counts nodes, but the depth is the number of steps already, L(w) - 1.",
    ),
    (
        lambda *case: _expected(*case) - 1,
        "One too few: the depth is L(w) - 1 already, so nothing is left to subtract.",
    ),
    (
        lambda counts, depths: (counts * depths).sum() / depths.sum(),
        "Divided by the sum of the depths. p(w) is the share of the counts: divide by their sum.",
    ),
    (
        lambda counts, depths: (counts * depths).sum() / len(counts),
        "Divided by the number of words. p(w) is the share of the counts: divide by their sum.",
    ),
    (
        lambda counts, depths: counts * depths / counts.sum(),
        "Those are the terms of the sum, one for each word. Add them up.",
    ),
    (
        lambda counts, depths: math.log2(len(counts)),
        "log2 V is about the depth of a balanced tree. Here the depths are given.",
    ),
    (
        lambda counts, depths: depths.max(),
        "That is the deepest word. The mean over the text is asked for.",
    ),
)


# 5.2 ----------------------------------------------------------------------------------------------


def _bits(counts):
    return float(stats.entropy(array(counts), base=2))


def _naive_bits(counts):
    p = counts.double() / counts.sum()
    return -(p * p.log2()).sum()


def _seen(counts):
    return counts[counts > 0].double()


ENTROPY = (
    (
        _naive_bits,
        "0 times log2(0) came out as nan. A word that does not occur adds 0: leave it out.",
    ),
    (
        lambda counts: -_bits(counts),
        "The sign is turned: logarithms of shares are negative, so entropy has a minus.",
    ),
    (
        lambda counts: _bits(counts) * math.log(2),
        "That is in nats, with the natural logarithm. Bits need log2.",
    ),
    (
        lambda counts: _bits(counts) * math.log10(2),
        "That is with the logarithm of base 10. Bits need log2.",
    ),
    (
        lambda counts: -(_seen(counts) * _seen(counts).log2()).sum(),
        "Forgot to normalise: p is the count divided by the sum of the counts.",
    ),
    (
        lambda counts: (_seen(counts) * _seen(counts).log2()).sum(),
        (
            "Forgot to normalise: p is the count divided by the sum of the counts. The minus is "
            "missing too."
        ),
    ),
    (
        lambda counts: math.log2(len(counts)),
        "That is log2 V, the entropy if all words were equally frequent.",
    ),
    (
        lambda counts: math.log2(len(_seen(counts))),
        "That is log2 of the number of words seen, the entropy if they were equally frequent.",
    ),
    (
        lambda counts: _bits(counts) / len(counts),
        "Divided by the number of words. The p(w) are the weights already: a sum.",
    ),
    (
        lambda counts: _bits(counts) / len(_seen(counts)),
        "Divided by the number of words seen. The p(w) are the weights already: a sum.",
    ),
    (
        lambda counts: -(_seen(counts) / counts.sum()).log2().mean(),
        (
            "Every word counts the same here. The logarithm is weighted by p(w): the factor p is "
            "missing."
        ),
    ),
    (
        lambda counts: -(_seen(counts) / counts.sum()).log2().sum(),
        "The factor p(w) in front of the logarithm is missing.",
    ),
    (
        lambda counts: _bits(counts + 1),
        "1 was added to the counts. That changes p; a word that does not occur just adds 0.",
    ),
    (lambda counts: 2 ** _bits(counts), "That is 2 to the power of the entropy."),
)


# 5.3 and 5.4 --------------------------------------------------------------------------------------


def _huffman(counts, take=heapq.heappop, add=heapq.heappush, prepare=heapq.heapify):
    """Each merge's weight and the words below it; other ways to take and add make other trees."""
    waiting = [(count, [w]) for w, count in enumerate(counts.tolist())]
    prepare(waiting)
    while len(waiting) > 1:
        (a, left) = take(waiting)
        (b, right) = take(waiting)
        add(waiting, (a + b, left + right))
        yield a + b, left + right


def _queue(counts):
    """Sorted once; a merged tree joins the end of the queue."""
    return _huffman(counts, lambda q: q.pop(0), list.append, list.sort)


def _chain(counts):
    """Sorted once; the newest tree is merged again at once."""
    return _huffman(counts, lambda q: q.pop(0), lambda q, tree: q.insert(0, tree), list.sort)


def _in_given_order(counts):
    return _huffman(counts, lambda q: q.pop(0), lambda q, tree: q.insert(0, tree), lambda q: None)


def _largest_first(counts):
    def take(q):
        return q.pop(q.index(max(q)))

    return _huffman(counts, take, list.append, lambda q: None)


def _split_from_the_top(counts):
    """Shannon and Fano's tree, as merges.

    Sorted, then split where the halves are nearest in weight, and again.
    """

    def split(words):
        weights = counts[words]
        yield int(weights.sum()), words
        cut = 1 + int((2 * weights.cumsum(0)[:-1] - weights.sum()).abs().argmin())
        for half in (words[:cut], words[cut:]):
            if len(half) > 1:
                yield from split(half)

    return split(counts.argsort(descending=True).tolist())


def _total(counts, merges=_huffman):
    return sum(weight for weight, _ in merges(counts))


def _depths(counts, merges=_huffman):
    depths = np.zeros(len(counts))
    for _, below in merges(counts):
        depths[below] += 1
    return depths


NEWEST = (
    "The newest tree is merged again at once, which makes a chain. It must wait until it is among "
    "the two rarest."
)
QUEUE = "A merged tree waits at the end of the line here. It must be sorted in again by its weight."
GIVEN = "The words are merged in the order they are given. Take the two rarest each time."
LARGEST = (
    "The two most frequent are merged first. Huffman merges the two rarest, which end up deepest."
)
TOP_DOWN = (
    "That splits from the top (Shannon and Fano). It comes near; merging the two rarest is often "
    "better."
)

TOTAL = (
    (lambda counts: _total(counts, _split_from_the_top), TOP_DOWN),
    (lambda counts: _total(counts, _chain), NEWEST),
    (lambda counts: _total(counts, _queue), QUEUE),
    (lambda counts: _total(counts, _in_given_order), GIVEN),
    (lambda counts: _total(counts, _largest_first), LARGEST),
    (
        lambda counts: _total(counts) - counts.sum(),
        "The last merge, the root, is missing: merge until one tree is left, V - 1 merges.",
    ),
    (
        lambda counts: counts.sum(),
        "That is the weight of the last merge only. Add the weights of all merges.",
    ),
    (
        lambda counts: _total(counts) / counts.sum(),
        "That is the expected depth. The total of the weights is asked for: do not divide.",
    ),
    (
        lambda counts: _total(counts) + counts.sum(),
        "The words' own counts were added as well. Only merges cost: a word alone has depth 0.",
    ),
    (
        lambda counts: [weight for weight, _ in _huffman(counts)],
        "Those are the weights of the merges. Add them up.",
    ),
    (lambda counts: len(counts) - 1, "That is the number of merges. Each counts with its weight."),
    (
        lambda counts: _bits(counts) * counts.sum(),
        (
            "That is entropy times total, a bound that no tree falls below. Huffman's tree lies a "
            "little above it."
        ),
    ),
    (
        lambda counts: math.log2(len(counts)) * counts.sum(),
        "That is log2 V times total, about the cost of a balanced tree.",
    ),
)

SORTED = (
    "The depths are right but sorted. Entry w must belong to word w, in the order of the counts."
)

DEPTHS = (
    (lambda counts: _depths(counts, _split_from_the_top), TOP_DOWN),
    (lambda counts: _depths(counts, _chain), NEWEST),
    (lambda counts: _depths(counts, _queue), QUEUE),
    (lambda counts: _depths(counts, _in_given_order), GIVEN),
    (lambda counts: _depths(counts, _largest_first), LARGEST),
    (
        lambda counts: _depths(counts) + 1,
        (
            "One too many everywhere: those are L(w), nodes with both ends. The depth is the "
            "number of steps, L(w) - 1."
        ),
    ),
    (
        lambda counts: _depths(counts) - 1,
        "One too few everywhere: the last merge, the root, is a step as well.",
    ),
    (lambda counts: np.sort(_depths(counts)), SORTED),
    (lambda counts: np.sort(_depths(counts))[::-1], SORTED),
    (
        lambda counts: np.ceil(-np.log2(array(counts) / int(counts.sum()))),
        "That is -log2 p(w), rounded up: near Huffman's depths, but not his. Merge.",
    ),
    (
        lambda counts: -np.log2(array(counts) / int(counts.sum())),
        "That is -log2 p(w), which a tree can only come near: depths are whole numbers.",
    ),
    (
        lambda counts: np.ones(len(counts)),
        (
            "Each word got one step, for its own merge. A merge takes all words below it one step "
            "deeper."
        ),
    ),
    (
        lambda counts: _depths(counts).max() - _depths(counts),
        (
            "Counted from the deepest word up. The depth counts from the root down: rare words "
            "have the large numbers."
        ),
    ),
    (
        lambda counts: _total(counts) / counts.sum(),
        "That is the expected depth. A depth for each word is asked for: shape (V,).",
    ),
)


EXERCISES = {
    "5.1": (_counts_and_depths, _expected, EXPECTED),
    "5.2": (_with_a_zero, _bits, ENTROPY),
    "5.3": (_without_ties, _total, TOTAL),
    "5.4": (_without_ties, _depths, DEPTHS),
}
