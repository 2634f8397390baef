"""Execute the lessons from fresh kernels, refresh their stored outputs, and write a browsable copy under build/.

python -m tools.execute            all lessons
python -m tools.execute 02 05      those whose names begin so
python -m tools.execute --export   only write the copy, from the stored outputs
"""

import base64
import os
import re
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from latex2mathml.converter import convert as to_mathml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from utils.widgets.common.pages import forget_views, revive

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
BUILD = FOLDER.parent / "build" / "html"
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
PICTURE = (
    FOLDER / "data" / "three_costs.png"
)  # the README's picture: what the cell tagged course-picture drew
ALT = """
{%- block data_png scoped -%}
<div class="jp-RenderedImage jp-OutputArea-output"><img src="data:image/png;base64,{{ output.data['image/png'] }}"
 alt="{{ output | get_metadata('alt', 'image/png') | escape_html }}"></div>
{%- endblock -%}
"""  # what nbconvert's own template leaves out
FORMULA = re.compile(r"(```.*?```|`[^`\n]*`)|\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)


def execute(path: Path) -> None:
    """Run all cells in order in a fresh kernel; the file changes only if all of them succeed."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    strip(notebook)
    save_picture(notebook)
    part = path.with_suffix(".part")
    nbformat.write(notebook, part)
    part.replace(path)


def save_picture(notebook) -> None:
    for cell in notebook.cells:
        if "course-picture" in cell.metadata.get("tags", []):
            PICTURE.parent.mkdir(exist_ok=True)
            PICTURE.write_bytes(base64.b64decode(cell.outputs[0].data["image/png"]))


def strip(notebook) -> None:
    """Remove what changes from machine to machine or from run to run without meaning anything."""
    language = {
        key: value
        for key, value in notebook.metadata.get("language_info", {}).items()
        if key != "version"
    }
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": language})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if k in ("tags", "slideshow")}
        )
    forget_views(notebook)


def mathml(markdown: str) -> str:
    """Formulas as MathML, which browsers draw themselves: the copy needs no other host."""

    def one(match):
        code, display, inline = match.groups()
        if code:
            return code
        formula = to_mathml(
            " ".join((display or inline).split()), display="block" if display else "inline"
        )
        return re.sub(r'<mi mathvariant="([\w-]+)">(\w)</mi>', letter, formula)

    return FORMULA.sub(one, markdown)


def web(markdown: str) -> str:
    """Markdown as a page of its own shows it: formulas as MathML, links to lessons as links to their pages."""
    return re.sub(r"\]\(([\w./-]+)\.(?:ipynb|md)(#[^)]*)?\)", r"](\1.html\2)", mathml(markdown))


def letter(match) -> str:
    """The Unicode letter of a style: browsers know no other way to draw a bold v."""
    style, char = match.groups()
    case = "CAPITAL" if char.isupper() else "SMALL"
    try:
        return (
            f"<mi>{unicodedata.lookup(f'MATHEMATICAL {style.upper()} {case} {char.upper()}')}</mi>"
        )
    except KeyError:
        return match[0]


def export(path: Path, page: Path | None = None, theme: str = "light") -> None:
    """Write the lesson, or a page of Markdown, as one HTML page, links kept, figures alive without a kernel."""
    notebook = (
        nbformat.read(path, as_version=4)
        if path.suffix == ".ipynb"
        else nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_markdown_cell(path.read_text(encoding="utf-8"))]
        )
    )
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = web(cell.source)
    figures = revive(notebook)
    exporter = HTMLExporter(
        mathjax_url="",
        require_js_url="",
        theme=theme,
        template_file="course.html.j2",
        extra_loaders=[DictLoader({"course.html.j2": "{% extends 'lab/index.html.j2' %}" + ALT})],
    )
    body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
    page = page or BUILD / path.relative_to(FOLDER).with_suffix(".html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(body.replace("</body>", f"{figures}</body>"), encoding="utf-8")


def main(prefixes: list[str]) -> int:
    os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be stored as an output
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # steadier on two cores
    export_only = "--export" in prefixes
    prefixes = [prefix for prefix in prefixes if prefix != "--export"]
    lessons = sorted(FOLDER.glob("*.ipynb")) + sorted(FOLDER.glob("solutions/*.ipynb"))
    os.environ.setdefault(
        "APPROXIMATE_TRAINING_STATE", tempfile.mkdtemp()
    )  # solutions are no learner's progress
    chosen = [path for path in lessons if not prefixes or path.name.startswith(tuple(prefixes))]
    if not chosen:
        print(
            f"no lesson begins with {' or '.join(prefixes)}; there are {', '.join(p.stem for p in lessons)}"
        )
        return 2
    failed = 0
    for path in chosen:
        start = time.perf_counter()
        try:
            if not export_only:
                execute(path)
            export(path)
            name = path.relative_to(FOLDER).with_suffix("").as_posix()
            print(f"{name:36s} {time.perf_counter() - start:6.1f} s", flush=True)
        except CellExecutionError as error:
            failed += 1
            print(f"{path.stem:28s} failed, the file is as it was\n{error}", flush=True)
    for path in FOLDER.glob("*.md"):
        export(path)
    if BUILD.is_dir():
        pages = [page for page in sorted(BUILD.glob("*.html")) if page.name != "index.html"]
        links = "\n".join(f'<li><a href="{page.name}">{page.stem}</a></li>' for page in pages)
        (BUILD / "index.html").write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Approximate '
            f"Training</title><h1>Approximate Training</h1><ol>{links}</ol></html>",
            encoding="utf-8",
        )
        print(f"browsable copy: {BUILD / 'index.html'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
