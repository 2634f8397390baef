"""Write the lessons as reveal.js slides under build/slides; they open without a network.

    python -m pip install --no-deps sphinx-revealjs==3.2.1     once: this package carries reveal.js
    python -m tools.slides

A heading starts a slide. Below it appear, one by one, what a class should read: the first
paragraph, paragraphs with something bold and those before a formula, lists, formulas, code,
output, and figures without their code. Of a long paragraph only the bold sentences and the
questions are shown. The whole text is in the speaker's notes (key S).

A cell's slide type may say otherwise: `-` shows its paragraphs whole, `notes` shows none, `skip`
leaves the cell out, and `subslide` begins a new slide, as a full slide does by itself.
"""

import argparse
import importlib.util
import math
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import nbformat
from jinja2 import DictLoader
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tools import BUILD, NOTEBOOKS, ROOT
from tools.formulas import web_markdown

FOLDER = BUILD / "slides"
# A picture with its alt text, which nbconvert's own templates leave out.
PICTURE_BLOCK = """
{%- block data_png scoped -%}
<div class="jp-RenderedImage jp-OutputArea-output"><img
 src="data:image/png;base64,{{ output.data['image/png'] }}"
 alt="{{ output | get_metadata('alt', 'image/png') | escape_html }}"></div>
{%- endblock -%}
"""
TEMPLATE = (ROOT / "tools" / "slides.html.j2").read_text(encoding="utf-8") + PICTURE_BLOCK
REVEAL_PARTS = [
    "dist/reveal.css",
    "dist/reveal.js",
    "dist/theme/white.css",  # other themes fetch their fonts from a host
    "dist/theme/fonts/source-sans-pro",
    "plugin/notes/notes.js",
    "LICENSE",
]


class Font(NamedTuple):
    characters: int  # in a line of a slide
    pixels: int  # from line to line


PAGE_HEIGHT = 690  # pixels below a heading
TEXT = Font(characters=76, pixels=41)
CODE = Font(characters=88, pixels=29)
FIGURE_HEIGHT = 490
FORMULA_HEIGHT = 120
WORDS_PER_SLIDE = 130
WORDS_SHOWN_WHOLE = 50  # of a paragraph; of a longer one only the main sentences are shown

CUT = re.compile(r"\n\n+|\n(?=- |\$\$)|(?<=\$\$)\n")  # between paragraphs, formulas, list items
ASIDE = re.compile(r"(?:^| )\([A-Z][^()]*[.?!]\)(?= |$)")  # whole sentences in brackets
SENTENCE_END = re.compile(r"(?<=[.?!])(?<!al\.) |(?<=[.?!]\)) |(?<=[.?!]\*\*) ")  # not "et al. "
FORMULA = re.compile(r"\$.*?\$")
MARKUP = re.compile(r"\\\w+|[{}$^_\\*`]|\]\([^)]*\)")
COMMENT_COLUMN = re.compile(r"(?<=\S) {3,}#")
CONTINUED = "######"  # marks the heading of a slide that goes on where the last one was full


@dataclass
class Slide:
    """A heading, the speaker's notes, and the cells that appear one by one."""

    heading: NotebookNode
    notes: str = ""
    shown: list[NotebookNode] = field(default_factory=list)

    @property
    def height(self) -> int:
        return sum(map(height, self.shown))

    @property
    def words(self) -> int:
        return sum(count_words(cell.source) for cell in self.shown if cell.cell_type == "markdown")

    @property
    def continued(self) -> bool:
        return self.heading.source.startswith(CONTINUED)

    def next(self) -> "Slide":
        """An empty slide with the same heading, in small print."""
        return Slide(new_markdown_cell(f"{CONTINUED} {self.heading.source.lstrip('# ')}"))


# Which text a slide shows -------------------------------------------------------------------------


def count_words(text: str) -> int:
    """How many words a reader sees; a formula counts as one."""
    return len(FORMULA.sub("x", text).replace("|", " ").split())


def shown_part(text: str, before: str, after: str, whole: bool = False) -> str:
    """What a slide shows of a block that stands between two others; all of it if `whole`."""
    is_paragraph = text[0] not in "$|-!"  # no formula, table, list item, picture
    if whole or not is_paragraph:
        return text
    text = ASIDE.sub("", text).strip()
    sentences = SENTENCE_END.split(text)
    main = main_sentences(sentences)
    follows_heading = before.startswith("#")
    leads_on = text.endswith(":")
    is_short = count_words(text) <= WORDS_SHOWN_WHOLE
    if after.startswith("$$") or (is_short and (main or leads_on or follows_heading)):
        return text
    if main:
        return " ".join(main)
    return sentences[0] if leads_on or follows_heading else ""


def main_sentences(sentences: list[str]) -> list[str]:
    """Those with something bold, questions, and what follows a sentence that is bold throughout."""
    main = []
    for previous, sentence in zip(["", *sentences], sentences):
        follows_bold = previous.startswith("**") and previous.endswith("**")
        if "**" in sentence or sentence.endswith("?") or follows_bold:
            main.append(sentence)
    return main


def blocks(notebook) -> Iterator[tuple[str, NotebookNode]]:
    """(slide type, cell) of all that is not skipped: code cells, and markdown cut into blocks.

    A block of which not all is shown comes a second time, as notes.
    """
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "fragment")
        if kind == "skip":
            continue
        if cell.cell_type == "code":
            yield kind, nbformat.from_dict(cell)
        elif cell.cell_type == "markdown":
            yield from text_blocks(cell.source, kind)


def text_blocks(source: str, kind: str) -> Iterator[tuple[str, NotebookNode]]:
    """(slide type, cell) of each block of a markdown cell; lines of links are left out."""
    texts = [text for text in CUT.split(source) if not text.startswith("[")]
    for before, text, after in zip(["", *texts], texts, [*texts[1:], ""]):
        if text.startswith("#"):
            yield "slide", new_markdown_cell(text)
            kind = after_first(kind)
            continue
        shown = "" if kind == "notes" else shown_part(text, before, after, whole=kind == "-")
        if shown:
            yield kind, new_markdown_cell(shown)
            kind = after_first(kind)
        if shown != text:
            yield "notes", new_markdown_cell(text)


def after_first(kind: str) -> str:
    """The type of a cell's further blocks: only its first one begins a slide."""
    return "fragment" if kind in ("slide", "subslide") else kind


# How much fits on a slide -------------------------------------------------------------------------


def height(cell) -> int:
    """How many pixels of a slide a block takes, roughly."""
    if cell.cell_type == "markdown":
        if cell.source.startswith("$$"):
            return FORMULA_HEIGHT
        return lines_height(MARKUP.sub("", cell.source), TEXT) + 14
    code = 0 if draws(cell) else lines_height(cell.source, CODE) + 25
    return code + sum(map(output_height, cell.get("outputs", [])))


def output_height(output) -> int:
    if "image/png" in output.get("data", {}):
        return FIGURE_HEIGHT
    return lines_height(output.get("text", ""), CODE) + 15


def lines_height(text: str, font: Font) -> int:
    """Pixels of a text whose long lines are broken."""
    lines = 0
    for line in text.strip("\n").split("\n"):
        lines += max(1, math.ceil(len(line) / font.characters))
    return font.pixels * lines


def draws(cell) -> bool:
    """Whether a code cell draws a figure, which a slide shows without the code."""
    return "plots." in cell.source


def height_with_followers(cells: list) -> int:
    """The height of the first cell and of those that must stay by it.

    What ends in a colon stays by what it announces, and a formula by the text before it.
    """
    total = height(cells[0])
    for cell, following in zip(cells, cells[1:]):
        if not (cell.source.endswith(":") or following.source.startswith("$$")):
            break
        total += height(following)
    return total


def make_slides(notebook) -> list[Slide]:
    """The slides of a lesson, which begins with a heading."""
    kinds, cells = zip(*blocks(notebook))
    slides = []
    for i, (kind, cell) in enumerate(zip(kinds, cells)):
        if kind == "slide":
            slides.append(Slide(cell))
        elif kind == "notes":
            slides[-1].notes += cell.source + "\n\n"
        else:
            if slides[-1].shown and (kind == "subslide" or not fits(slides[-1], cells[i:])):
                slides.append(slides[-1].next())
            slides[-1].shown.append(cell)
    return slides


def fits(slide: Slide, cells) -> bool:
    """Whether the first of the cells still has room on the slide."""
    first = cells[0]
    prose = count_words(first.source) if first.cell_type == "markdown" else 0
    has_height = slide.height + height_with_followers(cells) <= PAGE_HEIGHT
    return has_height and slide.words + prose <= WORDS_PER_SLIDE


# Pages --------------------------------------------------------------------------------------------


def typed_cells(slide: Slide) -> Iterator[tuple[str, NotebookNode]]:
    """(nbconvert's slide type, cell) of all cells of a slide."""
    yield "subslide" if slide.continued else "slide", slide.heading
    yield "notes" if slide.notes else "skip", new_markdown_cell(slide.notes)
    for i, cell in enumerate(slide.shown):
        yield "-" if i == 0 else "fragment", cell


def prepare(cell, kind: str) -> None:
    """Give the cell its slide type, and the source that a slide shows."""
    cell.metadata = nbformat.from_dict({"slideshow": {"slide_type": kind}})
    if cell.cell_type == "markdown":
        cell.source = web_markdown(cell.source)
    elif draws(cell):
        cell.metadata["transient"] = {"remove_source": True}
    else:
        cell.source = COMMENT_COLUMN.sub("  #", cell.source)


def page(notebook, name: str) -> str:
    """The slides of a lesson as one HTML page."""
    cells = []
    for slide in make_slides(notebook):
        for kind, cell in typed_cells(slide):
            prepare(cell, kind)
            cells.append(cell)
    exporter = SlidesExporter(
        extra_loaders=[DictLoader({"course.html.j2": TEMPLATE})],
        template_file="course.html.j2",
        reveal_url_prefix="reveal.js",
        reveal_theme="white",
    )
    deck = nbformat.from_dict({**notebook, "cells": cells})
    html, _ = exporter.from_notebook_node(deck, resources={"metadata": {"name": name}})
    return html


def reveal_folder() -> Path | None:
    """Where reveal.js is installed; None if it is not."""
    package = importlib.util.find_spec("sphinx_revealjs")
    if package is None:
        return None
    return Path(package.origin).parent / "_static" / "revealjs"


def copy_reveal(reveal: Path) -> None:
    """Copy what the slides need of reveal.js beside them."""
    for part in REVEAL_PARTS:
        source = reveal / part
        target = FOLDER / "reveal.js" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    reveal = reveal_folder()
    if reveal is None:
        print("reveal.js is missing: python -m pip install --no-deps sphinx-revealjs==3.2.1")
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    copy_reveal(reveal)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        (FOLDER / f"{path.stem}.html").write_text(page(notebook, path.stem), encoding="utf-8")
        print(f"{path.stem:32s} {len(make_slides(notebook)):3d} slides")
    print(f"slides: {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
