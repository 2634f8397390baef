"""Exercises that check themselves: `check("1.1", answer)`, `hint("1.1")`, `progress()`; `assert_right` for markers.

A lesson's exercises are two files, which `registry` joins. To add some, write both:

- `lesson_04.py` computes. Its EXERCISES maps a number to (draws, reference, mistakes). `draws(generator)` yields the
  cases, tuples of arguments, smallest first; where it yields a function instead, this is called until it gives a case
  on which the right answer and all mistakes differ. The reference is right, and its arguments have the names that the
  learner's function has. Mistakes are (wrong function, message) pairs. `cases` has what cases are drawn from, and
  `values.array` makes a NumPy array of a tensor.
- `lesson_04.toml` tells: a table for each number with title, difficulty, minutes, practises, idea, right and 3 hints.

Then write wrong and right answers to `tests/answers_04.py`, as a learner would; the tests find all of these files.
"""

from utils.exercises.engine import assert_right, check, hint, progress

__all__ = ["assert_right", "check", "hint", "progress"]
