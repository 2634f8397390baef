"""tools/measuring.py: processes and why one failed, keys of stored rows, interruption."""

import json
import sys

import pytest

from tools import ROOT, bench_cost, measuring
from tools.measuring import MeasurementFailed, OutOfMemory, measure_apart, stopping_cleanly

ROW = {"V": 30, "name": 'full "softmax"'}
COMMAND = "make something"


# A process of its own -----------------------------------------------------------------------------


def test_the_process_gets_the_row_the_environment_and_the_top_folder(processes, monkeypatch):
    monkeypatch.setenv("INHERITED", "yes")
    processes.ends(out='a warning\n{"V": 30, "seconds": 0.5}\n')
    assert measure_apart("some_tool", ROW, {"OMP_NUM_THREADS": "1"}) == {"V": 30, "seconds": 0.5}
    (command,) = processes.commands
    assert command[:4] == [sys.executable, "-m", "tools.some_tool", "--one"]
    assert json.loads(command[4]) == ROW
    (options,) = processes.options
    assert options["cwd"] == ROOT
    assert options["env"]["OMP_NUM_THREADS"] == "1"
    assert options["env"]["INHERITED"] == "yes"


@pytest.mark.parametrize(
    "code, err, reason",
    [
        (1, "Traceback\nMemoryError: takes about 9.9 GB", "takes about 9.9 GB"),
        (1, "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 9 GiB", "9 GiB"),
        (
            1,
            "RuntimeError: [enforce] DefaultCPUAllocator: can't allocate memory: 9 bytes",
            "9 bytes",
        ),
        (-9, "a warning", "killed \\(code -9\\)"),
        (137, "", "killed \\(code 137\\)"),
    ],
)
def test_out_of_memory_is_told_apart(processes, code, err, reason):
    processes.ends(code, err=err)
    with pytest.raises(OutOfMemory, match=f"'V': 30.*{reason}"):
        measure_apart("some_tool", ROW, {})


@pytest.mark.parametrize(
    "code, out, err, reason",
    [
        (1, "", "Traceback\nImportError: no torch", "ImportError: no torch"),
        (1, "", "Traceback\nValueError: MemoryError is a word", "MemoryError is a word"),
        (3, "", "", "ended with code 3"),
        (-11, "", "", "ended with code -11"),
        (1, '{"V": 30}', "Traceback\nKeyError: 'd'", "KeyError"),  # code 1 counts, not the output
        (0, "", "", "printed no result"),
        (0, "no JSON\n", "", "printed no result"),
    ],
)
def test_other_failures_are_no_lack_of_memory(processes, code, out, err, reason):
    processes.ends(code, out, err)
    with pytest.raises(MeasurementFailed, match=f"'V': 30.*{reason}") as caught:
        measure_apart("some_tool", ROW, {})
    assert not isinstance(caught.value, OutOfMemory)


def test_print_measured_prints_what_measure_apart_reads(processes, capsys):
    measuring.print_measured(lambda row: {**row, "seconds": 0.5}, json.dumps(ROW))
    processes.ends(out=capsys.readouterr().out)
    assert measure_apart("some_tool", ROW, {}) == {**ROW, "seconds": 0.5}


def test_a_real_process():
    row = bench_cost.DEFAULTS | {"varied": "V", "objective": "full softmax", "V": 30}
    measured = measure_apart("bench_cost", row, bench_cost.ENVIRONMENT)
    assert measured.items() >= row.items()
    assert measured["dot_products"] == 30
    with pytest.raises(MeasurementFailed, match="no_objective"):
        measure_apart("bench_cost", row | {"objective": "no_objective"}, bench_cost.ENVIRONMENT)


# Stored rows --------------------------------------------------------------------------------------


def test_keys_of_stored_rows(own_tables):
    columns = ["V", "name"]
    assert measuring.stored_keys("t", columns, COMMAND) == set()
    own_tables.append("t", [{**ROW, "seconds": 0.5}], COMMAND)
    own_tables.append("t", [{**ROW, "V": 31, "seconds": 0.5}], COMMAND)
    assert measuring.stored_keys("t", columns, COMMAND) == {(30, ROW["name"]), (31, ROW["name"])}
    assert measuring.key_of(ROW, columns) in measuring.stored_keys("t", columns, COMMAND)


def test_a_damaged_table_is_not_an_empty_one(own_tables, tmp_path):
    (tmp_path / "t.csv").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"t\.csv cannot be read"):
        measuring.stored_keys("t", ["V"], COMMAND)


# The command line ---------------------------------------------------------------------------------


def test_an_interruption_ends_with_code_130_and_a_word(capsys):
    with pytest.raises(SystemExit) as end, stopping_cleanly("the tables are as they were"):
        raise KeyboardInterrupt
    assert end.value.code == 130
    assert capsys.readouterr().out == "interrupted; the tables are as they were\n"


def test_errors_pass_through():
    with pytest.raises(ZeroDivisionError), stopping_cleanly("nothing"):
        raise ZeroDivisionError


def test_only_the_named_options_are_taken(arguments, capsys):
    arguments("--list")
    assert measuring.parse_arguments("What it does.", "list").list
    arguments("--one", "{}")
    with pytest.raises(SystemExit):
        measuring.parse_arguments("What it does.", "list")
    arguments("--help")
    with pytest.raises(SystemExit):
        measuring.parse_arguments("What it does.\n\n    indented", "list", "one")
    out = capsys.readouterr().out
    assert "What it does.\n\n    indented" in out
    assert "without doing it" in out
