"""Write the lessons as reveal.js pages under build/slides; they open without a network.

    python -m pip install --no-deps sphinx-revealjs==3.2.1     once: that package carries reveal.js
    python notebooks/slides.py
"""

import importlib.util
import shutil
import sys
from pathlib import Path

import nbformat
from jinja2 import DictLoader
from nbconvert import SlidesExporter
from run import FOLDER, mathml

BUILD = FOLDER.parent / "build" / "slides"
TEMPLATE = """
{%- extends 'reveal/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
.reveal .slides section { text-align: left; max-height: 100%; overflow-y: auto; }
.reveal .slides section img { max-height: 60vh; }
.jp-InputPrompt, .jp-OutputPrompt { display: none; }
</style>
{%- endblock -%}
{%- block footer_js -%}
<script src="reveal.js/dist/reveal.js"></script>
<script>
Reveal.initialize({hash: true, center: false, transition: "none", width: 1200, height: 780, margin: 0.03});
</script>
{%- endblock -%}
"""


def main() -> int:
    package = importlib.util.find_spec("sphinx_revealjs")
    if package is None:
        print("reveal.js is missing: python -m pip install --no-deps sphinx-revealjs==3.2.1")
        return 1
    reveal = Path(package.origin).parent / "_static" / "revealjs" / "dist"
    BUILD.mkdir(parents=True, exist_ok=True)
    shutil.copytree(reveal, BUILD / "reveal.js" / "dist", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.map"))
    exporter = SlidesExporter(extra_loaders=[DictLoader({"course.html.j2": TEMPLATE})], template_file="course.html.j2",
                              reveal_url_prefix="reveal.js")
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = mathml(cell.source)
        body, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
        (BUILD / f"{path.stem}.html").write_text(body, encoding="utf-8")
        kinds = [cell.metadata.get("slideshow", {}).get("slide_type", "") for cell in notebook.cells]
        print(f"{path.stem:32s} {sum('slide' in kind for kind in kinds):3d} slides")
    print(f"slides: {BUILD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
