"""Ids -> skip-gram pairs, CBOW bags, batches; all vectorised, nothing loops over words."""

import torch
from jaxtyping import Int
from torch import Tensor

from utils.vocabulary import Vocab
from utils.vocabulary import subsample as keep_mask


def window_pairs(
    sentence_ids: Int[Tensor, "n"],
    window: int = 5,
    generator: torch.Generator | None = None,
    shrink: bool = True,
) -> tuple[Int[Tensor, "p"], Int[Tensor, "p"]]:
    """Positions (centre, context) of all pairs whose distance is at most the centre's reach, within a sentence.

    Each centre's reach is drawn uniformly from 1..window (`shrink`; word2vec's dynamic window), or is `window`.
    """
    if window < 1:
        raise ValueError(f"window is {window}; a window reaches at least 1 word to each side")
    n = len(sentence_ids)
    reach = (
        torch.randint(1, window + 1, (n,), generator=generator)
        if shrink
        else torch.full((n,), window)
    )
    centres, contexts = [], []
    for distance in range(1, window + 1):  # all pairs at one distance at once
        left = torch.arange(max(n - distance, 0))
        right = left + distance
        same = sentence_ids[left] == sentence_ids[right]
        for centre, context in ((left, right), (right, left)):
            inside = same & (reach[centre] >= distance)
            centres.append(centre[inside])
            contexts.append(context[inside])
    return torch.cat(centres), torch.cat(contexts)


class _Batches:
    """Iterable again and again; each time windows and subsampling are drawn anew, in an order fixed by the seed.

    `len()` is the number of batches of the coming (or, once begun, the current) epoch.
    """

    def __init__(
        self,
        ids,
        sentence_ids,
        vocab: Vocab,
        window: int = 5,
        batch_size: int = 4096,
        subsample: float | None = 1e-3,
        seed: int = 0,
        rule: str = "paper",
    ):
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; a batch holds at least 1 pair")
        self.ids, self.sentence_ids, self.vocab = ids, sentence_ids, vocab
        self.window, self.batch_size, self.subsample, self.rule = (
            window,
            batch_size,
            subsample,
            rule,
        )
        self._generator = torch.Generator().manual_seed(seed)
        self._epoch = self._ahead = None

    def _draw(self):
        ids, sentence_ids = self.ids, self.sentence_ids
        if self.subsample:  # None and 0: keep every word
            keep = keep_mask(ids, self.vocab, self.subsample, self.rule, self._generator)
            ids, sentence_ids = ids[keep], sentence_ids[keep]
        centres, contexts = window_pairs(sentence_ids, self.window, self._generator)
        if not len(centres):
            raise ValueError(
                f"no pair is left: {len(ids)} words after subsampling, none with a neighbour in its "
                "sentence; bring more text, lower min_count, or use subsample=None"
            )
        return self._arrange(ids, centres, contexts)

    def __len__(self) -> int:
        if self._epoch is None:
            self._epoch = self._ahead = self._draw()
        return -(-self._size(self._epoch) // self.batch_size)

    def __iter__(self):
        self._epoch = self._ahead if self._ahead is not None else self._draw()
        self._ahead = None
        epoch, size = self._epoch, self._size(self._epoch)
        for start in range(0, size, self.batch_size):
            yield self._slice(epoch, start, min(start + self.batch_size, size))


class _SkipGramBatches(_Batches):
    def _arrange(self, ids, centres, contexts):
        order = torch.randperm(len(centres), generator=self._generator)
        return ids[centres[order]], ids[contexts[order]]

    def _size(self, epoch):
        return len(epoch[0])

    def _slice(self, epoch, start, stop):
        return epoch[0][start:stop], epoch[1][start:stop]


class _CBOWBatches(_Batches):
    def _arrange(self, ids, centres, contexts):
        sizes = torch.bincount(centres, minlength=len(ids))
        bags = ids[contexts[torch.argsort(centres, stable=True)]]  # all bags, one after the other
        starts = sizes.cumsum(0) - sizes
        used = sizes.nonzero().flatten()
        order = used[torch.randperm(len(used), generator=self._generator)]
        return ids, bags, starts, sizes, order

    def _size(self, epoch):
        return len(epoch[-1])

    def _slice(self, epoch, start, stop):
        ids, bags, starts, sizes, order = epoch
        centres = order[start:stop]
        length = sizes[centres]
        offsets = length.cumsum(0) - length
        where = torch.arange(int(length.sum())) + (starts[centres] - offsets).repeat_interleave(
            length
        )
        return (bags[where], offsets), ids[centres]


def skip_gram_batches(
    ids: Int[Tensor, "n"],
    sentence_ids: Int[Tensor, "n"],
    vocab: Vocab,
    window: int = 5,
    batch_size: int = 4096,
    subsample: float | None = 1e-3,
    seed: int = 0,
    rule: str = "paper",
):
    """Shuffled skip-gram batches: yields (window, targets) = (centre ids (B,), context ids (B,)).

    `subsample` is the threshold t (None: off) and `rule` its formula. Raises ValueError where no pair is left.
    """
    return _SkipGramBatches(ids, sentence_ids, vocab, window, batch_size, subsample, seed, rule)


def cbow_batches(
    ids: Int[Tensor, "n"],
    sentence_ids: Int[Tensor, "n"],
    vocab: Vocab,
    window: int = 5,
    batch_size: int = 4096,
    subsample: float | None = 1e-3,
    seed: int = 0,
    rule: str = "paper",
):
    """Shuffled CBOW batches: yields (window, targets) = ((context ids, offsets (B,)), centre ids (B,)).

    The window is in `nn.EmbeddingBag`'s form: bag b is context ids[offsets[b] : offsets[b + 1]]; none is empty.
    """
    return _CBOWBatches(ids, sentence_ids, vocab, window, batch_size, subsample, seed, rule)
