"""A piece of text -> blocks for the kernels: frequent words thinned out, windows and noise words drawn anew."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad


def thin(
    piece: Int[Tensor, "n"], keep: Float[Tensor, "V1"], generator
) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """(ids, number of the sentence) of the words that survive; the id V ends a sentence, and keep[V] is 0."""
    piece = piece.long()
    kept = torch.rand(len(piece), generator=generator) < keep[piece]
    return piece[kept], (piece == len(keep) - 1).cumsum(0)[kept]


def reaches(
    sentence: Int[Tensor, "n"], window: int, generator
) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
    """How many words each window reaches to the left and right: uniform on 1..window, but within the sentence."""
    _, length = torch.unique_consecutive(sentence, return_counts=True)
    end = length.cumsum(0)
    position, reach = (
        torch.arange(len(sentence)),
        torch.randint(1, window + 1, sentence.shape, generator=generator),
    )
    left = torch.minimum(reach, position - (end - length).repeat_interleave(length))
    return left, torch.minimum(reach, end.repeat_interleave(length) - 1 - position)


def bands(T: int, window: int) -> Float[Tensor, "T L R C"]:
    """bands[i, l, r]: where the window of a block's word i lies that reaches l words to the left and r to the right.

    A row has T + 2 window columns, the block with its overhang: 1 for a context word, else 0.
    """
    reach = torch.arange(window + 1)
    distance = torch.arange(T + 2 * window) - window - torch.arange(T)[:, None, None, None]
    return (
        (distance >= -reach[:, None, None]) & (distance <= reach[:, None]) & (distance != 0)
    ).float()


class Windows:
    """Text in blocks of T words: `ids` (n, T), `context` (n, T + 2 window), which overlap, and their `band`.

    `band` (n, T) are rows of `bands(T, window)`, flat; `pairs` (n, T) counts the words in each window. The last block
    is filled up with words whose window is empty. Blocks come in random order, so that a step has them from all over.
    """

    def __init__(self, ids, sentence, T: int, window: int, generator):
        left, right = reaches(sentence, window, generator)
        short = -len(ids) % T
        order = torch.randperm((len(ids) + short) // T, generator=generator)
        self.context = pad(ids, (window, window + short)).unfold(0, T + 2 * window, T)[order]
        self.ids = self.context[:, window : window + T].contiguous()
        self.pairs = pad(left + right, (0, short)).view(-1, T)[order]
        self.band = (
            pad(left * (window + 1) + right, (0, short)).view(-1, T)[order]
            + torch.arange(T) * (window + 1) ** 2
        )
