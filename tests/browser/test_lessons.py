"""The figures where learners meet them.

The real lessons, run from top to bottom in JupyterLab, and their pages.
"""

from pathlib import Path

import nbformat
import pytest
from driving import Figure, assert_quiet, open_notebook, theme, to_tab, wait
from selenium.webdriver.common.keys import Keys

from utils.widgets.common.base import STATE

FOLDER = Path(__file__).parent.parent.parent / "notebooks"


def figures_of(path):
    """(cell, figure's class) of every stored figure."""
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        for output in cell.get("outputs", []):
            if STATE in output.get("data", {}):
                yield number, output.data[STATE]["figure"]


LESSONS = [
    path
    for path in sorted(FOLDER.glob("*.ipynb"))
    if "utils.widgets" in path.read_text(encoding="utf-8")
]
lessons = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def turn(figure):
    """Move the figure's first slider that can be seen.

    Something is drawn anew and nothing is refused.
    """
    slider = next(node for node in figure.all("input[type=range]") if node.is_displayed())
    before = figure.element.get_attribute("innerHTML")
    at_its_least = slider.get_property("value") == slider.get_attribute("min")
    key = Keys.ARROW_RIGHT if at_its_least else Keys.ARROW_LEFT

    def moved():  # JupyterLab may take the focus back when a cell has just run
        figure.browser.execute_script("arguments[0].focus()", slider)
        figure.press(key, key)
        return figure.element.get_attribute("innerHTML") != before

    wait(moved, 20, "the figure to move")
    assert figure.alarm() == ""


@lessons
def test_lesson_in_jupyterlab(browser, lab, lesson):
    stored = list(figures_of(lesson))
    assert stored, f"{lesson.name} stores no figure; make run refreshes what it stores"
    to_tab(browser, "lab")
    open_notebook(browser, lab, lesson.name)
    browser.execute_script(
        "const [name] = arguments;"
        "jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.ran = name; });",
        lesson.name,
    )
    wait(
        lambda: browser.execute_script("return window.ran") == lesson.name,
        600,
        "all cells of the lesson",
    )
    for kind in ("Dark", "Light"):
        theme(browser, kind)
        for cell, name in stored:
            browser.execute_async_script(
                f"panel.content.scrollToItem({cell}, 'start').then(() => arguments[0]())"
            )
            inside = f"return panel.content.widgets[{cell}].node.querySelector('.at-figure')"
            figure = Figure(
                browser,
                wait(lambda inside=inside: browser.execute_script(inside), 60, "the figure"),
            )
            turn(figure)
            figure.shot(f"{lesson.stem}_{cell}_{name}_{kind.lower()}")
    assert_quiet(browser)


@lessons
def test_page_of_the_lesson(browser, site, lesson):
    to_tab(browser, "page")
    browser.get(f"{site[0]}/{lesson.stem}.html")
    stored = list(figures_of(lesson))
    shown = wait(
        lambda: (
            len(all_ := browser.find_elements("css selector", ".at-figure")) == len(stored) and all_
        ),
        30,
        "all figures of the page",
    )
    for element, (cell, name) in zip(shown, stored):
        figure = Figure(browser, element)
        turn(figure)
        figure.shot(f"{lesson.stem}_{cell}_{name}_page")
    assert_quiet(browser)
