"""A figure among JupyterLab's keys, its kernel's variables, and without its kernel."""

import pytest
from cases import CASES
from driving import in_kernel, open_notebook, to_tab, wait
from selenium.webdriver.common.keys import Keys


@pytest.mark.parametrize(
    "name, places",
    [
        ("tree", ("[data-word=river]", "input", "button", "select")),
        ("noise", ("[data-word=river]", "input[type=range]", "button")),
    ],
)
def test_keys_stay_in_the_figure(in_lab, browser, name, places):
    """JupyterLab's one-letter commands (dd deletes a cell, a inserts one) do not hear what is typed
    in a figure.
    """
    figure = in_lab(name)
    cells = "return panel.content.widgets.map((cell) => cell.model.id)"
    before = browser.execute_script(cells)
    for css in places:
        figure.focus(css)
        assert browser.execute_script("return document.activeElement.matches(arguments[0])", css)
        figure.press("d", "d", "a", "x", Keys.ESCAPE)
    assert len(before) == len(CASES) + 1  # and a heading
    assert browser.execute_script(cells) == before
    figure.focus(".at-handle")
    figure.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert browser.execute_script("return panel.content.activeCellIndex") == list(CASES).index(name)


def test_before_it_is_run_its_picture_stands_there(browser, lab):
    to_tab(browser, "lab")
    open_notebook(browser, lab, "figures.ipynb", anew=True)
    pictures = (
        "return [...panel.content.node.querySelectorAll('.jp-OutputArea img')].map((node) => "
        "node.naturalWidth)"
    )
    widths = wait(
        lambda: len(all_ := browser.execute_script(pictures)) >= len(CASES) and all_,
        20,
        "the pictures",
    )
    assert min(widths) > 500 and not browser.find_elements("css selector", ".at-figure")


def test_when_its_kernel_has_died_it_can_be_read_and_still_answers(in_lab, browser, lab):
    figure = in_lab("tree")
    browser.execute_async_script(
        "panel.sessionContext.session.kernel.shutdown().then(() => arguments[0]())"
    )
    browser.get_log("browser")
    assert figure.text(".at-product").startswith("P(river | wc) = 0.2322")
    figure.type("word", "boat")
    assert "boat" in figure.text(".at-product")
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert all("sync message" in message for message in said if "blob:" in message), (
        said
    )  # nobody hears it
    open_notebook(browser, lab, "figures.ipynb", anew=True)


def test_python_hears_and_is_heard(in_lab, browser):
    figure = in_lab("tree")
    figure.type("word", "boat")
    figure.choose("tree", "Huffman")
    heard = (
        "print(explorer.word, explorer.tree, explorer.merges, f'{explorer.probabilities()[1]:.4f}')"
    )
    said = wait(
        lambda: (text := in_kernel(browser, heard)).startswith("boat Huffman") and text,
        20,
        "Python to hear",
    )
    assert said == f"boat Huffman None {figure.value('.at-product'):.4f}"
    in_kernel(browser, "explorer.word, explorer.hidden = 'king', [0.0, 0.0]")
    wait(lambda: "P(king" in figure.text(".at-product"), 20, "the page to hear")
    assert figure.value(".at-product") == 0.5 ** figure.value(".at-product", "steps")  # coins
    assert "TraitError: the word 'ocean' is not among" in in_kernel(
        browser, "explorer.word = 'ocean'"
    )
    figure.settle()
    assert "P(king" in figure.text(".at-product") and figure.alarm() == ""


def test_two_views_of_one_figure_show_the_same(in_lab, browser):
    figure = in_lab("tree")
    browser.execute_async_script("""jupyterapp.commands.execute("notebook:create-output-view")
        .then(() => arguments[0]()).catch(() => arguments[0]())""")
    views = wait(
        lambda: browser.find_elements("css selector", ".jp-LinkedOutputView .at-figure"),
        20,
        "a second view",
    )
    figure.type("word", "lake")
    wait(
        lambda: "P(lake" in views[0].find_element("css selector", ".at-product").text,
        10,
        "the second view",
    )
    browser.execute_script("""
        for (const widget of [...jupyterapp.shell.widgets("main")])
          if (widget !== panel) widget.dispose();
        jupyterapp.shell.activateById(panel.id)""")
