"""The noise distribution that negative sampling draws from."""

import math

import torch
from jaxtyping import Int
from torch import Tensor

from utils.checks import check_counts


class NoiseDistribution:
    """q(w) proportional to count(w)^power, P(w) in D2L 15.2.1; `.probs` is (V,) float64 and sums to 1.

    A draw costs O(log V): one uniform number and a binary search in the running sum of q. Words with count 0 are
    never drawn. Source of the power .75: Mikolov et al. (2013), section 2.2. Raises ValueError for counts that are
    empty, negative, not finite or all zero, and for a power that is not finite.
    """

    def __init__(self, counts, power: float = 0.75):
        counts = check_counts(counts, zeros=True)
        if not math.isfinite(power):
            raise ValueError(f"power is {power}; give a finite number (word2vec's is 0.75)")
        if not counts.any():
            raise ValueError("all counts are 0: there is no word to draw")
        likeliest = (
            counts.max() if power > 0 else counts[counts > 0].min()
        )  # its exponent is 0, all others are below
        log_weight = torch.where(counts > 0, power * (counts.log() - likeliest.log()), -torch.inf)
        self.power = power
        self.probs = torch.softmax(log_weight, dim=0)  # count^power, normalised, without overflow
        running = self.probs.cumsum(0)
        self._running_sum = running / running[-1]

    def __len__(self) -> int:
        return len(self.probs)

    def sample(self, shape, generator: torch.Generator | None = None) -> Int[Tensor, "..."]:
        """Ids of the given shape, each drawn from q independently."""
        uniform = torch.rand(shape, dtype=torch.float64, generator=generator)
        return torch.searchsorted(self._running_sum, uniform, right=True)
