"""Stopping in good order: a signal asks for the end, and is answered between two pieces of work."""

import contextlib
import signal
import threading
from collections.abc import Iterator

ANSWERED = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether a signal has asked for the end, and which."""

    def __init__(self):
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextlib.contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Meanwhile, signals that Python answers are noted instead of interrupting wherever it is.

    An exception in the middle of a step could leave lists of different lengths behind. SIGINT is
    answered by Python itself, SIGTERM only where a program has said so; one that nobody answers
    keeps its own effect. Outside the main thread, where no signal arrives, this does nothing.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def note(number, frame):
        request.signal = number

    before = {}
    for number in ANSWERED:
        if callable(signal.getsignal(number)):
            before[number] = signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
