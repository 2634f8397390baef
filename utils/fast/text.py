"""Sentences or a file of any size -> pieces of ids, kept in memory while small and in a temporary file beyond."""

import os
import tempfile
import threading
import zlib
from pathlib import Path

import numpy as np
import torch

from utils.corpus import tokenize

PIECE = 1 << 16  # ids in a piece; longer sentences are cut there
IN_MEMORY = 1 << 26  # bytes of ids; more go to a temporary file
LINE = 1 << 20  # characters of a line that are read at once


def read_sentences(path: str | os.PathLike):
    """The lines of a UTF-8 file as lists of lower-case words, one after the other; bounded memory for any line.

    Raises FileNotFoundError, and ValueError if the file is not UTF-8, ends within a character or changes its length
    while it is read. A line beyond a million characters comes as several sentences.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {str(path)!r}; give the path of a UTF-8 text file"
        )
    size, number, rest = path.stat().st_size, 0, ""
    with open(path, encoding="utf-8", newline="\n") as file:
        try:
            while part := file.readline(LINE):
                cut = len(part) == LINE and part[-1] != "\n"  # the line goes on
                number, part, rest = number + (not cut), rest + part, ""
                if cut and " " in part:  # between two words
                    part, _, rest = part.rpartition(" ")
                yield tokenize(part)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{str(path)!r} is not UTF-8 (somewhere after line {number}: {error.reason}); save the "
                "file as UTF-8, whole, and try again"
            ) from None
        if rest:
            yield tokenize(rest)
        end = file.buffer.tell()
    if not end == size == path.stat().st_size:
        raise ValueError(
            f"{str(path)!r} changed while it was read: {size} bytes at first, {path.stat().st_size} now; "
            "train when nothing writes to it any more"
        )


class Text:
    """The ids of a text in pieces of at most PIECE, int32; the id V stands after each sentence.

    `sentences` are lists of words, or the path of a UTF-8 file with one sentence a line; they are read once. `words`
    counts all their words, `known` those of the vocabulary; `checksum` tells this text from another.
    """

    def __init__(self, sentences, vocab):
        self._file, self._lock = tempfile.SpooledTemporaryFile(IN_MEMORY), threading.Lock()  # noqa: SIM115, lives as long
        self._ends, self.words, self.known, self.checksum = [0], 0, 0, 0
        get, end, waiting = {word: i for i, word in enumerate(vocab.words)}.get, len(vocab), []
        for sentence in (
            read_sentences(sentences) if isinstance(sentences, str | os.PathLike) else sentences
        ):
            if isinstance(sentence, str):
                raise TypeError(
                    f"a sentence is a list of words, not a string such as {sentence[:30]!r}; split it, "
                    "for instance with tokenize()"
                )
            coded = [i for word in sentence if (i := get(word)) is not None]
            self.words, self.known = self.words + len(sentence), self.known + len(coded)
            if len(waiting) + len(coded) >= PIECE:
                self._write(waiting)
                waiting = []
            waiting += [*coded, end] if coded else []
            while len(waiting) > PIECE:  # one sentence that fills more than a piece
                self._write(waiting[:PIECE])
                waiting = waiting[PIECE:]
        self._write(waiting)
        if not self.known:
            raise ValueError(
                f"none of the {self.words} words of the text is among the {end} words of the vocabulary"
            )

    def __len__(self) -> int:
        return len(self._ends) - 1

    def _write(self, ids: list[int]) -> None:
        if ids:
            content = np.array(ids, dtype=np.int32).tobytes()
            self.checksum = zlib.crc32(content, self.checksum)
            self._file.write(content)
            self._ends.append(self._ends[-1] + len(content))

    def __getitem__(self, number: int) -> torch.Tensor:
        """One piece; may be asked for by several threads."""
        with self._lock:
            self._file.seek(self._ends[number])
            content = self._file.read(self._ends[number + 1] - self._ends[number])
        return torch.frombuffer(bytearray(content), dtype=torch.int32)
