"""Sentences, or a text file of any size -> pieces of ids, in memory while small, else in a file."""

import itertools
import os
import tempfile
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from tqdm.auto import tqdm

from utils.checks import Whole, whole_number
from utils.lines import read_lines
from utils.training import progress_wanted
from utils.vocabulary import Vocab
from utils.words import tokenize_lines

PIECE = 1 << 16  # ids in a piece; longer sentences are cut there
IN_MEMORY = 1 << 26  # bytes of ids; more go to a temporary file
AT_ONCE = 1 << 16  # words that are turned into an array of ids together
LINES_AT_ONCE = 64
END = "\n"  # stands for the end of a sentence among words


class Text:
    """The ids of a text in pieces of at most PIECE, int32; the id V stands after each sentence.

    `sentences` are lists of words, or the path of a UTF-8 file with one sentence a line; they are
    read once. `words` counts all their words, `known` those of the vocabulary, and `checksum` tells
    this text from another. Raises ValueError if no word is in the vocabulary, TypeError for a
    sentence that is a string.
    """

    def __init__(self, sentences, vocab: Vocab):
        V = len(vocab)
        numbers = _Ids({word: i for i, word in enumerate([*vocab.words, END])})
        self._fill(_numbered(sentences, numbers), V)
        if not self.known:
            raise ValueError(
                f"none of the {self.words} words of the text is among the {len(vocab)} words of "
                "the vocabulary"
            )

    @classmethod
    def with_vocabulary(
        cls, sentences, min_count: Whole = 5, max_size: Whole | None = None
    ) -> tuple["Text", Vocab]:
        """The text and its vocabulary, from one reading.

        The same as `Vocab(sentences, min_count, max_size)` and `Text(sentences, vocab)`. Words are
        numbered as they first come; these numbers wait in memory or in a temporary file, until all
        words are counted and have their ids. Raises as both.
        """
        min_count = whole_number("min_count", min_count)  # before a long text is read
        numbers = defaultdict(itertools.count().__next__)
        numbers[END]  # the first number, 0
        waiting = _Spool()
        for part in _numbered(sentences, numbers):
            waiting.append(part)
        count = np.zeros(len(numbers), np.int64)
        for part in waiting:
            count += np.bincount(part, minlength=len(count))
        counts = dict(zip(numbers, count.tolist()))
        del counts[END]
        vocab = Vocab.from_counts(counts, min_count, max_size)

        V = len(vocab)
        new_ids = np.full(len(count), V + 1, np.int32)
        new_ids[0] = V
        new_ids[[numbers[word] for word in vocab.words]] = np.arange(V)
        text = cls.__new__(cls)
        text._fill((new_ids[part] for part in waiting), V)
        return text, vocab

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, number: int) -> torch.Tensor:
        """One piece; several threads may ask at once."""
        return torch.from_numpy(self._pieces[number])

    def _fill(self, parts: Iterator[np.ndarray], V: int) -> None:
        """Take arrays of ids in the order of the text: V ends a sentence, V + 1 is no known word.

        Sentences without a known word are left out. A piece ends with a sentence, or where it is
        full.
        """
        self.words = 0
        self.known = 0
        self.checksum = 0
        self._pieces = _Spool()
        waiting = np.array([V], np.int32)  # ids that make no piece yet, behind a sentence's end
        for part in parts:
            self.words += int((part != V).sum())
            known = part[part <= V]
            self.known += int((known != V).sum())
            ids = np.concatenate([waiting, known])
            empty = (ids[1:] == V) & (ids[:-1] == V)
            ids = np.concatenate([ids[:1], ids[1:][~empty]])
            waiting = self._cut(ids, V)
        self._write(waiting[1:])

    def _cut(self, ids: np.ndarray, V: int) -> np.ndarray:
        """Write what makes whole pieces; returns the rest, behind the id before it."""
        while len(ids) - 1 > PIECE:
            ends = np.flatnonzero(ids[1 : PIECE + 1] == V)
            size = int(ends[-1]) + 1 if len(ends) else PIECE
            self._write(ids[1 : size + 1])
            ids = ids[size:]
        return ids

    def _write(self, ids: np.ndarray) -> None:
        if len(ids):
            self.checksum = zlib.crc32(ids.tobytes(), self.checksum)
            self._pieces.append(ids)


def _numbered(sentences, numbers: Mapping) -> Iterator[np.ndarray]:
    """Arrays of about AT_ONCE numbers: those of the words, with that of END after each sentence."""
    if isinstance(sentences, str | os.PathLike):
        parts = _of_file(sentences, numbers)
    else:
        parts = _of_sentences(sentences, numbers)
    numbers = []
    with tqdm(
        unit="word", unit_scale=True, leave=False, desc="reading", disable=not progress_wanted()
    ) as bar:
        for part in parts:
            numbers.extend(part)
            if len(numbers) >= AT_ONCE:
                bar.update(len(numbers))
                yield np.array(numbers, dtype=np.int32)
                numbers.clear()
    yield np.array(numbers, dtype=np.int32)


def _of_file(path, numbers: Mapping) -> Iterator[Iterable[int]]:
    lines = read_lines(path)
    while some := list(itertools.islice(lines, LINES_AT_ONCE)):
        yield map(numbers.__getitem__, tokenize_lines(some))


def _of_sentences(sentences, numbers: Mapping) -> Iterator[Iterable[int]]:
    for sentence in sentences:
        if isinstance(sentence, str):
            raise TypeError(
                f"a sentence is a list of words, not a string such as {sentence[:30]!r}; "
                "split it, for instance with tokenize()"
            )
        yield map(numbers.__getitem__, sentence)
        yield (numbers[END],)


class _Ids(dict):
    """{word: id, END: V}; any other word has the id V + 1, and is not remembered."""

    def __missing__(self, word: str) -> int:
        return len(self)


class _Spool:
    """A list of int32 arrays, in a temporary file once they take more than IN_MEMORY."""

    def __init__(self):
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115, lives as long as this
        self._lock = threading.Lock()
        self._ends = [0]  # of the arrays, in bytes

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> np.ndarray:
        end = self._ends[number + 1]  # IndexError ends an iteration
        start = self._ends[number]
        with self._lock:
            self._file.seek(start)
            content = self._file.read(end - start)
        return np.frombuffer(bytearray(content), dtype=np.int32)

    def append(self, array: np.ndarray) -> None:
        content = array.tobytes()
        self._file.seek(self._ends[-1])
        self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))
