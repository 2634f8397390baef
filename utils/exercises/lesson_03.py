"""The exercises of lesson 03: the noise distribution, two samplers, and draws that hit a word."""

import math

import numpy as np
import torch
from scipy import special, stats

from utils.exercises.engine import Exercise


def _integer(generator, low, high):
    return int(torch.randint(low, high, (1,), generator=generator))


def _counts(generator):
    """Fresh counts (V,), no two alike, and a power; the first is neither 0.75 nor 1."""
    yield 2 + torch.randperm(30, generator=generator)[:3], [0.25, 0.5, 0.6][_integer(generator, 0, 3)]
    while True:
        V = _integer(generator, 4, 9)
        yield 1 + torch.randperm(1000, generator=generator)[:V], [0, 0.25, 0.5, 0.75, 1][_integer(generator, 0, 5)]


def _power(counts, power):
    return special.softmax(power * np.log(np.asarray(counts, dtype=float)))


def _line(generator):
    """Fresh probs (V,) in eighths or sixteenths, exact in binary, some zero, and numbers u (n,) in sixteenths.

    The first case has a zero at both ends and in the middle, and u has 0 and two ends of pieces.
    """
    pieces = torch.tensor([1, 2, 5])[torch.randperm(3, generator=generator)] / 8
    probs = torch.zeros(6, dtype=torch.float64)
    probs[[1, 3, 4]] = pieces.double()
    inside = (pieces[:2].sum() + 1 / 16).item()        # in the third piece, not on its end
    u = torch.tensor([inside, 0.0, pieces[0], pieces[:2].sum(), 15 / 16], dtype=torch.float64)
    yield probs, u[[[4, 1, 2, 3, 0], [2, 1, 4, 0, 3], [3, 0, 1, 2, 4]][_integer(generator, 0, 3)]]
    while True:
        V, n = _integer(generator, 4, 9), _integer(generator, 9, 14)
        words = torch.randint(V, (16,), generator=generator)
        yield torch.bincount(words, minlength=V).double() / 16, torch.randint(16, (n,), generator=generator).double() / 16


def _search(probs, u):
    """The word on whose piece each number lies: start <= u < end."""
    ends = np.asarray(probs).cumsum()
    return (np.asarray(u)[:, None] >= ends / ends[-1]).sum(axis=1)


def _tables(generator):
    """Fresh columns: share (V,) and alias (V,). In the first, two columns have one alias and one column is full."""
    full, a, b, c = torch.randperm(4, generator=generator).tolist()
    share, alias = torch.ones(4, dtype=torch.float64), torch.arange(4)
    share[[a, b, c]] = (2 * torch.randperm(9, generator=generator)[:3].double() + 1) / 20 + 0.02
    alias[[a, b, c]] = torch.tensor([full, full, a])
    yield share, alias
    while True:
        V = _integer(generator, 4, 9)
        share = torch.round(torch.rand(V, dtype=torch.float64, generator=generator), decimals=2)
        alias = torch.randint(V, (V,), generator=generator)
        whole = torch.rand(V, generator=generator) < 0.2
        yield torch.where(whole, 1.0, share), torch.where(whole, torch.arange(V), alias)


def _implied(share, alias):
    """A table with a row for each column: how much of it belongs to each word."""
    share, alias = np.asarray(share), np.asarray(alias)
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
    total[np.asarray(alias)] += 1 - np.asarray(share)
    return total / len(share)


def _assigned(share, alias):
    """What a loop that assigns the rest to the alias, instead of adding it, leaves behind."""
    total = share.numpy().copy()
    for i, a in enumerate(alias.tolist()):
        if a != i:
            total[a] = 1 - float(share[i])
    return total / len(share)


def _draws(generator):
    """Fresh q (V,), a word w and K draws; in the first q(w) is neither small nor large, and K is neither 1 nor 5."""
    weights = torch.tensor([3, 5, 7, 8])[torch.randperm(4, generator=generator)].double()
    yield weights / weights.sum(), _integer(generator, 0, 4), 3
    while True:
        V = _integer(generator, 3, 9)
        weights = 1 + torch.randperm(20, generator=generator)[:V].double()
        yield weights / weights.sum(), _integer(generator, 0, V), _integer(generator, 1, 21)


def _hit(q, w, K):
    return stats.binom.sf(0, K, float(q[w]))


EXERCISES = [
    Exercise(
        number="3.1",
        title="Noise probabilities from counts",
        difficulty=1,
        minutes=5,
        practises="q(w): a power of the counts, normalised",
        arguments=("counts", "power"),
        cases=_counts,
        reference=_power,
        mistakes=(
            (lambda counts, power: _power(counts, 1), "The power has no effect: that is the share of each word in the text."),
            (lambda counts, power: _power(counts, 0.75), "The power is always 0.75 here: use the argument."),
            (lambda counts, power: counts**power, "The powers are there, but they do not sum to 1 yet: normalise."),
            (lambda counts, power: (counts / counts.sum()) ** power, "Normalised before the power, so they do not sum to 1: first the power, then the sum."),
            (lambda counts, power: counts**power / counts.sum(), "Divided by the sum of the counts. Divide by the sum of their powers."),
            (lambda counts, power: counts**power / (counts**power).max(), "Divided by the largest instead of by the sum: they do not sum to 1."),
            (lambda counts, power: counts**power / len(counts), "Divided by V. Divide by the sum of the powers."),
            (lambda counts, power: _power(counts, 1 / power if power else 0), "That is the root with the exponent 1 / power: frequent words gain, but they should lose."),
            (lambda counts, power: _power(counts, -power), "The sign of the power is turned: rare words are drawn most often."),
            (lambda counts, power: torch.softmax(counts.double() ** power, 0), "There is no exponential here: the powers themselves are divided by their sum."),
            (lambda counts, power: _power(counts, 0), "All words alike: that is the power 0, whatever the argument says."),
            (lambda counts, power: np.cumsum(_power(counts, power)), "Those are running sums, the ends of the pieces. The probabilities are asked for."),
            (lambda counts, power: np.log(_power(counts, power)), "Those are the logarithms of the probabilities."),
        ),
        idea="Revisit the formula of q(w): every count to the power, divided by the sum of all of these.",
        right="A power below 1 moves draws from frequent words to rare ones, and the order of the words stays.",
        hints=(
            "Two steps: a power and a division. Which comes first?",
            "counts ** power for all words at once; then divide by the sum of the result.",
            'Lesson 03, section "Three candidates".',
        ),
    ),
    Exercise(
        number="3.2",
        title="Sampling noise words by cumulative search",
        difficulty=2,
        minutes=10,
        practises="D2L 15.2's exercise: how can we sample noise words? Part one",
        arguments=("probs", "u"),
        cases=_line,
        reference=_search,
        mistakes=(
            (lambda probs, u: np.searchsorted(np.asarray(probs).cumsum(), u, side="left"),
             "A number exactly on an end belongs to the next piece; here it goes to the piece before, and a word of probability 0 may be drawn."),
            (lambda probs, u: _search(probs, u) + 1, "Off by one: ids count from 0."),
            (lambda probs, u: _search(probs, u) - 1, "Off by one: the first end is where the word 0 ends, not where it begins."),
            (lambda probs, u: np.searchsorted(np.asarray(probs), u, side="right"), "The numbers are sought among the probabilities. Search their running sum."),
            (lambda probs, u: np.searchsorted(np.asarray(probs), u, side="left"), "The numbers are sought among the probabilities. Search their running sum."),
            (lambda probs, u: np.searchsorted(np.sort(np.asarray(probs)), u), "Sorting the probabilities loses which word is which."),
            (lambda probs, u: np.floor(np.asarray(u) * len(probs)), "All words have pieces of one width here: the probabilities are not used."),
            (lambda probs, u: np.full(len(u), int(probs.argmax())), "That is the likeliest word each time; the numbers u are not used."),
            (lambda probs, u: np.asarray(probs)[_search(probs, u)], "Those are the words' probabilities. Their ids are asked for."),
            (lambda probs, u: np.asarray(probs).cumsum()[_search(probs, u)], "Those are the ends of the pieces. The words' ids are asked for."),
            (lambda probs, u: np.bincount(_search(probs, u), minlength=len(probs)), "That counts how often each word came. One id for each number: shape (n,)."),
            (lambda probs, u: _search(np.asarray(probs)[np.asarray(probs) > 0], u),
             "The words of probability 0 were removed, and the words behind them have slipped to other ids."),
            (lambda probs, u: np.sort(_search(probs, u)), "The ids are right, but sorted. The first id belongs to the first number."),
            (lambda probs, u: len(probs) - 1 - _search(np.asarray(probs)[::-1], u), "The pieces are laid out from the last word to the first; begin with word 0."),
            (lambda probs, u: np.asarray(u)[:, None] >= np.asarray(probs).cumsum(), "Those are the comparisons with every end. How many ends lie at or below u?"),
        ),
        idea="Lay the pieces side by side: word i has the numbers from its start up to, but not including, its end, and the ends are a running sum.",
        right="A piece of width 0 holds no number, so a word of probability 0 is never drawn.",
        hints=(
            "Where does each word's piece end? How many ends lie at or below the number?",
            "cumsum, then searchsorted. Ask which side it takes when the number equals an end: see its argument right.",
            'Lesson 03, section "Sampling by cumulative search".',
        ),
    ),
    Exercise(
        number="3.3",
        title="What an alias table draws",
        difficulty=3,
        minutes=15,
        practises="D2L 15.2's exercise: how can we sample noise words? Part two",
        arguments=("share", "alias"),
        cases=_tables,
        reference=_implied,
        mistakes=(
            (lambda share, alias: _implied(share, alias) * len(share), "Each column is picked with the chance 1/V: the factor is missing, they sum to V."),
            (lambda share, alias: share / len(share), "What the words get above the threshold, as an alias in other columns, is missing."),
            (lambda share, alias: share / share.sum(), "The alias parts are missing; making the shares sum to 1 does not bring them back."),
            (_only_last, "A word that is the alias of several columns gets only one of the rests: add them, do not overwrite."),
            (_assigned, "A word that is an alias loses its own part, or all rests but one: add to it, do not overwrite."),
            (lambda share, alias: _scattered(share, alias, lambda s: s, lambda s: 1 - s, add=False),
             "A word that is an alias loses its own part, or all rests but one: add to it, do not overwrite."),
            (lambda share, alias: _scattered(share, alias, lambda s: s, lambda s: s, add=True),
             "The alias gets the rest of the column, 1 - share, not the share."),
            (lambda share, alias: _scattered(share, alias, lambda s: 1 - s, lambda s: s, add=True),
             "The coin is turned: below the threshold it is the column's own word, above it the alias."),
            (lambda share, alias: _implied(share, alias) - np.asarray(share) / len(share), "The words' own columns are missing."),
            (lambda share, alias: (share + (1 - share)[alias]) / len(share),
             "Wrong way round: column i gives its rest to the word alias[i]; here it takes from that word's column."),
            (lambda share, alias: torch.ones_like(share) / len(share), "That is the chance of each column. A column belongs to two words."),
            (lambda share, alias: (share + torch.bincount(alias, minlength=len(share))) / len(share),
             "The alias gets the rest of the column, 1 - share, not the whole column."),
            (lambda share, alias: (share + 1 - share[alias]) / len(share) / 2, "Each column is picked with the chance 1/V, and the rest goes from column i to word alias[i]."),
            (lambda share, alias: np.cumsum(_implied(share, alias)), "Those are running sums. The probabilities are asked for."),
        ),
        idea="Revisit the two steps of a draw: a column with the chance 1/V, then its own word with the chance share, its alias otherwise. Add up by word.",
        right="That is how a table can be proved right without a single draw.",
        hints=(
            "In which columns can a word be drawn? In its own, and in which others?",
            "Every column i adds share[i] / V to word i and the rest of the column to the word alias[i]; several columns may name the same word.",
            'Lesson 03, section "Sampling by the alias method".',
        ),
    ),
    Exercise(
        number="3.4",
        title="The chance that a draw hits a word",
        difficulty=1,
        minutes=5,
        practises="when a noise word is not noise",
        arguments=("q", "w", "K"),
        cases=_draws,
        reference=_hit,
        mistakes=(
            (lambda q, w, K: K * q[w], "K times q(w) counts two hits as two: it is near for rare words, too large for frequent ones, and may exceed 1."),
            (lambda q, w, K: q[w] ** K, "That is the chance that all K draws hit. At least one is asked for."),
            (lambda q, w, K: 1 - q[w] ** K, "That is the chance that not all of the draws hit. Begin with: none of them hits."),
            (lambda q, w, K: (1 - q[w]) ** K, "That is the chance that no draw hits; the other case is asked for."),
            (lambda q, w, K: stats.binom.pmf(1, K, float(q[w])), "That is the chance of exactly one hit. At least one is asked for."),
            (lambda q, w, K: _hit(q, w, K + 1), "Off by one: K draws. The true word is not drawn."),
            (lambda q, w, K: _hit(q, w, K - 1), "Off by one: there are K draws, not K - 1."),
            (lambda q, w, K: _hit(q, w, 5), "K is always 5 here: use the argument."),
            (lambda q, w, K: _hit(q, (w + 1) % len(q), K), "The neighbour's probability: the id w counts from 0."),
            (lambda q, w, K: _hit(q, w - 1, K), "The neighbour's probability: the id w counts from 0."),
            (lambda q, w, K: q[w], "That is the chance for one draw. There are K of them."),
            (lambda q, w, K: 100 * _hit(q, w, K), "That is in per cent; give a number between 0 and 1."),
            (lambda q, w, K: 1 - (1 - q) ** K, "One number for the word w is asked for, not one for each word."),
            (lambda q, w, K: 1 - math.exp(-K * float(q[w])), "That is the limit for many draws and a small q(w). Give the exact chance."),
        ),
        idea="Revisit the chance of a hit: one draw misses with 1 - q(w). All K draws miss with which chance?",
        right="For rare words it is nearly K q(w), for the most frequent ones less than that.",
        hints=(
            "At least one: the other case is that no draw hits.",
            "The draws are independent, so the chance that all of them miss is a product of K equal factors.",
            'Lesson 03, section "When a noise word is not noise".',
        ),
    ),
]
