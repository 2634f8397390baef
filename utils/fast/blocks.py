"""A piece of text -> blocks for the kernels: subsampled, with windows drawn anew."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from utils.checks import check_memory


def subsample_piece(
    piece: Int[Tensor, "n"], keep: Float[Tensor, "V"], generator
) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """(ids, sentence_ids) of the words that survive subsampling.

    The id V ends a sentence in `piece`, and is dropped; keep (V,) holds each word's chance.
    """
    piece = piece.long()
    chance = pad(keep.float(), (0, 1))
    survives = torch.rand(len(piece), generator=generator) < chance[piece]
    sentence_ids = (piece == len(keep)).cumsum(0)
    return piece[survives], sentence_ids[survives]


def reaches(
    sentence_ids: Int[Tensor, "n"], window: int, generator
) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
    """How many words each window reaches to the left and to the right.

    Uniform on 1..window, as in word2vec.c, but never beyond the sentence.
    """
    _, lengths = torch.unique_consecutive(sentence_ids, return_counts=True)
    ends = lengths.cumsum(0)
    starts = ends - lengths
    position = torch.arange(len(sentence_ids))
    reach = torch.randint(1, window + 1, sentence_ids.shape, generator=generator)
    room_left = position - starts.repeat_interleave(lengths)
    room_right = ends.repeat_interleave(lengths) - 1 - position
    return torch.minimum(reach, room_left), torch.minimum(reach, room_right)


def bands(T: int, window: int) -> Float[Tensor, "T L R C"]:
    """bands[i, l, r] marks the window of a block's word i that reaches l words left and r right.

    A row has T + 2 window columns, the block with its overhang: 1 for a context word, else 0.
    """
    columns = T + 2 * window
    check_memory(4 * T * (window + 1) ** 2 * columns, f"the bands of a window of {window}")
    reach = torch.arange(window + 1)
    distance = torch.arange(columns) - window - torch.arange(T)[:, None, None, None]
    within_left = distance >= -reach[:, None, None]
    within_right = distance <= reach[:, None]
    return (within_left & within_right & (distance != 0)).float()


class Windows:
    """Text in blocks of T words, in random order, so that a step has blocks from all over.

    ids (n, T); context (n, T + 2 window), the blocks with their overhang; band (n, T), rows of
    `bands(T, window)` seen as one list; pairs (n, T), how many words each window has. The last
    block is filled up with words whose window is empty.
    """

    def __init__(self, ids, sentence_ids, T: int, window: int, generator):
        left, right = reaches(sentence_ids, window, generator)
        missing = -len(ids) % T
        order = torch.randperm((len(ids) + missing) // T, generator=generator)

        padded = pad(ids, (window, window + missing))
        self.context = padded.unfold(0, T + 2 * window, T)[order]
        self.ids = self.context[:, window : window + T].contiguous()

        def in_blocks(values):
            return pad(values, (0, missing)).view(-1, T)[order]

        self.pairs = in_blocks(left + right)
        first_band = torch.arange(T) * (window + 1) ** 2  # of the block's word i
        self.band = in_blocks(left * (window + 1) + right) + first_band
