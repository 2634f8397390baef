"""What the learner has done: a small file in the user's own state folder."""

import json
import os
import re
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from utils.files import write_atomically

LOCK_SECONDS = 5
NUMBER = re.compile(r"\d+\.\d+")

_hints: dict[str, int] = {}  # hints seen since the kernel started


def state_file() -> Path:
    """progress.json in the user's state folder, or in that of APPROXIMATE_TRAINING_STATE."""
    folder = os.environ.get("APPROXIMATE_TRAINING_STATE") or user_state_path("approximate-training")
    return Path(folder) / "progress.json"


def done() -> set[str]:
    """Numbers of the exercises done; none, with a word, where the file cannot be read."""
    path = state_file()
    try:
        return _numbers(path)
    except OSError as error:
        print(f"(your progress in {path} cannot be read: {error.strerror})")
    except ValueError:
        print(f"(your progress in {path} is damaged; the next right answer sets that file aside)")
    return set()


def mark_done(number: str) -> None:
    """Add an exercise to the file. Several kernels may do so at once: each waits for the others.

    A damaged file is set aside under another name, never overwritten. Where nothing can be kept,
    one line is printed, since the answer is right all the same.
    """
    path = state_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            _add(path, number)
    except (OSError, Timeout) as error:
        print(f"(your progress could not be kept: {error})")


def _add(path: Path, number: str) -> None:
    try:
        numbers = _numbers(path)
    except ValueError:
        aside = _free_name(path)
        path.rename(aside)
        print(f"(your progress was damaged: that file is {aside.name} now, and a new one begins)")
        numbers = set()
    if number not in numbers:
        write_atomically(path, json.dumps({"done": sorted(numbers | {number})}).encode())


def _numbers(path: Path) -> set[str]:
    """The numbers in the file; none where there is no file. ValueError if it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return set()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    numbers = content.get("done") if isinstance(content, dict) else None
    if not isinstance(numbers, list):
        raise ValueError("there is no list of exercises done")
    if not all(isinstance(number, str) and NUMBER.fullmatch(number) for number in numbers):
        raise ValueError("something there is no number of an exercise")
    return set(numbers)


def _free_name(path: Path) -> Path:
    """A name beside the file that no file has yet."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return aside


def hints_seen(number: str) -> int:
    return _hints.get(number, 0)


def count_hint(number: str) -> None:
    _hints[number] = hints_seen(number) + 1
