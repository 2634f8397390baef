"""Files of vectors: what is written loads again, here and in gensim; nothing is half read."""

import gzip

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st

from utils.vector_files import read_vectors, write_vectors

WORDS = ["river", "été", "हिन्दी", "a\u2028b", "\u00a0", "\x85", "x" * 3000]
VECTORS = np.random.default_rng(0).normal(size=(len(WORDS), 3)).astype(np.float32)
TEXT = b"2 3\nriver 1 2 3\nlake 4 5 6\n"


def read_bytes(folder, content, binary=False):
    path = folder / "vectors"
    path.write_bytes(content)
    return read_vectors(path, binary)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("ending", ["", ".txt", ".gz", ".bz2"])
def test_what_is_written_loads_again_here_and_in_gensim(tmp_path, binary, ending):
    path = tmp_path / f"vectors{ending}"
    write_vectors(path, WORDS, VECTORS, binary)
    words, vectors = read_vectors(path, binary)
    assert words == WORDS
    assert np.array_equal(vectors, VECTORS)
    theirs = KeyedVectors.load_word2vec_format(str(path), binary=binary)
    assert theirs.index_to_key == WORDS
    assert np.array_equal(theirs.vectors, VECTORS)


@pytest.mark.parametrize("binary", [False, True])
def test_gensims_files_load(tmp_path, binary):
    theirs = KeyedVectors(3)
    theirs.add_vectors(WORDS, VECTORS)
    theirs.save_word2vec_format(str(tmp_path / "vectors"), binary=binary)
    words, vectors = read_vectors(tmp_path / "vectors", binary)
    assert words == WORDS
    assert np.array_equal(vectors, VECTORS)


def test_a_file_that_says_gz_is_compressed(tmp_path):
    write_vectors(tmp_path / "vectors.gz", WORDS, VECTORS)
    assert gzip.decompress((tmp_path / "vectors.gz").read_bytes()).startswith(b"7 3\nriver ")


@pytest.mark.parametrize("word", ["", "two words", "new\nline", "tab\t", "\x00", "\ud800", "a\r"])
def test_words_that_cannot_be_saved_are_named_and_nothing_is_written(tmp_path, word):
    path = tmp_path / "vectors"
    path.write_bytes(b"mine")
    with pytest.raises(ValueError, match="cannot be saved") as caught:
        write_vectors(path, ["river", word], VECTORS[:2])
    assert repr(word) in str(caught.value)
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e39])
def test_vectors_that_are_not_finite_are_not_saved(tmp_path, number):
    with pytest.raises(ValueError, match="the vector of 'lake' is not finite"):
        write_vectors(tmp_path / "v", ["river", "lake"], np.array([[1.0], [number]]))


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "line 1 should hold two whole numbers"),
        (b"river 1 2 3\nlake 4 5 6\n", "line 1 should hold two whole numbers"),
        (b"\xef\xbb\xbf" + TEXT, "line 1 should hold two whole numbers"),
        (b"0 3\n", "line 1 says 0 words"),
        (b"2 0\nriver\nlake\n", "of 0 coordinates, which cannot be"),
        (b"2 99999999999999\nriver 1\n", "99999999999999 coordinates"),
        (TEXT.replace(b"2 3", b"3 3"), "the file ends after 2"),
        (TEXT.replace(b"2 3", b"1 3"), "more rows follow"),
        (TEXT.replace(b"2 3", b"2 4"), "line 2 has 3 numbers, line 1 says 4"),
        (TEXT.replace(b"4 5 6", b"4 5"), "line 3 has 2 numbers"),
        (TEXT.replace(b"5", b"five"), "line 3 holds something that is no number"),
        (TEXT.replace(b"5", b"1_0"), "line 3 holds something that is no number"),
        (TEXT.replace(b"5", b"nan"), "line 3, of the word 'lake', has a number that is not finite"),
        (TEXT.replace(b"5", b"1e39"), "not finite"),
        (TEXT.replace(b"lake", b"river"), "'river' stands in line 3 and in line 2"),
        (TEXT.replace(b"lake", b"\xff"), "line 3 is not UTF-8"),
        (TEXT.replace(b"lake", b""), "line 3 begins with"),
        (TEXT[:-1], "ends within line 3"),
        (TEXT[:-14], "ends within line 2"),
    ],
)
def test_damaged_text_is_refused_with_line_and_reason(tmp_path, content, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        read_bytes(tmp_path, content)
    assert "vectors' is not a whole file" in str(caught.value)
    assert "\n" not in str(caught.value)


@given(cut=st.integers(0, 200))
def test_no_binary_file_is_half_read(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("cut")
    write_vectors(folder / "vectors", WORDS[:4], VECTORS[:4], binary=True)
    content = (folder / "vectors").read_bytes()
    if cut < len(content) - 1:  # the last byte ends the last row
        with pytest.raises(ValueError, match="vectors' is not a whole file"):
            read_bytes(folder, content[:cut], binary=True)


def test_binary_and_text_are_not_taken_for_each_other(tmp_path):
    write_vectors(tmp_path / "vectors", WORDS, VECTORS, binary=True)
    with pytest.raises(ValueError, match="text format"):
        read_vectors(tmp_path / "vectors")
    with pytest.raises(ValueError, match="binary format"):
        read_bytes(tmp_path, TEXT, binary=True)


def test_a_compressed_file_that_is_cut_is_refused(tmp_path):
    path = tmp_path / "vectors.gz"
    write_vectors(path, WORDS, VECTORS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="not a whole file"):
        read_vectors(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="save_word2vec writes one"):
        read_vectors(tmp_path / "vectors")
