"""What every interactive figure shares: its JavaScript put together, its picture, what a notebook stores of it."""

import re
from numbers import Real
from pathlib import Path

import anywidget
from traitlets import TraitError

FOLDER = Path(__file__).parent
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.approximate-training.figure+json"  # the class and its traits: a page without a kernel
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.M)


def source(name: str) -> str:
    """The text of a file beside this one."""
    return (FOLDER / name).read_text(encoding="utf-8")


def module(name: str) -> str:
    """The JavaScript module `name` and all it imports from files beside it, as one module that imports nothing.

    Each file comes once, after those it needs. Only `name` itself keeps its exports, so names of the top level must
    differ between the files. A browser takes the files as they are, too.
    """
    parts, seen = [], set()

    def add(file):
        seen.add(file)
        text = source(file)
        for needed in IMPORT.findall(text):
            if needed not in seen:
                add(needed)
        text = IMPORT.sub("", text)
        parts.append(
            text
            if file == name
            else re.sub(r"^export (?=(const|function|class)\b)", "", text, flags=re.M)
        )

    add(name)
    return "\n".join(parts)


class LiveFigure(anywidget.AnyWidget):
    """An interactive figure. A subclass has traits tagged sync=True, `_esm`, `title` and `picture()`.

    Its output carries the live view, a picture with alt text (for GitHub, for print, and before the cell is run) and
    its state as JSON, from which the HTML copy brings the figure to life without a kernel.
    """

    _css = source("base.css")
    title = "interactive figure"

    def picture(self):
        """The figure as it stands, a `utils.plots.Figure`: PNG and alt text."""
        raise NotImplementedError

    def state(self) -> dict:
        """The figure's own traits by name, as the page sees them."""
        own = set(self.traits(sync=True)) - set(anywidget.AnyWidget.class_traits(sync=True))
        return {name: getattr(self, name) for name in sorted(own) if not name.startswith("_")}

    def __repr__(self):
        return f"[interactive figure: {self.title}]"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture = self.picture()
        data |= {
            "image/png": picture.png,
            STATE: {"figure": type(self).__name__, "traits": self.state()},
        }
        return data, metadata | {"image/png": {"alt": picture.alt}}


def refuse(problem: str | None) -> None:
    """TraitError with this message, if there is one: the trait keeps its last good value."""
    if problem:
        raise TraitError(problem)


def whole(counts) -> list[int]:
    """Counts, any iterable or a tensor, as whole numbers; TraitError for one that is not."""
    counts = counts.tolist() if hasattr(counts, "tolist") else list(counts)
    for count in counts:
        refuse(
            None
            if isinstance(count, Real) and count % 1 == 0
            else f"counts are whole numbers, not {count}"
        )
    return [int(count) for count in counts]
