"""A training run on disk, written whole or not at all: killing it at any moment loses at most the last interval."""

import io
from dataclasses import asdict
from pathlib import Path

import torch

from utils.files import write_atomically
from utils.training import History


def save(run, path) -> None:
    """Write the run's weights, how far it has come, and its settings. Raises OSError where nothing can be written."""
    content = io.BytesIO()
    torch.save(
        {
            "settings": run.settings,
            "next": run.next,
            "inputs": run.inputs.vectors,
            "outputs": run.outputs.vectors,
            "squares": [run.inputs.squares, run.outputs.squares],
            "history": asdict(run.history),
        },
        content,
    )
    write_atomically(Path(path), content.getvalue())


def load(run, path) -> None:
    """Bring the run to where the file left it.

    Raises FileNotFoundError, and ValueError if the file is no checkpoint or one of other settings or another text; the
    message names the first difference.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"there is no checkpoint {str(path)!r} to go on from; start without resuming"
        )
    try:
        stored = torch.load(path, weights_only=True)
        settings = stored["settings"]
    except Exception as error:  # torch raises many kinds, pickle's among them
        raise ValueError(
            f"{str(path)!r} is not a checkpoint of train_fast ({type(error).__name__}); remove it and "
            "start anew"
        ) from None
    for name, value in run.settings.items():
        if settings.get(name) != value:
            raise ValueError(
                f"{str(path)!r} was made with {name} = {settings.get(name)!r}, this run has {value!r}; "
                "use the same, or start anew without resuming"
            )
    run.next, run.history = stored["next"], History(**stored["history"])
    run.inputs.vectors, run.outputs.vectors = stored["inputs"], stored["outputs"]
    run.inputs.squares, run.outputs.squares = stored["squares"]
