"""Numbers of any kind, made comparable: NumPy arrays and float64 tensors."""

import numbers

import numpy as np
import torch


def array(value) -> np.ndarray:
    """The numbers as a NumPy array. NumPy's own functions warn when they are handed a tensor."""
    return value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def as_tensor(value) -> torch.Tensor:
    """Real numbers of any kind (Python's, NumPy's, torch's, lists of these) as a float64 tensor.

    The shape stays: a single number has none. Raises TypeError for complex numbers and for what is
    no number, ValueError or RuntimeError for ragged lists, OverflowError for integers beyond
    floats.
    """
    if isinstance(value, list | tuple):
        parts = [as_tensor(part) for part in value]
        return torch.stack(parts) if parts else torch.zeros(0, dtype=torch.float64)
    if isinstance(value, torch.Tensor):
        if value.is_complex():
            raise TypeError("complex numbers")
        return value.detach().cpu().to_dense().double()
    if isinstance(value, numbers.Number) and not isinstance(value, np.generic):
        return torch.tensor(_real(value), dtype=torch.float64)
    return _from_numpy(np.asarray(value))


def _real(value) -> float:
    if isinstance(value, complex):
        raise TypeError("complex numbers")
    return float(value)


def _from_numpy(value: np.ndarray) -> torch.Tensor:
    if value.dtype == object:
        content = value.tolist()
        if not isinstance(content, list | numbers.Number):
            raise TypeError(f"no number but {type(content).__name__}")
        return as_tensor(content)
    if value.dtype.kind == "c":
        raise TypeError("complex numbers")
    if value.dtype.kind not in "biuf":  # truth values, integers and floats of any width
        raise TypeError(f"no numbers but {value.dtype}")
    return torch.from_numpy(np.array(value, dtype=np.float64, order="C"))


def agree(a: torch.Tensor, b: torch.Tensor, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """Whether two float64 tensors have one shape and agree as far as asked, or as floats do."""
    return a.shape == b.shape and torch.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
