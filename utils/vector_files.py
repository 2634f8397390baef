"""word2vec's files of vectors, text and binary: written so that they load again, read strictly."""

import bz2
import gzip
import math
import os
import re
from pathlib import Path

import numpy as np

from utils.files import atomic_path

COMPRESSED = {".gz": gzip.open, ".bz2": bz2.open}
DIVIDES = re.compile(
    "[ \t\n\r\v\f\0]"
)  # what ends a word in these files, here or in other programs
LONGEST_HEADER = 100  # bytes
LARGEST = float(np.finfo(np.float32).max)
MOST_COORDINATES = 1_000_000  # a header that says more is no header


def write_vectors(
    path: str | os.PathLike, words: list[str], vectors: np.ndarray, binary: bool = False
) -> None:
    """Write words and vectors (V, d) as float32, whole or not at all; .gz and .bz2 are compressed.

    Raises ValueError for a word that the format cannot hold (empty, with white space or a lone
    surrogate), and for a vector that is not finite; each is named.
    """
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    _check_content(words, vectors)
    path = Path(path)
    row_format = b" ".join([b"%.9g"] * vectors.shape[1])  # nine digits tell any two float32 apart
    with atomic_path(path) as part, _opened(path, part, "wb") as file:
        file.write(b"%d %d\n" % vectors.shape)
        for word, row in zip(words, vectors):
            file.write(word.encode("utf-8") + b" ")
            file.write(row.tobytes() if binary else row_format % tuple(row.tolist()))
            file.write(b"\n")


def read_vectors(path: str | os.PathLike, binary: bool = False) -> tuple[list[str], np.ndarray]:
    """(words, vectors (V, d) float32) of a file in word2vec's text or binary format.

    Raises FileNotFoundError, and ValueError with the file, the place and the reason for anything
    but a whole file: a header of two numbers, as many rows as it says, of that many finite numbers,
    each with a word of its own.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}; save_word2vec writes one")
    try:
        with _opened(path, path, "rb") as file:
            return _read_binary(file) if binary else _read_text(file)
    except (ValueError, EOFError, OSError) as error:
        kind = "binary" if binary else "text"
        raise ValueError(
            f"{str(path)!r} is not a whole file of vectors in word2vec's {kind} format: {error}"
        ) from None


def _opened(path, part, mode):
    return COMPRESSED.get(path.suffix, open)(part, mode)


def _check_content(words, vectors):
    for word in words:
        if not word or DIVIDES.search(word):
            raise ValueError(
                f"the word {word!r} cannot be saved in word2vec's format, where a word is not "
                "empty and has no white space; rename it or leave it out"
            )
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(
                f"the word {word!r} cannot be saved: it is no valid Unicode; "
                "rename it or leave it out"
            ) from None
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        word = words[int(np.argmin(finite))]
        raise ValueError(
            f"the vector of {word!r} is not finite as float32; vectors like that cannot be used"
        )


def _header(file) -> tuple[int, int]:
    line = file.readline(LONGEST_HEADER)
    match = re.fullmatch(rb"(\d+) +(\d+) *\r?\n", line)
    if not match:
        shown = line[:40].decode("utf-8", "backslashreplace")
        raise ValueError(
            "line 1 should hold two whole numbers, of words and of coordinates, "
            f"and holds {shown!r}"
        )
    size, d = map(int, match.groups())
    if size < 1 or not 1 <= d <= MOST_COORDINATES:
        raise ValueError(f"line 1 says {size} words of {d} coordinates, which cannot be")
    return size, d


class _Rows:
    """The rows read so far, checked as they come: a wrong header allocates nothing."""

    def __init__(self):
        self.words = []
        self.vectors = []
        self.places = {}

    def add(self, word: bytes, vector: np.ndarray, place: str) -> None:
        try:
            text = word.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"the word in {place} is not UTF-8") from None
        if not text or DIVIDES.search(text):
            raise ValueError(f"{place} begins with {text[:40]!r} instead of a word")
        if text in self.places:
            raise ValueError(
                f"the word {text[:40]!r} stands in {place} and in {self.places[text]}; "
                "each word has one row"
            )
        if not np.isfinite(vector).all():
            raise ValueError(f"{place}, of the word {text[:40]!r}, has a number that is not finite")
        self.places[text] = place
        self.words.append(text)
        self.vectors.append(vector)


def _read_text(file):
    size, d = _header(file)
    rows = _Rows()
    for number in range(2, size + 2):
        line = file.readline()
        if not line:
            raise ValueError(f"line 1 says {size} words, but the file ends after {len(rows.words)}")
        if not line.endswith(b"\n"):
            raise ValueError(f"it ends within line {number}, as if it had been cut off")
        word, *numbers = line.rstrip(b" \r\n").split(b" ")
        if len(numbers) != d:
            raise ValueError(f"line {number} has {len(numbers)} numbers, line 1 says {d}")
        try:
            vector = np.array([_number(one) for one in numbers], dtype=np.float32)
        except ValueError:
            raise ValueError(f"line {number} holds something that is no number") from None
        rows.add(word, vector, f"line {number}")
    if file.read().strip():
        raise ValueError(f"line 1 says {size} words, but more rows follow")
    return rows.words, np.stack(rows.vectors)


def _number(text: bytes) -> float:
    """A decimal number; Python's underscores and other alphabets' digits are none."""
    if b"_" in text or not text.isascii():
        raise ValueError
    value = float(text)
    return value if abs(value) <= LARGEST else math.inf


def _read_binary(file):
    size, d = _header(file)
    rows = _Rows()
    for number in range(1, size + 1):
        word = _word(file, number)
        content = file.read(4 * d)
        if len(content) != 4 * d:
            raise ValueError(f"it ends within row {number} of the {size} that line 1 says")
        rows.add(word, np.frombuffer(content, dtype="<f4"), f"row {number}")
    if file.read().strip(b"\n"):
        raise ValueError(f"line 1 says {size} words, but more bytes follow")
    return rows.words, np.stack(rows.vectors).astype(np.float32)


def _word(file, number: int) -> bytes:
    """The bytes up to the next space; a line end before them belongs to the row before."""
    letters = bytearray()
    while (letter := file.read(1)) != b" ":
        if not letter:
            raise ValueError(f"it ends before row {number}")
        if letters or letter != b"\n":
            letters += letter
    return bytes(letters)
