"""The objectives at full speed: how a piece of text becomes steps of the kernels."""

from typing import NamedTuple

import torch

from utils.fast.blocks import Windows, bands
from utils.fast.kernels import Scratch, Table, block_step, softmax_step
from utils.noise import NoiseDistribution
from utils.tree import huffman_tree

LOSS_EVERY = 16                                        # steps from one whose loss is computed to the next


class Tally(NamedTuple):
    """Pairs learned, and the summed loss (nats, float64) of the `measured` ones: a loss is computed now and then."""

    pairs: int = 0
    nats: float = 0.0
    measured: int = 0


def total(tallies) -> Tally:
    return Tally(*map(sum, zip(Tally(), *tallies)))


def blocks_for(vocab, most: int) -> int:
    """Blocks of a step: few where there are few words, on which too much would pile up at once."""
    return max(1, min(most, len(vocab) // 64))


class NegativeSampling:
    """15.2.6: blocks of T words, each with M noise words of its own that all its pairs share.

    A noise word counts n_i K / M times for a word with n_i pairs: as often as K draws for each pair do on average.
    `asked`, for the input rows and the output rows: how many questions each answers in an epoch on average, and how
    many at once at least, when it comes up in a step at all.
    """

    T, M, LR = 16, 8, 16.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        self.noise, self.window, self.output_rows = NoiseDistribution(vocab.counts, power), window, len(vocab)
        self.blocks = blocks_for(vocab, 64)
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


class HierarchicalSoftmax:
    """15.2.7 along Huffman's tree: blocks of T target words, their windows' words, and the nodes on their paths.

    The M busiest nodes, which nearly every block meets, have one row each, which counts passes and left turns of all
    targets; each deeper step of a path has a row of its own. Which side the windows are drawn on makes no difference to
    the pairs there are on average: here it is the target's.
    """

    T, M, LR = 16, 31, 13.0

    def __init__(self, vocab, keep, window: int, *_):
        tree = huffman_tree(vocab.counts)                                    # node ids are in the order of counts
        self.window, self.output_rows = window, len(vocab) - 1
        self.M = min(self.M, self.output_rows)
        self.blocks = blocks_for(vocab, 16)
        self.step = self.blocks * self.T
        self.bands = bands(self.T, window).flatten(0, 2)
        on_path, left = tree.signs != 0, tree.signs > 0
        deep, top = on_path & (tree.paths >= self.M), on_path & (tree.paths < self.M)
        self.turns = torch.zeros(len(vocab), 2, self.M)                      # at the busiest nodes: passes, left turns
        word, step = top.nonzero(as_tuple=True)
        self.turns[word, 0, tree.paths[word, step]] = 1.0
        self.turns[word, 1, tree.paths[word, step]] = left[word, step].float()
        self.length = deep.sum(dim=1)                                        # of each word's path below them,
        self.start = self.length.cumsum(0) - self.length                     # whose nodes and turns begin here
        self.nodes, self.left = tree.paths[deep], left[deep].float()
        pairs = vocab.counts * keep * (window + 1)
        visits = torch.zeros(self.output_rows).double().index_add_(
            0, tree.paths[on_path], pairs.double()[:, None].expand(on_path.shape)[on_path])
        depth = visits.sum() / pairs.sum()
        self.asked = (pairs * depth, (window + 1) * depth.item()), (visits, window + 1)

    def learn(self, ids, sentence, inputs: Table, outputs: Table, lr, generator, scratch: Scratch) -> Tally:
        """One pass over a piece of thinned text; `lr(share)` is the rate after that share of it."""
        text, tallies = Windows(ids, sentence, self.T, self.window, generator), []
        length = self.length[text.ids] * (text.pairs > 0)
        order = length.sum(dim=1).argsort()                                  # blocks of a step have about as many rows
        starts = torch.arange(0, len(order), self.blocks)
        for number, start in enumerate(starts[torch.randperm(len(starts), generator=generator)].tolist()):
            some = order[start:start + self.blocks]
            rows, labels, times = self.questions(text.ids[some], text.band[some], length[some], scratch)
            measured = number % LOSS_EVERY == 0
            rate = lr(number / len(starts))
            nats = block_step(outputs, inputs, rows, text.context[some], labels, times, rate, scratch, measured)
            pairs = int(text.pairs[some].sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)

    def questions(self, targets, band, length, scratch: Scratch):
        """(nodes (n, R), labels (n, R, T + 2w), times (n, R, T + 2w)) of blocks of target words (n, T)."""
        (n, T), M = targets.shape, self.M
        deep = length.sum(dim=1)                                             # rows of a block below the busiest nodes
        R, size = M + int(deep.max()), int(deep.sum())
        each, flat = torch.arange(size), length.view(-1)
        owner = torch.arange(n * T).repeat_interleave(flat, output_size=size)
        begin = torch.arange(n) * R + M - (deep.cumsum(0) - deep)
        place = each + begin.repeat_interleave(deep, output_size=size)
        entry = each + (self.start[targets].view(-1) - (flat.cumsum(0) - flat))[owner]
        rows, own, labels = torch.zeros(n * R).long(), torch.zeros(n * R).long(), self.left.new_zeros(n * R)
        rows[place], own[place], labels[place] = self.nodes[entry], band.view(-1)[owner], self.left[entry]
        times = scratch.gather("times", self.bands, own.view(n, R))
        labels = labels.view(n, R, 1).expand(times.shape).contiguous()
        rows = rows.view(n, R)
        rows[:, :M] = torch.arange(M)
        turns = scratch.gather("turns", self.turns.flatten(1), targets)      # (n, T, 2M)
        counts = turns.mT @ scratch.gather("band", self.bands, band)         # (n, 2M, T) @ (n, T, T + 2w)
        times[:, :M] = counts[:, :M]
        labels[:, :M] = counts[:, M:] / counts[:, :M].clamp(min=1)
        return rows, labels, times


class FullSoftmax:
    """15.1.7: every word is scored, but once for all pairs of a centre word."""

    T, SCORES, LR = 16, 1 << 21, 16.0

    def __init__(self, vocab, keep, window: int, *_):
        self.window, self.output_rows = window, len(vocab)
        self.blocks = blocks_for(vocab, min(16, max(1, self.SCORES // len(vocab) // self.T)))
        self.step = self.blocks * self.T
        self.bands = bands(self.T, window).flatten(0, 2)
        pairs = vocab.counts * keep * (window + 1)
        self.asked = (pairs, window + 1), (pairs, 1)

    def learn(self, ids, sentence, inputs: Table, outputs: Table, lr, generator, scratch: Scratch) -> Tally:
        """One pass over a piece of thinned text; `lr(share)` is the rate after that share of it."""
        text, tallies = Windows(ids, sentence, self.T, self.window, generator), []
        T, w, blocks = self.T, self.window, self.blocks
        for start in range(0, len(text.ids), blocks):
            some, measured = slice(start, start + blocks), start // blocks % LOSS_EVERY == 0
            own = torch.arange(2 * w + 1).expand(T, -1) + torch.arange(T)[:, None]           # each word's own columns
            context = text.context[some][:, own].view(-1, 2 * w + 1)
            inside = self.bands[text.band[some]].gather(2, own.expand(len(text.ids[some]), -1, -1)).view(context.shape)
            nats = softmax_step(inputs, outputs, text.ids[some].view(-1), context, inside, lr(start / len(text.ids)),
                                scratch, measured)
            pairs = int(text.pairs[some].sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)


OBJECTIVES = {"ns": NegativeSampling, "hs": HierarchicalSoftmax, "softmax": FullSoftmax}
