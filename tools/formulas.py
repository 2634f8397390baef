"""Markdown for slides: formulas as MathML, which browsers draw without a script."""

import re
import unicodedata

from latex2mathml.converter import convert as latex_to_mathml

# Code, in which a dollar is a dollar; a formula of its own; a formula in a line.
CODE_OR_FORMULA = re.compile(
    r"(?P<code>```.*?```|`[^`\n]*`)|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$", re.DOTALL
)
STYLED_LETTER = re.compile(r'<mi mathvariant="([\w-]+)">(\w)</mi>')
LINK_TO_PAGE = re.compile(r"\]\(([\w./-]+)\.(?:ipynb|md)(#[^)]*)?\)")


def web_markdown(markdown: str) -> str:
    """Formulas as MathML, and links to lessons as links to the pages made of them."""
    return LINK_TO_PAGE.sub(r"](\1.html\2)", formulas_to_mathml(markdown))


def formulas_to_mathml(markdown: str) -> str:
    """Formulas as MathML, which browsers draw themselves: no script is fetched."""
    return CODE_OR_FORMULA.sub(_mathml, markdown)


def _mathml(match: re.Match) -> str:
    if match["code"]:
        return match["code"]
    display = "block" if match["display"] else "inline"
    latex = " ".join((match["display"] or match["inline"]).split())
    return STYLED_LETTER.sub(_unicode_letter, latex_to_mathml(latex, display=display))


def _unicode_letter(match: re.Match) -> str:
    """The Unicode letter of a style: browsers know no other way to draw a bold v."""
    style, letter = match.groups()
    case = "CAPITAL" if letter.isupper() else "SMALL"
    name = f"MATHEMATICAL {style.upper()} {case} {letter.upper()}"
    try:
        return f"<mi>{unicodedata.lookup(name)}</mi>"
    except KeyError:  # there is no such letter
        return match[0]
