"""All exercises: what each lesson's Python file computes, joined with the words of the TOML file beside it."""

import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

import utils.exercises
from utils.exercises.cases import telling

WORDS = {"title", "difficulty", "minutes", "practises", "idea", "right", "hints"}


@dataclass(frozen=True)
class Exercise:
    """One exercise. `draws(generator)` yields argument tuples for ever, smallest first; `reference(*case)` is right.

    Where `draws` yields a function without arguments in place of a tuple, the case is what this draws, again and again
    until the right answer and all known mistakes differ. `mistakes` are (wrong function, message) pairs: where the
    learner's answer equals a known wrong one, the message says which mistake it looks like. `idea` is what to revisit
    otherwise.
    """

    number: str
    draws: Callable[[torch.Generator], Iterator]
    reference: Callable
    mistakes: tuple[tuple[Callable, str], ...]
    title: str
    difficulty: int
    minutes: int
    practises: str
    idea: str
    right: str
    hints: tuple[str, str, str]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names the learner's function has for its arguments: those of the reference that have no default."""
        parameters = inspect.signature(self.reference).parameters.values()
        return tuple(
            p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty
        )

    def cases(self, generator: torch.Generator) -> Iterator[tuple]:
        """Argument tuples, for ever."""
        for case in self.draws(generator):
            yield telling(case, self.reference, self.mistakes) if callable(case) else case


@cache
def registry() -> dict[str, Exercise]:
    """All exercises by number."""
    names = sorted(module.name for module in pkgutil.iter_modules(utils.exercises.__path__))
    lessons = [
        importlib.import_module(f"utils.exercises.{name}")
        for name in names
        if name.startswith("lesson_")
    ]
    return {exercise.number: exercise for lesson in lessons for exercise in _of(lesson)}


def _of(lesson) -> list[Exercise]:
    file = Path(lesson.__file__).with_suffix(".toml")
    return joined(lesson.EXERCISES, tomllib.loads(file.read_text(encoding="utf-8")), file.name)


def joined(
    computed: Mapping[str, tuple], texts: Mapping[str, Mapping], file: str
) -> list[Exercise]:
    """The exercises of (draws, reference, mistakes) and words by number; ValueError if either lacks the other."""
    _must_match(computed, texts, f"{file}, exercises")
    for number, words in texts.items():
        _must_match(WORDS, words, f"{file}, exercise {number}")
        if len(words["hints"]) != 3:
            raise ValueError(
                f"{file}, exercise {number}: there must be 3 hints, not {len(words['hints'])}"
            )
    return [
        Exercise(number, *parts, **{**texts[number], "hints": tuple(texts[number]["hints"])})
        for number, parts in computed.items()
    ]


def _must_match(wanted, found, where: str) -> None:
    missing = [name for name in sorted(wanted) if name not in found]
    superfluous = [name for name in sorted(found) if name not in wanted]
    if missing or superfluous:
        raise ValueError(
            f"{where}: missing {', '.join(missing) or 'nothing'}; "
            f"superfluous {', '.join(superfluous) or 'nothing'}"
        )
