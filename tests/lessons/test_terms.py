"""Terms are said before they are used, as far as a program can tell.

notation.md lists the terms of the lessons with the lesson that introduces each.
"""

import re
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
LESSONS = {path.name[:2]: path for path in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))}
NOT_PROSE = re.compile(r"```.*?```|`[^`]*`|\$[^$]*\$|\]\([^)]*\)|<[^>]*>", re.S)


def listed_terms():
    """(term, lesson) of each row in notation.md's table of terms."""
    section = (FOLDER / "notation.md").read_text(encoding="utf-8").split("## Terms")[1]
    section = section.split("\n## ")[0]
    rows = re.findall(r"^\| (\d\d) \| (.+?) \|$", section, re.M)
    return [(term, lesson) for lesson, terms in rows for term in terms.split(", ")]


def prose(lesson):
    """The markdown cells of a lesson, without its opening box, code, formulas and exercises."""
    texts = []
    for cell in nbformat.read(LESSONS[lesson], as_version=4).cells[1:]:
        if cell.cell_type == "markdown":
            if cell.source.startswith("## Exercises"):
                break
            texts.append(NOT_PROSE.sub(" ", cell.source).lower())
    return texts


def pattern(term):
    """The term as a word, in the singular or the plural."""
    last = term[:-1] + "(y|ies)" if term.endswith("y") else term + "(s|es)?"
    return rf"\b{last}\b"


def first_place(texts, regex):
    for number, text in enumerate(texts):
        found = re.search(regex, text)
        if found:
            return number, found.start()
    return None


def test_the_table_names_lessons_and_each_term_once():
    terms = [term for term, _ in listed_terms()]
    assert len(terms) > 30
    assert len(set(terms)) == len(terms)
    assert {lesson for _, lesson in listed_terms()} <= set(LESSONS)


@pytest.mark.parametrize("term, lesson", listed_terms())
def test_a_term_is_in_bold_where_it_first_comes(term, lesson):
    texts = prose(lesson)
    bold = first_place(texts, rf"\*\*{pattern(term)}\*\*")
    assert bold, f"lesson {lesson} does not introduce **{term}**"
    plain = first_place(texts, pattern(term))
    assert plain[0] == bold[0], f"{term!r} is used before it is introduced: {texts[plain[0]][:200]}"
    for earlier in LESSONS:
        if earlier < lesson:
            used = first_place(prose(earlier), pattern(term))
            assert not used, f"lesson {earlier} uses {term!r}, which lesson {lesson} introduces"
