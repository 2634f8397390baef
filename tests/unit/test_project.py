"""The house: the README's commands are the Makefile's, utils is installed, files import in one direction only."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
FLOW = [
    "compare",
    "example",
    "tables",
    "checks",
    "files",
    "d2l_bridge",
    "corpus",
    "vocabulary",
    "windows",
    "noise",
    "tree",
    "objectives",
    "models",
    "training",
    "embeddings",
    "fast",
    "costs",
    "plots",
]


def test_make_commands_of_the_readme_exist():
    named = set(re.findall(r"(?:`|^|\n| {4})make ([a-z-]+)", README))
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    assert {"lab", "test", "run", "setup"} <= named <= targets, named - targets


def test_plain_commands_of_the_readme_are_the_makefiles():
    """Every recipe that does something stands in the README too, with the same arguments."""
    recipes = re.findall(r"^\t(\$\(PY.*)$", MAKEFILE, re.M)
    assert len(recipes) >= 8
    for recipe in recipes:
        essence = re.sub(r"\$\(PY(THON)?\)", "python", recipe)
        essence = re.sub(r" --disable-pip-version-check( -q)?| --ip=.*| --clear", "", essence)
        assert essence in README, essence


def test_ci_runs_the_readmes_test_command():
    assert (
        (ROOT / ".ci" / "run")
        .read_text(encoding="utf-8")
        .endswith("make test\nmake test-browser\n")
    )


def test_lab_is_safe():
    recipe = re.search(r"^lab:.*\n\t(.*)$", MAKEFILE, re.M)[1]
    assert "--ip=127.0.0.1" in recipe and "LAB_ARGS" in recipe and "token" not in recipe.lower()
    assert "$(ROOT)" in recipe and "notebooks/00_start_here.ipynb" in recipe
    assert re.search(r'^ROOT := .*"\$\$\(id -u\)" = 0.*--allow-root', MAKEFILE, re.M)


def test_utils_imports_from_another_folder(tmp_path):
    names = ", ".join(f"utils.{name}" for name in FLOW)
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", f"import {names}; print(utils.__file__)"],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).parent == ROOT / "utils"


def files_of(name):
    """The files of a module, which may be a package."""
    path = ROOT / "utils" / name
    return sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def imports_of(name):
    """Other utils modules imported at the top of a module's files (not inside a function)."""
    for node in [
        node for path in files_of(name) for node in ast.parse(path.read_text(encoding="utf-8")).body
    ]:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "utils":
            found = (
                [node.module.split(".")[1]]
                if "." in node.module
                else [alias.name for alias in node.names]
            )
            yield from [other for other in found if other != name]


@pytest.mark.parametrize("name", FLOW)
def test_no_file_imports_one_to_its_right(name):
    assert files_of(name)
    assert not {other for other in imports_of(name) if FLOW.index(other) >= FLOW.index(name)}


def test_files_have_one_job():
    modules = sorted(
        path for kind in ("py", "js", "css") for path in (ROOT / "utils").rglob(f"*.{kind}")
    )
    own = {path.stem for path in modules if path.parent.name == "utils"} - {"__init__"}
    assert own | {"fast"} == set(FLOW)
    for path in modules:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 250, f"{path.name} has {len(lines)} lines: it has two jobs"
        assert path.suffix == ".py" or max(map(len, lines)) <= 120, (
            f"{path.name} has lines that are too long"
        )


def test_every_file_of_utils_is_installed_with_it():
    """Files other than Python's are left out of the package unless their pattern is named."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["*"]
    others = [
        path
        for path in (ROOT / "utils").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert {path.suffix for path in others} >= {".toml", ".js", ".css"}
    for path in others:
        assert any(path.match(pattern) for pattern in patterns), (
            f"{path.name} matches none of {patterns}"
        )


def test_only_the_bridge_imports_d2l():
    pages = [*ROOT.glob("utils/**/*.py"), *ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("tools/*.py")]
    importing = [
        path.name
        for path in pages
        if re.search(r"(?:^|\"|\n)\s*(?:import d2l|from d2l\b)", path.read_text(encoding="utf-8"))
    ]
    assert importing == ["d2l_bridge.py"]


def test_requirements_name_what_is_imported():
    required = re.findall(
        r"^([A-Za-z0-9_-]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M
    )
    known = {name.lower().replace("-", "_") for name in required} | {
        "utils",
        "tools",
        "d2l",
        "torchvision",
    }
    known |= {"fasttext"}  # which `make bench` installs, for itself alone
    given = dict.fromkeys(
        ("ipython", "jinja2", "nbformat", "nbclient", "nbconvert", "traitlets"), "jupyterlab"
    )
    for path in [*ROOT.glob("utils/**/*.py"), *ROOT.glob("tests/*/*.py"), *ROOT.glob("tools/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            for top in {name.split(".")[0].lower() for name in names} - set(
                map(str.lower, sys.stdlib_module_names)
            ):
                assert given.get(top, top) in known, f"{path.name} imports {top}"
