"""Learners: how a piece of subsampled text becomes updates of the two tables, for each objective.

A learner has `output_rows`, `window`, `base_rate`, and `learn(ids, sentence_ids, input_table,
output_table, rate, generator, scratch)`, one pass over a piece, where `rate(share)` is the learning
rate after that share of it. `visits` says how often rows are updated, which decides their rates.
"""

from typing import NamedTuple

import numpy as np
import torch

from utils.fast import compiled
from utils.fast.blocks import Windows, bands, reaches
from utils.fast.kernels import block_step, softmax_step
from utils.noise import NoiseDistribution
from utils.tree import huffman_tree

LOSS_EVERY = 16  # the loss is computed in one step of so many


class Tally(NamedTuple):
    """Pairs learned, and the summed loss (nats, float64) of those whose loss was computed."""

    pairs: int = 0
    nats: float = 0.0
    measured: int = 0


def total(tallies) -> Tally:
    return Tally(*map(sum, zip(Tally(), *tallies)))


class Visits(NamedTuple):
    """How often the rows of a table are updated: per epoch (R,), on average, and at once.

    `at_once` is how many updates a row gets together when a step touches it at all.
    """

    per_epoch: torch.Tensor
    at_once: float | int


def blocks_per_step(vocab, most: int) -> int:
    """Few where there are few words: else too many updates of one row would pile up in a step."""
    return max(1, min(most, len(vocab) // 64))


def sampling_visits(vocab, keep, window: int, negatives: int, q, noise_at_once) -> tuple:
    """Visits of the input rows and of the output rows under negative sampling."""
    pairs = vocab.counts * keep * (window + 1)  # a full window holds as many words on average
    each_pair = 1 + negatives
    inputs = Visits(pairs * each_pair, (window + 1) * each_pair)
    outputs = Visits(pairs + negatives * pairs.sum() * q, noise_at_once)
    return inputs, outputs


class NegativeSamplingBlocks:
    """15.2.6 as products of matrices: blocks of T words, each with M noise words for all its pairs.

    A noise word has weight n K / M for a word with n pairs: as much, on average, as K draws for
    each pair would give it.
    """

    T = 16
    M = 8
    base_rate = 16.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        self.noise = NoiseDistribution(vocab.counts, power)
        self.window = window
        self.output_rows = len(vocab)
        self.blocks = blocks_per_step(vocab, 64)
        self.words_per_step = self.blocks * self.T
        self.weights = self._weights(negatives)
        columns = self.T + 2 * window
        self.labels = torch.tensor([1.0] * columns + [0.0] * self.M, dtype=torch.float32)
        noise_at_once = self.T * (window + 1) * negatives / self.M
        self.visits = sampling_visits(
            vocab, keep, window, negatives, self.noise.probs, noise_at_once
        )

    def _weights(self, negatives: int):
        """A row for each (place in the block, reach left, reach right).

        Context words, then noise.
        """
        reach = torch.arange(self.window + 1, dtype=torch.float32)
        pairs = reach[:, None] + reach
        noise = (pairs * negatives / self.M)[..., None].expand(-1, -1, self.M)
        noise = noise.expand(self.T, -1, -1, -1)
        return torch.cat([bands(self.T, self.window), noise], dim=3).flatten(0, 2)

    def learn(
        self, ids, sentence_ids, input_table, output_table, rate, generator, scratch
    ) -> Tally:
        text = Windows(ids, sentence_ids, self.T, self.window, generator)
        noise = self.noise.sample((len(text.ids), self.M), generator)
        rows = torch.cat([text.context, noise], dim=1)
        tallies = []
        for start in range(0, len(rows), self.blocks):
            some = slice(start, start + self.blocks)
            measured = start // self.blocks % LOSS_EVERY == 0
            nats = block_step(
                input_table,
                output_table,
                text.ids[some],
                rows[some],
                self.labels,
                scratch.gather("weights", self.weights, text.band[some]),
                rate(start / len(rows)),
                scratch,
                measured,
            )
            pairs = int(text.pairs[some].sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)


def walk_visits(tree, vocab, keep, window: int) -> tuple:
    """Visits of the input rows and of the inner nodes under hierarchical softmax."""
    pairs = vocab.counts * keep.double() * (window + 1)
    steps = (pairs[:, None] * (tree.signs != 0)).flatten()
    nodes = torch.zeros(len(vocab) - 1).double().index_add_(0, tree.paths.flatten(), steps)
    depth = (nodes.sum() / pairs.sum()).item()
    return Visits(pairs * depth, depth), Visits(nodes, 1)


class HierarchicalSoftmaxBlocks:
    """15.2.7 as products of matrices: blocks of up to P pairs with the same target word.

    They share the target's path in Huffman's tree, and every score is needed. The windows are drawn
    around the target here, which makes no difference to the pairs there are on average.
    """

    P = 32
    base_rate = 13.0

    def __init__(self, vocab, keep, window: int, *_):
        tree = huffman_tree(vocab.counts)
        self.window = window
        self.output_rows = len(vocab) - 1
        self.depths = tree.depths
        self.paths = tree.paths
        self.left = (tree.signs > 0).float()
        self.real = (tree.signs != 0).float()
        self.blocks = blocks_per_step(vocab, 128)
        self.words_per_step = self.blocks * self.P // (window + 1)
        inputs, nodes = walk_visits(tree, vocab, keep, window)
        self.visits = inputs, Visits(nodes.per_epoch, self.P / 2)

    def learn(
        self, ids, sentence_ids, input_table, output_table, rate, generator, scratch
    ) -> Tally:
        targets, words, inside = self.group(ids, sentence_ids, generator)
        batches = self._batches(targets, generator)
        tallies = []
        for number, some in enumerate(batches):
            measured = number % LOSS_EVERY == 0
            target = targets.index_select(0, some)
            mask = inside.index_select(0, some)
            depth = int(self.depths[target].max())
            nodes, left, real = (
                table.index_select(0, target)[:, :depth]
                for table in (self.paths, self.left, self.real)
            )
            weights = scratch.take("weights", mask, *mask.shape, depth)
            torch.mul(mask[:, :, None], real[:, None], out=weights)
            nats = block_step(
                input_table,
                output_table,
                words.index_select(0, some),
                nodes.contiguous(),
                left[:, None],
                weights,
                rate(number / len(batches)),
                scratch,
                measured,
            )
            pairs = int(mask.sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)

    def _batches(self, targets, generator) -> list:
        """Blocks of each step: random, but of similar depth, so that paths need little padding."""
        order = torch.randperm(len(targets), generator=generator)
        depth_class = (self.depths[targets[order]] / 2).ceil().long()
        order = order[depth_class.argsort(stable=True)]
        starts = torch.arange(0, len(order), self.blocks)
        starts = starts[torch.randperm(len(starts), generator=generator)].tolist()
        return [order[start : start + self.blocks] for start in starts]

    def group(self, ids, sentence_ids, generator):
        """All pairs in blocks of one target word each.

        Returns the targets (n,), their context words (n, P), and 1 where there is one (n, P).
        """
        left, right = reaches(sentence_ids, self.window, generator)
        order = ids.argsort(stable=True)  # the same words beside each other
        pairs = (left + right)[order]
        token = order.repeat_interleave(pairs)  # each pair's target, by its place in the text
        first = (pairs.cumsum(0) - pairs).repeat_interleave(pairs)
        place = torch.arange(len(token)) - first - left[token]
        place += place >= 0  # -left .. -1, then 1 .. right
        context = ids[token + place]

        target, count = torch.unique_consecutive(ids[token], return_counts=True)
        blocks = (count + self.P - 1) // self.P
        empty = blocks * self.P - count  # places at the end of each word's last block
        skipped = (empty.cumsum(0) - empty).repeat_interleave(count)
        room = torch.arange(len(token)) + skipped
        size = int(blocks.sum()) * self.P
        words = torch.zeros(size).long()
        words[room] = context
        inside = torch.zeros(size, dtype=torch.float32)
        inside[room] = 1.0
        return target.repeat_interleave(blocks), words.view(-1, self.P), inside.view(-1, self.P)


class CompiledLearner:
    """Word after word of the text in a compiled loop, as word2vec.c goes.

    A subclass gives the loop and its own arguments with `loop(d, words, generator)`.
    """

    WORDS_PER_RATE = 1024  # words that are learned at one learning rate

    def learn(
        self, ids, sentence_ids, input_table, output_table, rate, generator, scratch
    ) -> Tally:
        left, right = reaches(sentence_ids, self.window, generator)
        text = [part.int().numpy() for part in (ids, left, right)]
        tables = (input_table.vectors, output_table.vectors, input_table.rates, output_table.rates)
        tables = [table.numpy() for table in tables]
        loop, own = self.loop(input_table.vectors.shape[1], len(ids), generator)
        tallies = []
        for start in range(0, len(ids), self.WORDS_PER_RATE):
            end = min(start + self.WORDS_PER_RATE, len(ids))
            now = np.float32(rate(start / len(ids)))
            tallies.append(Tally(*loop(*tables, *text, start, end, *own, now, LOSS_EVERY)))
        return total(tallies)


class NegativeSamplingLearner(CompiledLearner):
    """15.2.6: each word has M noise words that all its n pairs share, each with weight n K / M.

    They are neighbours in a stream of draws; the next word's begin one later, so each noise word
    serves M words in a row.
    """

    M = 8
    base_rate = 15.0
    words_per_step = 1

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        self.noise = NoiseDistribution(vocab.counts, power)
        self.window = window
        self.share = negatives / self.M
        self.output_rows = len(vocab)
        noise_at_once = (window + 1) * self.share
        self.visits = sampling_visits(
            vocab, keep, window, negatives, self.noise.probs, noise_at_once
        )

    def loop(self, d: int, words: int, generator):
        noise = self.noise.sample((words + self.M - 1,), generator)
        own = (noise.int().numpy(), self.M, np.float32(self.share))
        return compiled.loops(d).windows, own


class HierarchicalSoftmaxLearner(CompiledLearner):
    """15.2.7 along Huffman's tree, pair by pair."""

    base_rate = 12.0
    words_per_step = 1

    def __init__(self, vocab, keep, window: int, *_):
        tree = huffman_tree(vocab.counts)
        self.window = window
        self.output_rows = len(vocab) - 1
        turns_left = (tree.signs > 0).float()
        self.tree = (tree.paths.int().numpy(), turns_left.numpy(), tree.depths.int().numpy())
        self.visits = walk_visits(tree, vocab, keep, window)

    def loop(self, d: int, *_):
        return compiled.loops(d).walks, self.tree


class FullSoftmaxLearner:
    """15.1.7: every word is scored, but once for all pairs of a centre word."""

    T = 16
    MOST_SCORES = 1 << 21  # at once
    base_rate = 0.1
    visits = None  # each coordinate has a rate of its own, that of Adagrad

    def __init__(self, vocab, keep, window: int, *_):
        self.window = window
        self.output_rows = len(vocab)
        most = max(1, self.MOST_SCORES // len(vocab) // self.T)
        self.blocks = blocks_per_step(vocab, min(16, most))
        self.words_per_step = self.blocks * self.T
        self.bands = bands(self.T, window).flatten(0, 2)
        places = torch.arange(2 * window + 1)
        self.own_columns = places + torch.arange(self.T)[:, None]  # of the block's word i

    def learn(
        self, ids, sentence_ids, input_table, output_table, rate, generator, scratch
    ) -> Tally:
        text = Windows(ids, sentence_ids, self.T, self.window, generator)
        size = 2 * self.window + 1
        tallies = []
        for start in range(0, len(text.ids), self.blocks):
            some = slice(start, start + self.blocks)
            measured = start // self.blocks % LOSS_EVERY == 0
            context = text.context[some][:, self.own_columns].view(-1, size)
            columns = self.own_columns.expand(len(text.ids[some]), -1, -1)
            inside = self.bands[text.band[some]].gather(2, columns).view(-1, size)
            nats = softmax_step(
                input_table,
                output_table,
                text.ids[some].view(-1),
                context,
                inside,
                rate(start / len(text.ids)),
                scratch,
                measured,
            )
            pairs = int(text.pairs[some].sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)


LEARNERS = {
    "ns": NegativeSamplingLearner,
    "hs": HierarchicalSoftmaxLearner,
    "softmax": FullSoftmaxLearner,
    "ns-blocks": NegativeSamplingBlocks,
    "hs-blocks": HierarchicalSoftmaxBlocks,
}
