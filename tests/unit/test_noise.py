"""The noise distribution, and what becomes of a draw that equals the target."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from utils.noise import NoiseDistribution
from utils.objectives import NegativeSampling

COUNTS = [50, 20, 0, 9, 1]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def objective(counts=COUNTS, K=4, on_hit="keep"):
    """Negative sampling in float64 whose word w has the score w + 1 with the hidden vector 1."""
    made = NegativeSampling(
        len(counts), 1, NoiseDistribution(counts, power=1.0), K, on_hit=on_hit
    ).double()
    with torch.no_grad():
        made.weight[:, 0] = torch.arange(1, len(counts) + 1)
    return made


def agrees(draws, probs):
    """Whether a chi-square test finds nothing odd.

    Draws are ids, probs their claimed probabilities.
    """
    counted = np.bincount(draws.flatten().numpy(), minlength=len(probs))
    probs = np.asarray(probs, dtype=float)
    possible = probs > 0
    return (
        not counted[~possible].any()
        and chisquare(counted[possible], probs[possible] * counted.sum()).pvalue > 1e-3
    )


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.floats(-3, 3))
def test_probabilities_are_powers_of_the_counts(counts, power):
    expected = np.array(counts, dtype=float) ** power
    np.testing.assert_allclose(
        NoiseDistribution(counts, power=power).probs, expected / expected.sum(), rtol=1e-9
    )


def test_the_default_power_is_three_quarters():
    assert NoiseDistribution([16, 1]).probs.tolist() == pytest.approx([8 / 9, 1 / 9])


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0, -1.0])
def test_draws_follow_the_probabilities(power):
    noise = NoiseDistribution(COUNTS, power=power)
    expected = np.array([n**power if n else 0 for n in COUNTS])
    draws = noise.sample((500, 80), generator())
    assert draws.shape == (500, 80) and draws.dtype == torch.int64
    assert agrees(draws, expected / expected.sum())
    assert len(noise) == 5


@pytest.mark.parametrize(
    "power, probs", [(1e4, [0, 1, 0]), (-1e4, [1, 0, 0]), (1e308, [0, 1, 0]), (-1e308, [1, 0, 0])]
)
def test_a_huge_power_does_not_overflow(power, probs):
    noise = NoiseDistribution([10, 1_000_000, 100], power=power)
    assert noise.probs.tolist() == probs
    assert (noise.sample((50,)) == probs.index(1)).all()


@pytest.mark.parametrize("power", [0.0, 0.75, -2.0])
def test_words_without_a_count_are_never_drawn(power):
    noise = NoiseDistribution([0, 3, 0, 0, 3, 0], power=power)
    assert noise.probs.tolist() == [0, 0.5, 0, 0, 0.5, 0]
    assert noise.sample((4000,), generator()).unique().tolist() == [1, 4]


@pytest.mark.parametrize("uniform, word", [(0.0, 1), (0.25, 3), (0.5, 3), (1 - 2**-53, 4)])
def test_the_ends_of_the_unit_interval(uniform, word, monkeypatch):
    """A uniform number at a step of the running sum belongs to the word above it, 0 to no word
    without a count.
    """
    noise = NoiseDistribution([0, 1, 0, 2, 1, 0], power=1.0)
    monkeypatch.setattr(
        torch, "rand", lambda shape, **_: torch.full(shape, uniform, dtype=torch.float64)
    )
    assert noise.sample((3,)).tolist() == [word] * 3


def test_draws_are_fixed_by_the_generator():
    noise = NoiseDistribution(COUNTS)
    assert noise.sample((99,), generator(1)).equal(noise.sample((99,), generator(1)))
    assert not noise.sample((99,), generator(1)).equal(noise.sample((99,), generator(2)))


@pytest.mark.parametrize(
    "counts, power, message",
    [
        ([], 0.75, "at least one word"),
        ([[1, 2]], 0.75, r"shape \(1, 2\)"),
        ([3, -1], 0.75, "count of word 1 is -1; counts must be at least 0"),
        ([math.nan, 1], 0.75, "count of word 0 is nan"),
        ([1, math.inf], 0.75, "count of word 1 is inf"),
        ([0, 0], 0.75, "all counts are 0"),
        ([1, 2], math.nan, "power is nan"),
        ([1, 2], math.inf, "power is inf"),
    ],
)
def test_bad_counts_and_powers_are_refused(counts, power, message):
    with pytest.raises(ValueError, match=message):
        NoiseDistribution(counts, power=power)


# hits


def test_keep_counts_a_hit_like_any_draw(monkeypatch):
    made = objective()
    targets = torch.tensor([1, 0])
    draws = torch.tensor([[1, 0, 1, 3], [3, 3, 4, 1]])
    monkeypatch.setattr(made, "draw", lambda targets: draws)
    hidden = torch.ones(2, 1).double()
    assert made.loss(hidden, targets).equal(made.loss(hidden, targets, draws))


def test_skip_leaves_a_hit_out(monkeypatch):
    made = objective(on_hit="skip")
    targets = torch.tensor([1, 0])
    monkeypatch.setattr(made, "draw", lambda targets: torch.tensor([[1, 0, 1, 3], [3, 3, 4, 1]]))
    softplus = [math.log1p(math.exp(w + 1)) for w in range(5)]  # -log sigma(-score of word w)
    expected = [
        softplus[1] - 2 + softplus[0] + softplus[3],
        softplus[0] - 1 + 2 * softplus[3] + softplus[4] + softplus[1],
    ]
    loss = made.loss(torch.ones(2, 1).double(), targets)
    assert loss.tolist() == pytest.approx(expected, rel=1e-12)
    loss.sum().backward()
    sigma = [1 / (1 + math.exp(-w - 1)) for w in range(5)]
    hits_once = [
        sigma[0] + sigma[0] - 1,
        sigma[1] - 1 + sigma[1],
        0,
        sigma[3] + 2 * sigma[3],
        sigma[4],
    ]
    assert made.weight.grad.to_dense()[:, 0].tolist() == pytest.approx(hits_once, rel=1e-12)


@pytest.mark.parametrize("on_hit", ["keep", "skip"])
def test_keep_and_skip_draw_from_the_noise_distribution(on_hit):
    torch.manual_seed(0)
    draws = objective(on_hit=on_hit).draw(torch.zeros(10_000, dtype=torch.int64))
    assert draws.shape == (10_000, 4)
    assert agrees(draws, np.array(COUNTS) / 80)


@pytest.mark.parametrize("target", [0, 3])
def test_redraw_draws_from_what_is_left(target):
    """q without the target, normalised again; the other draws of the row stay as they are."""
    torch.manual_seed(0)
    draws = objective(on_hit="redraw").draw(torch.full((10_000,), target))
    left = np.array(COUNTS, dtype=float)
    left[target] = 0
    assert agrees(draws, left / left.sum())


def test_redraw_that_cannot_end_is_refused():
    with pytest.raises(ValueError, match="redraw.* cannot end"):
        objective([5, 0, 0], on_hit="redraw").draw(torch.tensor([1, 0]))
    assert (
        objective([5, 0, 0], on_hit="redraw").draw(torch.tensor([1, 2])).tolist() == [[0] * 4] * 2
    )


@pytest.mark.parametrize("on_hit", ["keep", "skip", "redraw"])
def test_given_noise_words_are_used_as_given(on_hit):
    """Hits included, any number of them, and without a draw from the random state."""
    made = objective(on_hit=on_hit)
    state = torch.get_rng_state()
    noise = torch.tensor([[1, 1]])
    loss = made.loss(torch.ones(1, 1).double(), torch.tensor([1]), noise)
    assert loss.item() == pytest.approx(3 * math.log1p(math.exp(2)) - 2, rel=1e-12)
    assert noise.tolist() == [[1, 1]]
    assert torch.get_rng_state().equal(state)
