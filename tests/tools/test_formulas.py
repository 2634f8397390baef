"""tools/formulas.py: formulas become MathML, links lead to pages."""

from html import unescape

import pytest

from tools.formulas import formulas_to_mathml, web_markdown


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
