"""Execute the lessons in fresh kernels and refresh their stored outputs.

python -m tools.execute            all lessons
python -m tools.execute 02 05      those whose file names begin with 02 or 05, and their solutions
python -m tools.execute solutions/02
"""

import argparse
import base64
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools import NOTEBOOKS, ROOT
from utils.files import atomic_path, write_atomically
from utils.widgets.common.pages import forget_views

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
KEPT_METADATA = ("tags", "slideshow")  # of a cell
CELL_SECONDS = 300
PICTURE = NOTEBOOKS / "data" / "three_costs.png"  # the README's, drawn by the cell tagged:
PICTURE_TAG = "course-picture"
# Run last in each kernel, for the most memory that it has held.
PEAK = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tools.memory import peak_bytes
print(peak_bytes())
"""


def execute(path: Path) -> int:
    """Run all cells in order in a fresh kernel; the file changes only if all of them succeed.

    Returns the most memory that the kernel has held, in MB. Raises nbclient's CellExecutionError
    if a cell fails, CellTimeoutError or DeadKernelError.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    client.execute()
    peak = round(int(notebook.cells.pop().outputs[0].text) / 1e6)
    strip(notebook)
    save_picture(notebook)
    with atomic_path(path) as part:
        nbformat.write(notebook, part)
    return peak


def strip(notebook) -> None:
    """Remove what changes from machine to machine or from run to run without meaning anything."""
    language = dict(notebook.metadata.get("language_info", {}))
    language.pop("version", None)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": language})
    for cell in notebook.cells:
        kept = {name: cell.metadata[name] for name in KEPT_METADATA if name in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
    forget_views(notebook)


def save_picture(notebook) -> None:
    """Keep the picture that the README shows, if this notebook draws it."""
    for cell in notebook.cells:
        if PICTURE_TAG in cell.metadata.get("tags", []):
            png = base64.b64decode(cell.outputs[0].data["image/png"])
            write_atomically(PICTURE, png)


def name_of(path: Path) -> str:
    """A notebook's name as the user knows it, such as solutions/02_negative_sampling."""
    return path.relative_to(NOTEBOOKS).with_suffix("").as_posix()


def all_notebooks() -> list[Path]:
    return sorted(NOTEBOOKS.glob("*.ipynb")) + sorted(NOTEBOOKS.glob("solutions/*.ipynb"))


def choose(prefixes: list[str]) -> list[Path]:
    """The notebooks whose names begin with one of the prefixes; all if there are none.

    02 means the lesson and its solutions, solutions/02 these alone.
    """
    begins = tuple(prefixes) or ("",)
    return [
        path
        for path in all_notebooks()
        if name_of(path).startswith(begins) or path.name.startswith(begins)
    ]


def refresh(paths: list[Path]) -> int:
    """Execute each notebook, also after one has failed; returns how many failed."""
    failed = 0
    for path in paths:
        start = time.perf_counter()
        try:
            peak = execute(path)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failed += 1
            print(f"{name_of(path):36s} failed, the file is as it was\n{error}", flush=True)
            continue
        seconds = time.perf_counter() - start
        print(f"{name_of(path):36s} {seconds:6.1f} s, at most {peak} MB", flush=True)
    return failed


def set_environment() -> None:
    """What the kernels inherit, unless the user has set it."""
    os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar would be stored as an output
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # steadier on two cores
    # The answers of the solutions are no learner's progress.
    os.environ.setdefault("APPROXIMATE_TRAINING_STATE", tempfile.mkdtemp())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "prefixes", nargs="*", metavar="PREFIX", help="beginning of a lesson's file name, as in 02"
    )
    given = parser.parse_args()
    paths = choose(given.prefixes)
    if not paths:
        names = ", ".join(map(name_of, all_notebooks()))
        parser.error(f"no lesson begins with {' or '.join(given.prefixes)}; there are {names}")
    set_environment()
    return 1 if refresh(paths) else 0


if __name__ == "__main__":
    sys.exit(main())
