"""Trained vectors: neighbours, similarity scores, word2vec files."""

import os
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from utils.checks import unknown_word

SIMILARITY_SETS = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}


class Embeddings:
    """Words with their vectors (V, d): `Embeddings(vocab.words, model.embedding.weight)`."""

    def __init__(self, words: list[str], vectors: Tensor):
        vectors = torch.as_tensor(vectors).detach().clone()
        if vectors.ndim != 2 or len(words) != len(vectors):
            raise ValueError(
                f"{len(words)} words need as many rows of vectors, got shape {tuple(vectors.shape)}"
            )
        self.words, self.vectors = list(words), vectors
        self._ids = {word: i for i, word in enumerate(self.words)}
        self._unit = torch.nn.functional.normalize(vectors, dim=1)

    def neighbors(self, word: str, k: int = 5) -> list[tuple[str, float]]:
        """The k words with the largest cosine to `word`, itself left out. KeyError (near spellings) if unknown."""
        if word not in self._ids:
            raise KeyError(unknown_word(word, self.words))
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least 1 neighbour")
        cosines = self._unit @ self._unit[self._ids[word]]
        cosines[self._ids[word]] = -torch.inf
        best = cosines.topk(min(k, len(self.words) - 1))
        return [
            (self.words[i], value) for value, i in zip(best.values.tolist(), best.indices.tolist())
        ]

    def similarity(self, name: str = "wordsim353") -> tuple[float, int]:
        """(Spearman's rho between cosine and human judgement, word pairs covered) on a set that ships with gensim.

        "wordsim353": Finkelstein et al. (2002), relatedness; "simlex999": Hill et al. (2015), similarity proper.
        Always quote the coverage: words outside the vocabulary drop out.
        """
        from gensim.test.utils import datapath

        if name not in SIMILARITY_SETS:
            raise ValueError(
                f"there is no similarity set {name!r}; choose one of {', '.join(SIMILARITY_SETS)}"
            )
        path = datapath(SIMILARITY_SETS[name])
        lines = [
            line.split("\t")
            for line in Path(path).read_text(encoding="utf-8").splitlines()
            if line[:1] != "#"
        ]
        known = {word.upper() for word in self.words}  # gensim compares without regard to case
        used = sum(a.upper() in known and b.upper() in known for a, b, *_ in lines)
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
        """Write word2vec.c's text or binary format, whole or not at all."""
        path = Path(path)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder) / "vectors"
            self.to_gensim().save_word2vec_format(str(part), binary=binary, write_header=True)
            os.replace(part, path)

    @classmethod
    def load_word2vec(cls, path: str | os.PathLike, binary: bool = False) -> "Embeddings":
        """Read word2vec.c's text or binary format."""
        from gensim.models import KeyedVectors

        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no file {str(path)!r}; save_word2vec writes one")
        keyed = KeyedVectors.load_word2vec_format(str(path), binary=binary)
        return cls(keyed.index_to_key, torch.from_numpy(keyed.vectors))
