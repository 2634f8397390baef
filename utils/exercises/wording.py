"""What a learner reads about an outcome.

On which case it is wrong, what came and what should have.
"""

import json

import torch

from utils.exercises.running import Failure
from utils.exercises.values import agree, as_tensor

SHAPE_ONLY = ": the numbers are right, the shape is not."


def trouble_with(exercise, case: tuple, outcome) -> str | None:
    """Why the outcome is wrong on this case; None if it is right."""
    named = zip(exercise.arguments, case)
    given = "\n".join(f"    {name} = {shown(value)}" for name, value in named)
    if isinstance(outcome, Failure):
        return f"{outcome}\nIt was called with\n{given}"
    if outcome is None:
        return "It returned nothing: does it end with `return`?"
    want = as_tensor(exercise.reference(*case))
    try:
        got = as_tensor(outcome)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        return f"It should return {_kind(want)}, but returned {_what_it_is(outcome, error)}."
    if agree(got, want):
        return None
    return _difference(given, got, want)


def _difference(given: str, got, want) -> str:
    digits = 4 if shown(got) != shown(want) else 9
    told = (
        f"For\n{given}\nit gave         {shown(got, digits)}\nit should give  {shown(want, digits)}"
    )
    if got.shape != want.shape:
        if got.numel() == want.numel() and agree(got.flatten(), want.flatten()):
            return f"{told}\nIt should be {_kind(want)}{SHAPE_ONLY}"
        return f"{told}\nThe shape should be {tuple(want.shape)}, it is {tuple(got.shape)}."
    if want.isfinite().all() and not got.isfinite().all():
        return (
            f"{told}\nNot a finite number: is there a logarithm of 0, 0 divided by 0, or an exp "
            "that is too large?"
        )
    if digits > 4:
        return f"{told}\nNearly: only late decimals differ. Did you round, or approximate?"
    return told


def _what_it_is(outcome, error) -> str:
    """Something that is no real numbers, in words."""
    if "complex" in str(error):
        return "complex numbers: only real ones are asked for"
    if isinstance(outcome, list | tuple):
        return "a list that is not all numbers, or is ragged"
    if isinstance(outcome, int):
        return "a number too large for a float"
    return type(outcome).__name__


def _kind(want) -> str:
    if want.ndim:
        return f"numbers of shape {tuple(want.shape)}"
    return "one number, not a list of one"


def shown(value, digits: int = 4) -> str:
    """A value as a learner would write it, with its shape where it has one."""
    if not isinstance(value, torch.Tensor):
        return repr(value)
    if value.is_floating_point():
        value = torch.round(value, decimals=digits)
    numbers = json.dumps(value.tolist())
    return f"{numbers}, shape {tuple(value.shape)}" if value.ndim else numbers
