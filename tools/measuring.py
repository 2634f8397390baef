"""What the measuring scripts share: rows measured in their own processes, tables that resume.

A row is a dict of settings. `measure_apart` measures it in a fresh process, `python -m tools.NAME
--one ROW`, so that no row finds the memory or the warm caches that another one left. There
`print_measured` prints the row with its results. A script chooses the environment of these
processes from the three dicts below.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools import ROOT

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
NO_PROGRESS_BAR = {"TQDM_DISABLE": "1"}
# Freed blocks stay with the process, so that the clock does not show how fast the system can clear
# fresh memory. Only glibc reads these two; elsewhere they have no effect.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**33),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}

KILLED = (-9, 137)  # exit codes of a process that the system killed to get its memory back
# The last line of a traceback: Python's and NumPy's error, and the one of torch's allocator.
OUT_OF_MEMORY = re.compile(r"[\w.]*MemoryError\b|.*DefaultCPUAllocator: can't allocate memory")

OPTIONS = {
    "list": dict(action="store_true", help="say what there is to do, without doing it"),
    "corpus": dict(metavar="PATH", help="a UTF-8 text of your own, one sentence a line"),
    "one": dict(
        metavar="ROW",
        help="measure only the row with these settings (JSON), print it, and change no table",
    ),
}


class MeasurementFailed(Exception):
    """A row's process failed or printed no result; the message names the row and the reason."""


class OutOfMemory(MeasurementFailed):
    """A row does not fit into the memory of this machine."""


def parse_arguments(description: str, *options: str) -> argparse.Namespace:
    """The command line of a measuring script, which takes these of OPTIONS."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option in options:
        parser.add_argument(f"--{option}", **OPTIONS[option])
    return parser.parse_args()


def measure_apart(module: str, row: dict, environment: dict[str, str]) -> dict:
    """The row as `python -m tools.MODULE --one ROW` measures it in a process of its own.

    `environment` is added to the variables of this process. Raises OutOfMemory where memory does
    not suffice, MeasurementFailed for any other failure.
    """
    command = [sys.executable, "-m", f"tools.{module}", "--one", json.dumps(row)]
    ended = subprocess.run(
        command, text=True, capture_output=True, cwd=ROOT, env=os.environ | environment
    )
    if ended.returncode in KILLED:
        raise OutOfMemory(f"{row}: its process was killed (code {ended.returncode})")
    if ended.returncode != 0:
        reason = _last_line(ended.stderr) or f"its process ended with code {ended.returncode}"
        error = OutOfMemory if OUT_OF_MEMORY.match(reason) else MeasurementFailed
        raise error(f"{row}: {reason}")
    try:
        return json.loads(_last_line(ended.stdout))
    except json.JSONDecodeError:
        raise MeasurementFailed(f"{row}: its process printed no result") from None


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def print_measured(measure: Callable[[dict], dict], row: str) -> None:
    """What `--one ROW` does: measure the row, given as JSON, and print the result as JSON."""
    print(json.dumps(measure(json.loads(row))))


def key_of(row: dict, columns: list[str]) -> tuple:
    """The values that tell a row from all others."""
    return tuple(row[column] for column in columns)


def stored_keys(name: str, columns: list[str], command: str) -> set[tuple]:
    """The keys of the rows that a table holds already; none if there is no such table."""
    # Not at the top: pandas would count in the memory of a process that measures its own.
    from utils import tables

    try:
        table = tables.load(name, columns, command)
    except FileNotFoundError:
        return set()
    return set(table[columns].itertuples(index=False, name=None))


@contextmanager
def stopping_cleanly(what_is_kept: str) -> Iterator[None]:
    """If the user interrupts the block, say what is kept and exit with code 130, as shells do."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"interrupted; {what_is_kept}", flush=True)
        sys.exit(130)
