"""A vocabulary of 8 to 64 words with their counts, as figures take it.

What may be given, and what is refused.
"""

from utils.example import CONTEXT, COUNTS, WORDS
from utils.widgets.common.base import whole

FEWEST = 8
MOST = 64
LARGEST = 10**9


def given(words, counts, word) -> tuple[list[str], list[int], str]:
    """Words, counts and the chosen word as plain values.

    The running example's where nothing else is given.
    """
    words = list(WORDS if words is None else words)
    if counts is None:
        counts = COUNTS if words == WORDS else [1] * len(words)
    counts = whole(counts)
    word = word or (WORDS[CONTEXT] if WORDS[CONTEXT] in words or not words else words[0])
    return words, counts, word


def problem(words, counts, word) -> str | None:
    """What is wrong with them, in one sentence, or None.

    The same rules as `vocabularyProblem` in vocabulary.js.
    """
    if not FEWEST <= len(words) <= MOST:
        return f"this figure takes {FEWEST} to {MOST} words, not {len(words)}"
    if len(words) != len(counts):
        return f"there are {len(words)} words but {len(counts)} counts"
    for i, name in enumerate(words):
        if not name.strip() or len(name) > 30:
            return f"{name!r} is no word for this figure: a word has 1 to 30 letters"
        if name in words[:i]:
            return f"the word {name!r} stands there twice"
    for name, count in zip(words, counts):
        if not 1 <= count <= LARGEST:
            return (
                f"the count of {name} is {count}: a count is a whole number from 1 to {LARGEST:,}"
            )
    if word not in words:
        more = ", .." if len(words) > 12 else ""
        return (
            f"the word {word!r} is not among the {len(words)} words: {', '.join(words[:12])}{more}"
        )
    return None
