"""tools/matrix.py: which runs there are, and that a failure is told as one."""

import platform
import sys
from pathlib import Path

import pytest

from tools import matrix

VERSIONS = {"python3.11": "3.11.9", "python3.12": "3.12.4", "python3.13": "3.13.0"}


def test_each_python_runs_with_exact_packages_and_the_ends_with_others():
    assert [(run.python, run.packages) for run in matrix.plan(VERSIONS)] == [
        ("python3.11", "exact"),
        ("python3.12", "exact"),
        ("python3.13", "exact"),
        ("python3.11", "oldest"),
        ("python3.13", "newest"),
    ]
    assert matrix.plan({}) == []
    assert len({run.name for run in matrix.plan({"python3.12": "3.12.4"})}) == 3


def test_pythons_are_those_that_start_lowest_first(tmp_path, capsys):
    scripts = {"broken": "echo 3.9.1\nexit 127\n"}
    for name, version in (("newer", "3.100.0rc1"), ("older", "3.9.1")):
        scripts[name] = f"echo {tmp_path}/{name}\necho {version}\n"
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    if sys.platform == "win32":
        pytest.skip("scripts of the shell")
    names = [str(tmp_path / name) for name in scripts]
    found = matrix.found([*names, sys.executable, "no-such-python"])
    assert list(found.values()) == ["3.9.1", platform.python_version(), "3.100.0rc1"]
    assert list(found)[1] == sys.executable
    said = capsys.readouterr().out
    assert said == f"{tmp_path / 'broken'}: not here\nno-such-python: not here\n"


def test_exact_packages_come_from_the_repositorys_files(monkeypatch, tmp_path):
    asked = []

    def compile_requirements(*arguments, **_):
        asked.append(arguments)
        lines = "numpy==2.0.0\nnvidia-cublas==1.0\ntorch==2.6.0\ntriton==3.0\n"
        Path(arguments[-1]).write_text(lines, encoding="utf-8")

    monkeypatch.setattr(matrix, "uv", compile_requirements)
    exact, oldest = (matrix.Run("python3.11", "3.11.9", name) for name in ("exact", "oldest"))
    options = matrix.requirements(exact, tmp_path)
    assert options == ["-c", "constraints.txt", "-r", "requirements.txt"]
    assert asked == []
    assert matrix.torch_of(options).startswith("torch==")
    options = matrix.requirements(oldest, tmp_path)
    assert options[1] == str(tmp_path / "3.11.9-oldest.requirements.txt")
    assert "lowest-direct" in asked[0] and "3.11.9" in asked[0]
    assert Path(options[1]).read_text(encoding="utf-8") == "numpy==2.0.0\ntorch==2.6.0\n"
    assert matrix.torch_of(options) == "torch==2.6.0"


def test_stored_outputs_must_come_again_only_with_the_exact_packages(monkeypatch, tmp_path):
    pytest_stub = tmp_path / "python"
    pytest_stub.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    pytest_stub.chmod(0o755)
    if sys.platform == "win32":
        pytest.skip("scripts of the shell")
    for packages, option in (("exact", "--nbval"), ("oldest", "--nbval-lax")):
        run = matrix.Run("python3.11", "3.11.9", packages)
        assert option in matrix.test(run, pytest_stub, tmp_path).split()


@pytest.mark.parametrize(
    "said, whether",
    [
        ("2600 passed, 1 skipped in 300.00s", True),
        ("1 failed, 2599 passed in 300.00s", False),
        ("2599 passed, 1 error in 300.00s", False),
        ("uv pip install failed; its message is above", False),
        ("pytest has not started", False),
    ],
)
def test_what_counts_as_passed(said, whether):
    assert matrix.passed(["3.11.9", "exact", "", said]) is whether


def test_what_cannot_be_installed_is_a_row_of_the_table(monkeypatch, tmp_path):
    def fails(*arguments, **environment):
        raise RuntimeError("uv venv failed; its message is above")

    monkeypatch.setattr(matrix, "uv", fails)
    row = matrix.measure(matrix.Run("python3.11", "3.11.9", "exact"), tmp_path)
    assert row == ["3.11.9", "exact", "", "uv venv failed; its message is above"]
    assert matrix.table([row]).splitlines()[0] == "| Python | packages | versions | tests |"
    assert len(matrix.table([row]).splitlines()) == 3


def test_without_a_python_it_says_what_to_name(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["matrix", "no-such-python"])
    with pytest.raises(SystemExit):
        matrix.main()
    said = capsys.readouterr()
    assert "no-such-python: not here" in said.out
    assert "name one, with its path" in said.err
