"""The noise distribution that negative sampling draws from."""

import torch
from jaxtyping import Int
from torch import Tensor

from utils.checks import Real, check_counts, real_number


class NoiseDistribution:
    """q(w) proportional to count(w)^power, the P(w) of D2L 15.2.1.

    `.probs` is (V,) float64 and sums to 1. A draw costs O(log V): one uniform number and a binary
    search in the running sum of q. Words with count 0 are never drawn. The power .75 is that of
    Mikolov et al. (2013), section 2.2. Raises ValueError for counts that are empty, negative, not
    finite or all zero, and for a power that is not finite.
    """

    def __init__(self, counts, power: Real = 0.75):
        counts = check_counts(counts, zeros=True)
        self.power = real_number("power", power, hint=" (word2vec's is 0.75)")
        if not counts.any():
            raise ValueError("all counts are 0: there is no word to draw")
        # In logarithms, relative to the likeliest word, nothing overflows.
        likeliest = counts.max() if self.power > 0 else counts[counts > 0].min()
        log_weight = self.power * (counts.log() - likeliest.log())
        log_weight = torch.where(counts > 0, log_weight, -torch.inf)
        self.probs = torch.softmax(log_weight, dim=0)
        running = self.probs.cumsum(0)
        self._running_sum = running / running[-1]

    def __len__(self) -> int:
        return len(self.probs)

    def sample(self, shape, generator: torch.Generator | None = None) -> Int[Tensor, "..."]:
        """Ids of the given shape, each drawn from q independently."""
        uniform = torch.rand(shape, dtype=torch.float64, generator=generator)
        return torch.searchsorted(self._running_sum, uniform, right=True)
