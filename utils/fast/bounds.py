"""What must hold before a compiled loop may run: it follows addresses that nobody checks."""

import numpy as np


def check_tables(inputs, outputs, in_rates, out_rates, columns: int) -> None:
    """ValueError unless both tables are float32, with so many columns and one rate for each row."""
    for name, table, rates in (("input", inputs, in_rates), ("output", outputs, out_rates)):
        _check_array(f"the {name} table", table, 2, np.float32)
        _check_array(f"the {name} rates", rates, 1, np.float32)
        if len(rates) != len(table):
            raise ValueError(
                f"there are {len(rates)} {name} rates for {len(table)} rows; give one each"
            )
        if table.shape[1] != columns:
            raise ValueError(
                f"the {name} table has {table.shape[1]} columns, these loops want {columns}"
            )


def check_text(ids, left, right, V: int) -> None:
    """ValueError for arrays of another kind or length; IndexError for an id that is no word.

    IndexError, too, for a window that reaches beyond the text.
    """
    for name, array in (("ids", ids), ("left", left), ("right", right)):
        _check_array(name, array, 1, np.int32)
    if not len(ids) == len(left) == len(right):
        raise ValueError(f"{len(ids)} ids have {len(left)} and {len(right)} reaches; give one each")
    _check_range("a word", ids, V)
    if len(ids) and min(left.min(), right.min()) < 0:
        raise IndexError("a window reaches a negative number of words to one side")
    places = np.arange(len(ids))
    _check_range("the left end of a window", places - left, len(ids))
    _check_range("the right end of a window", places + right, len(ids))


def check_noise(noise, needed: int, V: int) -> None:
    """ValueError for too few noise words, IndexError for one that is no word."""
    _check_array("the noise words", noise, 1, np.int32)
    if len(noise) < needed:
        raise ValueError(f"there are {len(noise)} noise words; this text needs {needed}")
    _check_range("a noise word", noise, V)


def check_paths(paths, turns, depths, nodes: int) -> None:
    """ValueError for arrays that do not fit each other, IndexError for a path that leaves them."""
    _check_array("the paths", paths, 2, np.int32)
    _check_array("the turns", turns, 2, np.float32)
    _check_array("the depths", depths, 1, np.int32)
    if paths.shape != turns.shape or len(depths) != len(paths):
        raise ValueError(
            f"paths {paths.shape}, turns {turns.shape} and depths {depths.shape} do not fit"
        )
    _check_range("an inner node", paths, nodes)
    _check_range("a depth", depths, paths.shape[1] + 1)


def _check_array(name: str, array: np.ndarray, dimensions: int, dtype) -> None:
    if array.ndim != dimensions or array.dtype != dtype or not array.flags.c_contiguous:
        raise ValueError(
            f"{name}: {array.ndim} dimensions of {array.dtype}; give a contiguous array with "
            f"{dimensions} of {np.dtype(dtype)}"
        )


def _check_range(what: str, numbers: np.ndarray, size: int) -> None:
    if not numbers.size:
        return
    low = int(numbers.min())
    high = int(numbers.max())
    if low < 0 or high >= size:
        wrong = low if low < 0 else high
        raise IndexError(f"{what} is {wrong}, outside 0 .. {size - 1}")
