"""The most memory that a process has held."""

import numpy as np

from tools.memory import peak_bytes


def test_the_peak_counts_what_was_held():
    before = peak_bytes()
    held = np.ones(2 * before, dtype=np.uint8)
    size = held.nbytes
    assert before > 10e6 and size < peak_bytes() < size + 2 * before
    del held
    assert peak_bytes() > size
