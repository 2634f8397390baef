"""The objectives at full speed: how a piece of text becomes steps of the kernels."""

from typing import NamedTuple

import numpy as np
import torch

from utils.fast import compiled
from utils.fast.blocks import Windows, bands, reaches
from utils.fast.kernels import Scratch, Table, block_step, softmax_step
from utils.noise import NoiseDistribution
from utils.tree import huffman_tree

LOSS_EVERY = 16  # steps from one whose loss is computed to the next


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


def sampled_questions(vocab, keep, window: int, negatives: int, q, noise_at_once: float | int):
    """((V,), at once) twice: the questions that each input row and each output row answers in an epoch on average."""
    pairs = vocab.counts * keep * (window + 1)  # a full window holds as many on average
    return (
        (pairs * (1 + negatives), (window + 1) * (1 + negatives)),
        (pairs + negatives * pairs.sum() * q, noise_at_once),
    )


class NegativeSampling:
    """15.2.6: blocks of T words, each with M noise words of its own that all its pairs share.

    A noise word counts n_i K / M times for a word with n_i pairs: as often as K draws for each pair do on average.
    `asked`, for the input rows and the output rows: how many questions each answers in an epoch on average, and how
    many at once at least, when it comes up in a step at all.
    """

    T, M, LR = 16, 8, 16.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        self.noise, self.window, self.output_rows = (
            NoiseDistribution(vocab.counts, power),
            window,
            len(vocab),
        )
        self.blocks = blocks_for(vocab, 64)
        self.step = self.blocks * self.T
        reach = torch.arange(window + 1.0)
        shared = ((reach[:, None] + reach) * negatives / self.M)[..., None].expand(-1, -1, self.M)
        self.times = torch.cat(
            [bands(self.T, window), shared.expand(self.T, -1, -1, -1)], dim=3
        ).flatten(0, 2)
        self.labels = torch.tensor([1.0] * (self.T + 2 * window) + [0.0] * self.M)
        self.asked = sampled_questions(
            vocab,
            keep,
            window,
            negatives,
            self.noise.probs,
            self.T * (window + 1) * negatives / self.M,
        )

    def learn(
        self, ids, sentence, inputs: Table, outputs: Table, lr, generator, scratch: Scratch
    ) -> Tally:
        """One pass over a piece of thinned text; `lr(share)` is the rate after that share of it."""
        text, tallies = Windows(ids, sentence, self.T, self.window, generator), []
        rows = torch.cat(
            [text.context, self.noise.sample((len(text.ids), self.M), generator)], dim=1
        )
        for start in range(0, len(rows), self.blocks):
            some, measured = (
                slice(start, start + self.blocks),
                start // self.blocks % LOSS_EVERY == 0,
            )
            times = scratch.gather("times", self.times, text.band[some])
            nats = block_step(
                inputs,
                outputs,
                text.ids[some],
                rows[some],
                self.labels,
                times,
                lr(start / len(rows)),
                scratch,
                measured,
            )
            pairs = int(text.pairs[some].sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)


def walk_questions(tree, vocab, keep, window: int):
    """((V,), at once), ((V - 1,), at once): the steps that each input row and each node is asked for in an epoch."""
    pairs = vocab.counts * keep.double() * (window + 1)
    steps = (pairs[:, None] * (tree.signs != 0)).flatten()
    visits = torch.zeros(len(vocab) - 1).double().index_add_(0, tree.paths.flatten(), steps)
    depth = (visits.sum() / pairs.sum()).item()
    return (pairs * depth, depth), (visits, 1)


class HierarchicalSoftmax:
    """15.2.7 along Huffman's tree: blocks of up to P pairs with the same target word, which walk the same path.

    Every score is needed, there is no band; a piece of text is long enough to fill most blocks. Which side the windows
    are drawn on makes no difference to the pairs there are on average: here it is the target's.
    """

    P, LR = 32, 13.0

    def __init__(self, vocab, keep, window: int, *_):
        tree = huffman_tree(vocab.counts)
        self.window, self.output_rows, self.depths = window, len(vocab) - 1, tree.depths
        self.paths, self.left, self.real = (
            tree.paths,
            (tree.signs > 0).float(),
            (tree.signs != 0).float(),
        )
        self.blocks = blocks_for(vocab, 128)
        self.step = self.blocks * self.P // (window + 1)  # words, not pairs
        (asked, depth), (visits, _) = walk_questions(tree, vocab, keep, window)
        self.asked = (asked, depth), (visits, self.P / 2)

    def learn(
        self, ids, sentence, inputs: Table, outputs: Table, lr, generator, scratch: Scratch
    ) -> Tally:
        """One pass over a piece of thinned text; `lr(share)` is the rate after that share of it."""
        targets, words, inside = self.group(ids, sentence, generator)
        order = torch.randperm(len(targets), generator=generator)
        order = order[
            (self.depths[targets[order]] / 2).ceil().long().argsort(stable=True)
        ]  # little padding of paths
        starts, tallies = torch.arange(0, len(order), self.blocks), []
        for number, start in enumerate(
            starts[torch.randperm(len(starts), generator=generator)].tolist()
        ):
            some, measured = order[start : start + self.blocks], number % LOSS_EVERY == 0
            target, mask = targets.index_select(0, some), inside.index_select(0, some)
            D = int(self.depths[target].max())
            nodes, left, real = (
                table.index_select(0, target)[:, :D] for table in (self.paths, self.left, self.real)
            )
            times = torch.mul(
                mask[:, :, None], real[:, None], out=scratch.take("times", mask, *mask.shape, D)
            )
            nats = block_step(
                inputs,
                outputs,
                words.index_select(0, some),
                nodes.contiguous(),
                left[:, None],
                times,
                lr(number / len(starts)),
                scratch,
                measured,
            )
            pairs = int(mask.sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)

    def group(self, ids, sentence, generator):
        """All pairs in blocks of one target word each: (target (n,), context words (n, P), 1 where there is one)."""
        left, right = reaches(sentence, self.window, generator)
        order = ids.argsort(stable=True)  # the same words beside each other
        pairs = (left + right)[order]
        token = order.repeat_interleave(pairs)  # each pair's target, its place in the text
        place = (
            torch.arange(len(token))
            - (pairs.cumsum(0) - pairs).repeat_interleave(pairs)
            - left[token]
        )
        context = ids[token + place + (place >= 0)]  # -left .. -1, then 1 .. right
        target, count = torch.unique_consecutive(ids[token], return_counts=True)
        blocks = -(-count // self.P)
        empty = blocks * self.P - count  # at the end of each word's last block
        room = torch.arange(len(token)) + (empty.cumsum(0) - empty).repeat_interleave(count)
        words, inside = (
            torch.zeros(int(blocks.sum()) * self.P).long(),
            torch.zeros(int(blocks.sum()) * self.P),
        )
        words[room], inside[room] = context, 1.0
        return target.repeat_interleave(blocks), words.view(-1, self.P), inside.view(-1, self.P)


class Compiled:
    """Word after word of the text in a compiled loop, as word2vec.c goes; what subclasses add is asked in `loop`."""

    CHUNK = 1024  # words between two looks at the rate

    def learn(
        self, ids, sentence, inputs: Table, outputs: Table, lr, generator, scratch: Scratch
    ) -> Tally:
        """One pass over a piece of thinned text; `lr(share)` is the rate after that share of it."""
        text = [part.int().numpy() for part in (ids, *reaches(sentence, self.window, generator))]
        tables = [
            part.numpy() for part in (inputs.vectors, outputs.vectors, inputs.rates, outputs.rates)
        ]
        loop, asked = self.loop(inputs.vectors.shape[1], len(ids), generator)
        return total(
            Tally(
                *loop(
                    *tables,
                    *text,
                    start,
                    min(start + self.CHUNK, len(ids)),
                    *asked,
                    np.float32(lr(start / len(ids))),
                    LOSS_EVERY,
                )
            )
            for start in range(0, len(ids), self.CHUNK)
        )


class CompiledNegativeSampling(Compiled):
    """15.2.6: each word has M noise words that all its n pairs share, so each of them counts n K / M times.

    They are neighbours in a stream of draws; the next word's begin one later, so that M words share each of them.
    """

    M, LR = 8, 15.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        self.noise, self.window, self.share = (
            NoiseDistribution(vocab.counts, power),
            window,
            negatives / self.M,
        )
        self.output_rows, self.step = len(vocab), 1
        self.asked = sampled_questions(
            vocab, keep, window, negatives, self.noise.probs, (window + 1) * self.share
        )

    def loop(self, d: int, words: int, generator):
        noise = self.noise.sample((words + self.M - 1,), generator)
        return compiled.loops(d).windows, (noise.int().numpy(), self.M, np.float32(self.share))


class CompiledHierarchicalSoftmax(Compiled):
    """15.2.7 along Huffman's tree, pair by pair."""

    LR = 12.0

    def __init__(self, vocab, keep, window: int, *_):
        tree = huffman_tree(vocab.counts)
        self.window, self.output_rows, self.step = window, len(vocab) - 1, 1
        self.tree = (
            tree.paths.int().numpy(),
            (tree.signs > 0).float().numpy(),
            tree.depths.int().numpy(),
        )
        self.asked = walk_questions(tree, vocab, keep, window)

    def loop(self, d: int, *_):
        return compiled.loops(d).walks, self.tree


class FullSoftmax:
    """15.1.7: every word is scored, but once for all pairs of a centre word."""

    T, SCORES, LR = 16, 1 << 21, 0.1

    def __init__(self, vocab, keep, window: int, *_):
        self.window, self.output_rows = window, len(vocab)
        self.blocks = blocks_for(vocab, min(16, max(1, self.SCORES // len(vocab) // self.T)))
        self.step = self.blocks * self.T
        self.bands = bands(self.T, window).flatten(0, 2)
        self.asked = None  # each coordinate has a rate of its own

    def learn(
        self, ids, sentence, inputs: Table, outputs: Table, lr, generator, scratch: Scratch
    ) -> Tally:
        """One pass over a piece of thinned text; `lr(share)` is the rate after that share of it."""
        text, tallies = Windows(ids, sentence, self.T, self.window, generator), []
        T, w, blocks = self.T, self.window, self.blocks
        for start in range(0, len(text.ids), blocks):
            some, measured = slice(start, start + blocks), start // blocks % LOSS_EVERY == 0
            own = (
                torch.arange(2 * w + 1).expand(T, -1) + torch.arange(T)[:, None]
            )  # each word's own columns
            context = text.context[some][:, own].view(-1, 2 * w + 1)
            inside = (
                self.bands[text.band[some]]
                .gather(2, own.expand(len(text.ids[some]), -1, -1))
                .view(context.shape)
            )
            nats = softmax_step(
                inputs,
                outputs,
                text.ids[some].view(-1),
                context,
                inside,
                lr(start / len(text.ids)),
                scratch,
                measured,
            )
            pairs = int(text.pairs[some].sum())
            tallies.append(Tally(pairs, nats, pairs * measured))
        return total(tallies)


OBJECTIVES = {
    "ns": CompiledNegativeSampling if compiled.njit else NegativeSampling,
    "hs": CompiledHierarchicalSoftmax if compiled.njit else HierarchicalSoftmax,
    "softmax": FullSoftmax,
    "ns-blocks": NegativeSampling,
    "hs-blocks": HierarchicalSoftmax,
}
