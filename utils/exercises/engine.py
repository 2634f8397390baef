"""How an exercise is checked: fresh random cases, an independent reference, and a verdict.

A check never prints the right answer's code. It shows the smallest case on which the answer is
wrong, what came out and what should have, and which idea to revisit.
"""

import copy
import time
from dataclasses import dataclass
from itertools import islice

import torch

from utils.exercises import running, state
from utils.exercises.registry import Exercise, registry
from utils.exercises.running import LEAST_SECONDS, Failure
from utils.exercises.values import agree, as_tensor
from utils.exercises.wording import SHAPE_ONLY, trouble_with

CASES = 12
REPEATS = 6  # of one case, to find an answer that draws
MORE_CASES = 20  # at most, to tell which mistake an answer makes
ENOUGH_CASES = 4  # after these a mistake is taken for told


@dataclass(frozen=True)
class Verdict:
    """What was found: the answer was not attempted, or is right, or has some trouble."""

    attempted: bool = True
    trouble: str | None = None

    @property
    def right(self) -> bool:
        return self.attempted and self.trouble is None


def exercise_of(number) -> Exercise:
    """KeyError, with all numbers there are, for an unknown one."""
    exercises = registry()
    if str(number) not in exercises:
        raise KeyError(f"there is no exercise {number!r}; there are {', '.join(exercises)}")
    return exercises[str(number)]


def check(number: str, answer) -> None:
    """Try the answer, a function, on fresh random cases, and print what was found."""
    try:
        exercise = exercise_of(number)
    except KeyError as error:
        print(error.args[0])
        return
    verdict = examine(exercise, answer)
    name = f"Exercise {exercise.number}"
    if verdict.right:
        state.mark_done(exercise.number)
        print(f"{name}: right. {exercise.right}")
    elif not verdict.attempted:
        print(f"{name}: not attempted yet")
    else:
        print(f"{name}: not right yet.\n{verdict.trouble}\nStuck? hint({exercise.number!r})")


def assert_right(number: str, answer) -> None:
    """As `check`, but silent where the answer is right.

    Raises AssertionError with the same message where it is not, KeyError for an unknown exercise.
    """
    verdict = examine(exercise_of(number), answer)
    if not verdict.attempted:
        raise AssertionError("not attempted yet")
    if not verdict.right:
        raise AssertionError(verdict.trouble)


def examine(exercise: Exercise, answer) -> Verdict:
    """The verdict on an answer, after up to twelve fresh cases."""
    if not callable(answer):
        kind = type(answer).__name__
        return Verdict(
            trouble=f"Pass the function itself, without calling it; it is of type {kind}."
        )
    seed = time.time_ns() % 2**31  # fresh cases each time: hard-coding an example does not help
    cases = exercise.cases(torch.Generator().manual_seed(seed))
    left = running.SECONDS
    for number, case in enumerate(islice(cases, CASES)):
        start = time.monotonic()  # the answer's own time counts, not that of drawing a case
        outcome = running.run(answer, case, max(left, LEAST_SECONDS))
        left -= time.monotonic() - start
        if outcome is ... and number == 0:
            return Verdict(attempted=False)
        trouble = trouble_with(exercise, case, outcome)
        if trouble is None:
            continue
        if not isinstance(outcome, Failure) and not trouble.endswith(SHAPE_ONLY):
            trouble += _diagnosis(exercise, answer, case, outcome, cases)
        return Verdict(trouble=trouble)
    return Verdict()


def _diagnosis(exercise, answer, case, outcome, cases) -> str:
    """Which known mistake gives what the answer gives, on this case and others; else the idea."""
    try:
        if _draws(answer, case, as_tensor(outcome)):
            return "\nTwo calls with the same input give two results: nothing is to be drawn here."
    except Exception:  # no numbers, so nothing to compare with mistakes either
        return ""
    alike = exercise.mistakes
    for number in range(MORE_CASES):  # on a few cases two mistakes may agree by chance
        if not isinstance(outcome, Failure):
            alike = [mistake for mistake in alike if _gives(mistake[0], case, outcome)]
        messages = {message for _, message in alike}
        if not alike or (number >= ENOUGH_CASES and len(messages) == 1):
            break
        case = next(cases)
        outcome = running.run(answer, case, running.SECONDS / 4)
    return f"\n{alike[0][1] if alike else exercise.idea}"


def _draws(answer, case, outcome) -> bool:
    """Whether the answer gives other numbers when it is called again.

    Few draws may agree by chance.
    """
    for _ in range(REPEATS):
        again = as_tensor(running.run(answer, case, running.SECONDS / 4))
        if not agree(again, outcome, rtol=1e-12, atol=1e-12):
            return True
    return False


def _gives(mistake, case, outcome) -> bool:
    """Whether a known mistake gives this outcome; it may not be possible on this case at all."""
    try:
        return agree(as_tensor(outcome), as_tensor(mistake(*copy.deepcopy(case))))
    except Exception:
        return False


def hint(number: str) -> None:
    """Print the next hint: first a nudge, then a second, then the place in the lesson."""
    try:
        exercise = exercise_of(number)
    except KeyError as error:
        print(error.args[0])
        return
    seen = state.hints_seen(exercise.number)
    if seen == len(exercise.hints):
        print(f"Exercise {exercise.number}: no more hints; the solution is linked above the cell")
        return
    state.count_hint(exercise.number)
    print(f"Exercise {exercise.number}, hint {seen + 1} of 3: {exercise.hints[seen]}")


def progress() -> None:
    """Print a table of all exercises: done or not yet."""
    done = state.done()
    exercises = registry()
    for number, exercise in exercises.items():
        mark = "done   " if number in done else "not yet"
        print(f"{number}  {mark}  {exercise.title}")
    print(f"{sum(number in done for number in exercises)} of {len(exercises)} done")
