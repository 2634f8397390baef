"""python -m tools.site: write build/site."""

import sys

from tools.site import FOLDER, build

status = build()
print(f"Sphinx complained, see above: {status}" if status else f"the site: {FOLDER / 'index.html'}")
sys.exit(status)
