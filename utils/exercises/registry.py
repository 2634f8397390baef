"""All exercises: what each lesson's Python file computes, with the words of its TOML file."""

import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

import utils.exercises.lessons
from utils.exercises.cases import telling

WORDS = {"title", "difficulty", "minutes", "practises", "idea", "right", "hints"}


@dataclass(frozen=True)
class Exercise:
    """One exercise: cases, the right answer, known mistakes, and words.

    `draws(generator)` yields argument tuples for ever, smallest first, and `reference(*case)` is
    right. Where `draws` yields a function without arguments in place of a tuple, the case is what
    this draws, again and again until the right answer and all known mistakes differ. `mistakes` are
    (wrong function, message) pairs: where the learner's answer equals a known wrong one, the
    message says which mistake it looks like. `idea` is what to revisit otherwise.
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
        """The names of the learner's arguments: the reference's that have no default."""
        parameters = inspect.signature(self.reference).parameters.values()
        return tuple(
            parameter.name
            for parameter in parameters
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            and parameter.default is parameter.empty
        )

    @property
    def lesson(self) -> str:
        """The number of its lesson, as files are named: "01" for exercise 1.3, "10" for 10.1."""
        return f"{int(self.number.split('.')[0]):02d}"

    def cases(self, generator: torch.Generator) -> Iterator[tuple]:
        """Argument tuples, for ever."""
        for case in self.draws(generator):
            yield telling(case, self.reference, self.mistakes) if callable(case) else case


@cache
def registry() -> dict[str, Exercise]:
    """All exercises by number, in the order of the lessons."""
    return found_in(utils.exercises.lessons)


def found_in(package) -> dict[str, Exercise]:
    """The exercises of all modules of a package that are called lesson_NN, by number.

    Raises ValueError for an exercise whose number does not begin with its lesson's.
    """
    exercises = {}
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        if module.name.startswith("lesson_"):
            lesson = importlib.import_module(f"{package.__name__}.{module.name}")
            for exercise in _of(lesson):
                if exercise.lesson != module.name.removeprefix("lesson_"):
                    raise ValueError(f"exercise {exercise.number} does not belong in {module.name}")
                exercises[exercise.number] = exercise
    return exercises


def _of(lesson) -> list[Exercise]:
    file = Path(lesson.__file__).with_suffix(".toml")
    words = tomllib.loads(file.read_text(encoding="utf-8"))
    return joined(lesson.EXERCISES, words, file.name)


def joined(
    computed: Mapping[str, tuple], texts: Mapping[str, Mapping], file: str
) -> list[Exercise]:
    """The exercises of (draws, reference, mistakes) and of words, both by number.

    Raises ValueError if either lacks what the other has.
    """
    _must_match(computed, texts, f"{file}, exercises")
    for number, words in texts.items():
        _must_match(WORDS, words, f"{file}, exercise {number}")
        if len(words["hints"]) != 3:
            raise ValueError(
                f"{file}, exercise {number}: there must be 3 hints, not {len(words['hints'])}"
            )
    exercises = []
    for number, parts in computed.items():
        words = dict(texts[number])
        words["hints"] = tuple(words["hints"])
        exercises.append(Exercise(number, *parts, **words))
    return exercises


def _must_match(wanted, found, where: str) -> None:
    missing = [name for name in sorted(wanted) if name not in found]
    superfluous = [name for name in sorted(found) if name not in wanted]
    if missing or superfluous:
        raise ValueError(
            f"{where}: missing {', '.join(missing) or 'nothing'}; "
            f"superfluous {', '.join(superfluous) or 'nothing'}"
        )
