"""The exercises of lesson 03: the noise distribution, two samplers, and draws that hit a word."""

import math

import numpy as np
import torch
from scipy import special, stats

from utils.exercises.cases import different, integer, shares
from utils.exercises.values import array

# 3.1: noise probabilities -------------------------------------------------------------------------


def _counts(generator):
    """Fresh counts (V,), no two alike, and a power; the first is neither 0.75 nor 1."""
    yield 1 + different(generator, 3, 30), [0.25, 0.5, 0.6][integer(generator, 0, 2)]
    while True:
        yield (
            different(generator, integer(generator, 4, 8), 1000),
            [0, 0.25, 0.5, 0.75, 1][integer(generator, 0, 4)],
        )


def _power(counts, power):
    return special.softmax(power * np.log(array(counts)))


POWER = (
    (
        lambda counts, power: _power(counts, 1),
        "The power has no effect: that is the share of each word in the text.",
    ),
    (
        lambda counts, power: _power(counts, 0.75),
        "The power is always 0.75 here: use the argument.",
    ),
    (
        lambda counts, power: counts**power,
        "The powers are there, but they do not sum to 1 yet: normalise.",
    ),
    (
        lambda counts, power: (counts / counts.sum()) ** power,
        "Normalised before the power, so they do not sum to 1: first the power, then the sum.",
    ),
    (
        lambda counts, power: counts**power / counts.sum(),
        "Divided by the sum of the counts. Divide by the sum of their powers.",
    ),
    (
        lambda counts, power: counts**power / (counts**power).max(),
        "Divided by the largest instead of by the sum: they do not sum to 1.",
    ),
    (
        lambda counts, power: counts**power / len(counts),
        "Divided by V. Divide by the sum of the powers.",
    ),
    (
        lambda counts, power: _power(counts, 1 / power if power else 0),
        "That is the root with the exponent 1 / power: frequent words gain, but they should lose.",
    ),
    (
        lambda counts, power: _power(counts, -power),
        "The sign of the power is turned: rare words are drawn most often.",
    ),
    (
        lambda counts, power: torch.softmax(counts.double() ** power, 0),
        "There is no exponential here: the powers themselves are divided by their sum.",
    ),
    (
        lambda counts, power: _power(counts, 0),
        "All words alike: that is the power 0, whatever the argument says.",
    ),
    (
        lambda *case: np.cumsum(_power(*case)),
        "Those are running sums, the ends of the pieces. The probabilities are asked for.",
    ),
    (lambda *case: np.log(_power(*case)), "Those are the logarithms of the probabilities."),
)


# 3.2: cumulative search ---------------------------------------------------------------------------


def _line(generator):
    """Fresh probs (V,), exact in binary, some of them zero, and numbers u (n,) in sixteenths.

    The first case has a zero at both ends and in the middle, and u has 0 and two ends of pieces.
    """
    pieces = torch.tensor([1, 2, 5])[torch.randperm(3, generator=generator)] / 8
    probs = torch.zeros(6, dtype=torch.float64)
    probs[[1, 3, 4]] = pieces.double()
    inside = (pieces[:2].sum() + 1 / 16).item()  # in the third piece, not on its end
    u = torch.tensor([inside, 0.0, pieces[0], pieces[:2].sum(), 15 / 16], dtype=torch.float64)
    yield probs, u[[[4, 1, 2, 3, 0], [2, 1, 4, 0, 3], [3, 0, 1, 2, 4]][integer(generator, 0, 2)]]
    while True:
        V = integer(generator, 4, 8)
        n = integer(generator, 9, 13)
        sixteenths = torch.bincount(torch.randint(V, (16,), generator=generator), minlength=V)
        yield sixteenths.double() / 16, torch.randint(16, (n,), generator=generator).double() / 16


def _search(probs, u):
    """The word on whose piece each number lies: start <= u < end."""
    ends = array(probs).cumsum()
    return (array(u)[:, None] >= ends / ends[-1]).sum(axis=1)


SEARCH = (
    (
        lambda probs, u: array(probs).cumsum().searchsorted(array(u), side="left"),
        "A number exactly on an end belongs to the next piece; here it goes to the piece before, "
        "and a word of "
        "probability 0 may be drawn.",
    ),
    (lambda *case: _search(*case) + 1, "Off by one: ids count from 0."),
    (
        lambda *case: _search(*case) - 1,
        "Off by one: the first end is where the word 0 ends, not where it begins.",
    ),
    (
        lambda probs, u: array(probs).searchsorted(array(u), side="right"),
        "The numbers are sought among the probabilities. Search their running sum.",
    ),
    (
        lambda probs, u: array(probs).searchsorted(array(u), side="left"),
        "The numbers are sought among the probabilities. Search their running sum.",
    ),
    (
        lambda probs, u: np.sort(array(probs)).searchsorted(array(u)),
        "Sorting the probabilities loses which word is which.",
    ),
    (
        lambda probs, u: np.floor(array(u) * len(probs)),
        "All words have pieces of one width here: the probabilities are not used.",
    ),
    (
        lambda probs, u: np.full(len(u), int(probs.argmax())),
        "That is the likeliest word each time; the numbers u are not used.",
    ),
    (
        lambda probs, u: array(probs)[_search(probs, u)],
        "Those are the words' probabilities. Their ids are asked for.",
    ),
    (
        lambda probs, u: array(probs).cumsum()[_search(probs, u)],
        "Those are the ends of the pieces. The words' ids are asked for.",
    ),
    (
        lambda probs, u: np.bincount(_search(probs, u), minlength=len(probs)),
        "That counts how often each word came. One id for each number: shape (n,).",
    ),
    (
        lambda probs, u: _search(array(probs)[array(probs) > 0], u),
        (
            "The words of probability 0 were removed, and the words behind them have slipped to "
            "other ids."
        ),
    ),
    (
        lambda *case: np.sort(_search(*case)),
        "The ids are right, but sorted. The first id belongs to the first number.",
    ),
    (
        lambda probs, u: len(probs) - 1 - _search(array(probs)[::-1], u),
        "The pieces are laid out from the last word to the first; begin with word 0.",
    ),
    (
        lambda probs, u: array(u)[:, None] >= array(probs).cumsum(),
        "Those are the comparisons with every end. How many ends lie at or below u?",
    ),
)


# 3.3: an alias table ------------------------------------------------------------------------------


def _tables(generator):
    """Fresh columns: share (V,) and alias (V,).

    In the first, two columns have one alias and one column is full.
    """
    full, a, b, c = torch.randperm(4, generator=generator).tolist()
    share = torch.ones(4, dtype=torch.float64)
    alias = torch.arange(4)
    share[[a, b, c]] = (2 * torch.randperm(9, generator=generator)[:3].double() + 1) / 20 + 0.02
    alias[[a, b, c]] = torch.tensor([full, full, a])
    yield share, alias
    while True:
        V = integer(generator, 4, 8)
        share = torch.round(torch.rand(V, dtype=torch.float64, generator=generator), decimals=2)
        alias = torch.randint(V, (V,), generator=generator)
        whole = torch.rand(V, generator=generator) < 0.2
        yield torch.where(whole, 1.0, share), torch.where(whole, torch.arange(V), alias)


def _implied(share, alias):
    """A table with a row for each column: how much of it belongs to each word."""
    share = array(share)
    alias = array(alias)
    owner = np.diag(share) + (1 - share)[:, None] * np.eye(len(share))[alias]
    return owner.mean(axis=0)


def _scattered(share, alias, own, lent, add):
    total = own(share).numpy().copy()
    for i, a in enumerate(alias.tolist()):
        total[a] = (total[a] if add else 0) + float(lent(share)[i])
    return total / len(share)


def _only_last(share, alias):
    """What p[alias] += 1 - share does: of several columns with one alias only the last is added."""
    total = share.numpy().copy()
    total[array(alias)] += 1 - array(share)
    return total / len(share)


def _assigned(share, alias):
    """What a loop that assigns the rest to the alias, instead of adding it, leaves behind."""
    total = share.numpy().copy()
    for i, a in enumerate(alias.tolist()):
        if a != i:
            total[a] = 1 - float(share[i])
    return total / len(share)


OVERWRITTEN = (
    "A word that is an alias loses its own part, or all rests but one: add to it, do not overwrite."
)

IMPLIED = (
    (
        lambda share, alias: _implied(share, alias) * len(share),
        "Each column is picked with the chance 1/V: the factor is missing, they sum to V.",
    ),
    (
        lambda share, alias: share / len(share),
        "What the words get above the threshold, as an alias in other columns, is missing.",
    ),
    (
        lambda share, alias: share / share.sum(),
        "The alias parts are missing; making the shares sum to 1 does not bring them back.",
    ),
    (
        _only_last,
        (
            "A word that is the alias of several columns gets only one of the rests: add them, do "
            "not overwrite."
        ),
    ),
    (_assigned, OVERWRITTEN),
    (lambda *case: _scattered(*case, lambda s: s, lambda s: 1 - s, add=False), OVERWRITTEN),
    (
        lambda *case: _scattered(*case, lambda s: s, lambda s: s, add=True),
        "The alias gets the rest of the column, 1 - share, not the share.",
    ),
    (
        lambda *case: _scattered(*case, lambda s: 1 - s, lambda s: s, add=True),
        "The coin is turned: below the threshold it is the column's own word, above it the alias.",
    ),
    (
        lambda share, alias: _implied(share, alias) - array(share) / len(share),
        "The words' own columns are missing.",
    ),
    (
        lambda share, alias: (share + (1 - share)[alias]) / len(share),
        (
            "Wrong way round: column i gives its rest to the word alias[i]; here it takes from "
            "that word's column."
        ),
    ),
    (
        lambda share, alias: torch.ones_like(share) / len(share),
        "That is the chance of each column. A column belongs to two words.",
    ),
    (
        lambda share, alias: (share + torch.bincount(alias, minlength=len(share))) / len(share),
        "The alias gets the rest of the column, 1 - share, not the whole column.",
    ),
    (
        lambda share, alias: (share + 1 - share[alias]) / len(share) / 2,
        (
            "Each column is picked with the chance 1/V, and the rest goes from column i to word "
            "alias[i]."
        ),
    ),
    (
        lambda *case: np.cumsum(_implied(*case)),
        "Those are running sums. The probabilities are asked for.",
    ),
)


# 3.4: the chance of a hit -------------------------------------------------------------------------


def _draws(generator):
    """Fresh q (V,), a word w and K draws.

    In the first q(w) is neither small nor large, and K is neither 1 nor 5.
    """
    weights = torch.tensor([3, 5, 7, 8])[torch.randperm(4, generator=generator)].double()
    yield weights / weights.sum(), integer(generator, 0, 3), 3
    while True:
        V = integer(generator, 3, 8)
        yield shares(generator, V, 20), integer(generator, 0, V - 1), integer(generator, 1, 20)


def _hit(q, w, K):
    return stats.binom.sf(0, K, float(q[w]))


HIT = (
    (
        lambda q, w, K: K * q[w],
        (
            "K times q(w) counts two hits as two: it is near for rare words, too large for "
            "frequent ones, and may exceed 1."
        ),
    ),
    (
        lambda q, w, K: q[w] ** K,
        "That is the chance that all K draws hit. At least one is asked for.",
    ),
    (
        lambda q, w, K: 1 - q[w] ** K,
        "That is the chance that not all of the draws hit. Begin with: none of them hits.",
    ),
    (
        lambda q, w, K: (1 - q[w]) ** K,
        "That is the chance that no draw hits; the other case is asked for.",
    ),
    (
        lambda q, w, K: stats.binom.pmf(1, K, float(q[w])),
        "That is the chance of exactly one hit. At least one is asked for.",
    ),
    (lambda q, w, K: _hit(q, w, K + 1), "Off by one: K draws. The true word is not drawn."),
    (lambda q, w, K: _hit(q, w, K - 1), "Off by one: there are K draws, not K - 1."),
    (lambda q, w, K: _hit(q, w, 5), "K is always 5 here: use the argument."),
    (
        lambda q, w, K: _hit(q, (w + 1) % len(q), K),
        "The neighbour's probability: the id w counts from 0.",
    ),
    (lambda q, w, K: _hit(q, w - 1, K), "The neighbour's probability: the id w counts from 0."),
    (lambda q, w, K: q[w], "That is the chance for one draw. There are K of them."),
    (lambda *case: 100 * _hit(*case), "That is in per cent; give a number between 0 and 1."),
    (
        lambda q, w, K: 1 - (1 - q) ** K,
        "One number for the word w is asked for, not one for each word.",
    ),
    (
        lambda q, w, K: 1 - math.exp(-K * float(q[w])),
        "That is the limit for many draws and a small q(w). Give the exact chance.",
    ),
)


EXERCISES = {
    "3.1": (_counts, _power, POWER),
    "3.2": (_line, _search, SEARCH),
    "3.3": (_tables, _implied, IMPLIED),
    "3.4": (_draws, _hit, HIT),
}
