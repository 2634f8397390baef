"""utils.tables: what is stored comes back.

A table that cannot be trusted is refused, with the way to make it anew.
"""

import re
import sys

import gensim
import pandas as pd
import pytest
import torch

from utils import tables
from utils.tables import ORIGIN, append, load, save

COMMAND = "make something"
ROWS = [
    {"V": 10, "name": "full softmax", "seconds": 0.25},
    {"V": 20, "name": "full, softmax", "seconds": 1e-9},
]
VERSIONS = tables.versions
HERE = "python 3.11, torch 2.13.0, gensim 4.4.0"
OTHER = "python 3.11, torch 9.9.9, gensim 4.4.0"


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr(tables, "versions", lambda: HERE)


def stored(folder, name="t"):
    return load(name, ["V", "name", "seconds"], COMMAND, folder)[["V", "name", "seconds"]].to_dict(
        "records"
    )


def test_what_is_saved_is_loaded_with_its_origin(tmp_path, capsys):
    save("t", ROWS, COMMAND, tmp_path / "new folder")
    assert stored(tmp_path / "new folder") == ROWS
    table = load("t", ["V"], COMMAND, tmp_path / "new folder")
    assert list(table.columns) == ["V", "name", "seconds", *ORIGIN]
    assert set(table.command) == {COMMAND} and set(table.versions) == {HERE}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", table.date[0]) and re.search(
        r", \d+ cores, ", table.machine[0]
    )
    assert capsys.readouterr().out == ""


def test_save_replaces_and_append_adds(tmp_path):
    save("t", ROWS, COMMAND, tmp_path)
    save("t", ROWS[:1], COMMAND, tmp_path)
    append("t", ROWS[1:], COMMAND, tmp_path)
    append("t", [dict(reversed(ROWS[0].items()))], COMMAND, tmp_path)  # another order of columns
    assert stored(tmp_path) == [*ROWS, ROWS[0]]
    append("other", ROWS, COMMAND, tmp_path)
    assert stored(tmp_path, "other") == ROWS


def test_an_interrupted_write_leaves_the_old_table(tmp_path, monkeypatch):
    """The disk is full after half of the text."""
    save("t", ROWS, COMMAND, tmp_path)

    def half(self, path, **options):
        path.write_text("V,name,sec", encoding="utf-8")
        raise OSError("no space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    for write in (save, append):
        with pytest.raises(OSError, match="no space left"):
            write("t", ROWS[:1], COMMAND, tmp_path)
        assert stored(tmp_path) == ROWS


def test_no_rows_replace_nothing(tmp_path):
    save("t", ROWS, COMMAND, tmp_path)
    with pytest.raises(ValueError, match="no rows for t.csv, which stays as it is"):
        save("t", [], COMMAND, tmp_path)
    assert stored(tmp_path) == ROWS


@pytest.mark.parametrize(
    "content, trouble",
    [
        (b"", r"cannot be read \(No columns"),
        (b'V,seconds\n"1,2\n3', r"cannot be read \("),
        (b"V\n\xff\xfe\n", r"cannot be read \("),
        (b"V,command,versions,date,machine\n", "has no column seconds"),
        (b"V,seconds\n1,2\n", "has no column command, versions, date, machine"),
        (b"V,seconds,command,versions,date,machine\n", "has no rows"),
        (
            b"V,seconds,command,versions,date,machine\n"
            + f'1,2,c,"{HERE}",d,m\n1,2,c,"{OTHER}",d,m\n'.encode(),
            f"mixes rows of {HERE} and of {OTHER}",
        ),
    ],
    ids=["empty", "torn", "not text", "a column missing", "no origin", "no rows", "mixed"],
)
def test_a_table_that_cannot_be_trusted_is_refused_with_the_remedy(tmp_path, content, trouble):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(
        ValueError, match=f"t.csv {trouble}.*; remove it, and `make something` makes it anew"
    ):
        load("t", ["V", "seconds"], COMMAND, tmp_path)


def test_a_missing_table_names_the_command(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="there is no table t.csv in .*; `make something` makes it"
    ):
        load("t", ["V"], COMMAND, tmp_path)


def test_other_versions_are_named_in_one_line(tmp_path, monkeypatch, capsys):
    save("t", ROWS, COMMAND, tmp_path)
    monkeypatch.setattr(tables, "versions", lambda: OTHER)
    assert stored(tmp_path) == ROWS
    out = capsys.readouterr().out
    assert (
        out.count("\n") == 1
        and HERE in out
        and "torch 9.9.9" in out
        and "`make something` makes it anew" in out
    )


def test_pythons_own_version_does_not_matter(tmp_path, monkeypatch, capsys):
    save("t", ROWS[:1], COMMAND, tmp_path)
    monkeypatch.setattr(tables, "versions", lambda: HERE.replace("3.11", "3.13"))
    append("t", ROWS[1:], COMMAND, tmp_path)
    assert stored(tmp_path) == ROWS and capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "rows, version, trouble",
    [
        (ROWS[:1], OTHER, f"was made with {HERE}"),
        ([{"V": 1, "name": "n"}], HERE, "has the columns seconds too"),
        ([{**ROWS[0], "peak": 1}], HERE, "has no column peak"),
    ],
    ids=["versions", "fewer columns", "more columns"],
)
def test_rows_that_do_not_belong_to_a_table_are_not_added(
    tmp_path, monkeypatch, rows, version, trouble
):
    save("t", ROWS, COMMAND, tmp_path)
    monkeypatch.setattr(tables, "versions", lambda: version)
    with pytest.raises(ValueError, match=f"t.csv {trouble}.*`make something` makes it anew"):
        append("t", rows, COMMAND, tmp_path)
    monkeypatch.setattr(tables, "versions", lambda: HERE)
    assert stored(tmp_path) == ROWS


def test_the_versions_are_those_installed():
    made_with = VERSIONS()
    assert made_with.startswith(f"python {sys.version_info[0]}.{sys.version_info[1]}, ")
    assert made_with.endswith(
        f"torch {torch.__version__.split('+')[0]}, gensim {gensim.__version__}"
    )
