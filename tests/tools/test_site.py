"""tools/site: what pages are made of. tests/browser/test_site.py builds and visits them."""

import nbformat
import pytest
from lesson_files import ALL_NOTEBOOKS, alt_texts, fetched, read

from tools import NOTEBOOKS, ROOT, site
from utils.widgets.common.base import STATE


@pytest.fixture(params=ALL_NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def notebook(request):
    return read(request.param)


def test_pictures_keep_their_alt_texts_and_figures_come_alive(notebook):
    alts = alt_texts(notebook)
    figures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if STATE in output.get("data", {})
    ]
    ending = site.prepare(notebook)
    nbformat.validate(notebook)
    kept = [
        cell.metadata["mystnb"]["image"]["alt"]
        for cell in notebook.cells
        if "mystnb" in cell.metadata
    ]
    assert sorted(set(kept)) == sorted(set(alts))
    assert all("data-figure" in figure["data"]["text/html"] for figure in figures)
    assert bool(ending) == bool(figures)
    assert fetched(ending) == []


def test_the_front_page_has_a_card_for_each_lesson_and_a_place_for_each_page(tmp_path):
    site.write_sources(tmp_path / "source", NOTEBOOKS)
    front = (tmp_path / "source" / "index.md").read_text(encoding="utf-8")
    for path in ALL_NOTEBOOKS:
        name = path.relative_to(NOTEBOOKS).with_suffix("").as_posix()
        assert f"\n{name}\n" in front
        assert (f":link: {name}\n" in front) == ("/" not in name)
    for page in (tmp_path / "source").glob("*.md"):
        assert page.stem == "index" or f"\n{page.stem}\n" in front
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(site.LESSON_ROW.findall(readme)) == sum(p.parent == NOTEBOOKS for p in ALL_NOTEBOOKS)


def test_the_interface_tells_public_things_in_their_own_words():
    page = site.interface()
    assert "### NegativeSampling\n" in page and "### load_corpus\n" in page
    assert "### train_fast\n" in page
    assert "(15.2.6)" in page and "### _" not in page


def test_a_deck_of_slides_leads_out_to_the_pages():
    html = '<a href="02.html">a</a><a href="notation.html#x">b</a><a href="https://x.html">c</a>'
    assert site.to_the_pages(html, ["02.html"]) == (
        '<a href="02.html">a</a><a href="../notation.html#x">b</a><a href="https://x.html">c</a>'
    )
    assert site.deck_link("02_b.html") == '<a href="slides/02_b.html">02</a>'


def test_a_finished_page_loads_pictures_late_and_ends_with_its_modules(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<body><img src="a"><img loading="eager" src="b"></body>', encoding="utf-8")
    site.finish(page, "<script>1</script>")
    assert page.read_text(encoding="utf-8") == (
        '<body><img loading="lazy" src="a"><img loading="eager" src="b"><script>1</script></body>'
    )


def test_an_anchor_is_jupyterlabs():
    assert site.slug("Exercise 1.1: The softmax") == "Exercise-1.1:-The-softmax"


def test_buttons_to_the_repository_come_from_its_address():
    assert site.repository_options(None) == {}
    assert site.repository_options("https://example.org/owner/course") == {}
    options = site.repository_options("https://github.com/owner/course.git")
    assert options["repository_url"] == "https://github.com/owner/course"
    assert options["path_to_docs"] == NOTEBOOKS.name
    assert {"binderhub_url", "colab_url"} <= options["launch_buttons"].keys()
