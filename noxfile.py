"""All tests on each Python that is here: `make matrix`, or `nox`. Others are left out, with a line.

Each Python gets the versions of constraints.txt, with which stored outputs must come again. 3.11 is
tried with the oldest packages that pyproject.toml allows, too, and 3.13 with the newest: there the
lessons must run, and their assertions and comparisons hold, but trained numbers may differ. uv
makes the environments, under build/nox; UV_TORCH_BACKEND=cpu spares gigabytes on Linux.
"""

import nox

nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.envdir = "build/nox"

PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}
RUNS = [(python, "exact") for python in PYTHONS]
RUNS += [(PYTHONS[0], "oldest"), (PYTHONS[-1], "newest")]


@nox.session
@nox.parametrize("python, packages", RUNS)
def tests(session, packages):
    """Everything that `make test` runs, but for ruff."""
    if packages == "exact":
        session.install("-c", "constraints.txt", "-r", "requirements.txt")
        outputs = "--nbval"
    else:
        session.install("-r", resolved(session, RESOLUTIONS[packages]))
        outputs = "--nbval-lax"
    session.install("--no-deps", "d2l==1.0.3", "-e", ".")
    session.run("uv", "pip", "freeze", external=True)
    session.run("python", "-m", "pytest", "-q", outputs, "-n", "2", "--dist", "loadfile")


def resolved(session, resolution):
    """A file with the versions that pyproject.toml allows at its lower or upper ends."""
    path = f"{session.virtualenv.location}/requirements.txt"
    options = ("--python-version", session.python, "--resolution", resolution)
    session.run(
        *("uv", "pip", "compile", "pyproject.toml", "--extra", "lab", "--extra", "test"),
        *(*options, "--only-binary", ":all:", "--quiet", "--output-file", path),
        external=True,
    )
    return path
