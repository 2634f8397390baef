"""Text files as lines: one rule for their ends; what cannot be read says why."""

import bz2
import gzip
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils import lines
from utils.lines import read_lines
from utils.words import tokenize

TEXT = "The river\nbanks, été\n\nहिन्दी में\n"
LINES = ["The river", "banks, été", "", "हिन्दी में"]
pieces = st.text(st.sampled_from("ab é,\u0301\u200d\u3000日Σ"), max_size=60)


def read(path, content):
    path.write_bytes(content)
    return list(read_lines(path))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_those_of_text_files_do(tmp_path, end):
    assert read(tmp_path / "text", TEXT.replace("\n", end).encode()) == LINES


@pytest.mark.parametrize("character", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\t")
def test_lines_end_nowhere_else(tmp_path, character):
    assert read(tmp_path / "text", f"a{character}b\nc".encode()) == [f"a{character}b", "c"]


def test_a_byte_order_mark_is_no_text(tmp_path):
    assert read(tmp_path / "text", b"\xef\xbb\xbfriver\n") == ["river"]


@pytest.mark.parametrize("ending, compress", [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files(tmp_path, ending, compress):
    path = tmp_path / f"text.txt{ending}"
    content = compress(TEXT.encode())
    assert read(path, content) == LINES
    with pytest.raises(ValueError, match="cannot be decompressed from about line"):
        read(path, content[:-9])
    with pytest.raises(ValueError, match="cannot be decompressed from about line 1"):
        read(path, TEXT.encode())
    with pytest.raises(ValueError, match="is not UTF-8"):
        read(path, compress(b"abc\xff"))


@pytest.mark.parametrize(
    "content", [b"a\nb\xff", b"caf\xe9 au lait", "été".encode("utf-16"), b"a\xc3"]
)
def test_what_is_not_utf8_is_refused(tmp_path, content):
    with pytest.raises(ValueError, match="is not UTF-8 from about line"):
        read(tmp_path / "text", content)


@given(line=pieces)
def test_no_word_of_a_long_line_is_cut(tmp_path_factory, line):
    path = tmp_path_factory.mktemp("long") / "text"
    before = lines.LONGEST_LINE
    lines.LONGEST_LINE = 4
    try:
        parts = read(path, f"{line}\nnext".encode())
    finally:
        lines.LONGEST_LINE = before
    assert "".join(parts) == f"{line}next"
    words = [word for part in parts for word in tokenize(part)]
    assert words == [*tokenize(line), "next"]


def test_a_word_longer_than_all_bounds_stays_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 16)
    pieces = read(tmp_path / "text", b"short " + b"x" * 1000 + b" end")
    assert "".join(pieces).split() == ["short", "x" * 1000, "end"]
    assert max(map(len, pieces)) <= 1016


def test_what_is_no_file_says_why(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe' is a pipe; .* regular file"):
        list(read_lines(tmp_path / "pipe"))
    with pytest.raises(ValueError, match="is a folder"):
        list(read_lines(tmp_path))
    with pytest.raises(ValueError, match="is a device"):
        list(read_lines("/dev/null"))
    monkeypatch.chdir(tmp_path)  # a socket's address has a hundred characters at most
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(ValueError, match="is a socket"):
            list(read_lines(tmp_path / "s"))
    with pytest.raises(FileNotFoundError, match="there is no file '-' .standard input cannot"):
        list(read_lines("-"))


@pytest.mark.parametrize(
    "change", [lambda file: file.write("more\n"), lambda file: file.truncate(1)]
)
def test_a_file_that_changes_while_it_is_read(tmp_path, change):
    path = tmp_path / "text"
    path.write_text("river\n" * 9)
    reader = read_lines(path)
    next(reader)
    with open(path, "a") as file:
        change(file)
    with pytest.raises(ValueError, match="changed while it was read: 54 bytes at first"):
        list(reader)
