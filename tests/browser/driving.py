"""A figure in the browser, driven as a reader would: by mouse and by keys."""

import time

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

OPEN = """
const [path, done] = arguments;
(async () => {
  const app = window.jupyterapp;
  await app.restored;
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


def to_tab(browser, name, tabs={}):                    # noqa: B006  (kept on purpose: JupyterLab stays open in its tab)
    """The tab of this name: a new one the first time."""
    if name not in tabs:
        browser.switch_to.new_window("tab")
        tabs[name] = browser.current_window_handle
    browser.switch_to.window(tabs[name])


def on_page(browser, index, place):
    """The figure of a static page's cell, as soon as it is alive."""
    script = f"return document.querySelectorAll('.jp-CodeCell')[{index}]?.querySelector('.at-figure')"
    return Figure(browser, wait(lambda: browser.execute_script(script), 30, "the figure"), place)


def open_notebook(browser, address, path):
    """Open a notebook in JupyterLab, unless it is open."""
    if browser.current_url.startswith(address) and browser.execute_script("return window.panel?.context.path") == path:
        return
    browser.get(f"{address}?token=figures&reset")
    wait(lambda: browser.execute_script("return !!window.jupyterapp"), 120, "JupyterLab in the browser")
    answer = browser.execute_async_script(OPEN, path)
    assert isinstance(answer, int), answer
    browser.get_log("browser")                         # what JupyterLab itself said while it started


def run_cell(browser, index):
    """Run one cell and take its figure."""
    answer = browser.execute_async_script(RUN, index)
    assert answer is True, answer
    script = f"return panel.content.widgets[{index}].node.querySelector('.at-figure')"
    return Figure(browser, wait(lambda: browser.execute_script(script), 60, "the figure"), "lab")


def assert_quiet(browser):
    """No error in the console since the last look."""
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not said, said


class Figure:
    """One figure on the page."""

    def __init__(self, browser, element, place):
        self.browser, self.element, self.place = browser, element, place
        browser.execute_script("arguments[0].scrollIntoView()", element)

    def find(self, css, number=0):
        return wait(lambda: self.element.find_elements("css selector", css)[number:], 10, css)[0]

    def field(self, label):
        """The input, select or slider with this label."""
        path = f".//label[span[1][normalize-space()='{label}']]/*[self::input or self::select or self::textarea]"
        return self.element.find_element("xpath", path)

    def button(self, text):
        return self.element.find_element("xpath", f".//button[normalize-space()='{text}']")

    def text(self, css):
        return self.find(css).get_attribute("textContent")

    def settle(self):
        """Wait until what was asked for is drawn."""
        self.browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def value(self, css, name="value"):
        """The number that stands in data-value (or another data-..), as exactly as it was computed."""
        self.settle()
        return float(self.find(css).get_attribute(f"data-{name}"))

    def values(self, css, name="value"):
        self.settle()
        script = f"return [...arguments[0].querySelectorAll('{css}')].map((node) => Number(node.dataset.{name}))"
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

    def drag(self, css, x, y, number=0):
        """Press the middle of an element, move by so many pixels in steps, release."""
        pull = ActionChains(self.browser).move_to_element(self.find(css, number)).click_and_hold()
        for _ in range(4):
            pull = pull.move_by_offset(round(x / 4), round(y / 4))
        pull.release().perform()
        self.settle()

    def shot(self, path):
        self.settle()
        self.element.screenshot(str(path))
