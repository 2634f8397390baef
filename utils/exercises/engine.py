"""How an exercise is checked: fresh random cases, an independent reference, and messages that name the trouble.

A check never prints the right answer's code. It shows the smallest case on which the answer is wrong, what came out
and what should have, and which idea to revisit.
"""

import _thread
import contextlib
import copy
import json
import linecache
import signal
import threading
import time
import traceback

import torch

from utils.exercises import state
from utils.exercises.registry import Exercise, registry
from utils.exercises.values import agree, as_tensor

SECONDS = 2.0  # an answer that takes longer is cut off
CASES = 12
MORE_CASES = 20  # at most, to tell which mistake an answer makes
SHAPE_ONLY = ": the numbers are right, the shape is not."


def _get(number) -> Exercise:
    exercises = registry()
    if str(number) not in exercises:
        raise KeyError(f"there is no exercise {number!r}; there are {', '.join(exercises)}")
    return exercises[str(number)]


def check(number: str, answer) -> None:
    """Try the answer, a function, on fresh random cases, and print what was found."""
    try:
        exercise = _get(number)
    except KeyError as error:
        return print(error.args[0])
    trouble = _examine(exercise, answer)
    if trouble is None:
        state.mark_done(exercise.number)
        print(f"Exercise {exercise.number}: right. {exercise.right}")
    elif trouble is ...:
        print(f"Exercise {exercise.number}: not attempted yet")
    else:
        print(
            f"Exercise {exercise.number}: not right yet.\n{trouble}\nStuck? hint({exercise.number!r})"
        )


def assert_right(number: str, answer) -> None:
    """As `check`, but silent where the answer is right; AssertionError with the same message where it is not."""
    trouble = _examine(_get(number), answer)
    if trouble is not None:
        raise AssertionError("not attempted yet" if trouble is ... else trouble)


def _examine(exercise, answer):
    """What is wrong with the answer: None if nothing, `...` if it was not attempted."""
    if not callable(answer):
        return (
            f"Pass the function itself, without calling it; it is of type {type(answer).__name__}."
        )
    seed = time.time_ns() % 2**31  # fresh cases each time: hard-coding an example does not help
    cases = exercise.cases(torch.Generator().manual_seed(seed))
    left = SECONDS
    for k in range(CASES):
        case = next(cases)
        start = time.monotonic()  # the answer's own time counts, not that of drawing a case
        outcome = _run(answer, case, max(left, 0.05))
        left -= time.monotonic() - start
        if outcome is ... and k == 0:
            return ...
        if trouble := _trouble(exercise, case, outcome):
            unlike = isinstance(outcome, _Failure) or trouble.endswith(SHAPE_ONLY)
            return (
                trouble if unlike else trouble + _diagnosis(exercise, answer, case, outcome, cases)
            )
    return None


def _diagnosis(exercise, answer, case, outcome, cases) -> str:
    """The message of the known mistake that gives what the answer gives, on this case and others; or the idea."""
    try:
        results = [
            as_tensor(_run(answer, case, SECONDS / 4)) for _ in range(6)
        ]  # few draws may agree by chance
        if not all(agree(again, as_tensor(outcome), rtol=1e-12, atol=1e-12) for again in results):
            return "\nTwo calls with the same input give two results: nothing is to be drawn here."
    except Exception:  # no numbers, so nothing to compare with mistakes either
        return ""
    alike = exercise.mistakes
    for k in range(MORE_CASES):  # on a few cases two mistakes may agree by chance
        if not isinstance(outcome, _Failure):
            alike = [(wrong, message) for wrong, message in alike if _gives(wrong, case, outcome)]
        if not alike or (k >= 4 and len({message for _, message in alike}) == 1):
            break
        case = next(cases)
        outcome = _run(answer, case, SECONDS / 4)
    return f"\n{alike[0][1] if alike else exercise.idea}"


def _gives(wrong, case, outcome) -> bool:
    try:
        return agree(as_tensor(outcome), as_tensor(wrong(*copy.deepcopy(case))))
    except Exception:  # the mistake cannot be made on this case, or gave no numbers
        return False


class _Failure(str):
    """What went wrong while the answer ran."""


def _run(answer, case, seconds):
    """The answer's result on a copy of the case; a `_Failure` that says what happened if there is none."""
    arguments = copy.deepcopy(case)
    cut_off = threading.Event()

    def interrupt():
        cut_off.set()
        _thread.interrupt_main()

    slow = _Failure(
        f"It took more than {SECONDS:g} seconds in all and was cut off: does every loop end, and does it "
        "do much more work than needed?"
    )
    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        with _interruptible():
            result = answer(*arguments)
    except KeyboardInterrupt:
        if not cut_off.is_set():
            raise  # the reader's own interrupt
        return slow
    except (Exception, SystemExit) as error:
        return _Failure(_own_line(answer, error))
    finally:
        timer.cancel()
    if cut_off.is_set():  # it caught the interrupt and went on
        return slow
    if any(not _same(before, after) for before, after in zip(case, arguments)):
        return _Failure(
            "It changed its input: work on a copy, so that the caller's numbers stay as they were."
        )
    return result


@contextlib.contextmanager
def _interruptible():
    """Meanwhile an interrupt raises KeyboardInterrupt, even in a background program, which ignores it."""
    ignored = signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL)
    if not ignored or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _own_line(answer, error) -> str:
    """The error, with the last line of the learner's own code that led to it."""
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file
    ]
    message = f"{type(error).__name__}: {error}".split("\n")[0]
    if not frames:
        return f"It stopped with {message}"
    line = frames[-1].line or linecache.getline(file, frames[-1].lineno).strip()
    return f"It stopped in its line\n    {line}\nwith {message}"


def _trouble(exercise, case, outcome) -> str | None:
    """Why the outcome is wrong on this case, or None if it is right."""
    given = "\n".join(
        f"    {name} = {_show(value)}" for name, value in zip(exercise.arguments, case)
    )
    if isinstance(outcome, _Failure):
        return f"{outcome}\nIt was called with\n{given}"
    if outcome is None:
        return "It returned nothing: does it end with `return`?"
    want = as_tensor(exercise.reference(*case))
    try:
        got = as_tensor(outcome)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        what = (
            "a list that is not all numbers, or is ragged"
            if isinstance(outcome, (list, tuple))
            else "a number too large for a float"
            if isinstance(outcome, int)
            else type(outcome).__name__
        )
        return f"It should return {_kind(want)}, but returned {what}."
    if agree(got, want):
        return None
    digits = 4 if _show(got) != _show(want) else 9
    shown = (
        f"For\n{given}\nit gave         {_show(got, digits)}\nit should give  {_show(want, digits)}"
    )
    if got.shape != want.shape:
        if got.numel() == want.numel() and agree(got.flatten(), want.flatten()):
            return f"{shown}\nIt should be {_kind(want)}{SHAPE_ONLY}"
        return f"{shown}\nThe shape should be {tuple(want.shape)}, it is {tuple(got.shape)}."
    if want.isfinite().all() and not got.isfinite().all():
        return f"{shown}\nNot a finite number: is there a logarithm of 0, 0 divided by 0, or an exp that is too large?"
    if digits > 4:
        return f"{shown}\nNearly: only late decimals differ. Did you round, or approximate?"
    return shown


def _kind(want) -> str:
    return f"numbers of shape {tuple(want.shape)}" if want.ndim else "one number, not a list of one"


def _same(before, after) -> bool:
    return bool(torch.equal(before, after)) if isinstance(before, torch.Tensor) else before == after


def _show(value, digits: int = 4) -> str:
    if isinstance(value, torch.Tensor):
        rounded = torch.round(value, decimals=digits) if value.is_floating_point() else value
        shown = json.dumps(rounded.tolist())
        return f"{shown}, shape {tuple(value.shape)}" if value.ndim else shown
    return repr(value)


def hint(number: str) -> None:
    """Print the next hint: first a nudge, then a second, then the place in the lesson."""
    try:
        exercise = _get(number)
    except KeyError as error:
        return print(error.args[0])
    k = state.hints_seen(exercise.number)
    if k == len(exercise.hints):
        print(f"Exercise {exercise.number}: no more hints; the solution is linked above the cell")
        return
    state.count_hint(exercise.number)
    print(f"Exercise {exercise.number}, hint {k + 1} of 3: {exercise.hints[k]}")


def progress() -> None:
    """Print a table of all exercises: done or not yet."""
    done = state.done()
    for e in registry().values():
        print(f"{e.number}  {'done   ' if e.number in done else 'not yet'}  {e.title}")
    print(f"{sum(number in done for number in registry())} of {len(registry())} done")
