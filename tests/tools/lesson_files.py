"""What the tests of slides and of the site read out of notebooks and pages."""

import re
from html import unescape

import nbformat

from tools import NOTEBOOKS

LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
ALL_NOTEBOOKS = [*LESSONS, *sorted(NOTEBOOKS.glob("solutions/*.ipynb"))]

FETCHES = [
    re.compile(r"<(?:script|link|img|iframe)[^>]+?(?:src|href)=[\"']?(?:https?:)?//[^>]*>"),
    re.compile(r"@import|url\([\"']?(?:https?:)?//"),
]


def read(path):
    return nbformat.read(path, as_version=4)


def alt_texts(notebook):
    """The alt texts of a notebook's pictures."""
    alts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                alts.append(output.metadata["image/png"]["alt"])
    return alts


def alt_texts_of_page(html):
    """The alt texts of a page's pictures; a picture without one gives an empty text."""
    found = []
    for tag in re.findall(r"<img[^>]*>", html):
        alt = re.search(r'alt="([^"]*)"', tag)
        found.append(unescape(alt[1]) if alt else "")
    return found


def fetched(html):
    """The parts of a page that load something from another host."""
    return [found for pattern in FETCHES for found in pattern.findall(html)]
