"""Interactive figures in stored notebooks and in pages.

What is kept, and how a page lives without a kernel.
"""

import html
import json

from utils import widgets
from utils.widgets.common.base import STATE, VIEW, source


def forget_views(notebook) -> None:
    """Remove the live views from the outputs.

    They name models of a kernel that is gone. Picture and state stay.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(VIEW, None)


def revive(notebook) -> str:
    """Make each stored figure an HTML output that waits for its module.

    Returns what belongs at the end of the page: modules and style, so that nothing is fetched. The
    picture stays in the page until the figure has been drawn.
    """
    used = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if STATE not in data:
                continue
            name = data[STATE]["figure"]
            traits = data[STATE]["traits"]
            alt = html.escape(output["metadata"]["image/png"]["alt"])
            png = data["image/png"].strip()
            data["text/html"] = (
                f'<div data-figure="{name}"><img src="data:image/png;base64,{png}" alt="{alt}">'
                f'<script type="application/json">{_json(traits)}</script></div>'
            )
            used.append(name)
    if not used:
        return ""
    classes = [getattr(widgets, name) for name in sorted(set(used))]
    styles = "\n".join(sorted({figure._css for figure in classes}))
    modules = "".join(_module_element(figure) for figure in classes)
    start = f'<script type="module">\n{source("common/static.js")}</script>\n'
    return f"<style>\n{styles}</style>\n{modules}{start}"


def _module_element(figure) -> str:
    """A figure's JavaScript as text, which static.js runs."""
    opening = f'<script type="text/plain" data-module="{figure.__name__}">'
    return f"{opening}{_script(figure._esm)}</script>\n"


def _json(value) -> str:
    """JSON that may stand inside a script element.

    Without any <, no word in it can end the element.
    """
    return json.dumps(value).replace("<", "\\u003c")


def _script(code: str) -> str:
    """JavaScript of ours that may stand inside a script element."""
    return code.replace("</", "<\\/")
