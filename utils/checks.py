"""Checks of what a caller gives: one clear message that names the value and the remedy."""

import difflib
import math
import numbers
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

# Annotations of numbers, Python's or NumPy's. Nothing is enforced by them: the functions below say
# more clearly what is wrong.
Whole = Any
Real = Any

LARGEST = 1 << 62


def whole_number(name: str, value, least: int = 1, most: int = LARGEST) -> int:
    """The value as an int; ValueError unless it is a whole number in range, also NumPy's."""
    right = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool)
    if not right or not least <= value <= most:
        bound = f"at least {least}" if most == LARGEST else f"from {least} to {most:,}"
        raise ValueError(f"{name} is {value!r}; give a whole number, {bound}")
    return int(value)


def real_number(
    name: str,
    value,
    *,
    least: float | int = -math.inf,
    above: float | int = -math.inf,
    most: float | int = math.inf,
    hint: str = "",
) -> float:
    """The value as a float; ValueError unless it is a finite number, Python's or NumPy's, in range.

    The range is least <= value <= most and value > above; `hint` says what is usual.
    """
    right = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool)
    if not right or not math.isfinite(value) or not (least <= value <= most and value > above):
        bounds = [
            f"at least {least:g}" if least > -math.inf else "",
            f"above {above:g}" if above > -math.inf else "",
            f"at most {most:g}" if most < math.inf else "",
        ]
        wanted = ", ".join(["a finite number", *filter(None, bounds)])
        raise ValueError(f"{name} is {value!r}; give {wanted}{hint}")
    return float(value)


def one_of(name: str, value, choices) -> str:
    """The value; ValueError unless it is one of the choices."""
    choices = list(choices)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(map(repr, choices))}")
    return value


def check_memory(needed: float | int, what: str) -> None:
    """MemoryError unless so many bytes are at most half of what is free."""
    available = psutil.virtual_memory().available
    if needed > available / 2:
        raise MemoryError(
            f"{what} would take about {needed / 1e9:,.1f} GB, more than half of the "
            f"{available / 1e9:.1f} GB that are free; make it smaller"
        )


def check_counts(counts, *, zeros: bool) -> Tensor:
    """Counts as a (V,) float64 tensor.

    ValueError if they are empty, negative, not finite, or (unless `zeros`) zero.
    """
    counts = torch.as_tensor(counts).double()
    if counts.ndim != 1 or not len(counts):
        shape = tuple(counts.shape)
        raise ValueError(f"counts have shape {shape}; give one count for each of at least one word")
    bad = ~torch.isfinite(counts) | (counts < 0)
    if not zeros:
        bad |= counts == 0
    if bad.any():
        i = int(bad.nonzero()[0])
        bound = "at least" if zeros else "above"
        raise ValueError(
            f"the count of word {i} is {counts[i].item():g}; counts must be {bound} 0 and finite"
        )
    return counts


def check_ids(ids: Tensor, size: int, what: str = "target") -> None:
    """IndexError unless all ids lie in 0..size-1."""
    if not ids.numel():
        return
    low = ids.min().item()
    high = ids.max().item()
    if low < 0 or high >= size:
        wrong = low if low < 0 else high
        raise IndexError(
            f"{what} id {wrong} is outside the vocabulary of {size} words "
            f"(ids run from 0 to {size - 1})"
        )


def unknown_word(word: str, words: list[str]) -> str:
    """The message for a word that is not in the vocabulary, with the nearest spellings."""
    near = difflib.get_close_matches(str(word), words, n=3)
    hint = f"; near spellings: {', '.join(near)}" if near else ""
    return f"{word!r} is not among the {len(words)} words of the vocabulary{hint}"
