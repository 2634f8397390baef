"""The full-speed trainer of lesson 09: skip-gram with all three objectives, as products of matrices."""

from utils.fast.training import Run, train_fast

__all__ = ["Run", "train_fast"]
