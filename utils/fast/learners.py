"""Learners: how a piece of text becomes updates of the two tables, for each model and objective.

A learner has `output_rows`, `copied_rows`, `columns(d)`, `base_rate`, `visits` and
`learn_piece(piece, draws, input_table, output_table, rate, scratch)`, one pass over a piece, where
`rate(share)` is the learning rate after that share of it. `visits` says how often rows are updated,
which decides their rates; `columns` how many columns a table of d coordinates needs; `copied_rows`
how many rows of the output table each of several threads needs for itself.
"""

from typing import NamedTuple

import numpy as np
import torch

from utils.fast import bounds, drawing
from utils.fast.blocks import Windows, bands, reaches, subsample_piece
from utils.fast.copies import NO_COPY, OwnRows
from utils.fast.kernels import block_step, softmax_step
from utils.fast.loops import choose_loops
from utils.noise import NoiseDistribution
from utils.tree import huffman_tree

LOSS_EVERY = 16  # steps of blocks: the loss is computed in one of so many
LOSS_EVERY_WINDOWS = 128  # the same for the compiled loops, whose steps are single windows
TOP_NODES = 256  # of the tree, from the root on, that each of several threads has copies of


class Draws(NamedTuple):
    """What a piece of the text is drawn with: the same seed and number give the same again."""

    seed: int
    number: int

    def generator(self) -> torch.Generator:
        """For what torch draws; it takes seeds of 64 bits."""
        return torch.Generator().manual_seed((self.seed * 1_000_003 + self.number) % (1 << 63))

    def stream(self, purpose: int) -> np.uint64:
        """For what compiled code draws."""
        return drawing.stream(self.seed, self.number, purpose)


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


class BlockLearner:
    """Subsamples a piece, and learns what is left in blocks: products of matrices.

    A subclass has `learn(ids, sentence_ids, input_table, output_table, rate, generator, scratch)`.
    """

    copied_rows = 0

    def learn_piece(self, piece, draws, input_table, output_table, rate, scratch) -> Tally:
        generator = draws.generator()
        ids, sentence_ids = subsample_piece(piece, self.keep, generator)
        if not len(ids):
            return Tally()
        return self.learn(ids, sentence_ids, input_table, output_table, rate, generator, scratch)

    @staticmethod
    def columns(d: int) -> int:
        return d


class NegativeSamplingBlocks(BlockLearner):
    """15.2.6 as products of matrices: blocks of T words, each with M noise words for all its pairs.

    A noise word has weight n K / M for a word with n pairs: as much, on average, as K draws for
    each pair would give it.
    """

    T = 16
    M = 8
    base_rate = 16.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        self.keep = keep
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
    nodes = node_visits(tree, pairs)
    depth = (nodes.sum() / pairs.sum()).item()
    return Visits(pairs * depth, depth), Visits(nodes, 1)


def node_visits(tree, targets: torch.Tensor) -> torch.Tensor:
    """How often each inner node is passed, (V - 1,), if word w is the target targets[w] times."""
    steps = (targets[:, None] * (tree.signs != 0)).flatten()
    nodes = torch.zeros(len(targets) - 1).double()
    return nodes.index_add_(0, tree.paths.flatten(), steps)


def bag_visits(bags: torch.Tensor, window: int, questions: float | int) -> Visits:
    """Visits of CBOW's input rows: a word is in as many bags as it has neighbours.

    A bag of n words gives each a share of 1 / n, and a rate follows the squares of its gradients,
    so n^2 visits of this kind weigh as much as one of skip-gram's.
    """
    n = window + 1  # words in a bag on average
    return Visits(bags * n * questions / n**2, questions / n)


class HierarchicalSoftmaxBlocks(BlockLearner):
    """15.2.7 as products of matrices: blocks of up to P pairs with the same target word.

    They share the target's path in Huffman's tree, and every score is needed. The windows are drawn
    around the target here, which makes no difference to the pairs there are on average.
    """

    P = 32
    base_rate = 13.0

    def __init__(self, vocab, keep, window: int, *_):
        tree = huffman_tree(vocab.counts)
        self.keep = keep
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
    """Window after window of the text in a compiled loop, as word2vec.c goes.

    A subclass names its loop, and gives the loop's own arguments with `own(words, draws, copy)`.
    """

    WORDS_PER_RATE = 1024  # words that are learned at one learning rate, and between two exchanges
    words_per_step = 1
    copied_rows = 0

    def __init__(self, vocab, keep, window: int):
        self.keep = keep.float().numpy()
        self.window = window
        self.output_rows = len(vocab)

    @staticmethod
    def columns(d: int) -> int:
        return choose_loops(d).columns

    def learn_piece(self, piece, draws, input_table, output_table, rate, scratch) -> Tally:
        text = drawing.subsample(
            piece.numpy(), self.keep, self.window, draws.stream(drawing.SUBSAMPLING)
        )
        copy = OwnRows(output_table, scratch)
        own = self.own(len(text[0]), draws, copy)
        return self.learn(text, own, input_table, output_table, rate, copy)

    def learn(self, text, own, input_table, output_table, rate, copy=NO_COPY) -> Tally:
        """Learn the whole of `text` = (ids, left, right), with the loop's own arguments."""
        words = len(text[0])
        loops = choose_loops(input_table.vectors.shape[1])
        loop = getattr(loops, self.loop)
        tables = (input_table.rows, output_table.rows, input_table.rates, output_table.rates)
        tables = tuple(table.numpy() for table in tables)
        bounds.check_tables(*tables, loops.columns)
        bounds.check_text(*text, len(tables[0]))
        self.check_own(own, words, len(tables[1]))
        tallies = []
        copy.fetch()
        for start in range(0, words, self.WORDS_PER_RATE):
            end = min(start + self.WORDS_PER_RATE, words)
            now = np.float32(rate(start / words))
            tallies.append(Tally(*loop(tables, text, start, end, own, now, LOSS_EVERY_WINDOWS)))
            copy.exchange()
        return total(tallies)


class SamplingLearner(CompiledLearner):
    """What both models share under negative sampling, 15.2.6: a table to draw noise words from."""

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        super().__init__(vocab, keep, window)
        self.noise = drawing.alias_table(NoiseDistribution(vocab.counts, power).probs.numpy())

    def draw(self, count: int, draws: Draws) -> np.ndarray:
        return drawing.draw_noise(self.noise, count, draws.stream(drawing.NOISE))

    def check_own(self, own: tuple, words: int, rows: int) -> None:
        bounds.check_noise(own[0], self.noise_needed(words), self.output_rows)


class WalkLearner(CompiledLearner):
    """What both models share under hierarchical softmax, 15.2.7: Huffman's tree."""

    def __init__(self, vocab, keep, window: int, *_):
        super().__init__(vocab, keep, window)
        tree = huffman_tree(vocab.counts)
        turns_left = (tree.signs > 0).float()
        self.tree = (tree.paths.int().numpy(), turns_left.numpy(), tree.depths.int().numpy())
        self.output_rows = len(vocab) - 1
        self.copied_rows = min(TOP_NODES, self.output_rows)
        bounds.check_paths(*self.tree, self.output_rows)
        self.visits = self.count_visits(tree, vocab, keep, window)

    def own(self, words: int, draws: Draws, copy: OwnRows = NO_COPY) -> tuple:
        return *self.tree, copy.top, copy.shift

    def check_own(self, own: tuple, words: int, rows: int) -> None:
        """IndexError for a copy that leaves the table; the tree was checked when it was built."""
        *_, top, shift = own
        if top and shift + top > rows:
            raise IndexError(f"a copy ends at row {shift + top}; the output table has {rows}")


class NegativeSamplingLearner(SamplingLearner):
    """Each word has M noise words that all its n pairs share, each with weight n K / M.

    They are neighbours in a stream of draws; the next word's begin one later, so each noise word
    serves M words in a row.
    """

    loop = "skip_gram_sampling"
    M = 8
    base_rate = 15.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        super().__init__(vocab, keep, window, negatives, power)
        self.share = negatives / self.M
        q = torch.from_numpy(self.noise.probabilities())
        noise_at_once = (window + 1) * self.share
        self.visits = sampling_visits(vocab, keep, window, negatives, q, noise_at_once)

    def noise_needed(self, words: int) -> int:
        return words + self.M - 1

    def own(self, words: int, draws: Draws, copy: OwnRows = NO_COPY) -> tuple:
        return self.draw(self.noise_needed(words), draws), self.M, np.float32(self.share)


class HierarchicalSoftmaxLearner(WalkLearner):
    """Along Huffman's tree, all walks of a window at once: its rows move at the end of the window.

    It learned held-out text as well as the exact order does, and is faster.
    """

    loop = "skip_gram_walks_together"
    base_rate = 12.0
    count_visits = staticmethod(walk_visits)


class ExactHierarchicalSoftmaxLearner(HierarchicalSoftmaxLearner):
    """Pair by pair, as word2vec.c goes: rows move after each pair."""

    loop = "skip_gram_walks"


class BagSamplingLearner(SamplingLearner):
    """CBOW: the mean of the window's words predicts its centre word, against K noise words.

    As in skip-gram, the next word's noise words begin one later in a stream of draws.
    """

    loop = "cbow_sampling"
    base_rate = 40.0

    def __init__(self, vocab, keep, window: int, negatives: int, power: float):
        super().__init__(vocab, keep, window, negatives, power)
        self.negatives = negatives
        q = torch.from_numpy(self.noise.probabilities())
        bags = vocab.counts * keep
        outputs = Visits(bags + negatives * bags.sum() * q, 1)
        self.visits = bag_visits(bags, window, 1 + negatives), outputs

    def noise_needed(self, words: int) -> int:
        return words + self.negatives - 1

    def own(self, words: int, draws: Draws, copy: OwnRows = NO_COPY) -> tuple:
        return self.draw(self.noise_needed(words), draws), self.negatives


class BagWalkLearner(WalkLearner):
    """CBOW: the mean of the window's words walks to its centre word."""

    loop = "cbow_walks"
    base_rate = 30.0

    @staticmethod
    def count_visits(tree, vocab, keep, window: int) -> tuple:
        bags = vocab.counts * keep.double()
        nodes = node_visits(tree, bags)
        depth = (nodes.sum() / bags.sum()).item()
        return bag_visits(bags, window, depth), Visits(nodes, 1)


class FullSoftmaxLearner(BlockLearner):
    """15.1.7: every word is scored, but once for all pairs of a centre word."""

    T = 16
    MOST_SCORES = 1 << 21  # at once
    base_rate = 0.1
    visits = None  # each coordinate has a rate of its own, that of Adagrad

    def __init__(self, vocab, keep, window: int, *_):
        self.keep = keep
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
    "hs-exact": ExactHierarchicalSoftmaxLearner,
    "softmax": FullSoftmaxLearner,
    "ns-blocks": NegativeSamplingBlocks,
    "hs-blocks": HierarchicalSoftmaxBlocks,
}
CBOW_LEARNERS = {
    "ns": BagSamplingLearner,
    "hs": BagWalkLearner,
}
LEARNERS_OF = {"skip-gram": LEARNERS, "cbow": CBOW_LEARNERS}
