"""Scripts for those who maintain the course: `python -m tools.NAME` from the top folder."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"  # what can be made again at any time; not in the repository
