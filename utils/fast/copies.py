"""A thread's own copy of the rows that every thread writes all the time.

Memory reaches a processor in lines of 64 bytes, and only one core at a time may write a line: where
two threads write the same row again and again, each takes its lines away from the other, which
waits until it has them back. Under hierarchical softmax every window writes the root and the nodes
below it, and two threads can be slower than one.

So each thread has a copy of the topmost rows, which it alone writes. Now and then it *exchanges*:
what its copy has gained since the last time is added to the table's own rows, and the copy becomes
what they are then, with what the other threads have added. Between two exchanges a thread does not
see what the others learn at the top.
"""

import torch

from utils.fast.compiling import compiled
from utils.fast.kernels import Scratch, Table


class OwnRows:
    """The copy of a table's first rows that belongs to the thread of `scratch`.

    `top` is the number of rows, `shift` the distance from a row to its copy. Where the table has no
    copies both are 0 and nothing is done: one thread needs none.
    """

    def __init__(self, table: Table, scratch: Scratch):
        self.top = table.copied
        self.shift = 0
        if self.top:
            self.shift = table.first_copy(scratch.thread)
            self._table = table.rows.numpy()
            self._before = scratch.take("before", table.rows, self.top, table.rows.shape[1]).numpy()

    def fetch(self) -> None:
        """Bring the copy up to date with the table."""
        if self.top:
            _fetch(self._table, self._before, self.shift)

    def exchange(self) -> None:
        """Add to the table's rows what the copy has gained since the last time, and fetch them.

        Another thread may do so at the same time; where both are at the same coordinate, one gain
        can be lost.
        """
        if self.top:
            _exchange(self._table, self._before, self.shift)


NO_COPY = OwnRows(Table(torch.empty(0, 1)), Scratch())


@compiled
def _fetch(table, before, shift):
    for i in range(before.shape[0]):
        for k in range(before.shape[1]):
            before[i, k] = table[i, k]
            table[shift + i, k] = before[i, k]


@compiled
def _exchange(table, before, shift):
    for i in range(before.shape[0]):
        for k in range(before.shape[1]):
            now = table[i, k] + (table[shift + i, k] - before[i, k])
            table[i, k] = now
            table[shift + i, k] = now
            before[i, k] = now
