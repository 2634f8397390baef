"""The site as a reader meets it: pages, links, search, formulas, both modes, a phone.

test_lessons.py has the figures on their lessons' pages.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from axe_core_python import __file__ as axe_package
from driving import SHOTS, assert_quiet, to_tab, visit, wait

AXE = (Path(axe_package).parent / "axe.min.js").read_text(encoding="utf-8")
MOST_BYTES = 1_500_000  # of one page
LOOKED_AT = ("index", "04_hierarchical_softmax", "notation", "choosing", "search")
SERIOUS = ("serious", "critical")
# What the theme's own frame and the highlighting of code bring along, on every page of every site.
NOT_OURS = {"color-contrast", "scrollable-region-focusable"}


@pytest.fixture
def page(browser, site):
    """page("index", mode): loads it, and looks at the console afterwards."""

    def opened(name, mode="light"):
        to_tab(browser, "page")
        visit(browser, f"{site[0]}/{name}.html", mode)
        wait(
            lambda: browser.execute_script("return document.readyState") == "complete",
            30,
            "the page",
        )

    yield opened
    assert_quiet(browser)


def html_pages(site):
    pages = sorted(path for path in site[1].rglob("*.html") if "_static" not in path.parts)
    assert len(pages) > 30
    return pages


def test_every_link_and_anchor_leads_somewhere(site):
    anchors = {}
    for path in html_pages(site):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(site[1]).as_posix()
        anchors[name] = {unquote(found) for found in re.findall(r'\sid="([^"]+)"', text)}
    broken = []
    for path in html_pages(site):
        name = path.relative_to(site[1]).as_posix()
        for target in re.findall(r'<a [^>]*?href="([^"]+)"', path.read_text(encoding="utf-8")):
            if re.match(r"\w+:", target):
                continue
            to, anchor = urldefrag(urljoin(name, target))
            there = to or name
            found = (site[1] / unquote(there)).exists()
            if not found or (
                anchor and unquote(anchor) not in anchors.get(there, {unquote(anchor)})
            ):
                broken.append((name, target))
    assert broken == []


def test_pages_are_small_and_pictures_lazy_with_alt_texts(site):
    for path in html_pages(site):
        text = path.read_text(encoding="utf-8")
        if path.stem != "figures":  # a page of the tests', with every figure there is
            assert path.stat().st_size < MOST_BYTES, path
        for tag in re.findall(r"<img [^>]*>", text):
            assert 'loading="lazy"' in tag, tag
            assert re.search(r'alt="[^"]', tag) or 'class="logo' in tag, (path.name, tag[:200])


def test_formulas_are_drawn_with_fonts_that_come_along(page, browser):
    page("01_full_softmax")
    wait(
        lambda: len(browser.find_elements("css selector", "mjx-container")) > 50,
        30,
        "the formulas",
    )
    assert not browser.find_elements("css selector", "mjx-merror")


def test_search_finds_what_is_there(page, browser, site):
    for word, lesson in (("subsampling", "03_noise_words"), ("Huffman", "05_huffman_tree")):
        to_tab(browser, "page")
        browser.get(f"{site[0]}/search.html?q={word}")
        wait(
            lambda lesson=lesson: browser.find_elements(
                "css selector", f"#search-results a[href*='{lesson}']"
            ),
            30,
            f"a hit for {word}",
        )


def test_the_front_page_leads_to_all_lessons_and_on(page, browser, site):
    page("index")
    links = {
        link.get_attribute("href").rsplit("/", 1)[1]
        for link in browser.find_elements("css selector", ".bd-article a[href$='.html']")
    }
    lessons = {path.name for path in site[1].glob("[0-9]*.html")}
    labs = {path.name for path in site[1].glob("lab_*.html")}
    pages = {"notation.html", "choosing.html", "TEACHING.html", "help.html", "interface.html"}
    assert lessons | labs | pages <= links


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", LOOKED_AT)
def test_no_page_is_wider_than_the_window(page, browser, name, mode, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    try:
        page(name, mode)
        wide, across = browser.execute_script(
            "return [document.documentElement.scrollWidth, innerWidth]"
        )
        assert wide <= across
        browser.save_screenshot(str(SHOTS / f"site_{name}_{mode}_{width}.png"))
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("name", LOOKED_AT)
def test_axe_finds_no_serious_barrier(page, browser, name):
    page(name)
    browser.execute_script(AXE)
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run(document).then((result) => done("
        "result.violations.map((v) => [v.id, v.impact, v.nodes.map((n) => n.html).slice(0, 3)])))"
    )
    serious = [v for v in found if v[1] in SERIOUS and v[0] not in NOT_OURS]
    assert serious == []


def test_the_lessons_answer_stays_behind_its_click(page, browser):
    page("01_full_softmax")
    folded = browser.find_elements("css selector", ".bd-article details")
    assert folded and not any(node.get_property("open") for node in folded)
