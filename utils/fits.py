"""Lines through measurements, and where two curves meet."""

import numpy as np
from scipy.stats import linregress


def fit_power(x, y) -> tuple[float, float]:
    """(exponent, factor) of y = factor * x^exponent, by least squares in the logarithms."""
    exponent, log_factor = np.polyfit(np.log(x), np.log(y), 1)
    return float(exponent), float(np.exp(log_factor))


def fit_log2(x, y) -> tuple[float, float]:
    """(a, b) of y = a + b log2(x), by least squares."""
    b, a = np.polyfit(np.log2(x), y, 1)
    return float(a), float(b)


def slope_error(x, y) -> float:
    """Standard error of the slope of the least-squares line through (x, y).

    For a power, give it both logarithms. It tells how far the points scatter about the line, not
    how far the machine's timings may be off altogether. Raises ValueError for fewer than 3 points.
    """
    if len(x) < 3:
        raise ValueError(f"{len(x)} points; a line needs at least 3 for its slope to have an error")
    return float(linregress(x, y).stderr)


def crossing(x, y, other) -> float:
    """The x at which curve y meets curve `other`; NaN if they never do.

    Both are taken as logarithmic between the given points.
    """
    log_x = np.log(x)
    gap = np.log(y) - np.log(other)
    for k in np.flatnonzero(gap[:-1] * gap[1:] <= 0):
        share = 0.0
        if gap[k] != gap[k + 1]:
            share = gap[k] / (gap[k] - gap[k + 1])
        return float(np.exp(log_x[k] + share * (log_x[k + 1] - log_x[k])))
    return float("nan")
