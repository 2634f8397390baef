"""The exercise of lesson 00: how checks work."""

import math

import torch

from utils.exercises.engine import Exercise


def _cases(generator):
    yield 100, 4
    while True:
        first, rank = torch.randint(3, 1000, (2,), generator=generator).tolist()
        yield first * 50, rank


EXERCISES = [Exercise(
    number="0.1",
    title="Zipf's prediction",
    difficulty=1,
    minutes=3,
    practises="how a check answers; Zipf's law",
    arguments=("first", "rank"),
    cases=_cases,
    reference=lambda first, rank: first / rank,
    mistakes=(
        (lambda first, rank: first // rank, "Do not round: a prediction need not be a whole number."),
        (lambda first, rank: round(first / rank), "Do not round: a prediction need not be a whole number."),
        (lambda first, rank: math.ceil(first / rank), "Do not round: a prediction need not be a whole number."),
        (lambda first, rank: first, "That does not depend on the rank."),
        (lambda first, rank: 1 / rank, "That is the share of the first word's count. How many times is that?"),
        (lambda first, rank: first / 2 ** (rank - 1), "Halved at every rank: that falls far faster than Zipf's law."),
        (lambda first, rank: first / (rank + 1), "Off by one: the most frequent word has rank 1, not 0."),
        (lambda first, rank: first / (rank - 1) if rank > 1 else math.inf,
         "Off by one: the most frequent word has rank 1, not 2."),
        (lambda first, rank: first - rank, "A share is taken by dividing, not by subtracting."),
        (lambda first, rank: first * rank, "Rarer words have higher ranks, so the count must fall with the rank."),
        (lambda first, rank: first / rank**2, "The rank counts once: slope -1 on logarithmic axes, not -2."),
        (lambda first, rank: 25, "That is a constant: it fits the first example only."),
    ),
    idea='Read "Zipf\'s law" again: the word of rank r occurs about 1/r times as often as the first.',
    right="The check tried it on numbers it had just drawn, so a constant would not have passed. "
          "All exercises of the course work like this.",
    hints=(
        "What does the word of rank 2 have, compared with the first? And the word of rank 3?",
        "The law is one division.",
        'Lesson 00, section "Zipf\'s law", first sentence.',
    ),
)]
