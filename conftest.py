"""Settings that the tests' own processes and the lessons' kernels inherit."""

import os
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes on two cores, one thread each
os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be an output that changes
os.environ.setdefault(
    "APPROXIMATE_TRAINING_STATE", tempfile.mkdtemp()
)  # solutions are no learner's progress
