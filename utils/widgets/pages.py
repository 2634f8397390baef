"""Interactive figures in stored notebooks and in pages: what is kept, and how a page lives without a kernel."""

import html
import json

from utils.widgets.base import STATE, VIEW, source


def forget_views(notebook) -> None:
    """Remove the live views from the outputs: they name models of a kernel that is gone. Picture and state stay."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(VIEW, None)


def revive(notebook) -> str:
    """Make each stored figure an HTML output that waits for its module; the result belongs at the end of the page.

    The picture stays in the page until the figure has been drawn. Nothing is fetched: modules and style are inside.
    """
    from utils import widgets

    used = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if STATE not in data:
                continue
            name, traits = data[STATE]["figure"], data[STATE]["traits"]
            alt, png = (
                html.escape(output["metadata"]["image/png"]["alt"]),
                data["image/png"].strip(),
            )
            data["text/html"] = (
                f'<div data-figure="{name}"><img src="data:image/png;base64,{png}" alt="{alt}">'
                f'<script type="application/json">{_json(traits)}</script></div>'
            )
            used.append(name)
    if not used:
        return ""
    classes = [getattr(widgets, name) for name in sorted(set(used))]
    modules = "".join(
        f'<script type="text/plain" data-module="{figure.__name__}">{_script(figure._esm)}</script>\n'
        for figure in classes
    )
    styles = "\n".join(sorted({figure._css for figure in classes}))
    return f'<style>\n{styles}</style>\n{modules}<script type="module">\n{source("static.js")}</script>\n'


def _json(value) -> str:
    """JSON that may stand inside a script element: without any <, no word in it can end the element."""
    return json.dumps(value).replace("<", "\\u003c")


def _script(code: str) -> str:
    """JavaScript of ours that may stand inside a script element."""
    return code.replace("</", "<\\/")
