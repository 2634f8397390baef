"""Write the course as a web site under build/site: pages that need no kernel and no network.

    python -m pip install -c constraints.txt -r tools/site/requirements.txt     once
    python -m tools.site

Sphinx with MyST-NB makes the pages from the stored notebooks, without running them. Interactive
figures live on without a kernel; formulas are drawn by MathJax, which comes along with its fonts.
Slides under build/slides, if there are any, are copied beside the pages.
"""

import inspect
import pkgutil
import re
import shutil
import tomllib
from importlib import import_module
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import utils
from tools import BUILD, NOTEBOOKS, ROOT
from utils.widgets.common.pages import revive

FOLDER = BUILD / "site"
SOURCE = BUILD / "site-source"  # what Sphinx reads
SLIDES = BUILD / "slides"
CONFIGURATION = Path(__file__).parent
LESSON_ROW = re.compile(
    r"^\| \[(?P<title>.+?)\]\(notebooks/(?P<file>\S+?)\) \| (?P<question>.+?) \| "
    r"(?P<minutes>\d+) \|$",
    re.M,
)
IMAGE = re.compile(r"<img (?![^>]*loading=)")

FRONT = """\
# Approximate Training

Word embeddings are learned by predicting which words stand near which. The natural way to do that,
the full softmax, computes something for **every word of the vocabulary at every step**. Why is that
too expensive, and which ways are there around it?

```{{image}} data/three_costs.png
:alt: {alt}
:width: 100%
```

This course makes section 15.2 of [*Dive into Deep Learning*](https://d2l.ai) executable: every
equation derived, implemented in a few lines of PyTorch, checked against something independent, and
measured. Read it here, play with the figures, and run it on a laptop with two cores.

::::{{grid}} 1 2 2 3
:gutter: 3

{cards}
::::

**For teachers**: [plans, questions and a quiz](TEACHING.md){slides}. **To run it**:
[set up](help.md). **To look something up**: [symbols and formulas](notation.md),
[which method, when?](choosing.md), [the package's interface](interface.md).

{trees}
"""
CARD = """\
:::{{grid-item-card}} {title}
:link: {page}
:link-type: doc
{question}

*{minutes} minutes*
:::
"""
TREE = """\
```{{toctree}}
:hidden:
:caption: {caption}

{pages}
```
"""


def build(
    source: Path = SOURCE,
    out: Path = FOLDER,
    notebooks: Path = NOTEBOOKS,
    slides: Path = SLIDES,
) -> int:
    """Write the pages' sources, run Sphinx, and finish the pages; returns Sphinx's exit status.

    `notebooks` is the folder of lessons, with its pages of Markdown, solutions and data; `slides`
    that of the slides, which are copied if they are there.
    """
    from sphinx.cmd.build import main as sphinx

    decks = sorted(page.name for page in slides.glob("*.html"))
    endings = write_sources(source, notebooks, decks)
    shutil.rmtree(out, ignore_errors=True)
    kept = source.with_name(f"{source.name}-read")  # what Sphinx keeps between two runs
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(CONFIGURATION), "-d", str(kept)]
    status = sphinx([*options, str(source), str(out)])
    for page in out.rglob("*.html"):
        finish(page, endings.get(page.relative_to(out).with_suffix("").as_posix(), ""))
    if decks:
        shutil.copytree(slides, out / "slides")
        for deck in (out / "slides").glob("*.html"):
            html = deck.read_text(encoding="utf-8")
            deck.write_text(to_the_pages(html, decks), encoding="utf-8")
    return status


# Sources ------------------------------------------------------------------------------------------


def write_sources(source: Path, notebooks: Path, decks: list[str] = ()) -> dict[str, str]:
    """All pages as Sphinx reads them, in a fresh folder.

    `decks` are the files of slides that the front page names. Returns what belongs at the end of
    each page with interactive figures: {page: HTML}.
    """
    endings = {}
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    shutil.copytree(notebooks / "data", source / "data")
    for path in [*sorted(notebooks.glob("*.ipynb")), *sorted(notebooks.glob("solutions/*.ipynb"))]:
        page = source / path.relative_to(notebooks)
        page.parent.mkdir(exist_ok=True)
        notebook = nbformat.read(path, as_version=4)
        endings[path.relative_to(notebooks).with_suffix("").as_posix()] = prepare(notebook)
        nbformat.write(notebook, page)
    for path in notebooks.glob("*.md"):
        shutil.copy(path, source)
    (source / "interface.md").write_text(interface(), encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (source / "index.md").write_text(front(readme, source, decks), encoding="utf-8")
    return endings


def prepare(notebook: NotebookNode) -> str:
    """Give pictures their alt texts, and make figures alive; returns what ends the page."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                cell.metadata["mystnb"] = {"image": {"alt": alt}}
    return revive(notebook)


def front(readme: str, source: Path, decks: list[str] = ()) -> str:
    """The front page: the README's picture and lessons, and the trees of pages."""
    rows = [row.groupdict() for row in LESSON_ROW.finditer(readme)]
    cards = [CARD.format(page=Path(row["file"]).stem, **row) for row in rows]
    alt = re.search(r"^!\[(.+?)\]", readme, re.M)[1]
    lessons = [Path(row["file"]).stem for row in rows]
    solutions = sorted(f"solutions/{path.stem}" for path in source.glob("solutions/*.ipynb"))
    others = sorted(page.stem for page in source.glob("*.ipynb") if page.stem not in lessons)
    trees = [
        ("Lessons", lessons + others),
        ("To look up", ["notation", "choosing", "interface"]),
        ("To run and to teach", ["help", "TEACHING", "hub"]),
        ("Solutions", solutions),
    ]
    return FRONT.format(
        alt=alt,
        cards="\n".join(cards),
        slides=", and slides of " + ", ".join(map(deck_link, decks)) if decks else "",
        trees="\n".join(TREE.format(caption=c, pages="\n".join(pages)) for c, pages in trees),
    )


def deck_link(deck: str) -> str:
    """A link to a deck of slides, in HTML, since Sphinx does not know the file."""
    return f'<a href="slides/{deck}">{deck[:2] if deck[0].isdigit() else Path(deck).stem}</a>'


def to_the_pages(html: str, decks: list[str]) -> str:
    """A deck whose links to pages lead out of its folder; those to other decks stay."""

    def outward(match: re.Match) -> str:
        return match[0] if match[2] in decks else f"{match[1]}../{match[2]}"

    return re.sub(r'(href=")((?!\w+:|\.\.)[\w./-]+\.html)', outward, html)


def interface() -> str:
    """A page of the package's public functions and classes, with their own words."""
    parts = ["# The package's interface", "", "What `utils` offers, in the words of its code."]
    for module in pkgutil.iter_modules(utils.__path__, "utils."):
        parts += described(import_module(module.name), exported=module.ispkg)
    return "\n".join(parts) + "\n"


def described(module, exported: bool = False) -> list[str]:
    """A section on one module: each public function and class that is its own.

    Of a package (`exported`), those that it names in its own file.
    """
    names = module.__all__ if exported else vars(module)
    own = [
        (name, value)
        for name, value in [(name, getattr(module, name)) for name in names]
        if not name.startswith("_")
        and (inspect.getmodule(value) is module or exported)
        and (inspect.isfunction(value) or inspect.isclass(value))
    ]
    if not own:
        return []
    parts = ["", f"## {module.__name__}", "", inspect.getdoc(module).split("\n\n")[0]]
    for name, value in own:
        parts += ["", f"### {name}", "", "```text", f"{name}{signature(value)}", ""]
        parts += [inspect.getdoc(value) or "", "```"]
    return parts


def signature(value) -> str:
    try:
        return re.sub(r"<[^>]*>", "...", str(inspect.signature(value)))
    except (TypeError, ValueError):
        return "(...)"


def repository() -> str | None:
    """The repository's address, which stands in pyproject.toml alone; None before it has one."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"].get("urls", {}).get("Repository")


def repository_options(address: str | None) -> dict:
    """The theme's options for buttons that lead to the source, and to Binder and Colab."""
    if address is None or not re.match(r"https://github\.com/", address):
        return {}  # Colab, and the theme's buttons, know other hosts badly or not at all
    return {
        "repository_url": address.removesuffix("/").removesuffix(".git"),
        "repository_branch": "main",
        "path_to_docs": NOTEBOOKS.name,
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }


def slug(title: str) -> str:
    """A heading's anchor as JupyterLab makes it: dashes for spaces."""
    return title.replace(" ", "-")


# Pages --------------------------------------------------------------------------------------------


def finish(page: Path, ending: str) -> None:
    """Pictures are loaded when they come into sight; the figures' modules stand at the end."""
    html = IMAGE.sub('<img loading="lazy" ', page.read_text(encoding="utf-8"))
    page.write_text(html.replace("</body>", f"{ending}</body>"), encoding="utf-8")
