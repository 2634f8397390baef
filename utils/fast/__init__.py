"""The full-speed trainer of lesson 09: `train_fast`, and the command `python -m utils.fast`."""

__all__ = ["Run", "train_fast"]


def __getattr__(name: str):
    """`train_fast` and `Run`, loaded when they are first asked for.

    So the command can answer an interrupt while PyTorch is still being loaded.
    """
    if name in __all__:
        from utils.fast import training

        return getattr(training, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
