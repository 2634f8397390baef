"""The project as a newcomer meets it: commands exist, the package installs, tables are true."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


README = text_of("README.md")
MAKEFILE = text_of("Makefile")
MANUAL = "\n".join([README, text_of("CONTRIBUTING.md"), text_of("notebooks/help.md")])
(D2L,) = set(re.findall(r"d2l==[\d.]+", MAKEFILE))
(TORCH,) = re.findall(r"^torch==[\d.]+", text_of("requirements.txt"), re.M)
SETTINGS = tomllib.loads(text_of("pyproject.toml"))


# Commands ---------------------------------------------------------------------------------------


def test_make_commands_that_are_named_exist():
    named = set(re.findall(r"(?:`|^|\n| {4})make ([a-z-]+)", MANUAL))
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    assert {"lab", "check", "test", "run", "setup"} <= named <= targets, named - targets


def test_every_recipe_stands_in_the_manual_as_a_plain_command():
    """README, CONTRIBUTING and help: what make does can be typed, with the same arguments."""
    recipes = re.findall(r"^\t(\$\((?:PY|PYTHON|INSTALL)\) .*)$", MAKEFILE, re.M)
    recipes += re.findall(r"^VENV = (\$\(PYTHON\) .*)$", MAKEFILE, re.M)
    assert len(recipes) >= 18
    for recipe in recipes:
        command = recipe.replace("$(INSTALL)", "python -m pip install")
        command = command.replace("$(EXACT)", "-c constraints.txt")
        command = command.replace("$(PYTHON)", "python3").replace("$(PY)", "python")
        command = re.sub(r"(?<=install) -q| --ip=.*| --clear", "", command)
        command = command.replace("$(CORPUS)", "my.txt")
        assert command in MANUAL, command


def test_help_lists_every_target():
    targets = re.findall(r"^([a-z-]+):", MAKEFILE, re.M)
    told = re.findall(r'echo "make ([a-z-]+) ', MAKEFILE)
    assert set(told) == set(targets) - {"help"}


def test_ci_runs_the_readmes_test_command():
    assert text_of(".ci/run").endswith("make test\nmake test-browser\n")


def test_places_without_make_install_what_make_installs():
    """Binder, workflows, nox and the manual: the same files, the same versions."""
    lines = text_of("binder/requirements.txt").splitlines()
    assert {"-c ../constraints.txt", "-r ../requirements.txt"} <= set(lines)
    places = ["binder/postBuild", "noxfile.py", "notebooks/help.md", "notebooks/hub.md"]
    for place in [*places, ".github/workflows/tests.yml"]:
        assert set(re.findall(r"d2l==[\d.]+", text_of(place))) == {D2L}, place
    assert set(re.findall(r"torch==[\d.]+", MANUAL)) == {TORCH}
    assert '"-c", "constraints.txt", "-r", "requirements.txt"' in text_of("noxfile.py")
    assert "-c constraints.txt -r requirements.txt" in text_of(".github/workflows/tests.yml")


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/workflows/*.yml")), ids=lambda p: p.name)
def test_a_workflow_may_only_read_and_ends(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow[True]  # YAML takes `on` for true
    assert workflow["permissions"]["contents"] == "read"
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


def test_places_that_call_make_name_targets_that_exist():
    """Docker, containers and workflows."""
    container = json.loads(text_of(".devcontainer/devcontainer.json"))
    said = [text_of("Dockerfile"), container["postCreateCommand"]]
    for path in ROOT.glob(".github/workflows/*.yml"):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            said += [step.get("run", "") for step in job["steps"]]
    told = set(re.findall(r"\bmake ([a-z-]+)", "\n".join(said)))
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    assert {"setup", "test", "test-browser", "site"} <= told <= targets


def test_exact_versions_are_known_for_all_that_is_required():
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", text_of("constraints.txt"), re.M)
    files = ["requirements.txt", "tests/browser/requirements.txt", "tools/site/requirements.txt"]
    for file in files:
        for line in text_of(file).splitlines():
            if line[:1] in ("", "#", "-"):
                continue
            needed = Requirement(line.split("#")[0].strip())
            versions = [version for name, version in pins if name == needed.name]
            assert versions and all(map(needed.specifier.contains, versions)), line
    assert "://" not in text_of("constraints.txt")  # no index of any machine


def test_lab_is_safe():
    recipe = re.search(r"^lab:.*\n\t(.*)$", MAKEFILE, re.M)[1]
    assert "--ip=127.0.0.1" in recipe
    assert "LAB_ARGS" in recipe
    assert "token" not in recipe.lower()
    assert "$(ROOT)" in recipe
    assert "notebooks/00_start_here.ipynb" in recipe
    assert re.search(r'^ROOT := .*"\$\$\(id -u\)" = 0.*--allow-root', MAKEFILE, re.M)


# The package ------------------------------------------------------------------------------------


def python_files():
    return [
        path for folder in ("utils", "tools", "tests") for path in ROOT.glob(f"{folder}/**/*.py")
    ]


def imported_packages(path):
    """The packages that a file imports, by their names in lower case, without Python's own."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0].lower() for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0].lower())
    return found - {name.lower() for name in sys.stdlib_module_names}


def packages_of(lines):
    """The packages that requirement lines name, as they are imported."""
    names = [re.match(r"[A-Za-z0-9_-]+", line)[0] for line in lines]
    return {name.lower().replace("-", "_") for name in names}


def requirements():
    lines = text_of("requirements.txt").splitlines()
    return [line.split("#")[0].strip() for line in lines if line[:1] not in ("", "#")]


def test_utils_imports_from_another_folder(tmp_path):
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ROOT.glob("utils/**/*.py")
        if path.stem not in ("__init__", "__main__")
    ]
    code = f"import {', '.join(modules)}; print(utils.__file__)"
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_file()


def test_every_file_of_utils_is_installed_with_it():
    """Files other than Python's need a pattern that names them, and a folder that is a package."""
    patterns = SETTINGS["tool"]["setuptools"]["package-data"]["*"]
    files = [path for path in ROOT.glob("utils/**/*") if path.is_file()]
    files = [path for path in files if path.parent.name != "__pycache__"]
    others = [path for path in files if path.suffix != ".py"]
    assert {path.suffix for path in others} >= {".toml", ".js", ".css"}
    for path in others:
        assert any(path.match(pattern) for pattern in patterns), f"{path.name}: {patterns}"
        assert (path.parent / "__init__.py").is_file(), f"{path.parent} is no package"


def test_only_the_bridge_imports_d2l():
    pages = [path for path in python_files() if path.parts[-3] != "tests"]
    pages += NOTEBOOKS.glob("*.ipynb")
    pattern = re.compile(r"(?:^|\"|\n)\s*(?:import d2l|from d2l\b)")
    importing = [path.name for path in pages if pattern.search(path.read_text(encoding="utf-8"))]
    assert importing == ["d2l_bridge.py"]


def test_requirements_name_what_is_imported():
    known = packages_of(requirements()) | {"utils", "tools", "tests", "d2l", "torchvision"}
    known |= {"fasttext", "nox", "sphinx"}  # which make installs where it needs them
    known |= {path.stem for path in ROOT.glob("tests/**/*.py")}
    with_jupyterlab = {"ipython", "jinja2", "nbformat", "nbclient", "nbconvert", "traitlets"}
    with_jupyterlab |= {"packaging", "yaml"}
    known |= with_jupyterlab
    for path in python_files():
        if "browser" not in path.parts:
            assert imported_packages(path) <= known, (
                f"{path.name}: {imported_packages(path) - known}"
            )


def test_the_package_declares_what_utils_imports():
    declared = packages_of(SETTINGS["project"]["dependencies"])
    with_ipywidgets = {"ipython", "traitlets"}
    optional = {"d2l", "torchvision"}
    for path in ROOT.glob("utils/**/*.py"):
        needed = imported_packages(path) - {"utils"} - with_ipywidgets - optional
        assert needed <= declared, f"{path.name} imports {needed - declared}"


def test_requirements_keep_to_the_packages_bounds():
    """requirements.txt says the same as pyproject, but for the two versions that are exact."""
    groups = SETTINGS["project"]["optional-dependencies"]
    declared = SETTINGS["project"]["dependencies"] + groups["lab"] + groups["test"]
    exact = {"torch": "torch==", "gensim": "gensim=="}
    listed = {re.match(r"[\w-]+", line)[0]: line for line in requirements()}
    for line in declared:
        name = re.match(r"[\w-]+", line)[0]
        if name in exact:
            assert listed[name].startswith(exact[name])
        else:
            assert listed[name] == line


# Tables of lessons ------------------------------------------------------------------------------


LABS = ["lab_spot_the_defect.ipynb", "lab_famous_defects.ipynb"]  # in this order


def lesson_files():
    assert sorted(LABS) == sorted(path.name for path in NOTEBOOKS.glob("lab*.ipynb"))
    return [*sorted(path.name for path in NOTEBOOKS.glob("[0-9]*.ipynb")), *LABS]


def rows_of(page):
    """[(title, file or None, question, minutes)] of the table of lessons in a page."""
    pattern = (
        r"^\| (?:\[([^\]]+)\]\((?:notebooks/)?(\w+\.ipynb)\)|(\d\d [^|]+?)) \| ([^|]+) \| (\d+) \|$"
    )
    found = re.findall(pattern, page, re.M)
    return [
        (title or plain, file, question, int(minutes))
        for title, file, plain, question, minutes in found
    ]


def cells_of(name):
    notebook = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def test_the_readmes_table_lists_the_lessons_that_are_there():
    assert [file for _, file, *_ in rows_of(README)] == lesson_files()


def test_lesson_00_has_the_readmes_table():
    own = rows_of("\n".join(cells_of("00_start_here.ipynb")))
    assert own[0][1] == ""  # it does not link to itself
    own[0] = (own[0][0], "00_start_here.ipynb", *own[0][2:])
    assert own == rows_of(README)


@pytest.mark.parametrize("row", rows_of(README), ids=lambda row: row[1])
def test_the_tables_say_what_the_lessons_say(row):
    title, file, _, minutes = row
    opening = "\n".join(cells_of(file)[:2])
    assert opening.startswith(f"# {title[:3]}"), opening[:60]
    assert re.search(rf"\*\*Time\*\* \| {minutes} minutes", opening), opening
