"""The house: data and imports flow one way, and nothing private crosses a file."""

import ast
import graphlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A module, or a package of modules, imports only what stands before it.
FLOW = [
    "files",
    "checks",
    "example",
    "compare",
    "tables",
    "fits",
    "lines",
    "words",
    "corpus",
    "vocabulary",
    "windows",
    "noise",
    "tree",
    "models",
    "objectives",
    "training",
    "vector_files",
    "embeddings",
    "costs",
    "plots",
    "d2l_bridge",
    "fast",
    "widgets",
    "exercises",
]
FILES = sorted(ROOT.glob("utils/**/*.py"))
file = pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(ROOT)))(
    lambda request: request.param
)


def module_name(path):
    """utils/fast/text.py -> utils.fast.text; a package is named like its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in FILES}


def imported_modules(path):
    """The modules of utils that a file imports, at its top and inside functions alike."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively, line {node.lineno}"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return {name for name in found if name.split(".")[0] == "utils"}


def room(module):
    """The part of FLOW that a module of utils belongs to; "" for utils itself."""
    return (module.split(".") + [""])[1]


def test_every_module_has_its_place():
    assert {room(module) for module in MODULES} - {""} == set(FLOW)


def test_no_import_runs_back(file):
    own = room(module_name(file))
    for module in imported_modules(file) - {"utils"}:
        other = room(module)
        assert other == own or FLOW.index(other) < FLOW.index(own), f"{file.name} imports {module}"


def test_no_circle_of_imports():
    graph = {module_name(path): imported_modules(path) - {module_name(path)} for path in FILES}
    graphlib.TopologicalSorter(graph).prepare()


def test_tools_import_utils_and_never_the_other_way(file):
    text = file.read_text(encoding="utf-8")
    roots = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not roots & {"tools", "tests", "notebooks"}


def private(name):
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize(
    "path", FILES + sorted(ROOT.glob("tools/*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_nothing_private_crosses_a_file(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {"self", "cls"}
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            taken = [alias.name for alias in node.names if private(alias.name)]
            assert not taken or node.module.split(".")[0] not in ("utils", "tools"), taken
            if node.module.split(".")[0] in ("utils", "tools"):
                modules |= {alias.asname or alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            outside = node.value.id in modules - own
            assert not (outside and private(node.attr)), f"{node.value.id}.{node.attr}"
