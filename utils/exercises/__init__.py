"""Exercises that check themselves: `check("1.1", answer)`, `hint("1.1")`, `progress()`; `assert_right` for markers."""

from utils.exercises.engine import assert_right, check, hint, progress

__all__ = ["assert_right", "check", "hint", "progress"]
