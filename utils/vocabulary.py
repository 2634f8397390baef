"""Sentences -> Vocab -> ids; subsampling of frequent words."""

from collections import Counter

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from utils.checks import unknown_word


class Vocab:
    """The words that occur at least `min_count` times, most frequent first (ties in alphabetical order).

    `.words` is a list, `.counts` a (V,) int64 tensor, `len(vocab)` is V and `vocab["river"]` an id.
    `max_size` keeps only the most frequent words. Raises ValueError where no word is left.
    """

    def __init__(self, sentences, min_count: int = 5, max_size: int | None = None):
        counter = Counter()
        for sentence in sentences:  # one at a time: a text may be larger than memory
            if isinstance(sentence, str):
                raise TypeError(
                    "a sentence is a list of words, not a string; split it, for instance with tokenize()"
                )
            counter.update(sentence)
        if not counter:
            raise ValueError("the corpus is empty: it has no words to make a vocabulary of")
        if max_size is not None and max_size < 1:
            raise ValueError(f"max_size is {max_size}; a vocabulary keeps at least 1 word")
        kept = sorted((-n, word) for word, n in counter.items() if n >= min_count)[:max_size]
        if not kept:
            word, most = counter.most_common(1)[0]
            raise ValueError(
                f"no word occurs {min_count} times: the largest count is {most} ({word!r}); "
                "lower min_count or bring more text"
            )
        self.words = [word for _, word in kept]
        self.counts = torch.tensor([-n for n, _ in kept])
        self._ids = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word) -> bool:
        return word in self._ids

    def __getitem__(self, word: str) -> int:
        if word not in self._ids:
            raise KeyError(unknown_word(word, self.words))
        return self._ids[word]

    def encode(self, sentences) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
        """(ids, sentence_ids) of all words in the vocabulary, in the order of the text; others are dropped."""
        get = self._ids.get
        coded = [[i for word in sentence if (i := get(word)) is not None] for sentence in sentences]
        ids = np.fromiter((i for sentence in coded for i in sentence), dtype=np.int64)
        sentence_ids = np.repeat(np.arange(len(coded)), [len(sentence) for sentence in coded])
        return torch.from_numpy(ids), torch.from_numpy(sentence_ids.astype(np.int64))


def keep_probability(counts: Tensor, t: float = 1e-3, rule: str = "paper") -> Tensor:
    """Each word's chance to survive subsampling, (V,) float64: sqrt(t/f) or word2vec.c's sqrt(t/f) + t/f, at most 1.

    f is the word's share of the text. The first rule is that of Mikolov et al. (2013) and of D2L 15.3, the
    second what word2vec.c, gensim and fastText compute.
    """
    if not 0 < t < float("inf"):
        raise ValueError(f"the threshold t is {t}; give a small positive number such as 1e-3")
    ratio = t / (counts.double() / counts.sum())
    if rule == "paper":
        keep = ratio.sqrt()
    elif rule == "word2vec":
        keep = ratio.sqrt() + ratio
    else:
        raise ValueError(f"rule is {rule!r}; choose 'paper' or 'word2vec'")
    return keep.clamp(max=1)


def subsample(
    ids: Int[Tensor, "n"],
    vocab: Vocab,
    t: float = 1e-3,
    rule: str = "paper",
    generator: torch.Generator | None = None,
) -> Bool[Tensor, "n"]:
    """A keep mask: each occurrence survives with its word's `keep_probability`."""
    keep = keep_probability(vocab.counts, t, rule).float()  # one gather and one comparison a token
    return torch.rand(len(ids), generator=generator) < keep[ids]
