"""Interactive figures: `from utils.widgets import TreeExplorer`, then `TreeExplorer()` in a cell.

CONTRIBUTING.md says how to add one.
"""

from utils.widgets.inspector.inspector import GradientInspector
from utils.widgets.noise.explorer import NoiseExplorer
from utils.widgets.tree.explorer import TreeExplorer

__all__ = ["GradientInspector", "NoiseExplorer", "TreeExplorer"]
