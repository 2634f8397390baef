"""Small tables of results, one CSV file each in notebooks/data: every row says how it was made."""

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

import pandas as pd

from utils.files import atomic_path

FOLDER = Path(__file__).resolve().parent.parent / "notebooks" / "data"
ORIGIN = ["command", "versions", "date", "machine"]


def versions() -> str:
    """What is installed here, such as "python 3.11, torch 2.13.0, gensim 4.4.0"."""
    torch = importlib.metadata.version("torch").split("+")[0]
    gensim = importlib.metadata.version("gensim").split("+")[0]
    return f"python {sys.version_info[0]}.{sys.version_info[1]}, torch {torch}, gensim {gensim}"


def processor() -> str:
    """The processor's name, as far as the system tells it, and the number of its cores."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):  # not Linux, or a processor without a name
        pass
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def origin(command: str) -> dict[str, str]:
    """The columns that say how a row was made."""
    return dict(zip(ORIGIN, (command, versions(), datetime.date.today().isoformat(), processor())))


def save(name: str, rows: list[dict], command: str, folder: Path = FOLDER) -> None:
    """Write a table, each row with its origin, whole or not at all.

    An older one is replaced, but not by nothing.
    """
    if not rows:
        raise ValueError(f"there are no rows for {name}.csv, which stays as it is")
    _write(pd.DataFrame(rows).assign(**origin(command)), name, folder)


def append(name: str, rows: list[dict], command: str, folder: Path = FOLDER) -> None:
    """Add rows to a table, which is made if there is none; a reader never sees half of it.

    Raises ValueError, and leaves the table as it is, if it has other columns than the rows or was
    made with other versions than those installed here: the two cannot be compared.
    """
    table = pd.DataFrame(rows).assign(**origin(command))
    if (Path(folder) / f"{name}.csv").is_file():
        old = load(name, list(rows[0]), command, folder)
        more = [column for column in old if column not in table]
        if more or _results(old.versions[0]) != _results(versions()):
            what = f"was made with {old.versions[0]}"
            if more:
                what = f"has the columns {', '.join(more)} too"
            raise ValueError(
                f"{name}.csv {what}, so no rows can be added; remove it, and `{command}` makes it "
                "anew"
            )
        table = pd.concat([old, table[list(old.columns)]], ignore_index=True)
    _write(table, name, folder)


def _write(table, name, folder):
    path = Path(folder) / f"{name}.csv"
    with atomic_path(path) as part:
        table.to_csv(part, index=False, lineterminator="\n")


def load(name: str, columns: list[str], command: str, folder: Path = FOLDER) -> pd.DataFrame:
    """A stored table; one line is printed if it was made with other versions than these here.

    Raises FileNotFoundError if there is none, and ValueError if columns are missing, no row is
    there, or rows of different versions are mixed; each message names the `command` that makes the
    table anew.
    """
    path = Path(folder) / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no table {path.name} in {path.parent}; `{command}` makes it"
        )
    try:
        table = pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path.name} cannot be read ({error}); remove it, and `{command}` makes it anew"
        ) from None
    missing = [column for column in [*columns, *ORIGIN] if column not in table]
    if missing or table.empty:
        what = f"has no column {', '.join(missing)}" if missing else "has no rows"
        raise ValueError(f"{path.name} {what}; remove it, and `{command}` makes it anew")
    made_with = table.versions.astype(str).drop_duplicates(ignore_index=True)
    if made_with.map(_results).nunique() > 1:
        raise ValueError(
            f"{path.name} mixes rows of {' and of '.join(made_with)}; "
            f"remove it, and `{command}` makes it anew"
        )
    if _results(made_with[0]) != _results(versions()):
        print(
            f"{path.name} was made with {made_with[0]}, here is {versions()}: "
            f"`{command}` makes it anew"
        )
    return table


def _results(made_with: str) -> str:
    """The versions that results depend on: all but Python's, which comes first."""
    return made_with.partition(", ")[2]
