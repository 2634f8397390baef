"""The exercises of lesson 05: expected depth, entropy and Huffman's tree."""

import heapq
import math

import numpy as np
import torch
from scipy import stats

from utils.exercises.engine import Exercise
from utils.exercises.lesson_04 import telling


def _integer(generator, low, high):
    return int(torch.randint(low, high + 1, (1,), generator=generator))


def _counts(generator, V):
    """V different counts, a few large and many small, in no order."""
    while True:
        counts = torch.exp(4.5 * torch.rand(V, dtype=torch.float64, generator=generator)).long() + 1
        if len(counts.unique()) == V:
            return counts


def _some_depths(generator, V):
    """The words' depths in a random full binary tree."""
    roots = [[w] for w in torch.randperm(V, generator=generator).tolist()]
    depths = torch.zeros(V, dtype=torch.int64)
    while len(roots) > 1:
        left, right = (roots.pop(_integer(generator, 0, len(roots) - 1)) for _ in range(2))
        depths[left + right] += 1
        roots.append(left + right)
    return depths


def _counts_and_depths(reference, mistakes):
    def cases(generator):
        def draw(V):
            return _counts(generator, V), _some_depths(generator, V)

        yield telling(lambda: draw(6), reference, mistakes)
        while True:
            yield draw(_integer(generator, 2, 9))

    return cases


def _with_a_zero(reference, mistakes):
    def cases(generator):
        def draw(V, zeros):
            counts = _counts(generator, V)
            counts[torch.randperm(V, generator=generator)[:zeros]] = 0
            return (counts,)

        yield telling(lambda: draw(4, 1), reference, mistakes)
        yield draw(3, 2)                               # one word only: there is nothing to learn from a draw
        while True:
            V = _integer(generator, 2, 9)
            yield draw(V, _integer(generator, 0, V - 1))

    return cases


def _without_ties(reference, mistakes, V):
    """Counts (V,) for which no merge has a choice, so that Huffman's tree is the same whatever rule breaks ties."""
    def cases(generator):
        def draw(V):
            while True:
                counts = _counts(generator, V)
                if not _has_ties(counts.tolist()):
                    return (counts,)

        yield telling(lambda: draw(V), reference, mistakes)
        yield draw(2)
        while True:
            yield draw(_integer(generator, 3, 12))

    return cases


def _has_ties(weights):
    weights = sorted(weights)
    while len(weights) > 2:
        if weights[1] == weights[2]:
            return True
        weights = sorted([weights[0] + weights[1], *weights[2:]])
    return False


# 5.1 -------------------------------------------------------------------------------------------------------------


def _expected(counts, depths):
    return float(np.average(np.asarray(depths), weights=np.asarray(counts)))


EXPECTED = (
    (lambda counts, depths: np.mean(np.asarray(depths)),
     "That is the plain mean over words. Frequent words are walked to more often: weight by p(w)."),
    (lambda counts, depths: (counts * depths).sum(),
     "Those are the steps of the whole text. Not normalised yet: p(w) is the count divided by all counts."),
    (lambda counts, depths: (counts * depths).sum() // counts.sum(),
     "That is rounded down. A mean need not be a whole number: divide with /."),
    (lambda counts, depths: _expected(counts, depths) + 1,
     "One too many: L(w) counts nodes, but the depth is the number of steps already, L(w) - 1."),
    (lambda counts, depths: _expected(counts, depths) - 1,
     "One too few: the depth is L(w) - 1 already, so nothing is left to subtract."),
    (lambda counts, depths: (counts * depths).sum() / depths.sum(),
     "Divided by the sum of the depths. p(w) is the share of the counts: divide by their sum."),
    (lambda counts, depths: (counts * depths).sum() / len(counts),
     "Divided by the number of words. p(w) is the share of the counts: divide by their sum."),
    (lambda counts, depths: counts * depths / counts.sum(),
     "Those are the terms of the sum, one for each word. Add them up."),
    (lambda counts, depths: math.log2(len(counts)),
     "log2 V is about the depth of a balanced tree. Here the depths are given."),
    (lambda counts, depths: depths.max(), "That is the deepest word. The mean over the text is asked for."),
)


# 5.2 -------------------------------------------------------------------------------------------------------------


def _bits(counts):
    return float(stats.entropy(np.asarray(counts), base=2))


def _naive_bits(counts):
    p = counts.double() / counts.sum()
    return -(p * p.log2()).sum()


def _seen(counts):
    return counts[counts > 0].double()


ENTROPY = (
    (_naive_bits, "0 times log2(0) came out as nan. A word that does not occur adds 0: leave it out."),
    (lambda counts: -_bits(counts), "The sign is turned: logarithms of shares are negative, so entropy has a minus."),
    (lambda counts: _bits(counts) * math.log(2), "That is in nats, with the natural logarithm. Bits need log2."),
    (lambda counts: _bits(counts) * math.log10(2), "That is with the logarithm of base 10. Bits need log2."),
    (lambda counts: -(_seen(counts) * _seen(counts).log2()).sum(),
     "Forgot to normalise: p is the count divided by the sum of the counts."),
    (lambda counts: (_seen(counts) * _seen(counts).log2()).sum(),
     "Forgot to normalise: p is the count divided by the sum of the counts. The minus is missing too."),
    (lambda counts: math.log2(len(counts)), "That is log2 V, the entropy if all words were equally frequent."),
    (lambda counts: math.log2(len(_seen(counts))),
     "That is log2 of the number of words seen, the entropy if they were equally frequent."),
    (lambda counts: _bits(counts) / len(counts), "Divided by the number of words. The p(w) are the weights already: a sum."),
    (lambda counts: _bits(counts) / len(_seen(counts)),
     "Divided by the number of words seen. The p(w) are the weights already: a sum."),
    (lambda counts: -(_seen(counts) / counts.sum()).log2().mean(),
     "Every word counts the same here. The logarithm is weighted by p(w): the factor p is missing."),
    (lambda counts: -(_seen(counts) / counts.sum()).log2().sum(), "The factor p(w) in front of the logarithm is missing."),
    (lambda counts: _bits(counts + 1), "1 was added to the counts. That changes p; a word that does not occur just adds 0."),
    (lambda counts: 2 ** _bits(counts), "That is 2 to the power of the entropy."),
)


# 5.3 and 5.4 -----------------------------------------------------------------------------------------------------


def _merge(counts, take=heapq.heappop, add=heapq.heappush, prepare=heapq.heapify):
    """The words below each merge and its weight; other ways to take and add make other trees."""
    waiting = [(count, [w]) for w, count in enumerate(counts.tolist())]
    prepare(waiting)
    while len(waiting) > 1:
        (a, left), (b, right) = take(waiting), take(waiting)
        add(waiting, (a + b, left + right))
        yield a + b, left + right


def _huffman(counts):
    return _merge(counts)


def _queue(counts):
    """Sorted once; a merged tree joins the end of the queue."""
    return _merge(counts, lambda q: q.pop(0), list.append, list.sort)


def _chain(counts):
    """Sorted once; the newest tree is merged again at once."""
    return _merge(counts, lambda q: q.pop(0), lambda q, tree: q.insert(0, tree), list.sort)


def _in_given_order(counts):
    return _merge(counts, lambda q: q.pop(0), lambda q, tree: q.insert(0, tree), lambda q: None)


def _largest_first(counts):
    def take(q):
        return q.pop(q.index(max(q)))

    return _merge(counts, take, list.append, lambda q: None)


def _total(merges):
    return sum(weight for weight, _ in merges)


def _depths(merges, V):
    depths = np.zeros(V)
    for _, below in merges:
        depths[below] += 1
    return depths


def _only_words(counts):
    """A merge that touches only the words directly below it: each word gets 1, once."""
    return np.ones(len(counts))


NEWEST = "The newest tree is merged again at once, which makes a chain. It must wait until it is among the two rarest."
QUEUE = "A merged tree waits at the end of the line here. It must be sorted in again by its weight."
GIVEN = "The words are merged in the order they are given. Take the two rarest each time."
LARGEST = "The two most frequent are merged first. Huffman merges the two rarest, which end up deepest."

TOTAL = (
    (lambda counts: _total(_chain(counts)), NEWEST),
    (lambda counts: _total(_queue(counts)), QUEUE),
    (lambda counts: _total(_in_given_order(counts)), GIVEN),
    (lambda counts: _total(_largest_first(counts)), LARGEST),
    (lambda counts: _total(_huffman(counts)) - counts.sum(),
     "The last merge, the root, is missing: merge until one tree is left, V - 1 merges."),
    (lambda counts: counts.sum(), "That is the weight of the last merge only. Add the weights of all merges."),
    (lambda counts: _total(_huffman(counts)) / counts.sum(),
     "That is the expected depth. The total of the weights is asked for: do not divide."),
    (lambda counts: _total(_huffman(counts)) + counts.sum(),
     "The words' own counts were added as well. Only merges cost: a word alone has depth 0."),
    (lambda counts: [weight for weight, _ in _huffman(counts)], "Those are the weights of the merges. Add them up."),
    (lambda counts: len(counts) - 1, "That is the number of merges. Each counts with its weight."),
    (lambda counts: _bits(counts) * counts.sum(),
     "That is entropy times total, a bound that no tree falls below. Huffman's tree lies a little above it."),
    (lambda counts: math.log2(len(counts)) * counts.sum(), "That is log2 V times total, about the cost of a balanced tree."),
)

DEPTHS = (
    (lambda counts: _depths(_chain(counts), len(counts)), NEWEST),
    (lambda counts: _depths(_queue(counts), len(counts)), QUEUE),
    (lambda counts: _depths(_in_given_order(counts), len(counts)), GIVEN),
    (lambda counts: _depths(_largest_first(counts), len(counts)), LARGEST),
    (lambda counts: _depths(_huffman(counts), len(counts)) + 1,
     "One too many everywhere: those are L(w), nodes with both ends. The depth is the number of steps, L(w) - 1."),
    (lambda counts: _depths(_huffman(counts), len(counts)) - 1,
     "One too few everywhere: the last merge, the root, is a step as well."),
    (lambda counts: np.sort(_depths(_huffman(counts), len(counts))),
     "The depths are right but sorted. Entry w must belong to word w, in the order of the counts."),
    (lambda counts: np.sort(_depths(_huffman(counts), len(counts)))[::-1].copy(),
     "The depths are right but sorted. Entry w must belong to word w, in the order of the counts."),
    (lambda counts: np.ceil(-np.log2(np.asarray(counts) / int(counts.sum()))),
     "That is -log2 p(w), rounded up: near Huffman's depths, but not his. Merge."),
    (lambda counts: -np.log2(np.asarray(counts) / int(counts.sum())),
     "That is -log2 p(w), which a tree can only come near: depths are whole numbers."),
    (_only_words, "Each word got one step, for its own merge. A merge takes all words below it one step deeper."),
    (lambda counts: _depths(_huffman(counts), len(counts)).max() - _depths(_huffman(counts), len(counts)),
     "Counted from the deepest word up. The depth counts from the root down: rare words have the large numbers."),
    (lambda counts: _total(_huffman(counts)) / counts.sum(),
     "That is the expected depth. A depth for each word is asked for: shape (V,)."),
)


EXERCISES = [
    Exercise(
        number="5.1",
        title="Expected depth",
        difficulty=1,
        minutes=5,
        practises="what a tree costs: a mean over the text",
        arguments=("counts", "depths"),
        cases=_counts_and_depths(_expected, EXPECTED),
        reference=_expected,
        mistakes=EXPECTED,
        idea="Revisit the expected depth: the sum over words of p(w) times depth, where p(w) is the share of the counts.",
        right="That many errors, and rows touched, does the mean pair cost.",
        hints=(
            "A text of 100 words has 90 times water, one step deep. Is the mean nearer to 1 or to the mean over words?",
            "Turn the counts into shares that sum to 1; then multiply by the depths and add up.",
            'Lesson 05, section "What does a tree cost?".',
        ),
    ),
    Exercise(
        number="5.2",
        title="Entropy in bits",
        difficulty=1,
        minutes=5,
        practises="the bound that no tree falls below",
        arguments=("counts",),
        cases=_with_a_zero(_bits, ENTROPY),
        reference=_bits,
        mistakes=ENTROPY,
        idea="Revisit H, minus the sum of p log2 p: shares first, logarithm to base 2, and a count of 0 adds 0.",
        right="No binary tree over these words has a smaller expected depth than this.",
        hints=(
            "Shares first. What does a word that does not occur add to the sum?",
            "Keep only the positive counts; p = count / sum; then minus the sum of p times log2(p).",
            'Lesson 05, section "How good is Huffman\'s tree?".',
        ),
    ),
    Exercise(
        number="5.3",
        title="The sum of all merges",
        difficulty=2,
        minutes=10,
        practises="Huffman's merges, and why they add up to the cost",
        arguments=("counts",),
        cases=_without_ties(lambda counts: _total(_huffman(counts)), TOTAL, 6),
        reference=lambda counts: _total(_huffman(counts)),
        mistakes=TOTAL,
        idea="Revisit Huffman's idea: take the two rarest, add their weights, put the sum back among the others, repeat.",
        right="Divided by the sum of the counts it is the expected depth: each merge is one more step for all below it.",
        hints=(
            "What is the weight of the first merge, and where does the merged tree go?",
            "A heap of weights (heapq works on a list of ints): pop two, push their sum, add it to the total.",
            'Lesson 05, section "Huffman\'s idea".',
        ),
    ),
    Exercise(
        number="5.4",
        title="The depths of the words",
        difficulty=3,
        minutes=20,
        practises="a Huffman tree of your own",
        arguments=("counts",),
        cases=_without_ties(lambda counts: _depths(_huffman(counts), len(counts)), DEPTHS, 6),
        reference=lambda counts: _depths(_huffman(counts), len(counts)),
        mistakes=DEPTHS,
        idea="Revisit Huffman's idea, and remember which words are below each tree: a merge takes them all one step deeper.",
        right="With the counts as weights, the mean of your depths is the smallest that any binary tree has.",
        hints=(
            "What happens to the depth of all words in two trees when the two are merged?",
            "Keep the words of each tree beside its weight. At each merge add 1 to the depth of all words in both.",
            'Lesson 05, section "Huffman\'s idea".',
        ),
    ),
]
