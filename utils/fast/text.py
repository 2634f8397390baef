"""Sentences, or a text file of any size -> pieces of ids, in memory while small, else in a file."""

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

    `sentences` are lists of words, or the path of a UTF-8 file with one sentence a line; they are
    read once. `words` counts all their words, `known` those of the vocabulary, and `checksum` tells
    this text from another. Raises ValueError if no word is in the vocabulary, TypeError for a
    sentence that is a string.
    """

    def __init__(self, sentences, vocab):
        self.words = 0
        self.known = 0
        self.checksum = 0
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115, lives as long as this
        self._lock = threading.Lock()
        self._ends = [0]  # of the pieces, in bytes
        if isinstance(sentences, str | os.PathLike):
            sentences = read_sentences(sentences)
        self._encode(sentences, vocab)
        if not self.known:
            raise ValueError(
                f"none of the {self.words} words of the text is among the {len(vocab)} words of "
                "the vocabulary"
            )

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> torch.Tensor:
        """One piece; several threads may ask at once."""
        start = self._ends[number]
        with self._lock:
            self._file.seek(start)
            content = self._file.read(self._ends[number + 1] - start)
        return torch.frombuffer(bytearray(content), dtype=torch.int32)

    def _encode(self, sentences, vocab) -> None:
        get = {word: i for i, word in enumerate(vocab.words)}.get
        sentence_end = len(vocab)
        waiting = []
        for sentence in sentences:
            if isinstance(sentence, str):
                raise TypeError(
                    f"a sentence is a list of words, not a string such as {sentence[:30]!r}; "
                    "split it, for instance with tokenize()"
                )
            ids = [i for word in sentence if (i := get(word)) is not None]
            self.words += len(sentence)
            self.known += len(ids)
            if len(waiting) + len(ids) >= PIECE:
                self._write(waiting)
                waiting = []
            if ids:
                waiting += [*ids, sentence_end]
            while len(waiting) > PIECE:  # one sentence that fills more than a piece
                self._write(waiting[:PIECE])
                waiting = waiting[PIECE:]
        self._write(waiting)

    def _write(self, ids: list[int]) -> None:
        if not ids:
            return
        content = np.array(ids, dtype=np.int32).tobytes()
        self.checksum = zlib.crc32(content, self.checksum)
        self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))
