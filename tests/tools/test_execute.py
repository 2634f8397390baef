"""tools/execute.py: a notebook is executed whole or stays; nothing of the machine is stored."""

import base64
import os

import nbformat
import pytest
from lesson_files import read
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import NOTEBOOKS, execute
from utils.widgets.common.base import VIEW


@pytest.fixture
def lesson(tmp_path):
    """lesson(*sources): the path of a notebook with these cells, which have not been run."""

    def write(*sources):
        path = tmp_path / "10_lesson.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
        return path

    return write


# One notebook -------------------------------------------------------------------------------------


def test_a_notebook_is_executed_in_its_own_folder(lesson):
    path = lesson("from pathlib import Path\nprint(Path('10_lesson.ipynb').exists())", "1 + 1")
    execute.execute(path)
    first, second = read(path).cells
    assert first.outputs[0].text == "True\n"
    assert second.outputs[0].data["text/plain"] == "2"
    assert [first.execution_count, second.execution_count] == [1, 2]
    assert list(path.parent.iterdir()) == [path]
    assert "version" not in read(path).metadata.language_info
    assert "execution" not in first.metadata


def test_the_most_memory_of_a_kernel_is_its_own(lesson):
    """Not that of the process that started it, and what was freed counts."""
    large = bytearray(700_000_000)
    idle = execute.execute(lesson("1 + 1"))
    del large
    busy = execute.execute(lesson("len(bytearray(300_000_000))"))
    assert idle < 500
    assert 250 < busy - idle < 350


def test_a_notebook_that_fails_stays_as_it_was(lesson):
    path = lesson("1 + 1", "1 / 0", "3")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute.execute(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_changes_without_meaning_is_stripped():
    view = new_output("display_data", data={VIEW: {"model_id": "gone"}, "image/png": "abc"})
    cell = new_code_cell("1", outputs=[view])
    cell.metadata = {"tags": ["a"], "slideshow": {"slide_type": "-"}, "execution": {"start": "now"}}
    notebook = new_notebook(cells=[cell, new_code_cell("2")])
    notebook.metadata = {
        "language_info": {"name": "python", "version": "3.11.7"},
        "kernelspec": {"name": "mine", "display_name": "My kernel", "language": "python"},
        "editor": "some",
    }
    execute.strip(notebook)
    assert notebook.metadata == {
        "kernelspec": execute.KERNEL,
        "language_info": {"name": "python"},
    }
    assert notebook.cells[0].metadata == {"tags": ["a"], "slideshow": {"slide_type": "-"}}
    assert notebook.cells[0].outputs[0].data == {"image/png": "abc"}
    assert notebook.cells[1].metadata == {}


def test_the_readmes_picture_is_kept(tmp_path, monkeypatch):
    picture = tmp_path / "data" / "picture.png"
    monkeypatch.setattr(execute, "PICTURE", picture)
    png = base64.b64encode(b"the picture").decode()
    cell = new_code_cell("draw", outputs=[new_output("display_data", data={"image/png": png})])
    execute.save_picture(new_notebook(cells=[cell]))
    assert not picture.exists()
    cell.metadata["tags"] = ["course-picture"]
    execute.save_picture(new_notebook(cells=[new_code_cell("other"), cell]))
    assert picture.read_bytes() == b"the picture"


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def command(arguments, monkeypatch):
    """command("02"): (exit code, notebooks executed); nothing is really done.

    command.failing are the names of notebooks of which a cell fails.
    """
    for name in ("TQDM_DISABLE", "OMP_NUM_THREADS", "APPROXIMATE_TRAINING_STATE"):
        monkeypatch.setenv(name, "set by the user")

    def run(*words):
        executed = []

        def play(path):
            if path.name in run.failing:
                raise CellExecutionError("a traceback", "ZeroDivisionError", "1 / 0")
            executed.append(path)
            return 123

        monkeypatch.setattr(execute, "execute", play)
        arguments(*words)
        return execute.main(), executed

    run.failing = []
    return run


def test_without_prefixes_all_notebooks_are_executed(command, capsys):
    code, executed = command()
    assert code == 0
    assert capsys.readouterr().out.count(", at most 123 MB\n") == len(executed)
    assert executed == sorted(NOTEBOOKS.glob("*.ipynb")) + sorted(
        NOTEBOOKS.glob("solutions/*.ipynb")
    )


def test_prefixes_choose_lessons_and_their_solutions(command):
    _, executed = command("02", "05_h")
    assert [execute.name_of(path) for path in executed] == [
        "02_negative_sampling",
        "05_huffman_tree",
        "solutions/02_negative_sampling",
        "solutions/05_huffman_tree",
    ]


def test_solutions_can_be_executed_alone(command):
    _, executed = command("solutions/07")
    assert [execute.name_of(path) for path in executed] == ["solutions/07_cost_of_a_gradient"]


def test_a_lesson_that_fails_does_not_stop_the_others(command, capsys):
    command.failing = ["02_negative_sampling.ipynb"]
    code, executed = command("02", "05")
    assert code == 1
    assert [path.stem for path in executed] == 2 * ["05_huffman_tree"]
    out = capsys.readouterr().out
    assert out.count("failed, the file is as it was") == 2
    assert "a traceback" in out


def test_an_unknown_lesson_is_refused_with_those_that_are_there(command, capsys):
    with pytest.raises(SystemExit) as end:
        command("77")
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert "no lesson begins with 77" in err
    assert "05_huffman_tree" in err


def test_the_kernels_environment_is_quiet_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    for name in ("TQDM_DISABLE", "APPROXIMATE_TRAINING_STATE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    execute.set_environment()
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert os.environ["TQDM_DISABLE"] == "1"
    assert os.path.isdir(os.environ["APPROXIMATE_TRAINING_STATE"])
