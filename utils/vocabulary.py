"""Sentences -> Vocab -> ids; subsampling of frequent words."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.checks import Real, Whole, one_of, real_number, unknown_word, whole_number


def _check_limits(min_count, max_size) -> tuple[int, int | None]:
    if max_size is not None:
        max_size = whole_number("max_size", max_size)
    return whole_number("min_count", min_count), max_size


def _count(sentences) -> Counter:
    counter = Counter()
    for sentence in sentences:  # one at a time: a text may be larger than memory
        if isinstance(sentence, str):
            raise TypeError(
                "a sentence is a list of words, not a string; split it, for instance with "
                "tokenize()"
            )
        counter.update(sentence)
    return counter


class Vocab:
    """The words that occur at least `min_count` times, most frequent first.

    Words of equal count stand in alphabetical order. `.words` is a list, `.counts` a (V,) int64
    tensor, `len(vocab)` is V and `vocab["river"]` an id. `max_size` keeps only the most frequent
    words. Raises ValueError where no word is left, TypeError for a sentence that is a string.
    """

    def __init__(self, sentences, min_count: Whole = 5, max_size: Whole | None = None):
        _check_limits(min_count, max_size)  # before a long text is read
        self._rank(_count(sentences), min_count, max_size)

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], min_count: Whole = 5, max_size: Whole | None = None
    ) -> "Vocab":
        """The vocabulary of a text whose words are counted already: {word: count}."""
        vocab = cls.__new__(cls)
        vocab._rank(counts, min_count, max_size)
        return vocab

    def _rank(self, counts, min_count, max_size) -> None:
        min_count, max_size = _check_limits(min_count, max_size)
        if not counts:
            raise ValueError("the corpus is empty: it has no words to make a vocabulary of")
        ranked = sorted((-n, word) for word, n in counts.items() if n >= min_count)
        if not ranked:
            word = max(counts, key=counts.get)
            raise ValueError(
                f"no word occurs {min_count} times: the largest count is {counts[word]} ({word!r});"
                " lower min_count or bring more text"
            )
        kept = ranked[:max_size]
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
        """(ids, sentence_ids) of all words in the vocabulary, in the order of the text.

        Words outside the vocabulary are dropped.
        """
        get = self._ids.get
        encoded = [
            [i for word in sentence if (i := get(word)) is not None] for sentence in sentences
        ]
        ids = np.fromiter((i for sentence in encoded for i in sentence), dtype=np.int64)
        lengths = [len(sentence) for sentence in encoded]
        sentence_ids = np.repeat(np.arange(len(encoded)), lengths).astype(np.int64)
        return torch.from_numpy(ids), torch.from_numpy(sentence_ids)


def keep_probability(counts: Tensor, t: Real = 1e-3, rule: str = "paper") -> Float[Tensor, "V"]:
    """Each word's chance to survive subsampling, (V,) float64.

    sqrt(t/f) with rule="paper", that of Mikolov et al. (2013) and of D2L 15.3; sqrt(t/f) + t/f with
    rule="word2vec", what word2vec.c, gensim and fastText compute; at most 1. f is the word's share
    of the text. Raises ValueError for a threshold t that is not positive, or another rule.
    """
    t = real_number("the threshold t", t, above=0, hint=", such as 1e-3")
    rule = one_of("rule", rule, ("paper", "word2vec"))
    ratio = t / (counts.double() / counts.sum())
    keep = ratio.sqrt()
    if rule == "word2vec":
        keep = keep + ratio
    return keep.clamp(max=1)


def subsample(
    ids: Int[Tensor, "n"],
    vocab: Vocab,
    t: Real = 1e-3,
    rule: str = "paper",
    generator: torch.Generator | None = None,
) -> Bool[Tensor, "n"]:
    """A keep mask: each occurrence survives with its word's `keep_probability`."""
    keep = keep_probability(vocab.counts, t, rule).float()
    return torch.rand(len(ids), generator=generator) < keep[ids]
