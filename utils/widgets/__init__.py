"""Interactive figures: `from utils.widgets import TreeExplorer`, then `TreeExplorer()` as the last
line of a cell.

To add a figure:

1. `name.py`: a subclass of `LiveFigure` (base.py). Traits tagged `sync=True` are its whole state,
plain JSON values; `@validate` methods `refuse(...)` bad ones with a sentence; `title` names it;
`_esm = module("name.js")`; `picture()` draws it as it stands with matplotlib (a
`utils.plots.Figure`, with alt text). Import it below. 2. `name.js`: `export default {render:
(context) => live(context, {label, traits, check, build})}` with `live` and the fields of base.js.
`check(state)` returns a sentence or nothing, by the same rules as Python. `build(figure)` makes the
elements once, inside `figure.frame`, and returns `draw(state)`, which only sets them. Whatever the
reader does calls `figure.change({trait: value}, done)`. Files import each other as `import { a, b }
from "./other.js";`, one line each; names of the top level must differ between files. 3. Mathematics
stands in a file of its own, `name_math.js`, with one function of the state (`compute`, `inspect`)
that gives all that is drawn; `tests/browser` calls it (`call(browser, module("name_math.js"), ..)`)
and holds it against `utils` to 1e-9. Words with counts have their rules, and the field for another
vocabulary, in vocabulary.py and vocabulary.js. Numbers that a test or a reader may want exactly
stand in `data-value` attributes. 4. Style: base.css, classes `at-..`; what one figure alone needs
in `name.css` (`_css = source("common/base.css") + source("name.css")`). Colours are its variables
(`--at-hs`, `--at-ns`, `--at-true`, `--at-noise`). Lay drawings out in `emOf(frame)`, from 400 px
on; `draw` runs once a frame: set attributes with `put`, make elements anew only when the structure
has changed (`onlyWhen`). Keys: one Tab stop a group, arrows inside (`arrows(event)`); they ask
`figure.state`, which may be ahead of what is drawn. 5. Tests: traits and bad values in
tests/test_widgets.py (the first ones there run on every figure by themselves). In tests/browser: a
cell in cases.py, from which test_everywhere.py and the screenshots follow; a test_name.py with the
mouse, the keys, bad input and the numbers, through `open_figure` (in JupyterLab and on a page) and
driving.py.

The notebook stores the picture and the state, never the live view (tools/execute.py), so stored
outputs do not change from run to run. The HTML copy is brought to life from the stored state
(pages.py, static.js).
"""

from utils.widgets.inspector.inspector import GradientInspector
from utils.widgets.noise.explorer import NoiseExplorer
from utils.widgets.tree.explorer import TreeExplorer

__all__ = ["GradientInspector", "NoiseExplorer", "TreeExplorer"]
