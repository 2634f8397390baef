"""Checks of what a caller gives: one clear message that names the value and the remedy."""

import difflib

import torch
from torch import Tensor


def check_counts(counts, *, zeros: bool) -> Tensor:
    """Counts as a (V,) float64 tensor; ValueError if they are empty, negative, not finite, or (unless `zeros`) zero."""
    counts = torch.as_tensor(counts).double()
    if counts.ndim != 1 or not len(counts):
        raise ValueError(
            f"counts have shape {tuple(counts.shape)}; give one count for each of at least one word"
        )
    bad = ~torch.isfinite(counts) | (counts < 0) | ((counts == 0) & (not zeros))
    if bad.any():
        i = int(bad.nonzero()[0])
        raise ValueError(
            f"the count of word {i} is {counts[i].item():g}; counts must be "
            f"{'at least' if zeros else 'above'} 0 and finite"
        )
    return counts


def check_ids(ids: Tensor, size: int, what: str = "target") -> None:
    """IndexError unless all ids lie in 0..size-1."""
    if ids.numel():
        low, high = ids.min().item(), ids.max().item()
        if low < 0 or high >= size:
            raise IndexError(
                f"{what} id {low if low < 0 else high} is outside the vocabulary of {size} words "
                f"(ids run from 0 to {size - 1})"
            )


def unknown_word(word: str, words: list[str]) -> str:
    """The message for a word that is not in the vocabulary, with the nearest spellings."""
    near = difflib.get_close_matches(str(word), words, n=3)
    hint = f"; near spellings: {', '.join(near)}" if near else ""
    return f"{word!r} is not among the {len(words)} words of the vocabulary{hint}"
