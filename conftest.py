"""Settings that the tests' own processes and the lessons' kernels inherit."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")          # two processes on two cores, one thread each
os.environ.setdefault("TQDM_DISABLE", "1")             # a progress bar would be an output that changes
