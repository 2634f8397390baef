"""The exercise of lesson 00: how checks work."""

import math

from utils.exercises.cases import integer


def _counts(generator):
    yield 100, 4
    while True:
        yield 50 * integer(generator, 3, 999), integer(generator, 3, 999)


ZIPF = (
    (lambda first, rank: first // rank, "Do not round: a prediction need not be a whole number."),
    (
        lambda first, rank: round(first / rank),
        "Do not round: a prediction need not be a whole number.",
    ),
    (
        lambda first, rank: math.ceil(first / rank),
        "Do not round: a prediction need not be a whole number.",
    ),
    (lambda first, rank: first, "That does not depend on the rank."),
    (
        lambda first, rank: 1 / rank,
        "That is the share of the first word's count. How many times is that?",
    ),
    (
        lambda first, rank: first / 2 ** (rank - 1),
        "Halved at every rank: that falls far faster than Zipf's law.",
    ),
    (
        lambda first, rank: first / (rank + 1),
        "Off by one: the most frequent word has rank 1, not 0.",
    ),
    (
        lambda first, rank: first / (rank - 1) if rank > 1 else math.inf,
        "Off by one: the most frequent word has rank 1, not 2.",
    ),
    (lambda first, rank: first - rank, "A share is taken by dividing, not by subtracting."),
    (
        lambda first, rank: first * rank,
        "Rarer words have higher ranks, so the count must fall with the rank.",
    ),
    (
        lambda first, rank: first / rank**2,
        "The rank counts once: slope -1 on logarithmic axes, not -2.",
    ),
    (lambda first, rank: 25, "That is a constant: it fits the first example only."),
)

EXERCISES = {"0.1": (_counts, lambda first, rank: first / rank, ZIPF)}
