"""A learner's function run safely.

On copies, cut off in time, its errors shown with its own line.
"""

import _thread
import contextlib
import copy
import linecache
import signal
import threading
import traceback

import torch

SECONDS = 2.0  # an answer that takes longer, in all its cases, is cut off
LEAST_SECONDS = 0.05  # what is left for a case, at least


class Failure(str):
    """What went wrong while a function ran."""


def run(answer, case: tuple, seconds: float):
    """The function's result on a copy of the case, or a `Failure` that says what happened instead.

    A reader's own interrupt is passed on. `...` is a result like any other.
    """
    arguments = copy.deepcopy(case)
    cut_off = threading.Event()
    slow = Failure(
        f"It took more than {SECONDS:g} seconds in all and was cut off: does every loop end, and "
        "does it do much more work than needed?"
    )
    try:
        with _interrupted_after(seconds, cut_off), _interruptible():
            result = answer(*arguments)
    except KeyboardInterrupt:
        if not cut_off.is_set():
            raise  # the reader's own interrupt
        return slow
    except (Exception, SystemExit) as error:
        return Failure(_own_line(answer, error))
    if cut_off.is_set():  # the function caught the interrupt and went on
        return slow
    if not all(_same(before, after) for before, after in zip(case, arguments)):
        return Failure(
            "It changed its input: work on a copy, so that the caller's numbers stay as they were."
        )
    return result


@contextlib.contextmanager
def _interrupted_after(seconds: float, cut_off: threading.Event):
    """Interrupt the main thread after so many seconds, unless the block ends before."""

    def interrupt():
        cut_off.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _interruptible():
    """Meanwhile an interrupt raises KeyboardInterrupt, even in a program that ignores it."""
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
    last = frames[-1]
    line = last.line or linecache.getline(file, last.lineno).strip()
    return f"It stopped in its line\n    {line}\nwith {message}"


def _same(before, after) -> bool:
    if isinstance(before, torch.Tensor):
        return bool(torch.equal(before, after))
    return before == after
