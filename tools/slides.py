"""Write the lessons as reveal.js slides under build/slides; they open without a network.

    python -m pip install --no-deps sphinx-revealjs==3.2.1     once: that package carries reveal.js
    python -m tools.slides

A heading starts a slide. Below it come, one by one, what a class should read: the first paragraph, those with something
bold and those before a formula, lists, formulas, code, output, figures without their code. Of a long paragraph only the
bold sentences and the questions are shown. The whole text is in the speaker's notes (key S). A cell's slide type may
say otherwise: `-` shows its paragraphs whole, `notes` shows none, `skip` leaves the cell out, and `subslide` begins a
new slide, as a full one does by itself.
"""

import importlib.util
import math
import re
import shutil
import sys
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbconvert import SlidesExporter

from tools.execute import ALT, FOLDER, web

BUILD = FOLDER.parent / "build" / "slides"
PAGE, TEXT, CODE, FIGURE = (
    690,
    (76, 41),
    (88, 29),
    490,
)  # pixels below a heading; characters and pixels of a line
LONG, WORDS = 50, 130  # words of a paragraph shown whole, and of a slide
CUT = re.compile(
    r"\n\n+|\n(?=- |\$\$)|(?<=\$\$)\n"
)  # between headings, paragraphs, formulas and list items
ASIDE = re.compile(r"(?:^| )\([A-Z][^()]*[.?!]\)(?= |$)")  # whole sentences in brackets
SENTENCE = re.compile(r"(?<=[.?!])(?<!al\.) |(?<=[.?!]\)) |(?<=[.?!]\*\*) ")
REVEAL = [
    "dist/reveal.css",
    "dist/reveal.js",
    "dist/theme/white.css",
    "dist/theme/fonts/source-sans-pro",
    "plugin/notes/notes.js",
    "LICENSE",
]  # other themes ask a host for their fonts
TEMPLATE = (
    """
{%- extends 'reveal/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
:root { --jp-content-font-size1: 30px; --jp-code-font-size: 22px; --jp-content-line-height: 1.35; }
.reveal .slides section { text-align: left; max-height: 100%; overflow-y: auto; }
.reveal .slides .jp-Cell { padding: 0; }
.reveal .slides section :is(h1, h2, h6) { text-transform: none; }
.reveal .slides section h1 { font-size: 60px; margin: 0 0 30px; }
.reveal .slides section h2 { font-size: 44px; margin: 0 0 12px; }
.reveal .slides section h6 { font-size: 24px; margin: 0 0 12px; font-weight: normal; color: #666; }
.reveal .slides section p, .reveal .slides section ul { margin: 0 0 14px; }
.reveal .slides section table { font-size: 28px; }
.reveal .slides section td { text-align: left; white-space: normal; }
.reveal .slides section pre { font-size: 22px; line-height: 1.3; white-space: pre-wrap; margin: 0; width: auto;
  box-shadow: none;
  word-break: normal; overflow-wrap: anywhere; }
.reveal .slides section img { height: 480px; max-width: 100%; object-fit: contain; object-position: 0 0; margin: 0; }
.reveal .slides section:not(:has(.fragment, > .jp-Cell pre)) img { height: 650px; }
.reveal math { font-size: 1.1em; }
.reveal math[display=block] { padding: 10px 0; }
.reveal .slide-number { left: 8px; right: auto; }
.jp-InputPrompt, .jp-OutputPrompt, .jp-Collapser { display: none !important; }
</style>
{%- endblock -%}
{%- block output_group -%}
<div {% if not cell.metadata.transient %}class="fragment"{% endif %}>{{ super() }}</div>
{%- endblock -%}
{%- block footer_js -%}
<script src="reveal.js/dist/reveal.js"></script>
<script src="reveal.js/plugin/notes/notes.js"></script>
<script>
Reveal.initialize({hash: true, center: false, transition: "none", width: 1280, height: 800, margin: 0.02,
                   slideNumber: "c/t", plugins: [RevealNotes]});
</script>
{%- endblock -%}
"""
    + ALT
)


def words(text: str) -> int:
    return len(re.sub(r"\$.*?\$", "x", text).replace("|", " ").split())


def shown(text: str, before: str, after: str, whole: bool) -> str:
    """What a slide shows of a block that stands between two others."""
    if text[0] in "$|-!" or whole:
        return text
    text = ASIDE.sub("", text).strip()
    sentences = SENTENCE.split(text)
    points = [
        one
        for last, one in zip(["", *sentences], sentences)
        if "**" in one or one.endswith("?") or last.startswith("**") and last.endswith("**")
    ]
    if (
        after.startswith("$$")
        or words(text) <= LONG
        and (points or text.endswith(":") or before.startswith("#"))
    ):
        return text
    return " ".join(points or sentences[: before.startswith("#") or text.endswith(":")])


def blocks(notebook):
    """(slide type, cell): what is not skipped, markdown cut into blocks, as notes too where not all of it is shown."""
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "fragment")
        texts = CUT.split(cell.source) if cell.cell_type == "markdown" else []
        texts = [text for text in texts if not text.startswith("[")]  # a line of links
        if cell.cell_type == "code" and kind != "skip":
            yield kind, nbformat.from_dict(cell)
        elif kind != "skip":
            for before, text, after in zip(["", *texts], texts, [*texts[1:], ""]):
                heading = text.startswith("#")
                show = (
                    text
                    if heading
                    else ""
                    if kind == "notes"
                    else shown(text, before, after, kind == "-")
                )
                if show:
                    yield "slide" if heading else kind, nbformat.v4.new_markdown_cell(show)
                    kind = "fragment" if kind in ("slide", "subslide") else kind
                if show != text:
                    yield "notes", nbformat.v4.new_markdown_cell(text)


def height(cell) -> float:
    """How many pixels of a slide a block takes, roughly."""

    def lines(text, style):
        return style[1] * sum(
            max(1, math.ceil(len(line) / style[0])) for line in text.strip("\n").split("\n")
        )

    if cell.cell_type == "markdown":
        plain = re.sub(r"\\\w+|[{}$^_\\*`]|\]\([^)]*\)", "", cell.source)
        return 120 if cell.source.startswith("$$") else lines(plain, TEXT) + 14
    total = 0 if "plots." in cell.source else lines(cell.source, CODE) + 25
    for output in cell.get("outputs", []):
        total += (
            FIGURE
            if "image/png" in output.get("data", {})
            else lines(output.get("text", ""), CODE) + 15
        )
    return total


def slides(notebook) -> list:
    """The slides, each a list of cells: a heading, the notes, and the blocks that then appear one by one."""
    made, room, left = [], 0, 0
    found = list(blocks(notebook))
    for k, (kind, cell) in enumerate(found):
        if kind == "notes":
            made[-1][1].source += cell.source + "\n\n"
            continue
        if kind == "slide":
            made.append([cell, nbformat.v4.new_markdown_cell()])
            room, left = PAGE, WORDS
            continue
        prose = words(cell.source) if cell.cell_type == "markdown" else 0
        need = height(cell)
        for (_, one), (_, following) in zip(
            found[k:], found[k + 1 :]
        ):  # what leads to a formula or code stays by it
            if not (one.source.endswith(":") or following.source.startswith("$$")):
                break
            need += height(following)
        if (kind == "subslide" or need > room or prose > left) and len(made[-1]) > 2:
            made.append(
                [
                    nbformat.v4.new_markdown_cell("###### " + made[-1][0].source.lstrip("# ")),
                    nbformat.v4.new_markdown_cell(),
                ]
            )
            room, left = PAGE, WORDS
        room, left = room - height(cell), left - prose
        made[-1].append(cell)
    return made


def page(notebook, name: str) -> str:
    """The slides as HTML, with the types that nbconvert knows."""
    cells = []
    for heading, notes, *rest in slides(notebook):
        first = "subslide" if heading.source.startswith("######") else "slide"
        types = [first, "notes" if notes.source else "skip", "-"] + len(rest) * ["fragment"]
        for cell, kind in zip([heading, notes, *rest], types):
            cell.metadata = {"slideshow": {"slide_type": kind}}
            if cell.cell_type == "markdown":
                cell.source = web(cell.source)
            elif "plots." in cell.source:
                cell.metadata["transient"] = {"remove_source": True}
            else:
                cell.source = re.sub(r"(?<=\S) {3,}#", "  #", cell.source)
            cells.append(cell)
    exporter = SlidesExporter(
        extra_loaders=[DictLoader({"course.html.j2": TEMPLATE})],
        template_file="course.html.j2",
        reveal_url_prefix="reveal.js",
        reveal_theme="white",
    )
    whole = nbformat.from_dict({**notebook, "cells": cells})
    return exporter.from_notebook_node(whole, resources={"metadata": {"name": name}})[0]


def main() -> int:
    package = importlib.util.find_spec("sphinx_revealjs")
    if package is None:
        print("reveal.js is missing: python -m pip install --no-deps sphinx-revealjs==3.2.1")
        return 1
    reveal = Path(package.origin).parent / "_static" / "revealjs"
    shutil.rmtree(BUILD, ignore_errors=True)
    for part in REVEAL:
        target = BUILD / "reveal.js" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (reveal / part).is_dir() else shutil.copy)(reveal / part, target)
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        (BUILD / f"{path.stem}.html").write_text(page(notebook, path.stem), encoding="utf-8")
        print(f"{path.stem:32s} {len(slides(notebook)):3d} slides")
    print(f"slides: {BUILD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
