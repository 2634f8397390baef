"""What interactive figures share: their JavaScript put together, their picture, what is stored."""

import posixpath
import re
from numbers import Real
from pathlib import Path

import anywidget
from traitlets import TraitError

FOLDER = Path(__file__).parents[1]
VIEW = "application/vnd.jupyter.widget-view+json"
# The class of a figure and its traits: what a page without a kernel lives from.
STATE = "application/vnd.approximate-training.figure+json"
IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./]+)";\n', re.M)
EXPORT = re.compile(r"^export (?=(const|function|class)\b)", re.M)


def source(name: str) -> str:
    """The text of a file, named from the folder of the figures: "tree/explorer.js"."""
    return (FOLDER / name).read_text(encoding="utf-8")


def module(name: str) -> str:
    """The JavaScript module `name` and all that it imports, as one module that imports nothing.

    Each file comes once, after those that it needs. Only `name` itself keeps its exports, so names
    of the top level must differ between the files. A browser takes the files as they are, too.
    """
    parts = {}

    def add(file: str) -> None:
        text = source(file)
        parts[file] = None  # begun: files that import each other are not added twice
        for path in IMPORT.findall(text):
            needed = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
            if needed not in parts:
                add(needed)
        text = IMPORT.sub("", text)
        del parts[file]
        parts[file] = text if file == name else EXPORT.sub("", text)

    add(name)
    return "\n".join(parts.values())


class LiveFigure(anywidget.AnyWidget):
    """An interactive figure: a subclass has traits tagged sync=True, `_esm`, `title`, `picture()`.

    Its output carries the live view, a picture with alt text (for GitHub, for print, and before the
    cell is run) and its state as JSON, from which the HTML copy brings the figure to life without a
    kernel.
    """

    _css = source("common/base.css")
    title = "interactive figure"

    def picture(self):
        """The figure as it stands, a `utils.plots.Figure`: PNG and alt text."""
        raise NotImplementedError

    def state(self) -> dict:
        """The figure's own traits by name, as the page sees them."""
        inherited = set(anywidget.AnyWidget.class_traits(sync=True))
        own = sorted(set(self.traits(sync=True)) - inherited)
        return {name: getattr(self, name) for name in own if not name.startswith("_")}

    def __repr__(self):
        return f"[interactive figure: {self.title}]"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        picture = self.picture()
        data["image/png"] = picture.png
        data[STATE] = {"figure": type(self).__name__, "traits": self.state()}
        metadata["image/png"] = {"alt": picture.alt}
        return data, metadata


def refuse(problem: str | None) -> None:
    """TraitError with this message, if there is one: the trait keeps its last good value."""
    if problem:
        raise TraitError(problem)


def whole(counts) -> list[int]:
    """Counts, any iterable or a tensor, as whole numbers; TraitError for one that is not."""
    counts = counts.tolist() if hasattr(counts, "tolist") else list(counts)
    for count in counts:
        is_whole = isinstance(count, Real) and count % 1 == 0
        refuse(None if is_whole else f"counts are whole numbers, not {count}")
    return [int(count) for count in counts]
