"""How numba compiles this package's loops and keeps the result for the next process.

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
import os
from pathlib import Path

import llvmlite
from numba import njit
from numba.core.dispatcher import Dispatcher

try:
    from numba.core.caching import FunctionCache, IndexDataCacheFile
except ImportError:  # a numba whose insides are arranged in another way
    FunctionCache = None

MODULES = ("compiling", "copies", "drawing", "loops", "plain", "rows")
OPTIONS = dict(nogil=True, fastmath=True, error_model="numpy")


def compiled(function=None, *, variant: tuple = ()):
    """`function`, compiled by numba, without the type checks that tests wrap around it.

    A function that closes over something names its `variant`, all numbers that what it closes over
    was made with: they tell it apart from those that the same lines make of other numbers. Raises
    ValueError where it does not.
    """
    if function is None:
        return functools.partial(compiled, variant=variant)
    function = inspect.unwrap(function)
    if function.__closure__ and not variant:
        raise ValueError(f"{function.__qualname__} closes over something; name its variant")
    # A name of its own for each variant: of its files, and in the linker, which may meet several
    # that were compiled by different processes.
    function.__qualname__ = "_".join(map(str, (function.__qualname__, *variant)))
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
    """A hash of the modules' text, of llvmlite's version and of what numba was told."""
    folder = Path(__file__).parent
    digest = hashlib.sha256(llvmlite.__version__.encode())
    for name in MODULES:
        digest.update((folder / f"{name}.py").read_bytes())
    for name, value in sorted(os.environ.items()):
        if name.startswith("NUMBA_") and name != "NUMBA_CACHE_DIR":  # NUMBA_BOUNDSCHECK, ...
            digest.update(f"{name}={value}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


class Kept(FunctionCache or object):
    """A function's machine code on disk, found by `fingerprint` and `variant`.

    Each file of code says what it is the code of, and is not trusted otherwise: processes that
    write at the same time, or that stop in between, may leave it under another one's name. What
    cannot be read or written is no reason to stop: the function is compiled.
    """

    def __init__(self, function, variant: tuple):
        super().__init__(function)
        self._found_by = (fingerprint(), *variant)
        # Of another fingerprint than the index on disk: that is replaced, and so are its files.
        self._cache_file = IndexDataCacheFile(
            self._cache_path, self._impl.filename_base, source_stamp=fingerprint()
        )

    def _index_key(self, signature, codegen):
        return signature, codegen.magic_tuple(), self._found_by

    def load_overload(self, signature, target_context):
        target_context.refresh()
        key = self._index_key(signature, target_context.codegen())
        try:
            found = self._cache_file.load(key)
            if found is None or found[0] != key:
                return None
            return self._impl.rebuild(target_context, found[1])
        except Exception:  # whatever a damaged file leads to
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, signature, data):
        key = self._index_key(signature, data.codegen)
        with contextlib.suppress(Exception):
            if self._impl.check_cachable(data):
                self._impl.locator.ensure_cache_path()
                self._cache_file.save(key, (key, self._impl.reduce(data)))
