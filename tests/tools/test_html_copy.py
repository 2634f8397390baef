"""tools/html_copy.py: pages have formulas, links, pictures with alt texts, and fetch nothing."""

from html import unescape

import pytest
from lesson_files import ALL_NOTEBOOKS, alt_texts, alt_texts_of_page, fetched, read

from tools import NOTEBOOKS, html_copy
from tools.html_copy import formulas_to_mathml, web_markdown


@pytest.fixture(params=ALL_NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def notebook(request):
    return request.param


def test_the_copy_has_the_alt_text_of_every_picture_and_fetches_nothing(notebook, tmp_path):
    page = tmp_path / "new folder" / "page.html"
    html_copy.export(notebook, page)
    html = page.read_text(encoding="utf-8")
    assert sorted(alt_texts_of_page(html)) == sorted(alt_texts(read(notebook)))
    assert fetched(html) == []
    sources = [cell.source for cell in read(notebook).cells if cell.cell_type == "markdown"]
    assert html.count('display="block"') == "\n".join(sources).count("$$") / 2


def test_the_copy_has_its_pages_where_the_notebooks_are(tmp_path, monkeypatch):
    monkeypatch.setattr(html_copy, "FOLDER", tmp_path)
    html_copy.export(NOTEBOOKS / "notation.md")
    html_copy.export(NOTEBOOKS / "solutions" / "00_start_here.ipynb")
    html = (tmp_path / "notation.html").read_text(encoding="utf-8")
    assert "<math" in html
    assert "<h1" in html
    assert (tmp_path / "solutions" / "00_start_here.html").is_file()


def test_the_index_links_every_page_but_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(html_copy, "FOLDER", tmp_path)
    for name in ("01_b", "00_a"):
        (tmp_path / f"{name}.html").touch()
    for _ in range(2):  # the second time it is there itself
        index = html_copy.write_index()
        links = '<li><a href="00_a.html">00_a</a></li>\n<li><a href="01_b.html">01_b</a></li>'
        assert f"<ol>{links}</ol>" in index.read_text(encoding="utf-8")


# Markdown -----------------------------------------------------------------------------------------


def test_formulas_become_mathml():
    assert 'display="inline"' in formulas_to_mathml("a $x$ b")
    shown = formulas_to_mathml("before\n$$\nx\n= y\n$$\nafter")
    assert shown.startswith("before\n<math")
    assert 'display="block"' in shown
    assert shown.endswith("</math>\nafter")
    assert formulas_to_mathml("two $x$ and $y$").count("<math") == 2


@pytest.mark.parametrize("code", ["`$x$`", "```\ncost = '$5' + '$6'\n```", "costs $5"])
def test_a_dollar_that_is_no_formula_stays(code):
    assert formulas_to_mathml(f"see {code} here") == f"see {code} here"


@pytest.mark.parametrize(
    "latex, letter",
    [
        (r"\mathbf v", "𝐯"),
        (r"\mathbf{v}", "𝐯"),
        (r"\mathbf V", "𝐕"),
        (r"\mathbb E", "𝔼"),
        (r"\mathcal V", "𝒱"),
    ],
)
def test_a_letter_of_a_style_is_unicodes(latex, letter):
    assert f"<mi>{letter}</mi>" in unescape(formulas_to_mathml(f"${latex}$"))


def test_a_letter_that_unicode_lacks_keeps_its_style():
    assert '<mi mathvariant="bold">é</mi>' in formulas_to_mathml(r"$\mathbf é$")


@pytest.mark.parametrize(
    "link, expected",
    [
        ("[x](02_negative_sampling.ipynb)", "[x](02_negative_sampling.html)"),
        ("[x](../notation.md#Words)", "[x](../notation.html#Words)"),
        ("[x](data/three_costs.png)", "[x](data/three_costs.png)"),
        ("[x](https://example.org/page)", "[x](https://example.org/page)"),
    ],
)
def test_links_to_lessons_lead_to_their_pages(link, expected):
    assert web_markdown(link) == expected
