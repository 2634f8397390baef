"""The notebooks as files: run in order, no errors, no traces of a machine, short cells, alt text,
true #@save cells.

A lesson is one of the six; a notebook is also the lab, or solutions.
"""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest

import utils
import utils.fast
from utils.widgets.common.base import VIEW

FOLDER = Path(__file__).parents[2] / "notebooks"

LESSONS = sorted(FOLDER.glob("[0-9]*.ipynb"))
NOTEBOOKS = [*sorted(FOLDER.glob("*.ipynb")), *sorted(FOLDER.glob("solutions/*.ipynb"))]
EQUATIONS = ["15.1.4", "15.1.7", "15.1.8", "15.1.15"] + [f"15.2.{i}" for i in range(1, 10)]

lesson = pytest.fixture(params=LESSONS, ids=lambda path: path.stem)(lambda request: request.param)
book = pytest.fixture(params=NOTEBOOKS, ids=lambda p: f"{p.parent.name}-{p.stem}")(
    lambda request: request.param
)


def read(path):
    return nbformat.read(path, as_version=4)


def core(path):
    """The cells before "Going deeper", which a reader may skip, and before the exercises."""
    cells = read(path).cells
    ends = [i for i, c in enumerate(cells) if re.match("## (Going deeper|Exercises)", c.source)]
    return cells[: ends[0]] if ends else cells


def code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def prose(cells):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_there_are_six_lessons_or_more():
    assert [path.name[:2] for path in LESSONS][:6] == ["00", "01", "02", "03", "04", "05"]


def test_notebook_is_valid_and_executed_in_order(book):
    notebook = read(book)
    nbformat.validate(notebook)
    assert [cell.execution_count for cell in code(notebook.cells)] == list(
        range(1, len(code(notebook.cells)) + 1)
    )


def test_no_error_no_warning_no_machine_path(book):
    for cell in code(read(book).cells):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", output
    assert not re.search(r"/(?:home|Users|root|tmp|work)/", book.read_text(encoding="utf-8"))


def test_volatile_metadata_is_stripped(book):
    notebook = read(book)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "slideshow"}, cell.metadata
        for output in cell.get("outputs", []):
            assert VIEW not in output.get("data", {}), (
                "a live view names a kernel that is gone: make run"
            )


def test_every_picture_has_alt_text(book):
    for cell in code(read(book).cells):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                assert len(output.metadata.get("image/png", {}).get("alt", "")) > 30, cell.source
    assert not re.search(r"!\[\s*\]\(", prose(read(book).cells))
    assert all("alt=" in tag for tag in re.findall(r"<img [^>]*>", prose(read(book).cells)))


def test_at_most_one_cell_in_ten_is_excused(book):
    cells = code(read(book).cells)
    excused = [
        cell
        for cell in cells
        if any("nbval" in tag for tag in cell.metadata.get("tags", [])) or "NBVAL" in cell.source
    ]
    assert 10 * len(excused) <= len(cells), f"{len(excused)} of {len(cells)}"


def test_code_fits_the_page_and_a_cell_has_one_thought(book):
    for cell in code(read(book).cells):
        lines = cell.source.split("\n")
        assert max(map(len, lines)) <= 88, max(lines, key=len)
        assert len(lines) <= 40 or lines[0] == "#@save", cell.source


def test_lesson_has_its_parts(lesson):
    text = prose(read(lesson).cells)
    for part in (
        "**The question**",
        "**You will**",
        "**You need**",
        "**Time**",
        "## Summary",
        "rror times vector",
    ):
        assert part in text, part
    assert re.search(r"(?i)\b(guess|predict)", text)
    assert "plots." in "\n".join(cell.source for cell in code(read(lesson).cells))
    if not lesson.name.startswith("00"):
        assert "## Exercises" in text
        assert any("compare(" in cell.source for cell in code(read(lesson).cells))


PAGES = [*NOTEBOOKS, *FOLDER.glob("*.md"), FOLDER.parent / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    """To a file that is there, and after a # to one of its headings, which as an anchor has dashes
    for spaces.
    """
    text = prose(read(page).cells) if page.suffix == ".ipynb" else page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", text):
        there = page.parent / target
        assert target.startswith("https://") or there.exists(), target
        if anchor and there.suffix == ".ipynb":
            headings = re.findall(r"^#+ (.+)$", prose(read(there).cells), re.M)
            assert anchor in [heading.replace(" ", "-") for heading in headings], (
                f"{target}#{anchor}"
            )


def test_the_teachers_plans_name_the_lessons_sections(lesson):
    guide = (FOLDER / "TEACHING.md").read_text(encoding="utf-8")
    (plan,) = re.findall(rf"^## {lesson.name[:2]} .*?(?=^## )", guide, re.M | re.S)
    planned = re.findall(r"^\| ([^|]+) \| +(\d+|-) +\| +(\d+|-) +\|$", plan, re.M)
    sections = re.findall(r"^## (.+)$", prose(read(lesson).cells), re.M)
    assert [name for name, *_ in planned] == [name for name in sections if name != "Summary"]
    for column, most in ((1, 50), (2, 90)):
        minutes = sum(int(row[column]) for row in planned if row[column] != "-")
        assert most - 10 <= minutes <= most, minutes


def test_half_a_day_names_the_lessons_sections_and_has_four_hours():
    guide = (FOLDER / "TEACHING.md").read_text(encoding="utf-8")
    (plan,) = re.findall(r"^## Half a day.*?(?=^## )", guide, re.M | re.S)
    rows = re.findall(r"^\| (\d+) \| (\d\d)? *\| ([^|]+) \|$", plan, re.M)
    assert sum(int(minutes) for minutes, *_ in rows) == 4 * 60
    for _, number, names in rows:
        if number:
            (lesson,) = FOLDER.glob(f"{number}_*.ipynb")
            sections = re.findall(r"^## (.+)$", prose(read(lesson).cells), re.M)
            assert set(re.split("; |, to ", names)) <= set(sections), names


def twins():
    """(lesson, cell, name) of every #@save cell."""
    for path in LESSONS:
        for cell in code(read(path).cells):
            if cell.source.startswith("#@save"):
                yield (
                    path.stem,
                    cell.source,
                    re.search(r"^(?:def|class) (\w+)", cell.source, re.M)[1],
                )


@pytest.mark.parametrize("source, name", [pytest.param(s, n, id=f"{p}-{n}") for p, s, n in twins()])
def test_save_cell_equals_its_twin_in_utils(source, name):
    modules = [
        importlib.import_module(m.name)
        for package in (utils, utils.fast)
        for m in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
        if m.name[-1] != "_"
    ]
    found = {
        Path(module.__file__)
        for module in modules
        if inspect.getmodule(getattr(module, name, None)) is module
    }
    assert len(found) == 1, f"{name} should stand in exactly one file of utils, found {found}"
    body = source.removeprefix("#@save\n").strip()
    assert "\n\n\n" + body + "\n" in found.pop().read_text(encoding="utf-8")


def test_some_cells_are_saved():
    assert {name for _, _, name in twins()} >= {
        "softmax_loss",
        "yes_no_loss",
        "huffman_merges",
        "block_step",
    }


@pytest.mark.parametrize("number", EQUATIONS)
def test_every_equation_is_in_a_lesson_in_the_notation_and_in_a_test(number):
    as_number = re.compile(re.escape(number) + r"(?!\d)")
    assert any(as_number.search(prose(read(path).cells)) for path in LESSONS)
    assert as_number.search((FOLDER / "notation.md").read_text(encoding="utf-8"))
    assert as_number.search(
        (FOLDER.parent / "tests" / "unit" / "test_equations.py").read_text(encoding="utf-8")
    )
