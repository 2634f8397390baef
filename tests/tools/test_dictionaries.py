"""tools/dictionaries.py: entries become lines; what is missing is named."""

import gzip

import pytest

from tools import dictionaries


def test_each_entry_becomes_a_line(tmp_path, capsys):
    text = "river\n   n 1: a stream\n\n        of water\nbank\n   n 1: its side\n"
    (tmp_path / "wn.dict.dz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "empty.dict.dz").write_bytes(gzip.compress(b""))
    out = tmp_path / "text.txt"
    dictionaries.main([str(out), "--folder", str(tmp_path)])
    assert out.read_text() == "river n 1: a stream of water\nbank n 1: its side\n"
    assert "2 entries of 2 dictionaries" in capsys.readouterr().out


def test_missing_dictionaries_are_named(tmp_path):
    with pytest.raises(SystemExit, match="no dictionaries .* install them"):
        dictionaries.main([str(tmp_path / "text.txt"), "--folder", str(tmp_path)])
    assert not (tmp_path / "text.txt").exists()
