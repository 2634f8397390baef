"""utils/fast/compiling.py: machine code is found again, only where it is the right one."""

import ast
import os
import subprocess
import sys

import numba
import pytest

from tools import ROOT
from utils.fast import compiling
from utils.fast.compiling import compiled

FAST = ROOT / "utils" / "fast"
TRAIN = """
from utils.fast import train_fast
from utils.fast.loops import choose_loops
vectors = train_fast([["river", "bank", "water"]] * 40, min_count=1, dim=9, epochs=1,
                     threads=1, subsample=0)
loop = choose_loops(9).skip_gram_sampling
print(sum(loop.stats.cache_hits.values()), sum(loop.stats.cache_misses.values()))
print(vectors.vectors.tolist())
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """numba's folder for machine code, of this test alone."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def times(factor):
    """The same lines for every factor, made anew each time, as loops are in each process."""

    @compiled(variant=(factor,))
    def multiply(x):
        return factor * x

    return multiply


def found(function) -> bool:
    assert function(1.0) is not None
    return bool(function.stats.cache_hits)


def files(folder, ending):
    return sorted(folder.rglob(f"*.{ending}"))


def test_the_next_process_finds_it(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", TRAIN],
            cwd=ROOT,
            env=environment,
            text=True,
            capture_output=True,
            check=True,
        )
        outputs.append(done.stdout.splitlines())
    assert [output[0] for output in outputs] == ["0 1", "1 0"]
    assert outputs[0][1] == outputs[1][1]


def test_what_was_made_with_other_numbers_is_another_function(folder):
    assert times(3)(2.0) == 6.0
    assert times(4)(2.0) == 8.0
    assert found(times(3)) and found(times(4))
    assert not found(times(5))
    assert times(3)(2.0) == 6.0


MULTIPLY = """
import sys
from utils.fast.compiling import compiled

def times(factor):
    @compiled(variant=(factor,))
    def multiply(x):
        return factor * x
    return multiply

results = [times(int(factor))(1.0) for factor in sys.argv[1:]]
print(*results)
"""


def test_functions_of_several_processes_meet_in_one(tmp_path):
    """Each process compiles its function under equal circumstances; a third one loads both."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    script = tmp_path / "multiply.py"
    script.write_text(MULTIPLY)
    for factors, printed in ((["3"], "3.0"), (["4"], "4.0"), (["3", "4", "3"], "3.0 4.0 3.0")):
        command = [sys.executable, str(script), *factors]
        done = subprocess.run(command, env=environment, text=True, capture_output=True)
        assert done.stdout.strip() == printed, done.stderr


def test_a_function_that_closes_over_something_names_its_variant():
    factor = 3

    def multiply(x):
        return factor * x

    with pytest.raises(ValueError, match="multiply closes over something; name its variant"):
        compiled(multiply)


def test_code_of_another_function_is_not_trusted(folder, monkeypatch):
    """Its file may lie where another one's is expected, if two processes wrote at once."""
    times(3)(1.0)
    times(4)(1.0)
    three, four = files(folder, "nbc")
    content = three.read_bytes()
    three.write_bytes(four.read_bytes())
    four.write_bytes(content)
    assert times(3)(2.0) == 6.0 and times(4)(2.0) == 8.0
    assert found(times(3)) and found(times(4))


def test_what_numba_is_told_belongs_to_the_fingerprint(monkeypatch):
    before = compiling.fingerprint()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/elsewhere")
    assert compiling.fingerprint.__wrapped__() == before
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert compiling.fingerprint.__wrapped__() != before


def test_another_source_is_another_function(folder, monkeypatch):
    times(3)(1.0)
    assert found(times(3))
    monkeypatch.setattr(compiling, "fingerprint", lambda: "of another text")
    assert not found(times(3))


def test_the_fingerprint_is_that_of_every_module_with_compiled_code():
    """All that a loop can be made of: who compiles, and what these modules import."""
    modules = {path.stem: path.read_text() for path in FAST.glob("*.py")}
    imported = {name: set(modules_imported(text)) & set(modules) for name, text in modules.items()}
    compiling_ones = {name for name, used in imported.items() if "compiling" in used}
    assert {"loops", "plain", "drawing", "copies"} == compiling_ones
    assert compiling_ones | {"compiling", "rows"} == set(compiling.MODULES)
    used = set().union(*(imported[name] for name in compiling.MODULES))
    assert used <= {*compiling.MODULES, "kernels"}  # which compiles nothing
    assert compiling.fingerprint() == compiling.fingerprint.__wrapped__()


def modules_imported(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("utils.fast"):
            yield node.module.rpartition(".")[2]
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("module", compiling.MODULES)
def test_an_edit_of_any_of_them_compiles_anew(module, tmp_path, monkeypatch):
    before = compiling.fingerprint()
    for name in compiling.MODULES:
        text = (FAST / f"{name}.py").read_text()
        (tmp_path / f"{name}.py").write_text(text + "\n" * (name == module))
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "compiling.py"))
    assert compiling.fingerprint.__wrapped__() != before


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_damaged_files_are_replaced(folder, ending, content):
    times(3)(1.0)
    for path in files(folder, ending):
        path.write_bytes(path.read_bytes()[:-20] if content is None else content)
    assert times(3)(2.0) == 6.0
    assert times(3)(2.0) == 6.0
    assert found(times(3))


def test_without_a_place_for_files_functions_are_compiled(folder, monkeypatch):
    def nowhere(*arguments):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(compiling.FunctionCache, "__init__", nowhere)
    assert times(3)(2.0) == 6.0
    assert not found(times(3))


def test_a_full_disk_stops_nobody(folder, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiling.IndexDataCacheFile, "_save_data", full)
    assert times(3)(2.0) == 6.0
    assert files(folder, "nbi") and not files(folder, "nbc")  # an index of what is not there
    assert times(3)(2.0) == 6.0
    monkeypatch.undo()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder))
    assert times(3)(2.0) == 6.0
    assert found(times(3))


def test_a_numba_with_other_insides_compiles(folder, monkeypatch):
    monkeypatch.setattr(compiling, "FunctionCache", None)
    assert times(3)(2.0) == 6.0
    assert not found(times(3))


def test_numba_can_be_switched_off():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    code = "from utils.fast.plain import sigma; print(type(sigma).__name__, sigma(0.0))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, text=True, capture_output=True
    )
    assert done.stdout.split() == ["function", "0.5"], done.stderr
