"""Random draws in compiled code: which words are kept, how far windows reach, and noise words.

The generator is splitmix64 (Steele, Lea and Flood, 2014): its state counts up by a fixed odd
number, and each state's bits are mixed into a number of 64 bits. A draw splits these into two
that are independent: the lower 40 choose one of n, the upper 24 are a uniform number.

*One of n.* (bits * n) >> 40 for bits from 0 to 2^40 - 1 takes each value floor(2^40 / n) or
ceil(2^40 / n) times, so no value's probability is off by more than 2^-40. In proportion to 1 / n
that is n / 2^40: a millionth for n = 10^6. To see it, a test would need the square of that many
draws of each value, 10^12. (bits % n has the same bias; it is only slower.) The product fits into
64 bits while n < 2^24.

*A uniform number* is a multiple of 2^-24 below 1, as precise as a float32: what happens with
probability p happens with p rounded up to such a multiple, certainly for p = 1, never for p = 0.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from utils.fast.compiling import compiled

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, odd
CHOICE_BITS = np.uint64(40)
CHOICE_MASK = np.uint64((1 << 40) - 1)
UNIT = np.float32(2.0**-24)
MOST_CHOICES = 1 << 24

SUBSAMPLING = 0  # the streams of a piece of text
NOISE = 1


@compiled
def mixed(state):
    """The bits of a state, mixed: splitmix64's, a one-to-one map."""
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def one_of(bits, n):
    """0 .. n - 1, each equally often, from the lower 40 bits."""
    return np.int64(((bits & CHOICE_MASK) * np.uint64(n)) >> CHOICE_BITS)


@compiled
def uniform(bits):
    """A number from 0 to below 1, from the upper 24 bits."""
    return np.float32(bits >> CHOICE_BITS) * UNIT


@compiled
def _stream(seed, number, purpose):
    state = mixed(uint64(seed) + GOLDEN)
    state = mixed(state + uint64(number) + GOLDEN)
    return mixed(state + uint64(purpose) + GOLDEN)


def stream(seed: int, number: int, purpose: int) -> np.uint64:
    """The state from which to draw for one purpose in the piece `number` of the text.

    Each argument is mixed in, so that the streams of neighbouring numbers begin far apart.
    """
    return np.uint64(_stream(np.uint64(seed % 2**64), np.uint64(number), np.uint64(purpose)))


@compiled
def _subsample(piece, keep, window, state):
    ids = np.empty(len(piece), np.int32)
    left = np.empty(len(piece), np.int32)
    right = np.empty(len(piece), np.int32)
    sentence_end = len(keep)
    kept = 0
    sentence_start = 0
    for word in piece:
        if word == sentence_end:
            _cut_right(right, sentence_start, kept, window)
            sentence_start = kept
            continue
        state += GOLDEN
        bits = mixed(state)
        reach = np.int32(one_of(bits, window) + 1)
        # Written first, and kept by going on to the next place: cheaper than a branch.
        ids[kept] = word
        left[kept] = min(reach, kept - sentence_start)
        right[kept] = reach
        kept += uniform(bits) < keep[word]
    _cut_right(right, sentence_start, kept, window)
    return ids[:kept], left[:kept], right[:kept]


@compiled
def _cut_right(right, start, end, window):
    """No window of the sentence start .. end - 1 may reach beyond its last word."""
    for place in range(max(start, end - window), end):
        right[place] = min(right[place], end - 1 - place)


def subsample(piece: np.ndarray, keep: np.ndarray, window: int, state: np.uint64) -> tuple:
    """(ids, left, right) of the words that are kept, int32: subsampling and windows in one pass.

    `piece` holds ids, int32, with the id V at the end of each sentence; word w is kept with
    probability keep[w], float32 (V,). A window's reach is uniform on 1 .. window, but within what
    is kept of its sentence; 0 where no word is left there. Raises IndexError for another id.
    """
    _check_choices("window", window)
    V = len(keep)
    if len(piece) and (piece.min() < 0 or piece.max() > V):
        wrong = piece.min() if piece.min() < 0 else piece.max()
        raise IndexError(
            f"the text holds the id {wrong}; ids run from 0 to {V - 1}, and {V} ends a sentence"
        )
    return _subsample(piece, keep, window, np.uint64(state))


class AliasTable(NamedTuple):
    """Walker's alias table: pick a column at random, then its own word or its other word.

    `limit[i]` is the probability that column i yields i itself, float32; else it yields `alias[i]`,
    int32. A draw looks at one column, whatever V is.
    """

    limit: np.ndarray
    alias: np.ndarray

    def probabilities(self) -> np.ndarray:
        """What the table draws, exactly: (V,) float64. Each column adds 1 / V, so they sum to 1."""
        limit = self.limit.astype(np.float64)
        return (limit + np.bincount(self.alias, 1 - limit, len(limit))) / len(limit)


@compiled
def _fill_columns(heights, limit, alias):
    V = len(heights)
    short = np.empty(V, np.int64)
    tall = np.empty(V, np.int64)
    num_short = 0
    num_tall = 0
    for i in range(V):
        alias[i] = i
        if heights[i] < 1:
            short[num_short] = i
            num_short += 1
        else:
            tall[num_tall] = i
            num_tall += 1
    while num_short and num_tall:
        num_short -= 1
        low = short[num_short]
        high = tall[num_tall - 1]
        limit[low] = heights[low]
        alias[low] = high
        heights[high] -= 1 - heights[low]
        if heights[high] < 1:
            num_tall -= 1
            short[num_short] = high
            num_short += 1


def alias_table(probs: np.ndarray) -> AliasTable:
    """The alias table of a distribution (V,), in time proportional to V (Vose, 1991).

    Columns have height 1. Word i brings V probs[i]; a word with less than 1 has its column filled
    up by one with more, which keeps the rest. Raises ValueError unless probs are probabilities.
    """
    probs = np.asarray(probs, np.float64)
    if probs.ndim != 1 or not (probs >= 0).all() or not abs(probs.sum() - 1) < 1e-6:
        raise ValueError(
            f"probabilities of shape {probs.shape} sum to {probs.sum():g}; they must sum to 1"
        )
    _check_choices("the vocabulary", len(probs))
    heights = probs * (len(probs) / probs.sum())
    # Columns that are left at the end have height 1 but for rounding.
    limit = np.ones(len(probs))
    alias = np.empty(len(probs), np.int32)
    _fill_columns(heights, limit, alias)
    # What a uniform number can tell apart.
    return AliasTable((np.round(limit / UNIT) * UNIT).astype(np.float32), alias)


@compiled
def _draw(limit, alias, count, state):
    words = np.empty(count, np.int32)
    for k in range(count):
        state += GOLDEN
        bits = mixed(state)
        column = one_of(bits, len(limit))
        words[k] = column if uniform(bits) < limit[column] else alias[column]
    return words


def draw_noise(table: AliasTable, count: int, state: np.uint64) -> np.ndarray:
    """`count` words drawn from the table, independently, int32."""
    return _draw(table.limit, table.alias, count, np.uint64(state))


def _check_choices(what: str, n: int) -> None:
    if not 1 <= n < MOST_CHOICES:
        raise ValueError(f"{what} has the size {n}; draws are one of 1 to {MOST_CHOICES - 1}")
