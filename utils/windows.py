"""Ids -> skip-gram pairs, CBOW bags, batches; all vectorised, nothing loops over words."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from utils.checks import Real, Whole, whole_number
from utils.vocabulary import Vocab
from utils.vocabulary import subsample as keep_mask


def window_pairs(
    sentence_ids: Int[Tensor, "n"],
    window: Whole = 5,
    generator: torch.Generator | None = None,
    shrink: bool = True,
) -> tuple[Int[Tensor, "p"], Int[Tensor, "p"]]:
    """Positions (centre, context) of all pairs within the centre's reach and within a sentence.

    With `shrink` each centre's reach is drawn uniformly from 1..window (word2vec's dynamic window),
    else it is `window`. Raises ValueError for a window below 1.
    """
    window = whole_number("window", window)
    n = len(sentence_ids)
    if shrink:
        reach = torch.randint(1, window + 1, (n,), generator=generator)
    else:
        reach = torch.full((n,), window)
    centres = []
    contexts = []
    for distance in range(1, min(window, n) + 1):  # all pairs at one distance at once
        left = torch.arange(max(n - distance, 0))
        right = left + distance
        same = sentence_ids[left] == sentence_ids[right]
        for centre, context in ((left, right), (right, left)):
            inside = same & (reach[centre] >= distance)
            centres.append(centre[inside])
            contexts.append(context[inside])
    if not centres:
        return torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    return torch.cat(centres), torch.cat(contexts)


@dataclass
class SkipGramEpoch:
    """The shuffled pairs of one pass over the text."""

    centres: Tensor
    contexts: Tensor

    def __len__(self) -> int:
        return len(self.centres)

    def batch(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """(centre ids (B,), context ids (B,))."""
        return self.centres[start:stop], self.contexts[start:stop]


def skip_gram_epoch(ids, centres, contexts, generator) -> SkipGramEpoch:
    order = torch.randperm(len(centres), generator=generator)
    return SkipGramEpoch(ids[centres[order]], ids[contexts[order]])


@dataclass
class CBOWEpoch:
    """The bags of one pass over the text, and the shuffled order of their centre words."""

    ids: Tensor  # the text (n,)
    bags: Tensor  # all context ids, bag after bag
    starts: Tensor  # where each position's bag begins (n,)
    sizes: Tensor  # and how many words it has (n,)
    order: Tensor  # positions whose bag is not empty

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, start: int, stop: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """((context ids, offsets (B,)), centre ids (B,))."""
        centres = self.order[start:stop]
        sizes = self.sizes[centres]
        offsets = sizes.cumsum(0) - sizes
        shift = (self.starts[centres] - offsets).repeat_interleave(sizes)
        places = torch.arange(int(sizes.sum())) + shift
        return (self.bags[places], offsets), self.ids[centres]


def cbow_epoch(ids, centres, contexts, generator) -> CBOWEpoch:
    sizes = torch.bincount(centres, minlength=len(ids))
    bags = ids[contexts[torch.argsort(centres, stable=True)]]
    starts = sizes.cumsum(0) - sizes
    used = sizes.nonzero().flatten()
    order = used[torch.randperm(len(used), generator=generator)]
    return CBOWEpoch(ids, bags, starts, sizes, order)


class Batches:
    """Re-iterable; every epoch redraws windows and subsampling, in an order fixed by the seed.

    `len()` is the number of batches of the coming epoch or, once it has begun, of the current one.
    `make_epoch` arranges an epoch's pairs.
    """

    def __init__(
        self,
        make_epoch,
        ids: Int[Tensor, "n"],
        sentence_ids: Int[Tensor, "n"],
        vocab: Vocab,
        window: Whole = 5,
        batch_size: Whole = 4096,
        subsample: Real | None = 1e-3,
        seed: Whole = 0,
        rule: str = "paper",
    ):
        self.make_epoch = make_epoch
        self.ids = ids
        self.sentence_ids = sentence_ids
        self.vocab = vocab
        self.window = whole_number("window", window)
        self.batch_size = whole_number("batch_size", batch_size)
        self.subsample = subsample
        self.rule = rule
        self._generator = torch.Generator().manual_seed(whole_number("seed", seed, least=0))
        self._current = None
        self._next = None  # drawn when somebody asks for the length before iterating

    def _draw(self):
        ids = self.ids
        sentence_ids = self.sentence_ids
        if self.subsample:  # None and 0 keep every word
            keep = keep_mask(ids, self.vocab, self.subsample, self.rule, self._generator)
            ids = ids[keep]
            sentence_ids = sentence_ids[keep]
        centres, contexts = window_pairs(sentence_ids, self.window, self._generator)
        if not len(centres):
            raise ValueError(
                f"no pair is left: {len(ids)} words after subsampling, none with a neighbour in "
                "its sentence; bring more text, lower min_count, or use subsample=None"
            )
        return self.make_epoch(ids, centres, contexts, self._generator)

    def __len__(self) -> int:
        if self._current is None:
            self._next = self._draw()
            self._current = self._next
        return math.ceil(len(self._current) / self.batch_size)

    def __iter__(self):
        self._current = self._next if self._next is not None else self._draw()
        self._next = None
        epoch = self._current
        for start in range(0, len(epoch), self.batch_size):
            yield epoch.batch(start, min(start + self.batch_size, len(epoch)))


def skip_gram_batches(
    ids: Int[Tensor, "n"],
    sentence_ids: Int[Tensor, "n"],
    vocab: Vocab,
    window: Whole = 5,
    batch_size: Whole = 4096,
    subsample: Real | None = 1e-3,
    seed: Whole = 0,
    rule: str = "paper",
) -> Batches:
    """Shuffled skip-gram batches: yields (inputs, targets) = (centre ids (B,), context ids (B,)).

    ids (n,) and sentence_ids (n,) come from `vocab.encode`; `window` is in words to each side;
    `subsample` is the threshold t (None: off) and `rule` its formula, "paper" or "word2vec". Raises
    ValueError where no pair is left.
    """
    return Batches(
        skip_gram_epoch, ids, sentence_ids, vocab, window, batch_size, subsample, seed, rule
    )


def cbow_batches(
    ids: Int[Tensor, "n"],
    sentence_ids: Int[Tensor, "n"],
    vocab: Vocab,
    window: Whole = 5,
    batch_size: Whole = 4096,
    subsample: Real | None = 1e-3,
    seed: Whole = 0,
    rule: str = "paper",
) -> Batches:
    """Shuffled CBOW batches: yields (inputs, targets).

    targets are centre ids (B,), inputs (context ids, offsets (B,)), in `nn.EmbeddingBag`'s form:
    bag b is context ids[offsets[b] : offsets[b + 1]], and none is empty. Options and errors are
    those of `skip_gram_batches`.
    """
    return Batches(cbow_epoch, ids, sentence_ids, vocab, window, batch_size, subsample, seed, rule)
