"""Run the tests on each Python that is here, with the exact, the oldest and the newest packages.

    python -m tools.matrix                        python3.11 to python3.13, those that are found
    python -m tools.matrix /opt/py/bin/python3.12     those that are named

Each Python has the versions of constraints.txt, with which stored outputs must come again; the
first one also the oldest that pyproject.toml allows, the last one also the newest. With those the
lessons must run, and their assertions and comparisons hold, but trained numbers may differ. Each
run has an environment of its own, made by uv and removed afterwards; its output and the table of
results stay in build/matrix. It takes an hour or more; leave the machine alone meanwhile.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tools import BUILD, ROOT

FOLDER = BUILD / "matrix"
PYTHONS = ("python3.11", "python3.12", "python3.13")
EXACT = "exact"
OLDEST = "oldest"
NEWEST = "newest"
RESOLUTIONS = {OLDEST: "lowest-direct", NEWEST: "highest"}
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
# Packages that PyPI's build of torch asks for; that build brings them by itself.
FOR_GRAPHICS = re.compile(r"nvidia-|cuda-|triton")
SHOWN = ("torch", "numpy", "scipy", "gensim", "numba", "matplotlib", "jupyterlab", "pytest")
INDEXES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL")
QUICK = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "20"}
UV = [sys.executable, "-m", "uv"]


class Run(NamedTuple):
    """One environment: a Python (its path, and its version, such as 3.12.1) and its packages."""

    python: str
    version: str
    packages: str

    @property
    def name(self) -> str:
        return f"{self.version}-{self.packages}"


# What there is to do ------------------------------------------------------------------------------


def found(names: Iterable[str]) -> dict[str, str]:
    """The version of each Python that starts, by its path, lowest first; it says what does not."""
    versions = {}
    script = "import platform, sys; print(sys.executable); print(platform.python_version())"
    for name in names:
        try:
            answer = subprocess.run([name, "-c", script], capture_output=True, text=True)
        except OSError:
            answer = None
        if answer is None or answer.returncode != 0:
            print(f"{name}: not here", flush=True)
            continue
        path, version = answer.stdout.splitlines()[-2:]
        versions[path] = version
    return dict(sorted(versions.items(), key=lambda item: numbers(item[1])))


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def plan(versions: dict[str, str]) -> list[Run]:
    """Exact packages for every Python, the oldest for the first, the newest for the last."""
    runs = [Run(python, version, EXACT) for python, version in versions.items()]
    if runs:
        runs.append(runs[0]._replace(packages=OLDEST))
        runs.append(runs[len(versions) - 1]._replace(packages=NEWEST))
    return runs


# One environment ----------------------------------------------------------------------------------


def requirements(run: Run, folder: Path) -> list[str]:
    """Options for uv's installation; the oldest and the newest versions are found first."""
    if run.packages == EXACT:
        return ["-c", "constraints.txt", "-r", "requirements.txt"]
    path = folder / f"{run.name}.requirements.txt"
    uv(
        *("pip", "compile", "pyproject.toml", "--extra", "lab", "--extra", "test", "--quiet"),
        *("--python-version", run.version, "--resolution", RESOLUTIONS[run.packages]),
        *("--only-binary", ":all:", "--no-annotate", "--no-header", "--output-file", str(path)),
    )
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not FOR_GRAPHICS.match(line)), "utf-8")
    # d2l, without its own pins, imports these besides.
    return ["-r", str(path), "pillow", "requests"]


def make_environment(run: Run, folder: Path) -> Path:
    """A fresh environment with its packages; returns its Python."""
    options = requirements(run, folder)
    environment = folder / run.name
    uv("venv", "--quiet", "--clear", "--python", run.python, str(environment))
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = ("pip", "install", "--quiet", "--python", str(python))
    if sys.platform == "linux":
        torch = torch_of(options)
        small = uv(*install, "--no-deps", "--index-url", TORCH_INDEX, torch, must=False, **QUICK)
        if small != 0:
            print(f"no {torch} from {TORCH_INDEX}; it comes from PyPI", flush=True)
    uv(*install, *options)
    uv(*install, "--no-deps", "d2l==1.0.3", "-e", ".")
    return python


def torch_of(options: list[str]) -> str:
    """The line that fixes torch's version in the file that the options name last after -r."""
    text = (ROOT / options[options.index("-r") + 1]).read_text(encoding="utf-8")
    return re.search(r"^torch==[\w.]+", text, re.MULTILINE)[0]


def uv(*arguments: str, must: bool = True, **environment: str) -> int:
    """Run uv in the top folder; ends with its message if it fails and must not.

    A call that may fail names an index of its own, which no other may outrank.
    """
    inherited = {name: value for name, value in os.environ.items() if must or name not in INDEXES}
    answer = subprocess.run(
        [*UV, *arguments], cwd=ROOT, env=inherited | environment, capture_output=not must
    )
    if must and answer.returncode != 0:
        raise RuntimeError(f"uv {' '.join(arguments)} failed; its message is above")
    return answer.returncode


def test(run: Run, python: Path, folder: Path) -> str:
    """The last line of pytest's output, such as '2,600 passed in 300 s'; all of it is kept."""
    outputs = "--nbval" if run.packages == EXACT else "--nbval-lax"
    path = folder / f"{run.name}.txt"
    with path.open("w", encoding="utf-8") as file:
        subprocess.run(
            [str(python), "-m", "pytest", "-q", outputs, "-n", "2", "--dist", "loadfile"],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    return lines[-1].strip("= ") if lines else "pytest has not started"


def versions_in(python: Path) -> str:
    """Versions of the packages that matter, as 'torch 2.13.0, numpy 2.4.6'."""
    script = (
        "import sys; from importlib.metadata import version;"
        "print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]))"
    )
    command = [str(python), "-c", script, *SHOWN]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


# Doing it -----------------------------------------------------------------------------------------


def measure(run: Run, folder: Path) -> list[str]:
    """The run's row of the table. What cannot be installed is a result, too."""
    folder.mkdir(parents=True, exist_ok=True)
    row = [run.version, run.packages]
    try:
        python = make_environment(run, folder)
        return [*row, versions_in(python), test(run, python, folder)]
    except (RuntimeError, subprocess.CalledProcessError) as error:
        return [*row, "", str(error)]
    finally:
        shutil.rmtree(folder / run.name, ignore_errors=True)


def table(rows: list[list[str]]) -> str:
    head = ["Python", "packages", "versions", "tests"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pythons", nargs="*", metavar="PYTHON", default=PYTHONS)
    parser.add_argument(
        "--packages", choices=(EXACT, OLDEST, NEWEST), help="only the runs with these"
    )
    given = parser.parse_args()
    versions = found(given.pythons)
    if not versions:
        parser.error(f"none of {', '.join(given.pythons)} starts; name one, with its path")
    rows = []
    for run in plan(versions):
        if given.packages in (None, run.packages):
            rows.append(measure(run, FOLDER))
            print(" | ".join(rows[-1]), flush=True)
            (FOLDER / "table.md").write_text(table(rows), encoding="utf-8")
    return 0 if all(passed(row) for row in rows) else 1


def passed(row: list[str]) -> bool:
    return "passed" in row[-1] and "failed" not in row[-1] and "error" not in row[-1]


if __name__ == "__main__":
    sys.exit(main())
