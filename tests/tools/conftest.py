"""What the tests of the tools share: tables in their own folder, processes that are played."""

import sys
from functools import partial
from types import SimpleNamespace

import pytest

from tools import bench_cost, bench_fast, measuring, sweep
from utils import tables


@pytest.fixture
def own_tables(tmp_path, monkeypatch):
    """utils.tables as the scripts see it, with its files in tmp_path."""
    own = SimpleNamespace(
        load=partial(tables.load, folder=tmp_path),
        save=partial(tables.save, folder=tmp_path),
        append=partial(tables.append, folder=tmp_path),
    )
    monkeypatch.setattr("utils.tables", own)  # `measuring` imports it only when it is needed
    for script in (bench_cost, bench_fast, sweep):
        monkeypatch.setattr(script, "tables", own)
    return own


class Processes:
    """Instead of processes: gives the prepared answers one by one, and notes what was asked.

    An answer is what a process leaves, an error to raise, or a function of the command.
    """

    def __init__(self):
        self.answers = []
        self.commands = []
        self.options = []

    def ends(self, code=0, out="", err=""):
        self.answers.append(SimpleNamespace(returncode=code, stdout=out, stderr=err))

    def run(self, command, **options):
        self.commands.append(command)
        self.options.append(options)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer(command) if callable(answer) else answer


@pytest.fixture
def processes(monkeypatch):
    """The processes of `measure_apart`; whatever is not prepared fails with an IndexError."""
    played = Processes()
    monkeypatch.setattr(measuring, "subprocess", played)
    return played


@pytest.fixture
def arguments(monkeypatch):
    """arguments("--list"): the command line of the script whose main() is called next."""

    def give(*words):
        monkeypatch.setattr(sys, "argv", ["script", *words])

    return give
