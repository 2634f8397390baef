"""What the learner has done is kept: by several kernels at once, and beside a damaged file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from utils.exercises import state

ROOT = Path(__file__).parents[2]
DAMAGED = [
    "",
    "{nonsense",
    "[]",
    "null",
    '{"done": "2.1"}',
    '{"done": {"2.1": 1}}',
    '{"done": ["2.1", 3]}',
    '{"done": ["two"]}',
    "[" * 100_000,
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("APPROXIMATE_TRAINING_STATE", str(tmp_path))
    return tmp_path


def test_marks_are_kept():
    state.mark_done("2.1")
    state.mark_done("10.1")
    state.mark_done("2.1")
    assert state.done() == {"2.1", "10.1"}


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_set_aside_and_never_overwritten(content, folder, capsys):
    state.state_file().write_text(content, encoding="utf-8")
    assert state.done() == set()
    assert "is damaged" in capsys.readouterr().out
    assert state.state_file().read_text(encoding="utf-8") == content
    state.mark_done("1.1")
    assert state.done() == {"1.1"}
    assert (folder / "progress.damaged-1.json").read_text(encoding="utf-8") == content


def test_damaged_files_do_not_replace_each_other(folder):
    for content in ("first", "second"):
        state.state_file().write_text(content)
        state.mark_done("1.1")
    kept = {path.read_text() for path in folder.glob("progress.damaged-*.json")}
    assert kept == {"first", "second"}


def test_bytes_that_are_no_text_are_set_aside(folder):
    state.state_file().write_bytes(b"\xff\xfe\x00")
    state.mark_done("1.1")
    assert (folder / "progress.damaged-1.json").read_bytes() == b"\xff\xfe\x00"


def test_a_file_that_cannot_be_read_is_left_alone(folder, capsys, monkeypatch):
    state.mark_done("1.1")
    before = state.state_file().read_bytes()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    state.mark_done("1.2")
    assert "could not be kept" in capsys.readouterr().out
    assert state.done() == set()
    monkeypatch.undo()
    assert (folder / "progress.json").read_bytes() == before


def test_a_kernel_waits_for_another_that_writes(folder, capsys, monkeypatch):
    state.mark_done("1.1")
    monkeypatch.setattr(state, "LOCK_SECONDS", 0.1)
    with FileLock(folder / "progress.lock"):
        state.mark_done("1.2")
    assert "could not be kept" in capsys.readouterr().out
    assert state.done() == {"1.1"}
    state.mark_done("1.2")
    assert state.done() == {"1.1", "1.2"}


def test_kernels_at_once_lose_nothing(folder):
    code = (
        "import sys; from utils.exercises import state\n"
        "for k in range(1, 21): state.mark_done(f'{sys.argv[1]}.{k}')"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    processes = [subprocess.Popen([*command, str(n)], env=environment) for n in range(1, 5)]
    assert [process.wait() for process in processes] == [0] * 4
    assert state.done() == {f"{n}.{k}" for n in range(1, 5) for k in range(1, 21)}
    assert json.loads((folder / "progress.json").read_text())["done"]
