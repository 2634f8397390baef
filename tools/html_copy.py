"""A browsable copy of the lessons: HTML pages under build/html that need no kernel and no network.

`python -m tools.execute` writes them. Formulas become MathML, links lead to the copy's own pages,
and interactive figures live on without a kernel.
"""

import re
import unicodedata
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from latex2mathml.converter import convert as latex_to_mathml
from nbconvert import HTMLExporter

from tools import BUILD, NOTEBOOKS
from utils.widgets.common.pages import revive

FOLDER = BUILD / "html"

# A picture with its alt text, which nbconvert's own templates leave out.
PICTURE_BLOCK = """
{%- block data_png scoped -%}
<div class="jp-RenderedImage jp-OutputArea-output"><img
 src="data:image/png;base64,{{ output.data['image/png'] }}"
 alt="{{ output | get_metadata('alt', 'image/png') | escape_html }}"></div>
{%- endblock -%}
"""
PAGE_TEMPLATE = "{% extends 'lab/index.html.j2' %}" + PICTURE_BLOCK
INDEX = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>Approximate Training</title>\
<h1>Approximate Training</h1><ol>{links}</ol></html>"""

# Code, in which a dollar is a dollar; a formula of its own; a formula in a line.
CODE_OR_FORMULA = re.compile(
    r"(?P<code>```.*?```|`[^`\n]*`)|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL
)
STYLED_LETTER = re.compile(r'<mi mathvariant="([\w-]+)">(\w)</mi>')
LINK_TO_PAGE = re.compile(r"\]\(([\w./-]+)\.(?:ipynb|md)(#[^)]*)?\)")


def web_markdown(markdown: str) -> str:
    """Markdown for a web page: formulas as MathML, links to lessons as links to their pages."""
    return LINK_TO_PAGE.sub(r"](\1.html\2)", formulas_to_mathml(markdown))


def formulas_to_mathml(markdown: str) -> str:
    """Formulas as MathML, which browsers draw themselves: no script is fetched."""
    return CODE_OR_FORMULA.sub(_mathml, markdown)


def _mathml(match: re.Match) -> str:
    if match["code"]:
        return match["code"]
    display = "block" if match["display"] else "inline"
    latex = " ".join((match["display"] or match["inline"]).split())
    return STYLED_LETTER.sub(_unicode_letter, latex_to_mathml(latex, display=display))


def _unicode_letter(match: re.Match) -> str:
    """The Unicode letter of a style: browsers know no other way to draw a bold v."""
    style, letter = match.groups()
    case = "CAPITAL" if letter.isupper() else "SMALL"
    name = f"MATHEMATICAL {style.upper()} {case} {letter.upper()}"
    try:
        return f"<mi>{unicodedata.lookup(name)}</mi>"
    except KeyError:  # there is no such letter
        return match[0]


def export(path: Path, page: Path | None = None, theme: str = "light") -> None:
    """Write a lesson or a page of Markdown as an HTML page, by default to its place in the copy."""
    notebook = read_page(path)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = web_markdown(cell.source)
    figures = revive(notebook)
    exporter = HTMLExporter(
        mathjax_url="",
        require_js_url="",
        theme=theme,
        template_file="course.html.j2",
        extra_loaders=[DictLoader({"course.html.j2": PAGE_TEMPLATE})],
    )
    body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
    if page is None:
        page = FOLDER / path.relative_to(NOTEBOOKS).with_suffix(".html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(body.replace("</body>", f"{figures}</body>"), encoding="utf-8")


def read_page(path: Path) -> nbformat.NotebookNode:
    """A notebook; a page of Markdown becomes a notebook of one cell."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    text = path.read_text(encoding="utf-8")
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def write_index() -> Path:
    """A page with links to all pages of the copy's top folder; returns its path."""
    index = FOLDER / "index.html"
    pages = [page for page in sorted(FOLDER.glob("*.html")) if page != index]
    links = [f'<li><a href="{page.name}">{page.stem}</a></li>' for page in pages]
    index.write_text(INDEX.format(links="\n".join(links)), encoding="utf-8")
    return index
