"""Draws in compiled code: their distributions, their seeds, and what they refuse."""

import numpy as np
import pytest
import torch
from scipy import stats

from utils.fast import drawing
from utils.noise import NoiseDistribution

V = 9
LEAST_P_VALUE = 1e-4  # seeds are fixed: a right draw passes for ever


def piece_of(sentences):
    return np.array([i for sentence in sentences for i in [*sentence, V]], np.int32)


def test_streams_repeat_and_differ():
    states = {
        drawing.stream(seed, number, purpose)
        for seed in (0, 1, 2**64 - 1)
        for number in range(50)
        for purpose in (drawing.SUBSAMPLING, drawing.NOISE)
    }
    assert len(states) == 300
    assert drawing.stream(3, 4, 1) == drawing.stream(3, 4, 1)
    assert drawing.stream(10**30, 4, 1) == drawing.stream(10**30 % 2**64, 4, 1)


def test_words_are_kept_by_their_chance_and_sentence_ends_never():
    piece = piece_of([[0] * 50 + [1] * 50] * 400)
    keep = np.array([1.0, 0.25, *[0.0] * 7], np.float32)
    ids, _, _ = drawing.subsample(piece, keep, 5, drawing.stream(0, 0, 0))
    assert (ids == 0).sum() == 20_000
    assert stats.binomtest(int((ids == 1).sum()), 20_000, 0.25).pvalue > LEAST_P_VALUE
    assert len(ids) == (ids < 2).sum()
    nothing, _, _ = drawing.subsample(piece, np.zeros(V, np.float32), 5, drawing.stream(0, 0, 0))
    assert len(nothing) == 0


@pytest.mark.parametrize("window", [1, 2, 5, 50])
def test_reaches_stay_within_the_sentence_that_is_left(window):
    generator = np.random.default_rng(window)
    lengths = generator.integers(0, 12, 300)
    sentences = [generator.integers(0, V, n) for n in lengths]
    keep = np.full(V, 0.7, np.float32)
    ids, left, right = drawing.subsample(piece_of(sentences), keep, window, drawing.stream(1, 2, 0))
    # The same draws with windows of 1 tell which sentence each kept word is in.
    ones = np.ones(V, np.float32)
    all_ids, left, right = drawing.subsample(
        piece_of(sentences), ones, window, drawing.stream(1, 2, 0)
    )
    assert all_ids.tolist() == [i for sentence in sentences for i in sentence]
    start = 0
    for n in lengths:
        for place in range(n):
            before = place
            after = n - 1 - place
            a = left[start + place]
            b = right[start + place]
            reaches = [r for r in range(1, window + 1) if (min(r, before), min(r, after)) == (a, b)]
            assert reaches, (n, place, a, b)
        start += n


def test_reaches_are_uniform():
    piece = piece_of([[0] * 30_000])
    _, left, right = drawing.subsample(piece, np.ones(V, np.float32), 5, drawing.stream(0, 1, 0))
    counts = np.bincount(left[5:-5], minlength=6)[1:]
    assert (left[5:-5] == right[5:-5]).all()
    assert stats.chisquare(counts).pvalue > LEAST_P_VALUE


def test_whether_a_word_is_kept_does_not_tell_its_reach():
    piece = piece_of([[0, 1] * 40_000])
    keep = np.array([1.0, 0.3, *[0.0] * 7], np.float32)
    ids, left, _ = drawing.subsample(piece, keep, 5, drawing.stream(0, 2, 0))
    inner = slice(5, -5)
    reach = left[inner][ids[inner] == 1]
    assert stats.chisquare(np.bincount(reach, minlength=6)[1:]).pvalue > LEAST_P_VALUE


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0, -1.0])
def test_the_alias_table_holds_the_noise_distribution(power):
    counts = torch.tensor([1000, 200, 100, 50, 10, 5, 2, 1, 1])
    q = NoiseDistribution(counts, power).probs.numpy()
    table = drawing.alias_table(q)
    np.testing.assert_allclose(table.probabilities(), q, rtol=0, atol=1e-7)


def test_draws_follow_the_table_and_the_stream():
    q = NoiseDistribution(torch.tensor([1000, 200, 100, 50, 10, 5, 2, 1, 1])).probs.numpy()
    table = drawing.alias_table(q)
    drawn = drawing.draw_noise(table, 200_000, drawing.stream(0, 0, drawing.NOISE))
    assert stats.chisquare(np.bincount(drawn, minlength=V), 200_000 * q).pvalue > LEAST_P_VALUE
    again = drawing.draw_noise(table, 10, drawing.stream(0, 0, drawing.NOISE))
    other = drawing.draw_noise(table, 10, drawing.stream(0, 1, drawing.NOISE))
    assert again.tolist() == drawn[:10].tolist() != other.tolist()


def test_one_word_alone_can_be_drawn():
    table = drawing.alias_table(np.ones(1))
    assert drawing.draw_noise(table, 5, drawing.stream(0, 0, 1)).tolist() == [0] * 5


@pytest.mark.parametrize("probs", [[], [0.5, 0.6], [1.5, -0.5], [[0.5, 0.5]], [float("nan"), 1.0]])
def test_what_is_no_distribution_is_refused(probs):
    with pytest.raises(ValueError, match="probabilities of shape"):
        drawing.alias_table(np.array(probs))


def test_ids_outside_the_vocabulary_and_absurd_windows_are_refused():
    keep = np.ones(V, np.float32)
    for wrong in (-1, V + 1):
        with pytest.raises(IndexError, match=f"the text holds the id {wrong}"):
            drawing.subsample(np.array([0, wrong], np.int32), keep, 5, drawing.stream(0, 0, 0))
    with pytest.raises(ValueError, match="window has the size 0"):
        drawing.subsample(np.zeros(1, np.int32), keep, 0, drawing.stream(0, 0, 0))
