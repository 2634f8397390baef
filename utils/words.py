"""What a word is: a run of letters with their marks, in one normal form, in lower case."""

import functools
import re
import sys
import unicodedata
from collections.abc import Callable

JOINERS = "\u200c\u200d"  # zero width non-joiner and joiner

# Below U+0300 there are no marks, and general punctuation and currency signs hold no letters:
# a line of these alone takes the quick pattern. Nearly all text in the Latin alphabet does.
BEYOND_LATIN = re.compile("[^\x00-\u02ff\u2000-\u200b\u200e-\u206f\u20a0-\u20cf]")


def tokenize(line: str) -> list[str]:
    """The words of a line, in lower case: "Rivers, 1912!" -> ["rivers"].

    A word is a run of letters (Unicode's category L) with their marks (category M), so that accents
    written apart, vowel signs and points stay in it. The joiners U+200C and U+200D belong to a word
    where a letter or a mark follows. Everything else divides words: digits, numerals such as ½,
    apostrophes, underscores. The line is brought to Unicode's normal form C, so that composed and
    decomposed spellings give the same words. Scripts without spaces between words (Chinese, Thai)
    have to be segmented before.
    """
    return _find(line.lower(), latin_pattern, word_pattern)


def tokenize_lines(lines: list[str]) -> list[str]:
    r"""The words of several lines, as `tokenize` finds them, with "\n" at the end of each line.

    Many short lines are read faster together than one by one.
    """
    text = "\n".join([*lines, ""])
    return _find(text.lower(), latin_line_pattern, word_line_pattern)


def _find(text: str, latin: Callable, any_script: Callable) -> list[str]:
    if BEYOND_LATIN.search(text):  # lower case may take a letter and its mark apart, so only now
        return any_script().findall(unicodedata.normalize("NFC", text))
    return latin().findall(text)


@functools.cache
def latin_pattern() -> re.Pattern:
    """Words of characters below U+0300."""
    letters = [chr(code) for code in range(0x300) if unicodedata.category(chr(code))[0] == "L"]
    return re.compile(f"[{_ranges(letters)}]+")


@functools.cache
def latin_line_pattern() -> re.Pattern:
    """Words of characters below U+0300, and ends of lines."""
    return re.compile(rf"{latin_pattern().pattern}|\n")


@functools.cache
def word_line_pattern() -> re.Pattern:
    """Words of any characters, and ends of lines."""
    return re.compile(rf"{word_pattern().pattern}|\n")


@functools.cache
def word_pattern() -> re.Pattern:
    r"""Words of any characters.

    Python's [^\W\d_] is quick and means letters, and also numerals such as ² and Ⅷ, which are taken
    out here by name: far fewer ranges to look through than all letters would be.
    """
    characters = list(map(chr, range(sys.maxunicode + 1)))
    marks = [one for one in characters if unicodedata.category(one)[0] == "M"]
    numerals = [one for one in characters if unicodedata.category(one) in ("No", "Nl")]
    letter = rf"[^\W\d_{_ranges(numerals)}]"
    mark = f"[{_ranges(marks)}]"
    joined = f"[{JOINERS}]+(?={letter}|{mark})"
    return re.compile(f"{letter}+(?:{mark}+|{joined}|{letter}+)*+")


def _ranges(characters: list[str]) -> str:
    """The inside of a regular expression's [..] for characters in ascending order."""
    ranges = []
    for code in map(ord, characters):
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges)
