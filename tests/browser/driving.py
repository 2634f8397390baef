"""A figure in the browser, driven as a reader would: by mouse and by keys."""

import time
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

SHOTS = Path(__file__).parent.parent.parent / "build" / "browser"

OPEN = """
const [path, done] = arguments;
(async () => {
  const app = window.jupyterapp;
  await app.restored;
  const before = window.panel;
  if (before) {
    await before.sessionContext.shutdown().catch(() => {});        // its kernel may be gone already
    await before.context.revert();
    before.dispose();
  }
  const panel = await app.commands.execute("docmanager:open", {path, factory: "Notebook"});
  await panel.context.ready;
  await panel.sessionContext.ready;
  window.panel = panel;
  done(panel.content.widgets.length);
})().catch((error) => done(String(error)));
"""
RUN = """
const [index, done] = arguments;
(async () => {
  panel.content.activeCellIndex = index;
  panel.content.deselectAll();
  await panel.content.scrollToItem(index, "start");
  await jupyterapp.commands.execute("notebook:run-cell");
  await panel.content.scrollToItem(index, "start");
  done(true);
})().catch((error) => done(String(error)));
"""

BAD_VOCABULARIES = [
    ("a 1\na 2\nb 3\nc 4\nd 5\ne 6\nf 7\ng 8", "“a” stands there twice"),
    ("\n".join(f"x{i} {i + 1}" for i in range(65)), "8 to 64 words, not 65"),
    ("", "8 to 64 words, not 0"),
    ("a 1\nb 2", "8 to 64 words, not 2"),
    ("a 1\nb 2\nc 3\nd -4\ne 5\nf 6\ng 7\nh 8", "The count of d is -4"),
    ("a 1\nb 2\nc 3\nd 0\ne 5\nf 6\ng 7\nh 8", "The count of d is 0"),
    ("a 1\nb 2\nc 3\nd 4.5\ne 5\nf 6\ng 7\nh 8", "The count of d is 4.5"),
    ("a 1\nb 2\nc 3\nd\ne 5\nf 6\ng 7\nh 8", "The count of d is missing"),
]


def visit(browser, address, mode="light"):
    """Load a page of the site in the mode that a reader may have chosen before."""
    browser.get(address)
    if browser.execute_script("return document.documentElement.dataset.theme") != mode:
        browser.execute_script(
            "for (const key of ['mode', 'theme']) localStorage.setItem(key, arguments[0])", mode
        )
        browser.get(address)


def wait(ask, seconds=20, what="that"):
    """What `ask()` returns as soon as it is true; AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := ask():
                return answer
        except (WebDriverException, OSError) as error:
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s for {what}") from error
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def in_kernel(browser, code):
    """Run code in the open notebook's kernel; what it prints, or the name and text of its error."""
    return browser.execute_async_script(
        """
        const [code, done] = arguments, said = [];
        const future = panel.sessionContext.session.kernel.requestExecute({code});
        const text = ({ename, evalue, text}) => (ename ? `${ename}: ${evalue}` : text ?? "");
        future.onIOPub = ({content}) => said.push(text(content));
        future.done.then(() => done(said.join("").trim()));""",
        code,
    )


def call(browser, code, function, arguments):
    """What functions of a JavaScript module return: [function(*a) for a in arguments], as JSON."""
    script = """
        const [code, name, calls, done] = arguments;
        import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})))
            .then((module) => done(calls.map((a) => module[name](...a))))
            .catch((error) => done(String(error)));"""
    answer = browser.execute_async_script(script, code, function, arguments)
    assert isinstance(answer, list), answer
    return answer


def theme(browser, name):
    """JupyterLab's theme: Light or Dark."""
    browser.execute_async_script(
        """jupyterapp.commands.execute("apputils:change-theme",
        {theme: "JupyterLab " + arguments[0]}).then(() => setTimeout(arguments[1], 500))""",
        name,
    )


TABS = {}  # JupyterLab stays open in its tab


def to_tab(browser, name):
    """The tab of this name: a new one the first time."""
    if name not in TABS:
        browser.switch_to.new_window("tab")
        TABS[name] = browser.current_window_handle
    browser.switch_to.window(TABS[name])
    # as if its window were in front
    browser.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})


def alive(browser, index):
    """The figure of a page's cell, as soon as it is alive."""
    script = f"return document.querySelectorAll('div.cell')[{index}]?.querySelector('.at-figure')"
    return Figure(browser, wait(lambda: browser.execute_script(script), 30, "the figure"))


def open_notebook(browser, address, path, anew=False):
    """Open a notebook in JupyterLab, unless it is open.

    Another one, or with `anew` this one, is closed before.
    """
    if not browser.current_url.startswith(address):
        browser.get(f"{address}?token=figures&reset")
        wait(
            lambda: browser.execute_script("return !!window.jupyterapp"),
            120,
            "JupyterLab in the browser",
        )
    if anew or browser.execute_script("return window.panel?.context.path") != path:
        answer = browser.execute_async_script(OPEN, path)
        assert isinstance(answer, int), answer
        browser.get_log("browser")  # what JupyterLab itself said


def run_cell(browser, index):
    """Run one cell and take its figure."""
    answer = browser.execute_async_script(RUN, index)
    assert answer is True, answer
    script = f"return panel.content.widgets[{index}].node.querySelector('.at-figure')"
    return Figure(browser, wait(lambda: browser.execute_script(script), 60, "the figure"))


def assert_quiet(browser):
    """No error in the console since the last look."""
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not said, said


def refuses_in_place(figure, word):
    """Bad values for its word, in the field of this name, for a count, for a vocabulary: each is
    refused on the spot.

    The figure has the eight words of the running example, with river chosen.
    """
    for label, text, message in (
        (word, "ocean", "“ocean” is not among the 8 words: water, boat"),
        ("its count", "0", "The count of river is 0"),
        ("its count", "-3", "The count of river is -3"),
        ("its count", "2.5", "The count of river is 2.5"),
    ):
        figure.type(label, text)
        assert message in figure.alarm(), figure.alarm()
        assert (
            figure.field(label).get_attribute("value") == {word: "river", "its count": "10"}[label]
        )
    figure.open("A vocabulary of your own")
    for text, message in BAD_VOCABULARIES:
        figure.fill("textarea", text)
        figure.button("Use these words").click()
        figure.settle()
        assert message in figure.alarm(), figure.alarm()
        assert (
            figure.element.find_element("css selector", "textarea").get_attribute("value") == text
        )  # to mend


class Figure:
    """One figure on the page."""

    def __init__(self, browser, element):
        self.browser = browser
        self.element = element
        browser.execute_script("arguments[0].scrollIntoView()", element)

    def all(self, css):
        self.settle()
        return self.element.find_elements("css selector", css)

    def find(self, css):
        return wait(lambda: self.element.find_elements("css selector", css), 10, css)[0]

    def field(self, label):
        """The input, select or slider with this label."""
        path = f".//label[span[1][normalize-space()='{label}']]//*[self::input or self::select]"
        return self.element.find_element("xpath", path)

    def button(self, text):
        """A button, in the middle of the window: no bar at the edges covers it."""
        found = self.element.find_element("xpath", f".//button[normalize-space()='{text}']")
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
        return found

    def text(self, css):
        return self.find(css).get_attribute("textContent")

    def settle(self):
        """Wait until what was asked for is drawn."""
        self.browser.execute_async_script(
            "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        )

    def value(self, css, name="value"):
        """The number in data-value (or another data-..), as exactly as it was computed."""
        self.settle()
        return float(self.find(css).get_attribute(f"data-{name}"))

    def values(self, css, name="value"):
        self.settle()
        script = (
            f"return [...arguments[0].querySelectorAll('{css}')].map((node) => "
            f"Number(node.dataset.{name}))"
        )
        return self.browser.execute_script(script, self.element)

    def type(self, label, text):
        """Type into a field instead of what is there, and press Enter."""
        self.field(label).send_keys(Keys.CONTROL, "a")
        self.field(label).send_keys(text, Keys.ENTER)
        self.settle()

    def press(self, *keys):
        """Keys for whatever has the focus."""
        ActionChains(self.browser).send_keys(*keys).perform()
        self.settle()

    def choose(self, label, value):
        Select(self.field(label)).select_by_value(value)
        self.settle()

    def fill(self, css, text):
        """What a paste does: the whole text at once."""
        self.browser.execute_script("arguments[0].value = arguments[1]", self.find(css), text)

    def open(self, summary):
        self.element.find_element("xpath", f".//summary[normalize-space()='{summary}']").click()

    def click(self, css):
        with self.held(css):
            pass

    @contextmanager
    def held(self, css):
        """Press the middle of an element.

        Inside, move(x, y) moves by so many pixels; then let go.
        """
        place = self.browser.execute_script(
            """
            arguments[0].scrollIntoView({block: 'center', inline: 'nearest'});
            const box = arguments[0].getBoundingClientRect();
            return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]""",
            self.find(css),
        )

        def act(*names):
            actions = ActionBuilder(self.browser, duration=20)
            actions.pointer_action.move_to_location(*place)
            for name in names:
                getattr(actions.pointer_action, name)()
            actions.perform()

        def move(x, y):
            place[:] = place[0] + x, place[1] + y
            act()

        act("pointer_down")
        yield move
        act("pointer_up")
        self.settle()

    def drag(self, css, x, y):
        with self.held(css) as move:
            for _ in range(4):
                move(round(x / 4), round(y / 4))

    def focus(self, css):
        """As Tab does it: the first of them that is shown."""
        self.find(css)  # waits for it
        found = self.element.find_elements("css selector", css)
        shown = next(node for node in found if node.is_displayed())
        self.browser.execute_script("arguments[0].focus({focusVisible: true})", shown)

    def focus_field(self, label):
        self.browser.execute_script("arguments[0].focus({focusVisible: true})", self.field(label))

    def focused(self, attribute):
        return self.browser.switch_to.active_element.get_attribute(attribute)

    def stop(self):
        """What a screen reader calls the element that has the focus."""
        return self.browser.switch_to.active_element.accessible_name

    def has_visible_focus(self):
        """An outline, or inside a drawing the ring of this element."""
        return self.browser.execute_script("""
            const node = document.activeElement, ring = node.querySelector(":scope > .at-focus");
            if (ring) return getComputedStyle(ring).stroke !== "none";
            const { outlineStyle, outlineWidth } = getComputedStyle(node);
            return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;""")

    def alarm(self):
        """What the figure refuses at the moment."""
        return self.text(".at-alert")

    def says(self, *words):
        """A screen reader hears all of these, once things are at rest; else AssertionError."""

        def heard():
            text = self.text("[aria-live]")
            return all(word in text for word in words)

        wait(heard, 5, f"the figure to say {words}")

    def vector(self):
        """The hidden vector as the page shows it."""
        text = self.text(".at-vector output").replace("\u2212", "-")
        return [float(x) for x in text[text.index("(") + 1 : -1].split(",")]

    def neighbour(self):
        """The second figure of the same cell."""
        cell = self.element.find_element(
            "xpath",
            "./ancestor::*[contains(@class, 'jp-CodeCell') or contains(@class, 'cell docutils')]",
        )
        second = wait(
            lambda: cell.find_elements("css selector", ".at-figure")[1:], 30, "the second figure"
        )
        return Figure(self.browser, second[0])

    def shot(self, name):
        self.settle()
        self.element.screenshot(str(SHOTS / f"{name}.png"))
