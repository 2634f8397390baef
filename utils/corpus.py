"""Text -> sentences -> Vocab -> ids; subsampling of frequent words."""

import bz2
import difflib
import os
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int
from platformdirs import user_cache_path
from torch import Tensor

BUILT_IN = ("wikipedia", "ptb")
WIKIPEDIA_DUMP = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"


def cache_folder() -> Path:
    """The user's own cache folder for this course: cleaned text and downloads, never the repository."""
    return user_cache_path("approximate-training")


def tokenize(line: str) -> list[str]:
    """Lower-case runs of letters: "Rivers, 1912!" -> ["rivers"] (gensim's tokenizer)."""
    from gensim.utils import tokenize as words_of

    return list(words_of(line, lowercase=True))


def load_corpus(source: str | os.PathLike = "wikipedia") -> list[list[str]]:
    """Sentences as lists of words.

    "wikipedia" (the default) is the sample of about a hundred articles inside the gensim package, one
    "sentence" a paragraph; it needs no network, and its cleaned text is kept in the user's cache folder.
    "ptb" is D2L's Penn Treebank, downloaded once. Anything else is the path of a UTF-8 text file, one
    sentence a line, from which words are taken as lower-case runs of letters.

    Raises FileNotFoundError (no such file), ValueError (not UTF-8, or no words in it), ConnectionError (PTB
    without a network).
    """
    if source == "wikipedia":
        return _wikipedia()
    if source == "ptb":
        from utils.d2l_bridge import load_ptb

        return load_ptb()
    path = Path(source)
    if not path.is_file():
        names = " and ".join(map(repr, BUILT_IN))
        raise FileNotFoundError(f"there is no file {str(path)!r}; give the path of a UTF-8 text file, or one of "
                                f"the built-in corpora, {names}")
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{str(path)!r} is not UTF-8: byte {error.start} cannot be decoded; save the file as "
                         "UTF-8 and load it again") from None
    sentences = [words for line in text.splitlines() if (words := tokenize(line))]
    if not sentences:
        raise ValueError(f"{str(path)!r} holds no words; it should hold text, one sentence a line")
    return sentences


def _wikipedia() -> list[list[str]]:
    cached = cache_folder() / "wikipedia-1.txt"
    if not cached.is_file():
        lines = "\n".join(" ".join(words) for words in _clean_wikipedia())
        try:
            write_atomically(cached, lines.encode("utf-8"))
        except OSError:                                # a read-only home costs two seconds a start, no more
            return [line.split() for line in lines.split("\n")]
    return [line.split() for line in cached.read_text(encoding="utf-8").split("\n")]


def _clean_wikipedia():
    from gensim.corpora.wikicorpus import extract_pages, filter_wiki
    from gensim.test.utils import datapath

    with bz2.open(datapath(WIKIPEDIA_DUMP)) as dump:
        for _title, markup, _page in extract_pages(dump, filter_namespaces=("0",)):
            if markup.lstrip().lower().startswith("#redirect"):
                continue
            for paragraph in filter_wiki(markup).split("\n"):
                words = tokenize(paragraph)
                if len(words) > 1:                     # one word alone has no context
                    yield words


def write_atomically(path: Path, content: bytes) -> None:
    """Write the whole file or nothing: an interrupted run leaves the old file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class Vocab:
    """The words that occur at least `min_count` times, most frequent first (ties in alphabetical order).

    `.words` is a list, `.counts` a (V,) int64 tensor, `len(vocab)` is V and `vocab["river"]` an id.
    `max_size` keeps only the most frequent words. Raises ValueError where no word is left.
    """

    def __init__(self, sentences, min_count: int = 5, max_size: int | None = None):
        counter = Counter()
        for sentence in sentences:                     # one at a time: a text may be larger than memory
            if isinstance(sentence, str):
                raise TypeError("a sentence is a list of words, not a string; split it, for instance with tokenize()")
            counter.update(sentence)
        if not counter:
            raise ValueError("the corpus is empty: it has no words to make a vocabulary of")
        if max_size is not None and max_size < 1:
            raise ValueError(f"max_size is {max_size}; a vocabulary keeps at least 1 word")
        kept = sorted((-n, word) for word, n in counter.items() if n >= min_count)[:max_size]
        if not kept:
            word, most = counter.most_common(1)[0]
            raise ValueError(f"no word occurs {min_count} times: the largest count is {most} ({word!r}); "
                             "lower min_count or bring more text")
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


def unknown_word(word: str, words: list[str]) -> str:
    """The message for a word that is not in the vocabulary, with the nearest spellings."""
    near = difflib.get_close_matches(str(word), words, n=3)
    hint = f"; near spellings: {', '.join(near)}" if near else ""
    return f"{word!r} is not among the {len(words)} words of the vocabulary{hint}"


def check_counts(counts, *, zeros: bool) -> Tensor:
    """Counts as a (V,) float64 tensor; ValueError if they are empty, negative, not finite, or (unless `zeros`) zero."""
    counts = torch.as_tensor(counts).double()
    if counts.ndim != 1 or not len(counts):
        raise ValueError(f"counts have shape {tuple(counts.shape)}; give one count for each of at least one word")
    bad = ~torch.isfinite(counts) | (counts < 0) | ((counts == 0) & (not zeros))
    if bad.any():
        i = int(bad.nonzero()[0])
        raise ValueError(f"the count of word {i} is {counts[i].item():g}; counts must be "
                         f"{'at least' if zeros else 'above'} 0 and finite")
    return counts


def check_ids(ids: Tensor, size: int, what: str = "target") -> None:
    """IndexError unless all ids lie in 0..size-1."""
    if ids.numel():
        low, high = ids.min().item(), ids.max().item()
        if low < 0 or high >= size:
            raise IndexError(f"{what} id {low if low < 0 else high} is outside the vocabulary of {size} words "
                             f"(ids run from 0 to {size - 1})")


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


def subsample(ids: Int[Tensor, "n"], vocab: Vocab, t: float = 1e-3, rule: str = "paper",
              generator: torch.Generator | None = None) -> Bool[Tensor, "n"]:
    """A keep mask: each occurrence survives with its word's `keep_probability`."""
    keep = keep_probability(vocab.counts, t, rule).float()    # one gather and one comparison a token
    return torch.rand(len(ids), generator=generator) < keep[ids]
