"""Numbers of any kind, made comparable: as NumPy arrays for the references, as float64 tensors for the verdict."""

import numbers

import numpy as np
import torch


def array(value) -> np.ndarray:
    """The numbers as a NumPy array. NumPy's own functions warn when they are handed a tensor."""
    return value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def as_tensor(value) -> torch.Tensor:
    """Numbers of any kind (float, list, NumPy, torch, a list of tensors) as a float64 tensor."""
    if isinstance(value, (list, tuple)):
        return (
            torch.stack([as_tensor(v) for v in value])
            if value
            else torch.zeros(0, dtype=torch.float64)
        )
    if isinstance(value, numbers.Number):
        value = float(value)
    if isinstance(value, np.ndarray):
        value = np.ascontiguousarray(value)  # torch takes no negative strides
    return torch.as_tensor(value).detach().to_dense().double()


def agree(a: torch.Tensor, b: torch.Tensor, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Whether two float64 tensors have one shape and agree as far as single precision goes, or as far as is asked."""
    return a.shape == b.shape and torch.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
