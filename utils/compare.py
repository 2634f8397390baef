"""Exact against computed, as the lessons print it."""

import torch


def autograd(function, x: torch.Tensor) -> torch.Tensor:
    """The gradient at x of a function that returns one number, by automatic differentiation."""
    x = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x), x)
    return gradient


def compare(name: str, computed, reference, tol: float = 1e-9) -> None:
    """Print "name: agrees within tol" if no entry differs by more than tol, absolutely or relative
    to its size.

    Raises AssertionError with the largest difference otherwise (NaN never agrees), ValueError for
    other shapes or for nothing to compare.
    """
    computed = torch.as_tensor(computed, dtype=torch.float64).detach().to_dense()
    reference = torch.as_tensor(reference, dtype=torch.float64).detach().to_dense()
    if computed.shape != reference.shape:
        raise ValueError(
            f"{name}: shapes differ, computed {tuple(computed.shape)}, "
            f"reference {tuple(reference.shape)}"
        )
    if not computed.numel():
        raise ValueError(f"{name}: there is nothing to compare, the tensors are empty")
    difference = (computed - reference).abs() / reference.abs().clamp(min=1)
    if not (difference <= tol).all():
        raise AssertionError(
            f"{name}: differs by up to {difference.max().item():.3g}, more than {tol:g}"
        )
    print(f"{name}: agrees within {tol:g}")
