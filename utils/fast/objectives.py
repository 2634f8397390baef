"""The objectives at full speed: how a piece of text becomes steps of the kernels."""

from typing import NamedTuple

import torch

from utils.fast.blocks import Windows, bands
from utils.fast.kernels import Scratch, Table, block_step
from utils.noise import NoiseDistribution

LOSS_EVERY = 16                                        # steps from one whose loss is computed to the next


class Tally(NamedTuple):
    """Pairs learned, and the summed loss (nats, float64) of the `measured` ones: a loss is computed now and then."""

    pairs: int = 0
    nats: float = 0.0
    measured: int = 0


def total(tallies) -> Tally:
    return Tally(*map(sum, zip(Tally(), *tallies)))


class NegativeSampling:
    """15.2.6: blocks of T words, each with M noise words of its own that all its pairs share.

    A noise word counts n_i K / M times for a word with n_i pairs: as often as K draws for each pair do on average.
    `asked`, for the input rows and the output rows: how many questions each answers in an epoch on average, and how
    many at once at least, when it comes up in a step at all.
    """

    T, M, LR = 16, 8, 16.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        self.noise, self.window, self.output_rows = NoiseDistribution(vocab.counts, power), window, len(vocab)
        self.blocks = max(1, min(64, len(vocab) // 64))                      # few words: they would pile up in a step
        self.step = self.blocks * self.T
        reach = torch.arange(window + 1.0)
        shared = ((reach[:, None] + reach) * negatives / self.M)[..., None].expand(-1, -1, self.M)
        self.times = torch.cat([bands(self.T, window), shared.expand(self.T, -1, -1, -1)], dim=3).flatten(0, 2)
        self.labels = torch.tensor([1.0] * (self.T + 2 * window) + [0.0] * self.M)
        pairs = vocab.counts * keep * (window + 1)                           # a full window holds as many on average
        self.asked = ((pairs * (1 + negatives), (window + 1) * (1 + negatives)),
                      (pairs + negatives * pairs.sum() * self.noise.probs, self.T * (window + 1) * negatives / self.M))

    def learn(self, ids, sentence, inputs: Table, outputs: Table, lr, generator, scratch: Scratch) -> Tally:
        """One pass over a piece of thinned text; `lr(share)` is the rate after that share of it."""
        text, tallies = Windows(ids, sentence, self.T, self.window, generator), []
        rows = torch.cat([text.context, self.noise.sample((len(text.ids), self.M), generator)], dim=1)
        for start in range(0, len(rows), self.blocks):
            some, measured = slice(start, start + self.blocks), start // self.blocks % LOSS_EVERY == 0
            times = scratch.gather("times", self.times, text.band[some])
            nats = block_step(inputs, outputs, text.ids[some], rows[some], self.labels, times, lr(start / len(rows)),
                              scratch, measured)
            pairs = int(text.pairs[some].sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)


OBJECTIVES = {"ns": NegativeSampling}
