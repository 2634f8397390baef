"""What the learner has done: a small file in the user's own state folder, never in the repository."""

import json
import os
from pathlib import Path

from platformdirs import user_state_path

from utils.files import write_atomically

_hints: dict[str, int] = {}  # hints seen since the kernel started


def state_file() -> Path:
    """progress.json in the user's state folder, or in the folder that APPROXIMATE_TRAINING_STATE names."""
    folder = os.environ.get("APPROXIMATE_TRAINING_STATE") or user_state_path("approximate-training")
    return Path(folder) / "progress.json"


def done() -> set[str]:
    """Numbers of the exercises done. A corrupt file starts afresh, with a word."""
    path = state_file()
    try:
        numbers = json.loads(path.read_text(encoding="utf-8"))["done"]
        return {str(number) for number in numbers}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, TypeError, KeyError):
        print(f"{path} cannot be read; your progress starts afresh")
        return set()


def mark_done(number: str) -> None:
    numbers = done()
    if number not in numbers:
        content = json.dumps({"done": sorted(numbers | {number})}).encode()
        try:
            write_atomically(state_file(), content)
        except OSError as error:  # the answer is right all the same
            print(f"(your progress could not be kept: {error})")


def hints_seen(number: str) -> int:
    return _hints.get(number, 0)


def count_hint(number: str) -> None:
    _hints[number] = hints_seen(number) + 1
