"""Trained vectors: neighbours, similarity scores, word2vec files."""

import os
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from utils.checks import Whole, one_of, unknown_word, whole_number
from utils.vector_files import read_vectors, write_vectors

SIMILARITY_SETS = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}


class Embeddings:
    """Words with their vectors (V, d): `Embeddings(vocab.words, model.embedding.weight)`.

    Raises ValueError unless there is one row of vectors for each word, and each word stands once.
    """

    def __init__(self, words: list[str], vectors: Tensor):
        vectors = torch.as_tensor(vectors).detach().clone()
        if vectors.ndim != 2 or len(words) != len(vectors):
            raise ValueError(
                f"{len(words)} words need as many rows of vectors, got shape {tuple(vectors.shape)}"
            )
        self.words = list(words)
        self.vectors = vectors
        self._ids = {word: i for i, word in enumerate(self.words)}
        if len(self._ids) < len(self.words):
            twice = next(word for i, word in enumerate(self.words) if self._ids[word] != i)
            raise ValueError(f"the word {twice!r} stands more than once; each word has one vector")
        self._unit = normalize(vectors, dim=1)

    def neighbors(self, word: str, k: Whole = 5) -> list[tuple[str, float]]:
        """The k words with the largest cosine to `word`, itself left out.

        Raises KeyError, with near spellings, for an unknown word.
        """
        if word not in self._ids:
            raise KeyError(unknown_word(word, self.words))
        k = whole_number("k", k)
        own = self._ids[word]
        cosines = self._unit @ self._unit[own]
        cosines[own] = -torch.inf
        best = cosines.topk(min(k, len(self.words) - 1))
        found = zip(best.indices.tolist(), best.values.tolist())
        return [(self.words[i], cosine) for i, cosine in found]

    def similarity(self, name: str = "wordsim353") -> tuple[float, int]:
        """(Spearman's rho between cosine and human judgement, word pairs covered).

        On a set that ships with gensim, "wordsim353" (Finkelstein et al., 2002: relatedness) or
        "simlex999" (Hill et al., 2015: similarity proper). Always quote the coverage: words outside
        the vocabulary drop out. Raises ValueError where fewer than two pairs are covered.
        """
        from gensim.test.utils import datapath  # gensim takes a second to load

        one_of("the similarity set", name, SIMILARITY_SETS)
        path = datapath(SIMILARITY_SETS[name])
        known = {word.upper() for word in self.words}  # gensim compares without regard to case
        used = 0
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                first, second, *_ = line.split("\t")
                used += first.upper() in known and second.upper() in known
        if used < 2:
            raise ValueError(
                f"{name} shares {used} word pairs with this vocabulary; a rank correlation needs 2"
            )
        _pearson, spearman, _missing = self.to_gensim().evaluate_word_pairs(path)
        return float(spearman[0]), used

    def to_gensim(self):
        """The same words and vectors as gensim's KeyedVectors."""
        from gensim.models import KeyedVectors

        keyed = KeyedVectors(self.vectors.shape[1])
        keyed.add_vectors(self.words, self.vectors.float().numpy())
        return keyed

    def save_word2vec(self, path: str | os.PathLike, binary: bool = False) -> None:
        """Write word2vec.c's text or binary format, whole or not at all: see `write_vectors`."""
        write_vectors(path, self.words, self.vectors.double().numpy(), binary)

    @classmethod
    def load_word2vec(cls, path: str | os.PathLike, binary: bool = False) -> "Embeddings":
        """Read word2vec.c's text or binary format, strictly: see `read_vectors`."""
        words, vectors = read_vectors(path, binary)
        return cls(words, torch.from_numpy(vectors))
