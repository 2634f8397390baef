"""What a word is, against the rule written out letter by letter."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.torture import slow_words
from utils.words import tokenize

MARKED = "".join(
    chr(code) for code in range(0x300, 0x1000) if unicodedata.category(chr(code))[0] in "LM"
)
text = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("aZ éÉß\u0130\u200c\u200d'_9²½\t"),
        st.sampled_from(MARKED),
    )
)


@given(text)
def test_the_patterns_say_what_the_rule_says(line):
    assert tokenize(line) == slow_words(line)


def test_single_characters():
    """All below U+3000, where the scripts with marks and the punctuation are, and some of the
    others.
    """
    for code in [*range(0x3000), *range(0x3000, sys.maxunicode + 1, 61)]:
        character = chr(code)
        line = f"a{character}b {character}"
        if unicodedata.category(character) != "Cs":
            assert tokenize(line) == slow_words(line), hex(code)


@given(text)
def test_composed_and_decomposed_spellings_give_the_same_words(line):
    decomposed = unicodedata.normalize("NFD", line)
    assert tokenize(decomposed) == tokenize(unicodedata.normalize("NFC", line))


@given(text)
def test_a_word_is_its_own_only_word(line):
    for word in tokenize(line):
        assert tokenize(word) == [word]


@pytest.mark.parametrize(
    "line, words",
    [
        ("Rivers, 1912!", ["rivers"]),
        ("don't stop_me 3rd x²", ["don", "t", "stop", "me", "rd", "x"]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("مُحَمَّد", ["مُحَمَّد"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("İstanbul I\u0307stanbul", ["i\u0307stanbul"] * 2),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("a\u200d b\u200cc", ["a", "b\u200cc"]),
        ("“Straße” — 5 €", ["straße"]),
        ("", []),
    ],
)
def test_examples(line, words):
    assert tokenize(line) == words
