"""What holds for every figure of cases.py.

How it looks, that it asks no other host, that it answers at once.
"""

import pytest
from cases import CASES
from driving import theme, to_tab, wait

case = pytest.mark.parametrize("name", CASES)
LOOKS = {
    "light": 1100,
    "dark": 1100,
    "400px": 400,
    "large": 1300,
    "grey": 1100,
}  # and the window's width


@pytest.fixture
def window(browser):
    """window(width): so many pixels wide, until the test ends."""
    yield lambda width: browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 1400, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def file_name(name, kind):
    return f"{name.replace(' ', '_')}_{kind}"


@case
def test_in_jupyterlab_light_and_dark(in_lab, browser, name):
    figure = in_lab(name)
    colours = set()
    for kind in ("Dark", "Light"):
        theme(browser, kind)
        colours.add(
            browser.execute_script("return getComputedStyle(arguments[0]).color", figure.element)
        )
        figure.shot(file_name(name, f"lab_{kind.lower()}"))
    assert len(colours) == 2  # the text follows the theme


@case
@pytest.mark.parametrize("kind, width", LOOKS.items(), ids=LOOKS)
def test_on_a_page_in_every_look(on_page, browser, window, name, kind, width):
    window(width)
    figure = on_page(name, "dark" if kind == "dark" else "light")
    if kind == "large":
        browser.execute_script(
            "document.documentElement.style.setProperty('--jp-content-font-size1', '26px')"
        )
        window(width + 10)
    if kind == "grey":
        browser.execute_script("arguments[0].style.filter = 'grayscale(1)'", figure.element)
    figure.shot(file_name(name, kind))
    wide, across = browser.execute_script(
        "return [document.documentElement.scrollWidth, innerWidth]"
    )
    assert wide <= across  # what is too wide scrolls inside the figure


@case
def test_everything_that_can_be_focused_has_a_name_and_shows_it(on_page, name):
    figure = on_page(name)
    nodes = figure.all("input, select, button, textarea, summary, [tabindex='0']")
    nodes = [node for node in nodes if node.is_displayed()]
    assert len(nodes) > 3
    for node in nodes:
        figure.browser.execute_script("arguments[0].focus({focusVisible: true})", node)
        assert figure.stop() and figure.has_visible_focus(), node.get_attribute("outerHTML")


@case
def test_a_figure_says_nothing_before_it_is_touched(on_page, name):
    figure = on_page(name)
    figure.browser.execute_async_script("setTimeout(arguments[0], 900)")
    assert figure.text("[aria-live]") == "" and figure.alarm() == ""


def hosts(browser):
    return browser.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )


WAITING = "[data-figure]:not(:has(.at-figure))"  # figures that are not drawn yet


def test_pages_ask_no_other_host(browser, site):
    address, pages = site
    to_tab(browser, "page")
    for page in sorted(pages.glob("*.html")):
        browser.get(f"{address}/{page.name}")
        wait(lambda: not browser.find_elements("css selector", WAITING), 30, "all figures")
        asked = [
            name for name in hosts(browser) if not name.startswith((address, "blob:", "data:"))
        ]
        assert not asked, asked
        outside = browser.execute_script(
            "return [...document.querySelectorAll('[src], link[href]')]"
            ".map((node) => node.src || node.href).filter((at) => /^https?:/.test(at))"
        )
        assert all(at.startswith(address) for at in outside), outside


def test_a_page_opened_as_a_file_is_alive(on_page, site):
    figure = on_page("tree", base=site[1].as_uri())
    figure.type("word", "king")
    assert "king" in figure.text(".at-product")


def test_without_javascript_the_picture_stands_there(browser, site):
    to_tab(browser, "page")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"{site[0]}/figures.html")
        pictures = browser.find_elements("css selector", "[data-figure] img")
        assert len(pictures) >= len(CASES)
        assert all(
            p.is_displayed() and len(p.get_attribute("alt")) > 60 and p.size["width"] > 300
            for p in pictures
        )
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_in_print_the_figure_stands_without_its_fields(on_page, browser):
    figure = on_page("tree")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        figure.shot("tree_print")
        assert figure.find("svg").is_displayed() and not figure.field("word").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


MOVE = """
const [figure, done] = [arguments[0], arguments[arguments.length - 1]];
const frame = () => new Promise((then) => requestAnimationFrame(() => setTimeout(then)));
(async () => {
  const slider = [...figure.querySelectorAll("input[type=range]")]
    .filter((node) => node.offsetParent).at(-1);
  let seen = 0;
  const observer = new MutationObserver((records) => { seen += records.length; });
  const everything = { attributes: true, characterData: true, childList: true, subtree: true };
  observer.observe(figure, everything);
  const changes = [];
  for (let i = 1; i <= 40; i++) {
    seen = 0;
    const before = figure.innerHTML;
    slider.value = Number(slider.min) + (i * 7 % 40) / 40 * (slider.max - slider.min);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
    changes.push(figure.innerHTML === before ? 0 : seen);
  }
  done(changes);
})().catch((error) => done(String(error)));
"""


@pytest.mark.parametrize("name", [name for name in CASES if "64" in name])
def test_a_slider_is_answered_in_the_next_frame_at_64_words(on_page, browser, name):
    """Each of 40 movements, and with bounded work: changes of the page, not milliseconds."""
    changes = browser.execute_async_script(MOVE, on_page(name).element)
    assert len(changes) == 40 and all(0 < change < 2_500 for change in changes), changes
