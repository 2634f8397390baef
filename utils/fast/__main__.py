"""python -m utils.fast corpus.txt --objective hs --out vectors.txt.

Word vectors of your own text.
"""

import os
import signal
import sys


def leave(number, frame):
    """Nothing has been read or trained yet: there is nothing to put in order."""
    os._exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from utils.fast.command import main  # noqa: E402, loading PyTorch takes seconds

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
