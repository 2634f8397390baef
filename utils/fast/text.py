"""Sentences or a file of any size -> pieces of ids, kept in memory while small and in a temporary file beyond."""

import os
import tempfile
import threading
import zlib

import numpy as np
import torch

from utils.corpus import read_sentences

PIECE = 1 << 16  # ids in a piece; longer sentences are cut there
IN_MEMORY = 1 << 26  # bytes of ids; more go to a temporary file


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
