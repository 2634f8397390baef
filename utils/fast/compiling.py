"""How numba compiles this package's loops, and that what it compiled is kept for the next process.

A loop takes seconds to compile, as long as it takes to learn millions of words. numba can keep
machine code in a file beside the source, but finds it again only by the function's own source file
and by the values that the function closes over, which here are functions made anew in each process.
So `Kept` finds it by the text of all modules whose code ends up in a loop: whoever edits one of
them compiles anew.

The files lie in `__pycache__`, or where that cannot be written in numba's folder in the user's
cache; they may be deleted at any time.
"""

import contextlib
import functools
import hashlib
import inspect
from pathlib import Path

from numba import njit
from numba.core.dispatcher import Dispatcher

try:
    from numba.core.caching import FunctionCache
except ImportError:  # a numba whose insides are arranged in another way
    FunctionCache = None

MODULES = ("compiling", "copies", "drawing", "loops", "plain", "rows")
OPTIONS = dict(nogil=True, fastmath=True, error_model="numpy")


def compiled(function=None, *, variant: tuple = ()):
    """`function`, compiled by numba, without the type checks that tests wrap around it.

    `variant` tells apart functions that are made by the same lines: all numbers they were made
    with.
    """
    if function is None:
        return functools.partial(compiled, variant=variant)
    function = inspect.unwrap(function)
    dispatcher = njit(**OPTIONS)(function)
    if isinstance(dispatcher, Dispatcher) and FunctionCache is not None:  # with numba switched on
        with contextlib.suppress(Exception):  # nowhere to keep it: it is compiled when needed
            dispatcher._cache = Kept(function, variant)
    return dispatcher


def inlined(function):
    """As `compiled`, but its code is copied to where it is called.

    A call of its own would pass on seven numbers for each array and count the references to it,
    which takes longer than to learn a row.
    """
    return njit(**OPTIONS, forceinline=True)(inspect.unwrap(function))


@functools.cache
def fingerprint() -> str:
    """Of the modules' text: another one, another code."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for name in MODULES:
        digest.update((folder / f"{name}.py").read_bytes())
    return digest.hexdigest()


class Kept(FunctionCache or object):
    """A function's machine code on disk, found by `fingerprint` and `variant`.

    A file that cannot be read or written is no reason to stop: the function is compiled.
    """

    def __init__(self, function, variant: tuple):
        super().__init__(function)
        self._found_by = (fingerprint(), *variant)

    def _index_key(self, signature, codegen):
        return signature, codegen.magic_tuple(), self._found_by

    def load_overload(self, signature, target_context):
        try:
            return super().load_overload(signature, target_context)
        except Exception:  # whatever a damaged file leads to
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, signature, data):
        with contextlib.suppress(OSError):
            super().save_overload(signature, data)
