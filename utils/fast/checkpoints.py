"""A training run on disk: written whole or not at all, and read back with distrust.

A checkpoint is a line that names it, the SHA-256 of what follows, and a dictionary as `torch.save`
writes it. Killing a run at any moment loses at most what came after its last checkpoint.
"""

import hashlib
import io
import math
import os
import stat
from pathlib import Path

import torch

from utils.files import write_atomically

NAME = b"approximate-training checkpoint "
MARK = NAME + b"2\n"
DIGEST = hashlib.sha256().digest_size


def pack(state: dict) -> bytes:
    """The bytes of a checkpoint file."""
    content = io.BytesIO()
    torch.save(state, content)
    payload = content.getvalue()
    return MARK + hashlib.sha256(payload).digest() + payload


def unpack(content: bytes) -> dict:
    """The state in a checkpoint file's bytes; ValueError, with the reason, if they are damaged."""
    if not content.startswith(NAME):
        raise ValueError("it is no checkpoint of this trainer")
    if not content.startswith(MARK):
        raise ValueError("it was written by another version of this trainer")
    start = len(MARK) + DIGEST
    payload = content[start:]
    if hashlib.sha256(payload).digest() != content[len(MARK) : start]:
        raise ValueError("it is damaged: its checksum differs")
    try:
        state = torch.load(io.BytesIO(payload), weights_only=True)
    except Exception as error:  # torch raises many kinds, pickle's among them
        raise ValueError(f"it cannot be read ({type(error).__name__})") from None
    if not isinstance(state, dict):
        raise ValueError("it holds no state of a run")
    return state


def write(path: str | os.PathLike, state: dict) -> None:
    """Write a checkpoint, whole or not at all. Raises OSError where nothing can be written."""
    write_atomically(path, pack(state))


def read(path: str | os.PathLike) -> dict:
    """The state in a checkpoint file.

    Raises FileNotFoundError, and ValueError, with the path and the reason, if the file is no whole
    checkpoint.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"there is no checkpoint {str(path)!r} to go on from; start without resuming"
        )
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"the checkpoint {str(path)!r} is no regular file; name another one")
    try:
        return unpack(path.read_bytes())
    except ValueError as error:
        raise ValueError(
            f"the checkpoint {str(path)!r} cannot be used: {error}; remove it and start anew"
        ) from None


def refuse_to_overwrite(path: str | os.PathLike) -> None:
    """FileExistsError if there is a file already, whether a checkpoint or none of ours."""
    path = Path(path)
    if not os.path.lexists(path):
        return
    if path.is_file() and path.open("rb").read(len(NAME)) == NAME:
        raise FileExistsError(
            f"{str(path)!r} is the checkpoint of a run that was stopped: "
            "go on from it by resuming, or remove it to start anew"
        )
    raise FileExistsError(
        f"{str(path)!r} is in the way: a checkpoint would be kept there, and this is none of "
        "ours; move it, or name another output"
    )


def fingerprint(name: str, table: torch.Tensor) -> str:
    """What tells this table, under this name, from any other."""
    content = hashlib.sha256(f"{name} {tuple(table.shape)} {table.dtype} ".encode())
    content.update(table.numpy().tobytes())
    return content.hexdigest()


def with_fingerprints(state: dict) -> dict:
    """The state with a fingerprint of each table, so that tables cannot be exchanged unseen."""
    tables = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    return state | {
        "fingerprints": {name: fingerprint(name, table) for name, table in tables.items()}
    }


# What is read back is checked before it is used -------------------------------------------------


def check_settings(state: dict, settings: dict) -> None:
    """ValueError that names the first setting in which a checkpoint differs from the run."""
    stored = state.get("settings")
    if not isinstance(stored, dict):
        raise ValueError("it holds no settings")
    for name, value in settings.items():
        if stored.get(name) != value:
            raise ValueError(
                f"it was made with {name} = {stored.get(name)!r}, this run has {value!r}; use the "
                "same"
            )


def check_table(state: dict, name: str, like: torch.Tensor | None) -> None:
    """ValueError unless the state has a finite table like this one; none where `like` is None."""
    if name not in state:
        raise ValueError(f"it has no {name!r}")
    table = state[name]
    if like is None and table is None:
        return
    if like is None or not isinstance(table, torch.Tensor):
        raise ValueError(f"its table {name!r} is {type(table).__name__}")
    if table.shape != like.shape or table.dtype != like.dtype or table.layout != like.layout:
        raise ValueError(
            f"its table {name!r} is {tuple(table.shape)} of {table.dtype}, "
            f"this run's is {tuple(like.shape)} of {like.dtype}"
        )
    fingerprints = state.get("fingerprints")
    if not isinstance(fingerprints, dict) or fingerprints.get(name) != fingerprint(name, table):
        raise ValueError(f"its table {name!r} is not the one that was saved")
    if not table.isfinite().all():
        raise ValueError(f"its table {name!r} holds numbers that are not finite")


def check_counter(state: dict, name: str, most: int) -> None:
    """ValueError unless the state has a whole number of that name from 0 to `most`."""
    value = state.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"its {name!r} is {value!r}, not a whole number from 0 to {most}")


def check_history(state: dict) -> None:
    """ValueError unless the state's history is three lists of equal length of finite numbers."""
    history = state.get("history")
    names = ("loss", "pairs", "seconds")
    if not isinstance(history, dict) or sorted(history) != sorted(names):
        raise ValueError("its history is none")
    lists = [history[name] for name in names]
    if not all(isinstance(values, list) for values in lists):
        raise ValueError("its history is none")
    if len({len(values) for values in lists}) > 1:
        raise ValueError("its history has lists of different lengths")
    for name, values in zip(names, lists):
        kind = int if name == "pairs" else float
        if not all(type(value) is kind and math.isfinite(value) for value in values):
            raise ValueError(f"its history has {name} that are no finite numbers")
        if name != "loss" and values != sorted([0, *values])[1:]:
            raise ValueError(f"its history has {name} that do not ascend")
